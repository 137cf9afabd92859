import { peerOf } from "../../base/brokers";
import type { Declaration } from "../../base/declaration";
import { Refusal } from "../../base/refusal";
import { Refuse, waitFor } from "../../clients/poll";
import { memberIds, Operation, partitionsWithout, seenIds } from "../../clients/topology";
import { ChangePending, PlannedChange } from "../../clients/zeebe";
import {
  Absence,
  MembershipFacts,
  MembershipIntent,
  MembershipPlan,
  planMembership,
} from "../planner";
import type { Observation, Session } from "../session";
import { AbsenceFinder } from "./absence";
import { pendingUnseen } from "./changes";

/** What a single look says of an absence. */
export const ONE_LOOK: Absence = { proved: false, led: [] };

/** What the cluster shows for the decision about its members. */
export function membershipFacts(
  { configuration, topology }: Observation,
  session: Session,
  absence: Absence,
): MembershipFacts {
  return {
    members: memberIds(configuration),
    seen: seenIds(topology),
    replicationFactor: topology.replicationFactor,
    partitionsLost: partitionsWithout(configuration, session.own, session.settings.partitionCount),
    absence,
  };
}

/** What is declared of its members. */
export function membershipIntent(
  desired: { ids: readonly number[]; replicationFactor: number },
  { lost, drained, attempt }: Declaration,
  session: Session,
): MembershipIntent {
  const { region, clusterSize } = session.settings;
  return {
    brokers: desired.ids,
    replicationFactor: desired.replicationFactor,
    region,
    regions: session.generation.ids.byRegion(clusterSize),
    lostRegion: lost,
    drainRegion: drained,
    failback: attempt,
  };
}

/** A change of the members: how the cluster is asked for it, what its own plan must be, and how it is told. */
export interface MemberChange {
  /** How long it may take, in seconds. */
  seconds: number;
  /** Whether a pending change, by all its operations, is this one. */
  isOurs(pending: readonly Operation[]): boolean;
  /** Sends it, or asks for the cluster's own plan only. */
  ask(dryRun: boolean): Promise<PlannedChange>;
  /** Whether by the cluster's own plan nothing is to be done any more. */
  isDone(plan: PlannedChange): boolean;
  /** What the cluster's own plan would do otherwise than is meant, in words; undefined when it is as meant. */
  against(plan: PlannedChange, removed: readonly number[]): string | undefined;
  /** The refusal because of that. */
  refusal(why: string): string;
  /** The line that is logged before it is sent. */
  begins(removed: readonly number[]): string;
  /** What is waited for once it was sent, and what is refused when that has not come in time. */
  awaited: string;
  refuse?: Refuse;
}

/** A plan that is not one to wait. */
export type DecidedPlan = Exclude<MembershipPlan, { kind: "wait" | "refuse" }>;

/** How a plan is waited for. */
export interface Deciding {
  /** How long at most. */
  seconds: number;
  /** How long the lost region must be missed before it counts as absent. */
  missedFor: number;
  /** The cluster as it was a moment ago. */
  first?: Observation;
  /** What is against acting by a plan though the cluster shows what it needs. */
  against?(
    plan: DecidedPlan,
    seen: Observation,
  ): Promise<{ seen: string; refusal: string } | undefined>;
  /** The line at the deadline, from the refusal of what was seen last. */
  line(refusal: string): string;
}

/**
 * Plans by what is there, and waits where waiting is what is to be done.
 *
 * @throws {@link Refusal} when it must not be done, or the deadline has passed; `DeadlineExceeded` when at the deadline
 *   the cluster did not answer
 */
export async function awaitPlan(
  session: Session,
  intent: MembershipIntent,
  { seconds, missedFor, first, against, line }: Deciding,
): Promise<DecidedPlan> {
  const lost = intent.regions[peerOf(intent.region)];
  const finder = new AbsenceFinder(session, lost, missedFor);
  let refusal: string | undefined;
  let pending: string | undefined;
  let said = "";
  let known = first;
  return waitFor(
    "the brokers to be as the step needs them",
    seconds,
    session.log,
    async () => {
      // What an earlier look has shown is no reason for a refusal after one that has failed.
      refusal = pending = undefined;
      let seen: Observation;
      try {
        seen = known ?? (await session.observe());
      } catch (error) {
        if (error instanceof ChangePending) {
          pending = pendingUnseen(error);
          return { done: false, seen: `${error.what} is pending` };
        }
        throw error;
      } finally {
        known = undefined;
      }
      const plan = planMembership(membershipFacts(seen, session, await finder.find(seen)), intent);
      if (plan.kind === "refuse") {
        throw new Refusal(plan.why);
      }
      if (plan.kind === "wait") {
        refusal = plan.refusal;
        if (said !== plan.for) {
          said = plan.for;
          session.log(`waiting for ${plan.for} (${seconds} s at most)`);
        }
        return { done: false, seen: plan.for };
      }
      const obstacle = await against?.(plan, seen);
      if (obstacle !== undefined) {
        refusal = obstacle.refusal;
        return { done: false, seen: obstacle.seen };
      }
      return { done: true, value: plan };
    },
    { refuse: () => pending ?? (refusal === undefined ? undefined : line(refusal)) },
  );
}
