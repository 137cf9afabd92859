import { firstOf, shortened } from "../../base/bounded";
import { peerOf } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import type { ElasticsearchClient, LastRecord } from "../../clients/elasticsearch";
import { PartialAnswer } from "../../clients/http";
import { waitFor } from "../../clients/poll";
import type { Session } from "../session";
import { Recent } from "./recent";

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
export async function catchUp(session: Session, seconds: number): Promise<Record<string, unknown>> {
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
        expected ??= await recordsOf(survivor, session.records);
        if (expected.size === 0) {
          throw noRecords(session);
        }
        const lacking = await lackingIn(recreated, session.records, expected);
        notKnown = false;
        return lacking.length === 0
          ? { done: true, value: expected }
          : { done: false, seen: firstOf(lacking, 1).join("; ") };
      } catch (error) {
        if (error instanceof PartialAnswer) {
          return { done: false, seen: error.reason };
        }
        throw error;
      }
    },
    {
      refuse: (last) =>
        notKnown
          ? `whether the recreated Elasticsearch lacks records is not known (${shortened(last, 50)}, after ${seconds} s): pulumi up again`
          : `the recreated Elasticsearch lacks records of the survivor's (${shortened(last, 60)}, after ${seconds} s): abandon this attempt`,
    },
  );
  caughtUp.keep(session, true);
  return {
    partitions: records.size,
    records: [...records.values()].reduce((sum, { count }) => sum + count, 0),
  };
}

async function recordsOf(
  elasticsearch: ElasticsearchClient,
  records: string,
): Promise<Map<number, LastRecord>> {
  await elasticsearch.indices.refresh([records]);
  return elasticsearch.records.lastRecords(records);
}

/** Which partitions have fewer records than expected up to the same position, in words. */
async function lackingIn(
  elasticsearch: ElasticsearchClient,
  records: string,
  expected: ReadonlyMap<number, LastRecord>,
): Promise<string[]> {
  await elasticsearch.indices.refresh([records]);
  const upTo = new Map([...expected].map(([partition, { position }]) => [partition, position]));
  const found = await elasticsearch.records.countsUpTo(records, upTo);
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
    `Elasticsearch of ${session.settings.region} has no record (${session.records}): nothing could show what the other lacks; correct its address, or recordsPrefix`,
  );
}
