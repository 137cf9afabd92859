import { listed } from "../base/bounded";
import { brokerList, brokersAre, peerOf, RegionName, sameIds, without } from "../base/brokers";

/** What is known of the absence of the other region, after some looks. */
export interface Absence {
  /** It was missed in every look for long enough, and no survivor leads what it could not lead alone. */
  proved: boolean;
  /** Partitions that a survivor leads though the survivors are no majority of its replicas: somebody else follows. */
  led: readonly number[];
}

/** What is known of the cluster when membership is decided. */
export interface MembershipFacts {
  /** Members by the cluster's configuration, dead or alive. */
  members: readonly number[];
  /** Brokers that the survivors' gateway sees now. */
  seen: readonly number[];
  /** Replication factor as the gateway states it. */
  replicationFactor: number;
  /** Partitions that would have no replica if only the brokers of this stack's region stayed. */
  partitionsLost: readonly number[];
  /** What the looks until now say of the other region. */
  absence: Absence;
}

/** What the operator has declared. */
export interface MembershipIntent {
  /** The brokers that are to be members. */
  brokers: readonly number[];
  replicationFactor: number;
  /** The region of this stack. */
  region: RegionName;
  /** The brokers of each region. */
  regions: Record<RegionName, readonly number[]>;
  lostRegion: RegionName | undefined;
  drainRegion: RegionName | undefined;
  failback: string | undefined;
}

/** The one thing to do next about membership. */
export type MembershipPlan =
  /** Members and replication factor are as declared. */
  | { kind: "nothing" }
  /** Procedure, failover step 1: force out `remove`, keep `retain`. */
  | { kind: "force-remove"; retain: readonly number[]; remove: readonly number[] }
  /** A drain: an ordinary change to `brokers` with the replicas of one region. Never forced. */
  | {
      kind: "remove";
      brokers: readonly number[];
      remove: readonly number[];
      replicationFactor: number;
    }
  /** Procedure, failback step 7: an ordinary change to `brokers` with the full replication factor. Never forced. */
  | { kind: "add"; brokers: readonly number[]; add: readonly number[]; replicationFactor: number }
  /** Right to act, but not yet: the survivors still see a lost broker, or do not see a recreated one. */
  | { kind: "wait"; for: string; refusal: string }
  /** Must not be done. The reason, with the way out. */
  | { kind: "refuse"; why: string };

/**
 * Decides what to do about membership, from what is declared and what is there. Pure, so that the rule
 * "force is for removing brokers that are gone, never for adding" can be shown for every state.
 */
export function planMembership(facts: MembershipFacts, intent: MembershipIntent): MembershipPlan {
  const remove = without(facts.members, intent.brokers);
  const add = without(intent.brokers, facts.members);
  const own = intent.regions[intent.region];
  if (remove.length > 0 && !declaresAll(intent) && sameIds(without(own, facts.members), own)) {
    const wayOut =
      intent.drainRegion === undefined
        ? "remove lostRegion, and bring it back"
        : "remove drainRegion, and fail back from its stack";
    return refuse(
      `${brokerList(own)} of ${intent.region} itself are no members: ${peerOf(intent.region)} alone holds the data; ${wayOut}`,
    );
  }
  if (remove.length > 0 && add.length > 0) {
    return refuse(
      `the members are ${brokerList(facts.members)}, declared are ${brokerList(intent.brokers)}: ` +
        "adding and removing at once is no step of a recovery; check clusterSize and region",
    );
  }
  if (remove.length > 0) {
    return planRemoval(facts, intent, remove);
  }
  if (add.length > 0) {
    return planAdd(facts, intent, add);
  }
  if (facts.replicationFactor !== intent.replicationFactor) {
    return planReplication(facts, intent);
  }
  return { kind: "nothing" };
}

function planRemoval(
  facts: MembershipFacts,
  intent: MembershipIntent,
  remove: readonly number[],
): MembershipPlan {
  const own = intent.regions[intent.region];
  const peer = intent.regions[peerOf(intent.region)];
  const other = peerOf(intent.region);
  if (intent.lostRegion !== other && intent.drainRegion !== other) {
    return refuse(
      `${brokerList(remove)} would be removed, but no region is declared lost or drained; set lostRegion if ${other} is gone`,
    );
  }
  if (!sameIds(intent.brokers, own) || without(remove, peer).length > 0) {
    return refuse(
      `the survivors must be exactly the brokers of ${intent.region} (${brokerList(own)}), not ${brokerList(intent.brokers)}; check clusterSize`,
    );
  }
  if (facts.partitionsLost.length > 0) {
    return refuse(
      `partition ${listed(facts.partitionsLost.map(String))} has no replica in ${intent.region}: without ${other} its data would be lost; keep ${other}, or bring it back`,
    );
  }
  const absent = without(own, facts.seen);
  if (absent.length > 0) {
    return {
      kind: "wait",
      for: `${brokerList(absent)} of ${intent.region} to be seen`,
      refusal: `${brokerList(absent)} of the surviving region ${absent.length > 1 ? "are" : "is"} not seen by its gateway: bring it up first, or its replicas are lost too`,
    };
  }
  if (intent.lostRegion !== other) {
    return planDrain(facts, intent, remove);
  }
  const stillSeen = peer.filter((id) => facts.seen.includes(id));
  if (stillSeen.length > 0) {
    return {
      kind: "wait",
      for: `the survivors to no longer see ${brokerList(stillSeen)}`,
      refusal: `the survivors still see ${brokerList(stillSeen)} of ${intent.lostRegion}: a region that answers is not lost; stop it, or remove lostRegion`,
    };
  }
  const { proved, led } = facts.absence;
  if (led.length > 0) {
    const partitions = listed(led.map(String));
    return {
      kind: "wait",
      for: `partition ${partitions} to have no leader in ${intent.region}`,
      refusal: `${intent.lostRegion} is not seen, but partition ${partitions} has a leader here, which needs it: mend the gateway's network, or remove lostRegion`,
    };
  }
  if (!proved) {
    return {
      kind: "wait",
      for: `the survivors to miss ${brokerList(peer)} in every look`,
      refusal: `${intent.lostRegion} was not missed for timeouts.absence without a break: see what its brokers do, then pulumi up again`,
    };
  }
  return { kind: "force-remove", retain: own, remove };
}

/** An ordinary change needs each broker that is to leave: with a dead one it would be pending for ever. */
function planDrain(
  facts: MembershipFacts,
  { brokers, replicationFactor, drainRegion }: MembershipIntent,
  remove: readonly number[],
): MembershipPlan {
  const absent = without(remove, facts.seen);
  return absent.length > 0
    ? {
        kind: "wait",
        for: `${brokerList(absent)} to be seen`,
        refusal: `${brokersAre(absent)} not seen: a drain needs every broker; bring it up, or set lostRegion instead of drainRegion if ${drainRegion} is lost`,
      }
    : { kind: "remove", brokers, remove, replicationFactor };
}

function planAdd(
  facts: MembershipFacts,
  intent: MembershipIntent,
  add: readonly number[],
): MembershipPlan {
  if (intent.failback === undefined) {
    return refuse(
      `${brokersAre(add)} not among the members, and adding brokers is part of a failback: ` +
        "set lostRegion or drainRegion again, and failback to the name of an attempt",
    );
  }
  const absent = without(intent.brokers, facts.seen);
  if (absent.length > 0) {
    return {
      kind: "wait",
      for: `${brokerList(absent)} to be seen by the survivors`,
      refusal: `${brokersAre(absent)} not seen by the survivors: adding a broker that does not run never ends; start it`,
    };
  }
  return { kind: "add", brokers: intent.brokers, add, replicationFactor: intent.replicationFactor };
}

function planReplication(facts: MembershipFacts, intent: MembershipIntent): MembershipPlan {
  if (facts.replicationFactor > intent.replicationFactor && intent.drainRegion !== undefined) {
    // The gateway learns last how many replicas there are. By the cluster's own plan there may be nothing to do.
    const { brokers, replicationFactor } = intent;
    return { kind: "remove", brokers, remove: [], replicationFactor };
  }
  if (facts.replicationFactor > intent.replicationFactor) {
    return refuse(
      `the replication factor is ${facts.replicationFactor}, declared is ${intent.replicationFactor}: lowering it is no step of a recovery`,
    );
  }
  if (facts.partitionsLost.length > 0) {
    return refuse(
      `partition ${listed(facts.partitionsLost.map(String))} has no replica in ${intent.region}: the replication factor is not raised over that; look at the cluster by hand`,
    );
  }
  if (!declaresAll(intent)) {
    return refuse(
      `the replication factor in ${intent.region} is ${facts.replicationFactor} instead of ${intent.replicationFactor}: it follows from the removal; look at the cluster by hand`,
    );
  }
  const absent = without(intent.brokers, facts.seen);
  if (absent.length > 0) {
    return {
      kind: "wait",
      for: `${brokerList(absent)} to be seen`,
      refusal: `${brokersAre(absent)} among the members but not seen: bring it up before the replication factor is raised to ${intent.replicationFactor}`,
    };
  }
  // Brokers that were added without a replication factor keep the survivors' and only move replicas.
  return {
    kind: "add",
    brokers: intent.brokers,
    add: [],
    replicationFactor: intent.replicationFactor,
  };
}

/** Whether the brokers of both regions are to be members. */
export function declaresAll({ brokers, regions }: MembershipIntent): boolean {
  return sameIds(brokers, [...regions.region0, ...regions.region1]);
}

function refuse(why: string): MembershipPlan {
  return { kind: "refuse", why };
}
