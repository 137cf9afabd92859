import { listed } from "../../base/bounded";
import { peerOf } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import { numbers } from "../../clients/topology";
import type { ElasticsearchClient, LastRecord } from "../../clients/elasticsearch";
import { PartialAnswer } from "../../clients/http";
import { waitFor } from "../../clients/poll";
import { RECORDS } from "../names";
import { implement } from "./behaviour";
import { ensureExporting, Phases, readPhases } from "./phases";
import { Recent } from "./recent";
import type { Session } from "./session";

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
    const { resumed, phases } = await ensureExporting(session, begin);
    await awaitWritten(session, phases);
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
 * @param phases what every broker has just answered
 */
async function awaitWritten(session: Session, phases: Phases): Promise<void> {
  const known = new Map(phases);
  const upTo = new Map<number, number>();
  let asked: number[] = [];
  await waitFor<void>(
    "the exporters to write what was processed during the pause",
    session.settings.timeouts.catchUp,
    session.log,
    async () => {
      for (const [broker, replicas] of await readPhases(session, asked)) {
        known.set(broker, replicas);
      }
      const exported = new Map<number, number>();
      for (const { partition, role, ...leader } of [...known.values()].flat()) {
        if (role === "LEADER") {
          exported.set(partition, leader.exportedPosition);
          upTo.set(partition, upTo.get(partition) ?? leader.processedPosition);
        }
      }
      const behind = numbers(session.settings.partitionCount).filter(
        (partition) => !((exported.get(partition) ?? -1) >= (upTo.get(partition) ?? Infinity)),
      );
      // Whoever has no replica of these has nothing to say that it has not said.
      asked = [...known]
        .filter(([, replicas]) => replicas.some(({ partition }) => behind.includes(partition)))
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

const caughtUp = new Recent<true>();

/**
 * {@link catchUp}, unless this very run has proved it a moment ago. A region that was lost once more since is not
 * recreated within that.
 */
export async function expectCaughtUp(session: Session): Promise<void> {
  if (caughtUp.get(session) === undefined) {
    await catchUp(session, session.settings.timeouts.exporting);
  }
}

/**
 * Takes the last position of each partition that the survivor's Elasticsearch has, and waits until the
 * recreated one has as many records up to it. New records on either side do not disturb the comparison.
 * An answer that is not whole is none: it is asked again, never counted as 0.
 */
async function catchUp(session: Session, seconds: number): Promise<Record<string, unknown>> {
  const survivor = session.elasticsearch(session.settings.region);
  const recreated = session.elasticsearch(peerOf(session.settings.region));
  let expected: Map<number, LastRecord> | undefined;
  let notKnown = false;
  const records = await waitFor(
    "the recreated Elasticsearch to catch up",
    seconds,
    session.log,
    async () => {
      notKnown = true;
      try {
        expected ??= await recordsOf(survivor);
        if (expected.size === 0) {
          throw noRecords(session);
        }
        const lacking = await lackingIn(recreated, expected);
        notKnown = false;
        return lacking.length === 0
          ? { done: true, value: expected }
          : { done: false, seen: listed(lacking, "; ") };
      } catch (error) {
        if (error instanceof PartialAnswer) {
          return { done: false, seen: error.message };
        }
        throw error;
      }
    },
    {
      refuse: (last) =>
        notKnown
          ? `whether the recreated Elasticsearch lacks records is not known (${last}, after ${seconds} s): look at the shards and the load of both, then pulumi up again`
          : `the recreated Elasticsearch lacks records that the survivor's has (${last}, after ${seconds} s): its exporter was not initialised from the survivor's, or it was recreated once more; abandon this attempt (pulumi config rm failback && pulumi up) and start a new one`,
    },
  );
  caughtUp.keep(session, true);
  return {
    partitions: records.size,
    records: [...records.values()].reduce((sum, { count }) => sum + count, 0),
  };
}

async function recordsOf(elasticsearch: ElasticsearchClient): Promise<Map<number, LastRecord>> {
  await elasticsearch.refresh([RECORDS]);
  return elasticsearch.lastRecords(RECORDS);
}

/** Which partitions have fewer records than expected up to the same position, in words. */
async function lackingIn(
  elasticsearch: ElasticsearchClient,
  expected: ReadonlyMap<number, LastRecord>,
): Promise<string[]> {
  await elasticsearch.refresh([RECORDS]);
  const upTo = new Map([...expected].map(([partition, { position }]) => [partition, position]));
  const found = await elasticsearch.countsUpTo(RECORDS, upTo);
  return [...expected].flatMap(([partition, { count }]) => {
    const have = found.get(partition) ?? 0;
    // More is no loss: the survivor may have deleted old indices by its retention meanwhile.
    return have < count ? [`partition ${partition}: ${have} of ${count} records`] : [];
  });
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
