import { listed, shortened } from "../../base/bounded";
import { brokerList, sameIds, without } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import { describeOperations, Operation, partitionIds } from "../../clients/topology";
import type { PlannedChange } from "../../clients/zeebe";
import type { ClusterDialect } from "../../generations/generation";
import type { MembershipIntent } from "../planner";
import type { Session } from "../session";

type Operations = ClusterDialect["operations"];

export function isForcedRemoval(
  pending: readonly Operation[],
  { forceReconfigure, remove }: Operations,
  intent: MembershipIntent,
): boolean {
  return pending.every(
    ({ operation, brokers }) =>
      [forceReconfigure, remove].includes(operation) &&
      brokers.every((id) => (operation === remove) !== intent.brokers.includes(id)),
  );
}

/** Whether a forced removal would remove nobody, for only those that are to stay are members. */
export function isDone(
  { operations, currentMembers }: PlannedChange,
  session: Session,
  retain: readonly number[],
): boolean {
  const { remove } = session.generation.cluster.operations;
  return (
    !operations.some(({ operation }) => operation === remove) &&
    sameIds(
      currentMembers.map(({ id }) => id),
      retain,
    )
  );
}

/** The dry run must say what is meant: every lost broker goes, nobody else, and every partition stays with the others. */
export function expectForcePlan(
  plan: PlannedChange,
  session: Session,
  retain: readonly number[],
  removed: readonly number[],
): void {
  const { remove, forceReconfigure } = session.generation.cluster.operations;
  const wrong = plan.operations.filter((operation) =>
    operation.operation === remove
      ? !operation.brokers.every((id) => removed.includes(id))
      : operation.operation !== forceReconfigure ||
        operation.brokers.length === 0 ||
        !operation.brokers.every((id) => retain.includes(id)),
  );
  const of = (kind: string) => plan.operations.filter(({ operation }) => operation === kind);
  const left = without(
    removed,
    of(remove).flatMap(({ brokers }) => brokers),
  );
  const partitions = of(forceReconfigure).map(({ partitionId }) => partitionId);
  const omitted = partitionIds(session.settings.partitionCount).filter(
    (id) => !partitions.includes(id),
  );
  const kept = plan.expectedMembers.map((member) => member.id);
  if (wrong.length > 0 || left.length > 0 || omitted.length > 0 || !sameIds(kept, retain)) {
    const why =
      wrong.length > 0
        ? describeOperations(wrong).join("; ")
        : left.length > 0
          ? `it would not remove ${brokerList(left)}`
          : omitted.length > 0
            ? `it would leave partition ${listed(omitted.map(String))} as it is`
            : `it would keep ${brokerList(kept)}`;
    throw new Refusal(
      `the cluster's own plan for the forced removal is not what is meant (${shortened(why, 50)}): nothing was sent; look at the cluster`,
    );
  }
}
