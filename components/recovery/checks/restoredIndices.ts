import { listed, shortened } from "../../base/bounded";
import type { RegionName } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import type { ElasticsearchClient, ShardRecovery } from "../../clients/elasticsearch";
import { waitFor } from "../../clients/poll";
import { snapshotPrefix } from "../names";
import { gone, whyInactive } from "./goneShards";
import type { Session } from "../session";

/**
 * The indices that an earlier attempt restored, to be deleted before the next; anything else in the
 * recreated Elasticsearch is somebody's data and a refusal.
 *
 * An index is created as a whole: where one shard came from a snapshot, the index did, and the copies that
 * came from a peer are copies of that. With none but such copies nothing says what they are copies of; and a
 * shard that came from anywhere else may have been written since, by whom nothing says either.
 *
 * @param present all their shards: see {@link listedShards}
 * @throws {@link Refusal}
 */
export function restoredByUs(
  present: readonly ShardRecovery[],
  repository: string,
  region: RegionName,
): string[] {
  const restored = (shard: ShardRecovery) =>
    shard.type === "SNAPSHOT" &&
    shard.repository === repository &&
    shard.snapshot?.startsWith(snapshotPrefix(region)) === true;
  const indices = [...new Set(present.map((shard) => shard.index))];
  const foreign = indices.filter((name) => {
    const shards = present.filter((shard) => shard.index === name);
    return (
      !shards.some(restored) || !shards.every((shard) => restored(shard) || shard.type === "PEER")
    );
  });
  if (foreign.length > 0) {
    throw new Refusal(
      `the recreated Elasticsearch already has ${foreign.length} of Camunda's indices (${listed(foreign)}): recreate it empty`,
    );
  }
  return indices;
}

/**
 * The shards of all existing indices. After a restore was accepted, Elasticsearch lists none of its
 * shards for a moment, and then only those whose turn has come: an interrupted restore would be sent
 * again, and leftovers would be overlooked. It never lists those that it has lost: see {@link gone}.
 *
 * @param enough a shard with which those of the other indices need not be awaited
 * @throws {@link Refusal} when an index stays without a shard
 */
export async function listedShards(
  session: Session,
  recreated: ElasticsearchClient,
  region: RegionName,
  enough: (shard: ShardRecovery) => boolean = () => false,
): Promise<ShardRecovery[]> {
  let lost: string | undefined;
  return waitFor(
    "the shards of the indices that exist to be listed",
    session.settings.timeouts.gate,
    session.log,
    async () => {
      lost = undefined;
      const indices = await recreated.indices.existing(session.indexPatterns);
      const shards = await recreated.indices.recoveries(session.indexPatterns);
      const unlisted = indices.filter((name) => !shards.some((shard) => shard.index === name));
      const [first] = unlisted;
      if (first === undefined || shards.some(enough)) {
        return { done: true, value: shards };
      }
      const count = `${unlisted.length} of ${indices.length} indices`;
      const why = await whyInactive(recreated, first, 0);
      lost = why?.gone === true ? count : undefined;
      return { done: false, seen: `no shard of ${count} (${first}${why ? `; ${why.why}` : ""})` };
    },
    {
      refuse: (last, seconds) =>
        lost === undefined
          ? `whose indices the recreated Elasticsearch has cannot be told: ${shortened(last, 40)} (waited ${seconds} s); pulumi up again`
          : gone(region, lost, seconds),
    },
  );
}
