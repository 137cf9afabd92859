import { listed, shortened } from "../../base/bounded";
import { brokerList, sameIds } from "../../base/brokers";
import { describeOperations, Operation, partitionIds } from "../../clients/topology";
import type { PlannedChange } from "../../clients/zeebe";
import { SURVIVING_REPLICAS } from "../phase";
import type { MembershipIntent } from "../planner";
import type { Session } from "../session";
import { followed } from "./followed";
import type { MemberChange } from "./membership";

/** Each broker gives its replicas up itself. */
export function drain(session: Session, intent: MembershipIntent): MemberChange {
  const { brokers, replicationFactor } = intent;
  const { join, leave, remove, reorder } = session.generation.cluster.operations;
  // Only brokers of the other region go. With many that stay, the cluster distributes the replicas among them anew.
  const isPart = ({ operation, brokerId, brokers: named }: Operation) => {
    const stays = brokers.includes(brokerId);
    switch (operation) {
      case join:
      case reorder:
        return stays;
      case remove:
        return !stays && named.length === 0;
      default:
        return operation === leave;
    }
  };
  return {
    ...ordinary(session, intent, isPart),
    seconds: session.settings.timeouts.failover,
    // One that takes nobody out is somebody else's, whatever it moves.
    isOurs: (pending) =>
      pending.every(isPart) && pending.some(({ operation }) => operation === remove),
    refusal: (why) =>
      `the cluster's own plan for the drain is not what is meant (${why}): nothing was sent; look at the cluster`,
    begins: (removed) =>
      `removing ${brokerList(removed)} by an ordinary change, keeping ${brokerList(brokers)} with replication factor ${replicationFactor}`,
    awaited: "the brokers to leave every partition",
    refuse: (last, seconds) =>
      `not every broker has left (waited ${seconds} s): ${shortened(last, 70)}; restart the one that it names`,
  };
}

/** Procedure, failback step 7. Never forced: that would discard what the survivors hold. */
export function addition(session: Session, intent: MembershipIntent): MemberChange {
  const { brokers, region, regions, replicationFactor } = intent;
  const { add, join, leave, reorder } = session.generation.cluster.operations;
  // A broker or a replica more, or which of them leads first. After a drain of many brokers, which may have been lost
  // since, those that stayed hold what others held before: that goes back.
  const isPart = ({ operation, brokerId }: Operation) =>
    operation === leave
      ? regions[region].includes(brokerId)
      : [add, join, reorder].includes(operation) && brokers.includes(brokerId);
  return {
    ...ordinary(session, intent, isPart),
    seconds: session.settings.timeouts.join,
    isOurs: (pending) => pending.every(isPart),
    refusal: (why) =>
      `the cluster's own plan for adding the brokers is not what is meant (${why}): nothing was sent; look at the cluster`,
    begins: () =>
      `adding: the members are to be ${brokerList(brokers)}, replication factor ${replicationFactor}`,
    awaited: "the brokers to join every partition",
    refuse: (last, seconds) =>
      `not every broker has joined (waited ${seconds} s): ${shortened(last, 70)}; restart the one that it names`,
  };
}

/**
 * What is the same of both.
 *
 * @param isPart whether an operation is one that is meant
 */
function ordinary(
  session: Session,
  intent: MembershipIntent,
  isPart: (one: Operation) => boolean,
): Pick<MemberChange, "ask" | "isDone" | "against"> {
  const { brokers, replicationFactor } = intent;
  return {
    ask: (dryRun) => session.zeebe.setBrokers(brokers, { replicationFactor, dryRun }),
    isDone: ({ operations }) => operations.length === 0,
    against(plan) {
      const wrong = plan.operations.filter((one) => !isPart(one));
      return otherThanMeant(plan, wrong, session, intent);
    },
  };
}

/**
 * What an ordinary change would do otherwise than is declared, followed operation by operation: each must be one that is
 * meant, no partition may have fewer replicas on the way than one region holds, and all of them together must lead to
 * the members that are declared, with as many replicas in each region.
 *
 * @param wrong its operations that are not meant
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
  const { end, fewest, impossible } = followed(plan, generation.cluster.operations);
  if (impossible.length > 0) {
    return `impossible where it stands: ${describeOperations(impossible).join("; ")}`;
  }
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
