import { listed } from "../../base/bounded";
import { partitionIds } from "../../clients/topology";
import { waitFor } from "../../clients/poll";
import { ensureExporting, Look, readPhases } from "../checks/phases";
import { catchUp } from "../checks/records";
import type { Session } from "../session";
import { implement } from "./behaviour";

/** Inputs of an `ExportResume`. */
export interface ExportResumeInputs {
  /** Name of the failback attempt. */
  attempt: string;
}

/**
 * Procedure, failback step 6: resume exporting, then prove that the recreated Elasticsearch misses no
 * record. The procedure knows no check here; an exporter that was enabled without `initializeFrom` shows
 * nowhere else.
 */
export const provider = implement<ExportResumeInputs>({
  id: (inputs) => `export-resume-${inputs.attempt}`,
  attempt: (inputs) => inputs.attempt,
  async converge(_inputs, { session, begin }) {
    const { resumed, look } = await ensureExporting(session, begin);
    await awaitWritten(session, look);
    return {
      how: resumed ? "done" : "already true",
      observed: {
        exporterPhase: "EXPORTING",
        ...(await catchUp(session, session.settings.timeouts.catchUp)),
      },
    };
  },
});

/**
 * Waits until the exporters have written what was processed up to now. They write in bulks, some seconds
 * after a resume: before that, neither Elasticsearch has the records of the pause, and to compare them
 * would prove nothing.
 *
 * @param look what every broker has just answered
 */
async function awaitWritten(session: Session, { replicas, phases }: Look): Promise<void> {
  const known = new Map(phases);
  const upTo = new Map<number, number>();
  let asked: number[] = [];
  await waitFor<void>(
    "the exporters to write what was processed during the pause",
    session.settings.timeouts.catchUp,
    session.log,
    async () => {
      for (const [broker, reported] of await readPhases(session, asked)) {
        known.set(broker, reported);
      }
      const exported = new Map<number, number>();
      for (const { partition, role, ...leader } of [...known.values()].flat()) {
        if (role === "LEADER") {
          // Of two that take themselves for the leader, as during an election, the one that is behind counts.
          exported.set(
            partition,
            Math.min(exported.get(partition) ?? Infinity, leader.exportedPosition),
          );
          upTo.set(partition, upTo.get(partition) ?? leader.processedPosition);
        }
      }
      const behind = partitionIds(session.settings.partitionCount).filter(
        (partition) => !((exported.get(partition) ?? -1) >= (upTo.get(partition) ?? Infinity)),
      );
      // Whoever has no replica of these has nothing to say that it has not said.
      asked = [...replicas]
        .filter(([, held]) => held.some((partition) => behind.includes(partition)))
        .map(([broker]) => broker);
      const described = behind.map((partition) => {
        const at = exported.get(partition);
        return `partition ${partition} ${at === undefined ? "without a leader" : `at ${at} of ${upTo.get(partition)}`}`;
      });
      return behind.length === 0
        ? { done: true, value: undefined }
        : { done: false, seen: listed(described, "; ") };
    },
  );
}
