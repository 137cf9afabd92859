import { listed } from "../../base/bounded";
import { brokerList, sameIds, without } from "../../base/brokers";
import { describeOperations, partitionIds } from "../../clients/topology";
import type { PlannedChange } from "../../clients/zeebe";
import type { MembershipIntent } from "../planner";
import type { Session } from "../session";
import type { MemberChange } from "./membership";

/** Procedure, failover step 1: forced, since those that are gone can consent to nothing. Answered by a survivor. */
export function forcedRemoval(
  session: Session,
  { brokers: retain }: MembershipIntent,
): MemberChange {
  const { forceReconfigure, remove } = session.generation.cluster.operations;
  const isDone = ({ operations, currentMembers }: PlannedChange) =>
    !operations.some(({ operation }) => operation === remove) &&
    sameIds(
      currentMembers.map(({ id }) => id),
      retain,
    );
  return {
    seconds: session.settings.timeouts.failover,
    isOurs: (pending) =>
      pending.every(
        ({ operation, brokers }) =>
          [forceReconfigure, remove].includes(operation) &&
          brokers.every((id) => (operation === remove) !== retain.includes(id)),
      ),
    ask: (dryRun) => session.zeebe.setBrokers(retain, { force: true, dryRun }),
    isDone,
    against: (plan, removed) =>
      isDone(plan) ? undefined : otherThanMeant(plan, session, retain, removed),
    refusal: (why) =>
      `the cluster's own plan for the forced removal is not what is meant (${why}): nothing was sent; look at the cluster`,
    begins: (removed) => `forcing out ${brokerList(removed)}, keeping ${brokerList(retain)}`,
    awaited: "the forced removal to complete",
  };
}

/** Every lost broker is to go, nobody else, and every partition is to stay with the others. */
function otherThanMeant(
  plan: PlannedChange,
  session: Session,
  retain: readonly number[],
  removed: readonly number[],
): string | undefined {
  const { remove, forceReconfigure } = session.generation.cluster.operations;
  const wrong = plan.operations.filter((operation) =>
    operation.operation === remove
      ? !operation.brokers.every((id) => removed.includes(id))
      : operation.operation !== forceReconfigure ||
        operation.brokers.length === 0 ||
        !operation.brokers.every((id) => retain.includes(id)),
  );
  if (wrong.length > 0) {
    return describeOperations(wrong).join("; ");
  }
  const of = (kind: string) => plan.operations.filter(({ operation }) => operation === kind);
  const left = without(
    removed,
    of(remove).flatMap(({ brokers }) => brokers),
  );
  if (left.length > 0) {
    return `it would not remove ${brokerList(left)}`;
  }
  const partitions = of(forceReconfigure).map(({ partitionId }) => partitionId);
  const omitted = partitionIds(session.settings.partitionCount).filter(
    (id) => !partitions.includes(id),
  );
  if (omitted.length > 0) {
    return `it would leave partition ${listed(omitted.map(String))} as it is`;
  }
  const kept = plan.expectedMembers.map((member) => member.id);
  return sameIds(kept, retain) ? undefined : `it would keep ${brokerList(kept)}`;
}
