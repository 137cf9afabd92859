import { peerOf } from "../../camunda/brokers";
import { DeadlineExceeded, waitFor } from "../../clients/poll";
import { RECORDS } from "../names";
import { implement } from "./behaviour";
import { ensureExporting, members, readPhases } from "./phases";
import { Refusal, Session } from "./session";

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
    const resumed = await ensureExporting(session, begin);
    await awaitWritten(session);
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
 */
async function awaitWritten(session: Session): Promise<void> {
  const leaders = async () => {
    const phases = await readPhases(session, await members(session));
    return [...phases.values()].flat().filter((replica) => replica.role === "LEADER");
  };
  const upTo = new Map(
    (await leaders()).map((replica) => [replica.partition, replica.processedPosition]),
  );
  await waitFor<void>(
    "the exporters to write what was processed during the pause",
    session.settings.timeouts.catchUp,
    session.log,
    async () => {
      const exported = new Map(
        (await leaders()).map((replica) => [replica.partition, replica.exportedPosition]),
      );
      const behind = [...upTo]
        .filter(([partition, position]) => !((exported.get(partition) ?? -1) >= position))
        .map(([partition, position]) => {
          const at = exported.get(partition);
          return `partition ${partition} ${at === undefined ? "without a leader" : `at ${at} of ${position}`}`;
        });
      return behind.length === 0
        ? { done: true, value: undefined }
        : { done: false, seen: behind.join("; ") };
    },
  );
}

/**
 * Takes the last position of each partition that the survivor's Elasticsearch has, and waits until the
 * recreated one has as many records up to it. New records on either side do not disturb the comparison.
 */
export async function catchUp(session: Session, seconds: number): Promise<Record<string, unknown>> {
  const survivor = session.elasticsearch(session.settings.region);
  const recreated = session.elasticsearch(peerOf(session.settings.region));
  await survivor.documents([RECORDS]);
  const upTo = await survivor.lastPositions(RECORDS);
  if (upTo.size === 0) {
    throw noRecords(session);
  }
  const expected = new Map<number, number>();
  for (const [partition, position] of upTo) {
    expected.set(partition, await survivor.countUpTo(RECORDS, partition, position));
  }
  const lacking = async () => {
    await recreated.documents([RECORDS]);
    const found: string[] = [];
    for (const [partition, count] of expected) {
      const have = await recreated.countUpTo(RECORDS, partition, upTo.get(partition) ?? 0);
      // More is no loss: the survivor may have deleted old indices by its retention meanwhile.
      if (have < count) {
        found.push(`partition ${partition}: ${have} of ${count} records`);
      }
    }
    return found;
  };
  try {
    await waitFor<void>(
      "the recreated Elasticsearch to catch up",
      seconds,
      session.log,
      async () => {
        const found = await lacking();
        return found.length === 0
          ? { done: true, value: undefined }
          : { done: false, seen: found.join("; ") };
      },
    );
  } catch (error) {
    if (error instanceof DeadlineExceeded) {
      throw new Refusal(
        `the recreated Elasticsearch lacks records that the survivor's has (${error.lastSeen}, after ${error.seconds} s): its exporter was not initialised from the survivor's, or it was recreated once more; abandon this attempt (pulumi config rm failback && pulumi up) and start a new one`,
      );
    }
    throw error;
  }
  return {
    records: Object.fromEntries(
      [...expected].map(([partition, count]) => [`partition ${partition}`, count]),
    ),
  };
}

/**
 * The survivor has no record at all: those of the recreated Elasticsearch would be compared with nothing, and
 * nothing is never lacking.
 */
export function noRecords(session: Session): Refusal {
  return new Refusal(
    `Elasticsearch of ${session.settings.region} has no record (${RECORDS}): nothing could show whether the recreated one lacks any; correct its address, or index.prefix of the exporters; if retention has deleted all, start a process instance; then pulumi up again`,
  );
}
