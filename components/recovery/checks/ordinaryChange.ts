import { listed, shortened } from "../../base/bounded";
import { brokerList, sameIds } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import { describeOperations, Operation, partitionIds } from "../../clients/topology";
import type { PlannedChange } from "../../clients/zeebe";
import type { ClusterDialect } from "../../generations/generation";
import { SURVIVING_REPLICAS } from "../phase";
import type { MembershipIntent } from "../planner";
import type { Session } from "../session";
import { followed } from "./followed";

type Operations = ClusterDialect["operations"];

export function isAdd(
  pending: readonly Operation[],
  operations: Operations,
  intent: MembershipIntent,
): boolean {
  return pending.every((one) => isPartOfAdd(one, operations, intent));
}

/**
 * A broker or a replica more, or which of them leads first. After a drain of many brokers, which may have been lost
 * since, those that stayed hold what others held before: that goes back.
 */
function isPartOfAdd(
  { operation, brokerId }: Operation,
  { add, join, leave, reorder }: Operations,
  { brokers, region, regions }: MembershipIntent,
): boolean {
  return operation === leave
    ? regions[region].includes(brokerId)
    : [add, join, reorder].includes(operation) && brokers.includes(brokerId);
}

/** One that takes nobody out is somebody else's, whatever it moves. */
export function isDrain(
  pending: readonly Operation[],
  operations: Operations,
  intent: MembershipIntent,
): boolean {
  return (
    pending.every((one) => isPartOfDrain(one, operations, intent)) &&
    pending.some(({ operation }) => operation === operations.remove)
  );
}

/** Only brokers of the other region go. With many that stay, the cluster distributes the replicas among them anew. */
function isPartOfDrain(
  { operation, brokerId, brokers }: Operation,
  { join, leave, remove, reorder }: Operations,
  intent: MembershipIntent,
): boolean {
  const stays = intent.brokers.includes(brokerId);
  switch (operation) {
    case join:
    case reorder:
      return stays;
    case remove:
      return !stays && brokers.length === 0;
    default:
      return operation === leave;
  }
}

/** The dry run must say what is meant: the other region leaves every partition and goes, and none lacks a replica meanwhile. */
export function expectDrainPlan(
  plan: PlannedChange,
  session: Session,
  intent: MembershipIntent,
): void {
  const { operations } = session.generation.cluster;
  const why = otherThanMeant(
    plan,
    plan.operations.filter((one) => !isPartOfDrain(one, operations, intent)),
    session,
    intent,
  );
  if (why !== undefined) {
    throw new Refusal(
      `the cluster's own plan for the drain is not what is meant (${shortened(why, 60)}): nothing was sent; look at the cluster`,
    );
  }
}

/**
 * What an ordinary change would do otherwise than is declared, followed operation by operation: each must be one that is
 * meant, no partition may have fewer replicas on the way than one region holds, and all of them together must lead to
 * the members that are declared, with as many replicas in each region.
 *
 * @param wrong its operations that are not meant
 * @returns it in words, or undefined
 */
function otherThanMeant(
  plan: PlannedChange,
  wrong: readonly Operation[],
  { generation, settings: { partitionCount } }: Session,
  { brokers, regions, replicationFactor }: MembershipIntent,
): string | undefined {
  if (wrong.length > 0) {
    return `it would ${describeOperations(wrong).join("; ")}`;
  }
  const { end, fewest } = followed(plan, generation.cluster.operations);
  const inRegion = (partition: number, ids: readonly number[]) =>
    ids.filter((id) => end.get(id)?.has(partition)).length;
  const present = [regions.region0, regions.region1].filter((ids) =>
    brokers.includes(ids[0] ?? -1),
  );
  const short = partitionIds(partitionCount).filter((partition) =>
    present.some((ids) => inRegion(partition, ids) !== replicationFactor / present.length),
  );
  const low = partitionIds(partitionCount).filter(
    (partition) => (fewest.get(partition) ?? SURVIVING_REPLICAS) < SURVIVING_REPLICAS,
  );
  const members = [...end.keys()].sort((a, b) => a - b);
  const shown = new Map(
    plan.expectedMembers.map(({ id, replicas }) => [id, replicas.map((one) => one.partition)]),
  );
  if (!sameIds(members, brokers)) {
    return `the members would be ${brokerList(members)}`;
  }
  if (short.length > 0) {
    return `partition ${listed(short.map(String))} would not have ${replicationFactor / present.length} replicas a region`;
  }
  if (low.length > 0) {
    return `partition ${listed(low.map(String))} would have too few replicas on the way`;
  }
  const asShown =
    sameIds([...shown.keys()], members) &&
    members.every((id) => sameIds(shown.get(id) ?? [], [...(end.get(id) ?? [])]));
  return asShown ? undefined : "it would end otherwise than it shows";
}

export function expectAddPlan(
  plan: PlannedChange,
  session: Session,
  intent: MembershipIntent,
): void {
  const { operations } = session.generation.cluster;
  const why = otherThanMeant(
    plan,
    plan.operations.filter((one) => !isPartOfAdd(one, operations, intent)),
    session,
    intent,
  );
  if (why !== undefined) {
    throw new Refusal(
      `the cluster's own plan for adding the brokers is not what is meant (${shortened(why, 50)}): nothing was sent; look at the cluster`,
    );
  }
}
