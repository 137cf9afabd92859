import { isRecord, wordIn } from "../../base/json";
import { listOf, PartialAnswer } from "../http";
import { SearchRequests } from "./requests";

/** The last record of a partition. */
export interface LastRecord {
  position: number;
  /** How many records the partition has, this one too. */
  count: number;
}

/** More groups than Zeebe can have partitions (8191), and fewer than a search engine refuses (65,535). */
const EVERY_PARTITION = { field: "partitionId", size: 10_000 };

/**
 * A search engine takes 1,024 clauses by default and counts four for each of these: OpenSearch 3.6 refuses 257.
 * One `filters` aggregation would need no clause, but tests every record against every partition: with 512
 * partitions it took six times as long on 200,000 records.
 */
const PARTITIONS_AT_ONCE = 200;

/** What Zeebe's exporters have written into it, by partition. */
export class Records extends SearchRequests {
  /**
   * The last record of each partition, ascending, and how many there are up to it, of those that Zeebe's exporter
   * has written: both in one answer, so that nothing is written or deleted in between.
   *
   * @returns nothing for a partition without a record, and nothing at all where no index matches
   * @throws {@link PartialAnswer} when a partition may be left out, or its position or number too low
   */
  async lastRecords(pattern: string): Promise<Map<number, LastRecord>> {
    const path = search(pattern);
    const { buckets } = await this.byPartition(path, {
      aggs: {
        partitions: { terms: EVERY_PARTITION, aggs: { last: { max: { field: "position" } } } },
      },
    });
    const records = buckets.map((bucket): [number, LastRecord] => {
      const position = isRecord(bucket.last) ? bucket.last.value : undefined;
      const count = bucket.doc_count;
      if (typeof position !== "number" || typeof count !== "number" || count === 0) {
        const lacks = typeof position !== "number" ? "position" : "number of records";
        throw new PartialAnswer(
          this.request("POST", path),
          `no ${lacks} of partition ${wordIn(bucket.key)}`,
        );
      }
      return [Number(bucket.key), { position, count }];
    });
    return new Map(records.sort(([a], [b]) => a - b));
  }

  /**
   * Number of records of each partition up to a position of its own, in one request for every
   * {@link PARTITIONS_AT_ONCE} partitions.
   *
   * @returns a number for each partition that was asked for: 0 only where the answer is whole and has none
   * @throws {@link PartialAnswer} when a number may be too low
   */
  async countsUpTo(
    pattern: string,
    upTo: ReadonlyMap<number, number>,
  ): Promise<Map<number, number>> {
    const path = search(pattern);
    const counts = new Map([...upTo.keys()].map((partition) => [partition, 0]));
    const asked = [...upTo];
    for (let at = 0; at < asked.length; at += PARTITIONS_AT_ONCE) {
      const should = asked.slice(at, at + PARTITIONS_AT_ONCE).map(([partition, position]) => ({
        bool: {
          filter: [
            { term: { partitionId: partition } },
            { range: { position: { lte: position } } },
          ],
        },
      }));
      const { buckets, total } = await this.byPartition(path, {
        track_total_hits: true,
        query: { bool: { should, minimum_should_match: 1 } },
        aggs: { partitions: { terms: EVERY_PARTITION } },
      });
      let sum = 0;
      for (const { key, doc_count: count } of buckets) {
        if (typeof count !== "number" || !upTo.has(Number(key))) {
          throw new PartialAnswer(
            this.request("POST", path),
            `${wordIn(count)} records of partition ${wordIn(key)}`,
          );
        }
        counts.set(Number(key), count);
        sum += count;
      }
      // Without it, a group that is missing would read as a partition without records.
      if (total !== sum) {
        throw new PartialAnswer(
          this.request("POST", path),
          `${wordIn(total)} records, of which its partitions have ${sum}`,
        );
      }
    }
    return counts;
  }

  /** Groups records by partition. An answer that is not whole is none: what it left out would count as 0. */
  private async byPartition(
    path: string,
    body: Record<string, unknown>,
  ): Promise<{ buckets: Record<string, unknown>[]; total: unknown }> {
    const request = this.request("POST", path);
    const answer = await this.ok("POST", path, { size: 0, ...body });
    const shards = isRecord(answer._shards) ? answer._shards : {};
    if (answer.timed_out !== false) {
      throw new PartialAnswer(request, "it ran out of time");
    }
    // A shard that no node has counts neither as failed nor as successful.
    if (shards.failed !== 0 || shards.successful !== shards.total) {
      throw new PartialAnswer(
        request,
        `${wordIn(shards.successful)} of ${wordIn(shards.total)} shards, ${wordIn(shards.failed)} failed`,
      );
    }
    const hits = isRecord(answer.hits) && isRecord(answer.hits.total) ? answer.hits.total : {};
    const total = hits.relation === "eq" ? hits.value : undefined;
    const partitions = isRecord(answer.aggregations) ? answer.aggregations.partitions : undefined;
    if (partitions === undefined && shards.total === 0) {
      // Where no index matches, nothing is grouped.
      return { buckets: [], total };
    }
    if (!isRecord(partitions)) {
      throw new PartialAnswer(request, "it has no groups");
    }
    if (partitions.sum_other_doc_count !== 0 || partitions.doc_count_error_upper_bound !== 0) {
      throw new PartialAnswer(
        request,
        `${wordIn(partitions.sum_other_doc_count)} records in groups that it left out`,
      );
    }
    return { buckets: listOf(request, partitions.buckets, "buckets"), total };
  }
}

function search(pattern: string): string {
  return `/${pattern}/_search?allow_no_indices=true`;
}
