import { Refusal } from "../../base/refusal";
import type { PlannedChange } from "../../clients/zeebe";
import { declaresAll, MembershipIntent } from "../planner";
import type { Session } from "../session";
import { askPlan } from "./changes";
import { forcedRemoval } from "./forcedRemoval";
import type { MemberChange } from "./membership";
import { addition, drain } from "./ordinaryChange";

/** The change that brings about what is declared of the members. */
export function changeOf(session: Session, intent: MembershipIntent): MemberChange {
  return declaresAll(intent)
    ? addition(session, intent)
    : intent.drainRegion === undefined
      ? forcedRemoval(session, intent)
      : drain(session, intent);
}

/**
 * The cluster's own plan for a change: before anything is sent, and in a preview.
 *
 * @param removed the members that it is to take out
 * @param seconds how long it is asked again at most, as `asked` has it
 * @throws {@link Refusal} when it is not what is meant, or the cluster is at another change
 */
export async function ownPlan(
  session: Session,
  change: MemberChange,
  removed: readonly number[],
  seconds?: number,
): Promise<PlannedChange> {
  const plan = await askPlan(session, () => change.ask(true), seconds);
  const why = change.against(plan, removed);
  if (why !== undefined) {
    throw new Refusal(change.refusal(why));
  }
  return plan;
}
