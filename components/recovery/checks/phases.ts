import { listed } from "../../base/bounded";
import { brokerList } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import { memberIds, partitionIds } from "../../clients/topology";
import { Refused, Unreachable } from "../../clients/http";
import { waitFor } from "../../clients/poll";
import type { ExporterPhase } from "../../clients/zeebe";
import type { Session } from "../session";
import { isRecent, Recent } from "./recent";

/** The exporter phases of the replicas of some brokers, by broker id. */
export type Phases = Map<number, ExporterPhase[]>;

/**
 * Reads the exporter phase of every replica of the brokers, from each broker itself: no other answer
 * shows a pause (`/actuator/exporters` says ENABLED all the while).
 */
export async function readPhases(session: Session, brokers: readonly number[]): Promise<Phases> {
  return new Map(
    await Promise.all(
      brokers.map(async (id): Promise<[number, ExporterPhase[]]> => [
        id,
        await session.zeebe.exporterPhases(session.brokerUrl(id)),
      ]),
    ),
  );
}

/** What every member has answered last. */
const lastLook = new Recent<Phases>();

/** Forgets what was seen of exporting: for whoever is about to change it, or who the members are. */
export function forgetPhases(session: Session): void {
  lastLook.forget(session);
}

/** The distinct phases over all replicas, sorted. */
export function distinct(phases: Phases): string[] {
  return [...new Set([...phases.values()].flat().map((replica) => replica.phase))].sort();
}

/** The brokers whose exporting state counts: all members. During a pause these are the survivors. */
export async function members(session: Session): Promise<number[]> {
  return memberIds((await session.observe()).configuration);
}

/**
 * Waits until every replica of every member is in the phase. A partition that no broker reports is not in it.
 * Who has answered that it is in it is not asked again, unless the others take long.
 *
 * @param known what every broker has just answered, if they were asked
 */
export async function awaitPhase(
  session: Session,
  brokers: readonly number[],
  phase: "EXPORTING" | "PAUSED",
  known: Phases = new Map(),
): Promise<Phases> {
  const now = performance.now();
  const answers = new Map([...known].map(([id, replicas]) => [id, { at: now, replicas }]));
  const phases = await waitFor(
    `exporting to be ${phase} on ${brokerList(brokers)}`,
    session.settings.timeouts.exporting,
    session.log,
    async () => {
      const asked = brokers.filter((id) => !isRecent(answers.get(id)?.at ?? -Infinity));
      await Promise.all(
        asked.map(async (id) => {
          const replicas = await session.zeebe.exporterPhases(session.brokerUrl(id));
          answers.set(id, { at: performance.now(), replicas });
        }),
      );
      const phases: Phases = new Map([...answers].map(([id, { replicas }]) => [id, replicas]));
      const others = [...phases].flatMap(([id, replicas]) =>
        replicas
          .filter((replica) => replica.phase !== phase)
          .map((replica) => `broker ${id} partition ${replica.partition} ${replica.phase}`),
      );
      const reported = new Set([...phases.values()].flat().map((replica) => replica.partition));
      const missing = partitionIds(session.settings.partitionCount).filter((p) => !reported.has(p));
      for (const [id, replicas] of phases) {
        // Whose replica it is that is missing, nothing says.
        if (missing.length > 0 || replicas.some((replica) => replica.phase !== phase)) {
          answers.delete(id);
        }
      }
      if (missing.length > 0) {
        others.push(`partition ${listed(missing.map(String))} on no broker`);
      }
      return others.length > 0
        ? { done: false, seen: listed(others, "; ") }
        : { done: true, value: phases };
    },
  );
  lastLook.keep(session, phases);
  return phases;
}

/**
 * Sends a pause or a resume until the cluster accepts it: one that has just lost or gained brokers refuses
 * for a moment. When the answer is lost, or an error, the phases tell whether it took effect all the same;
 * then it is not sent again.
 */
export async function requestPhase(
  session: Session,
  brokers: readonly number[],
  phase: "EXPORTING" | "PAUSED",
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
        if (!(error instanceof Refused || error instanceof Unreachable)) {
          throw error;
        }
        const found = distinct(await readPhases(session, brokers));
        return found.length === 1 && found[0] === phase
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
): Promise<{ resumed: boolean; phases: Phases }> {
  const runs = (phases: Phases) => distinct(phases).every((phase) => phase === "EXPORTING");
  const known = lastLook.get(session);
  if (known !== undefined && runs(known)) {
    return { resumed: false, phases: known };
  }
  const brokers = known === undefined ? await members(session) : [...known.keys()];
  // One that does not export is enough to resume: a pause reaches all, so mostly the first tells.
  let found = known ?? (await readPhases(session, brokers.slice(0, 1)));
  if (runs(found)) {
    found = await readPhases(session, brokers);
  }
  if (runs(found)) {
    return { resumed: false, phases: await awaitPhase(session, brokers, "EXPORTING", found) };
  }
  begin();
  session.log(`resuming exporting on ${brokerList(brokers)} (now ${distinct(found).join(", ")})`);
  await requestPhase(session, brokers, "EXPORTING", () => session.zeebe.resumeExporting());
  return { resumed: true, phases: await awaitPhase(session, brokers, "EXPORTING") };
}

/**
 * Refuses unless exporting is paused on every member: what a snapshot holds must be all that was exported.
 *
 * @param since `now`: every member is asked. `recently`: what this very run has seen a moment ago will do
 */
export async function expectPaused(session: Session, since: "now" | "recently"): Promise<void> {
  const known = since === "recently" ? lastLook.get(session) : undefined;
  const phases = known ?? (await readPhases(session, await members(session)));
  const found = distinct(phases);
  if (found.length !== 1 || found[0] !== "PAUSED") {
    throw new Refusal(
      `exporting is ${found.join(" and ") || "unknown"}, not PAUSED, on ${brokerList([...phases.keys()])}: the pause was undone; set failback to a new name`,
    );
  }
  if (known === undefined) {
    lastLook.keep(session, phases);
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
