import type { Operation } from "../../clients/topology";
import type { PlannedChange } from "../../clients/zeebe";
import type { ClusterDialect } from "../../generations/generation";

/** Where an ordinary change leads, and what it passes through. */
export interface Followed {
  /** The partitions of which each member holds a replica at the end, by broker id. */
  end: Map<number, Set<number>>;
  /** The fewest replicas that a partition has on the way, of those that lose one. */
  fewest: Map<number, number>;
  /** Operations that no cluster carries out where they stand: who joins is a member, and who goes holds nothing. */
  impossible: Operation[];
}

/** Follows the operations of a planned change, one after another as the cluster carries them out. */
export function followed(
  { currentMembers, operations }: PlannedChange,
  { add, join, leave, remove }: ClusterDialect["operations"],
): Followed {
  const held = new Map(
    currentMembers.map(({ id, replicas }): [number, Set<number>] => [
      id,
      new Set(replicas.map(({ partition }) => partition)),
    ]),
  );
  const fewest = new Map<number, number>();
  const impossible: Operation[] = [];
  for (const one of operations) {
    const { operation, brokerId, partitionId = -1 } = one;
    const own = held.get(brokerId);
    switch (operation) {
      case add:
        held.set(brokerId, own ?? new Set());
        break;
      case join:
        if (own === undefined) {
          impossible.push(one);
        }
        own?.add(partitionId);
        break;
      case leave: {
        own?.delete(partitionId);
        const left = [...held.values()].filter((partitions) => partitions.has(partitionId)).length;
        fewest.set(partitionId, Math.min(left, fewest.get(partitionId) ?? left));
        break;
      }
      case remove:
        if (own !== undefined && own.size > 0) {
          impossible.push(one);
        }
        held.delete(brokerId);
        break;
    }
  }
  return { end: held, fewest, impossible };
}
