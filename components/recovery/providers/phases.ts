import { named } from "../../camunda/brokers";
import { memberIds, numbers } from "../../camunda/topology";
import { Refused, Unreachable } from "../../clients/http";
import { waitFor } from "../../clients/poll";
import type { ExporterPhase } from "../../clients/zeebe";
import type { Run } from "./behaviour";
import { Refusal, Session } from "./session";

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

/** The distinct phases over all replicas, sorted. */
export function distinct(phases: Phases): string[] {
  return [...new Set([...phases.values()].flat().map((replica) => replica.phase))].sort();
}

/** The brokers whose exporting state counts: all members. During a pause these are the survivors. */
export async function members(session: Session): Promise<number[]> {
  return memberIds((await session.observe()).configuration);
}

/** Waits until every replica of every member is in the phase. A partition that no broker reports is not in it. */
export async function awaitPhase(
  session: Session,
  brokers: readonly number[],
  phase: "EXPORTING" | "PAUSED",
): Promise<Phases> {
  return waitFor(
    `exporting to be ${phase} on ${named(brokers)}`,
    session.settings.timeouts.exporting,
    session.log,
    async () => {
      const phases = await readPhases(session, brokers);
      const others = [...phases].flatMap(([id, replicas]) =>
        replicas
          .filter((replica) => replica.phase !== phase)
          .map((replica) => `broker ${id} partition ${replica.partition} ${replica.phase}`),
      );
      const reported = new Set([...phases.values()].flat().map((replica) => replica.partition));
      const missing = numbers(session.settings.partitionCount).filter((p) => !reported.has(p));
      if (missing.length > 0) {
        others.push(`partition ${missing.join(", ")} on no broker`);
      }
      return others.length > 0
        ? { done: false, seen: others.slice(0, 4).join("; ") }
        : { done: true, value: phases };
    },
  );
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
          : { done: false, seen: error.message };
      }
    },
  );
}

/**
 * Resumes exporting unless it runs on every member, and verifies it. 8.6.0 answers a failed resume with
 * HTTP 200, and a cluster that has just lost or gained brokers refuses for a moment: so the phase
 * decides, and a refused request is repeated until the deadline.
 *
 * @returns whether a request was needed
 */
export async function ensureExporting(
  session: Session,
  begin: Run<object>["begin"],
): Promise<boolean> {
  const brokers = await members(session);
  const phases = await readPhases(session, brokers);
  if (distinct(phases).every((phase) => phase === "EXPORTING")) {
    await awaitPhase(session, brokers, "EXPORTING");
    return false;
  }
  begin();
  session.log(`resuming exporting on ${named(brokers)} (now ${distinct(phases).join(", ")})`);
  await requestPhase(session, brokers, "EXPORTING", () => session.zeebe.resumeExporting());
  await awaitPhase(session, brokers, "EXPORTING");
  return true;
}

/** Refuses unless exporting is paused on every member: what a snapshot holds must be all that was exported. */
export async function expectPaused(session: Session): Promise<Phases> {
  const brokers = await members(session);
  const phases = await readPhases(session, brokers);
  const found = distinct(phases);
  if (found.length !== 1 || found[0] !== "PAUSED") {
    throw new Refusal(
      `exporting is ${found.join(" and ") || "unknown"}, not PAUSED, on ${named(brokers)}: the pause of this attempt was undone; start a new attempt: pulumi config set failback NEW-NAME`,
    );
  }
  return phases;
}

/** Exported position by partition, as the leaders state it: recorded beside a pause. */
export function exportedPositions(phases: Phases): Record<string, number> {
  return Object.fromEntries(
    [...phases.values()]
      .flat()
      .filter((replica) => replica.role === "LEADER")
      .map((replica): [string, number] => [
        `partition ${replica.partition}`,
        replica.exportedPosition,
      ])
      .sort(([a], [b]) => a.localeCompare(b)),
  );
}
