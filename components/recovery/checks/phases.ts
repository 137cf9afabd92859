import { listed } from "../../base/bounded";
import { brokerList } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import { activeReplicas, partitionIds } from "../../clients/topology";
import { isTransient } from "../../clients/answers";
import { Refused } from "../../clients/http";
import { asked, waitFor } from "../../clients/poll";
import type { ExporterPhase } from "../../clients/zeebe";
import { SURVIVING_REPLICAS } from "../phase";
import type { Session } from "../session";
import { isRecent, Recent } from "./recent";

/** The exporter phases of the replicas of some brokers, by broker id. */
export type Phases = Map<number, ExporterPhase[]>;

type Phase = "EXPORTING" | "PAUSED";

/**
 * What the brokers have said of exporting, beside what the configuration says that there is to be said: `{}` is the
 * true answer of a broker without replicas, and also that of one whose partitions have not started.
 */
export interface Look {
  /** The partitions of which each broker is to report a replica. */
  replicas: ReadonlyMap<number, readonly number[]>;
  phases: Phases;
}

/** The last look in which nothing was missing. */
const lastLook = new Recent<Look>();

/** Forgets what was seen of exporting: for whoever is about to change it, or who the members are. */
export function forgetPhases(session: Session): void {
  lastLook.forget(session);
}

/** The distinct phases over all replicas, sorted. */
export function distinct(phases: Phases): string[] {
  return [...new Set([...phases.values()].flat().map((replica) => replica.phase))].sort();
}

/** Whether each replica that there is was reported, and all of them in the phase. */
export function allAre(phase: Phase, look: Look, session: Session): boolean {
  return missing(look, session).length === 0 && others(phase, look).length === 0;
}

/**
 * What nobody has said, in words. That a partition is listed with fewer replicas than a region has of each is half
 * an answer too: whose replica it is that is missing, nothing says.
 */
function missing({ replicas, phases }: Look, session: Session): string[] {
  const unlisted = partitionIds(session.settings.partitionCount).flatMap((partition) => {
    const count = [...replicas.values()].filter((held) => held.includes(partition)).length;
    return count < SURVIVING_REPLICAS
      ? [`partition ${partition} listed with ${count} replicas`]
      : [];
  });
  const silent = [...replicas].flatMap(([id, held]) => {
    const reported = (phases.get(id) ?? []).map(({ partition }) => partition);
    return held
      .filter((partition) => !reported.includes(partition))
      .map((partition) => `broker ${id} partition ${partition} not reported`);
  });
  return [...unlisted, ...silent];
}

/** The replicas that are in another phase, in words. */
function others(phase: Phase, { phases }: Look): string[] {
  return [...phases].flatMap(([id, replicas]) =>
    replicas
      .filter((replica) => replica.phase !== phase)
      .map((replica) => `broker ${id} partition ${replica.partition} ${replica.phase}`),
  );
}

/** The same replicas, of which nothing is known any more: what they do was changed. */
export function unasked({ replicas }: Look): Look {
  return { replicas, phases: new Map() };
}

/** The replicas whose exporting counts: those of all members. During a pause these are the survivors. */
async function replicasOf(session: Session): Promise<Look["replicas"]> {
  return activeReplicas((await session.observe()).configuration);
}

/** Reads the exporter phase of every replica of the brokers, from each broker itself. */
export async function readPhases(session: Session, brokers: readonly number[]): Promise<Phases> {
  return new Map(
    await Promise.all(
      brokers.map(async (id): Promise<[number, ExporterPhase[]]> => [
        id,
        await session.zeebe.exporterPhases(session.broker(id)),
      ]),
    ),
  );
}

/**
 * One look at the exporting of every replica: no other answer shows a pause (`/actuator/exporters` says ENABLED all
 * the while).
 *
 * @param of whose replicas count, if not those of all members
 */
export async function lookOnce(session: Session, of?: readonly number[]): Promise<Look> {
  const replicas = new Map(
    [...(await replicasOf(session))].filter(([id]) => of?.includes(id) ?? true),
  );
  return { replicas, phases: await readPhases(session, [...replicas.keys()]) };
}

/** What is waited for when the brokers are asked again and again. */
interface Awaited {
  what: string;
  /** The phase that each replica is to be in; any will do when it is missing. */
  phase?: Phase;
  /** What ends the wait before each replica was reported. */
  enough?: (phases: Phases) => boolean;
  /** What was seen a moment ago, if it was. */
  known?: Look;
}

/**
 * Asks the brokers until each replica has been reported, in the phase when there is one. Who has said so is not
 * asked again, unless the others take long. The look is remembered when it is whole.
 */
async function awaitLook(session: Session, { what, phase, enough, known }: Awaited): Promise<Look> {
  // Before the wait: a cluster that is gone is not waited for, as when a stack is destroyed.
  let replicas: Look["replicas"] | undefined =
    known?.replicas ??
    (await asked("the configuration of the cluster", session.log, () => replicasOf(session)));
  const now = performance.now();
  const answers = new Map(
    [...(known?.phases ?? [])].map(([id, reported]) => [id, { at: now, reported }]),
  );
  const ask = async (ids: readonly number[]): Promise<string[]> => {
    const failed = await Promise.all(
      ids.map(async (id) => {
        try {
          const reported = await session.zeebe.exporterPhases(session.broker(id));
          answers.set(id, { at: performance.now(), reported });
          return [];
        } catch (error) {
          // Said by broker: those that do answer need not be asked again.
          if (isTransient(error)) {
            return [`broker ${id}: ${error instanceof Refused ? error.reason : error.message}`];
          }
          throw error;
        }
      }),
    );
    return failed.flat();
  };
  const look = await waitFor<Look>(
    what,
    session.settings.timeouts.exporting,
    session.log,
    async () => {
      replicas ??= await replicasOf(session);
      const held = replicas;
      const seen = (): Look => ({
        replicas: held,
        phases: new Map(
          [...answers].flatMap(([id, { reported }]) => (held.has(id) ? [[id, reported]] : [])),
        ),
      });
      const ids = [...held.keys()].filter((id) => !isRecent(answers.get(id)?.at ?? -Infinity));
      // A pause reaches all, so mostly the first tells.
      const first = enough === undefined ? [] : ids.slice(0, 1);
      const failed = await ask(first);
      if (enough?.(seen().phases) !== true) {
        failed.push(...(await ask(ids.slice(first.length))));
      }
      const found = seen();
      if (enough?.(found.phases) === true) {
        return { done: true, value: found };
      }
      const absent = missing(found, session);
      const wrong = phase === undefined ? [] : others(phase, found);
      if (absent.length === 0 && wrong.length === 0) {
        return { done: true, value: found };
      }
      for (const [id, reported] of found.phases) {
        const whole = held.get(id)?.every((p) => reported.some(({ partition }) => partition === p));
        if (!whole || reported.some((replica) => phase !== undefined && replica.phase !== phase)) {
          answers.delete(id);
        }
      }
      if (absent.length > 0) {
        // Whoever has nothing to report may be no member any more.
        replicas = undefined;
      }
      return { done: false, seen: listed([...failed, ...wrong, ...absent], "; ") };
    },
  );
  if (missing(look, session).length === 0) {
    lastLook.keep(session, look);
  }
  return look;
}

/**
 * What each replica of the members is doing, whatever it is.
 *
 * @throws {@link Refusal} when one is not reported in time
 */
export async function lookAtAll(session: Session): Promise<Look> {
  return awaitLook(session, { what: "every replica to report whether it exports" });
}

/**
 * Waits until each replica of every member is reported, in the phase.
 *
 * @param known what has just been seen
 */
export async function awaitPhase(session: Session, phase: Phase, known: Look): Promise<Look> {
  return awaitLook(session, { what: `exporting to be ${phase} on every replica`, phase, known });
}

/**
 * Sends a pause or a resume until the cluster accepts it: one that has just lost or gained brokers refuses
 * for a moment. When the answer is lost, or an error, the phases tell whether it took effect all the same;
 * then it is not sent again.
 */
export async function requestPhase(
  session: Session,
  phase: Phase,
  request: () => Promise<void>,
): Promise<void> {
  forgetPhases(session);
  await waitFor<void>(
    `the cluster to accept the ${phase === "PAUSED" ? "pause" : "resume"}`,
    session.settings.timeouts.exporting,
    session.log,
    async () => {
      try {
        await request();
        return { done: true, value: undefined };
      } catch (error) {
        if (!isTransient(error)) {
          throw error;
        }
        const took = await lookOnce(session).then(
          (look) => allAre(phase, look, session),
          // A cluster that does not say is asked once more: to pause it twice is harmless.
          () => false,
        );
        return took
          ? { done: true, value: undefined }
          : {
              done: false,
              seen: error instanceof Refused ? `${error.status}: ${error.reason}` : error.message,
            };
      }
    },
  );
}

/**
 * Resumes exporting unless it runs on every member, and verifies it. 8.6.0 answers a failed resume with
 * HTTP 200, and a cluster that has just lost or gained brokers refuses for a moment: so the phase
 * decides, and a refused request is repeated until the deadline.
 *
 * @returns whether a request was needed, and what every member answered at the end
 */
export async function ensureExporting(
  session: Session,
  begin: () => void,
): Promise<{ resumed: boolean; look: Look }> {
  const stands = (phases: Phases) => distinct(phases).some((phase) => phase !== "EXPORTING");
  // One that does not export is enough to resume.
  const found =
    lastLook.get(session) ??
    (await awaitLook(session, { what: "every replica to report that it exports", enough: stands }));
  if (!stands(found.phases)) {
    return { resumed: false, look: found };
  }
  begin();
  const brokers = brokerList([...found.replicas.keys()]);
  session.log(`resuming exporting on ${brokers} (now ${distinct(found.phases).join(", ")})`);
  await requestPhase(session, "EXPORTING", () => session.zeebe.resumeExporting());
  return { resumed: true, look: await awaitPhase(session, "EXPORTING", unasked(found)) };
}

/**
 * Refuses unless exporting is paused on every member: what a snapshot holds must be all that was exported.
 *
 * @param since `now`: every member is asked. `recently`: what this very run has seen a moment ago will do
 */
export async function expectPaused(session: Session, since: "now" | "recently"): Promise<void> {
  const known = since === "recently" ? lastLook.get(session) : undefined;
  const look = known ?? (await lookAtAll(session));
  if (!allAre("PAUSED", look, session)) {
    throw new Refusal(
      `exporting is ${distinct(look.phases).join(" and ")}, not PAUSED, on ${brokerList([...look.phases.keys()])}: the pause was undone; set failback to a new name`,
    );
  }
}

/** How far the leaders have exported, partition by partition, in words: recorded beside a pause. */
export function exportedPositions(phases: Phases): string {
  return listed(
    [...phases.values()]
      .flat()
      .filter((replica) => replica.role === "LEADER")
      .sort((a, b) => a.partition - b.partition)
      .map(({ partition, exportedPosition }) => `partition ${partition} at ${exportedPosition}`),
  );
}
