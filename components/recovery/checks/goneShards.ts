import type { RegionName } from "../../base/brokers";
import { isTransient } from "../../clients/answers";
import type { ElasticsearchClient, Unallocated } from "../../clients/elasticsearch";
import { Refused } from "../../clients/http";

/** Why the primary of a shard is not active; undefined where the server does not say it now. */
export async function whyInactive(
  elasticsearch: ElasticsearchClient,
  index: string,
  shard: number,
): Promise<Unallocated | undefined> {
  try {
    return await elasticsearch.unallocated(index, shard);
  } catch (error) {
    // It is only to say more: a shard that has found its place meanwhile is none to explain.
    if (isTransient(error) || error instanceof Refused) {
      return undefined;
    }
    throw error;
  }
}

/**
 * What is said of shards that no node has: of a restore that a restart has ended nothing goes on, and whatever waited
 * for it would wait for ever. The registration of the repository, which this attempt has recorded, is gone with the
 * data: hence the new name.
 *
 * @param what they are, in words
 * @param seconds for which no node with them has come back
 */
export function gone(region: RegionName, what: string, seconds: number): string {
  return `Elasticsearch of ${region} lost ${what} for good (waited ${seconds} s): recreate it empty, then set failback to a new name`;
}
