import type { RegionName } from "../base/brokers";
import { idsOf } from "../generations";
import type { Generation, StepName } from "../generations/generation";
import type { Settings } from "../settings";
import type { PeerState, RecordedState } from "../stack/stackState";

/**
 * What a run declares.
 * - `steady`: both regions are members.
 * - `failed-over`: the other region is lost and forced out.
 * - `drained`: the other region is alive, and taken out by an ordinary change.
 * - `failing-back`: the steps of a failback, then both regions.
 * - `rejoining`: this is the recreated or the drained region; the other stack does the recovery, this one nothing.
 * - `installing`: a first installation whose other region is not there yet: there is no cluster to look at.
 */
export type Shape =
  "steady" | "failed-over" | "drained" | "failing-back" | "rejoining" | "installing";

/** A shape in which the stack owns the recovery. */
export type RecoveryShape = Exclude<Shape, "rejoining" | "installing">;

/** Decides what this run declares, from the configuration and from what the other region's stack says. */
export function shapeOf(settings: Settings, peer: PeerState, recorded: RecordedState): Shape {
  if (settings.outRegion !== undefined) {
    return settings.failback !== undefined
      ? "failing-back"
      : settings.lostRegion === undefined
        ? "drained"
        : "failed-over";
  }
  if (peer.known && peer.drainedRegion === settings.region && !peer.restored) {
    return "rejoining";
  }
  // A member stays one until it is forced out: two that have stopped before each other must be able to take it back.
  const isMember = recorded.brokers !== undefined;
  if (
    peer.known &&
    peer.lostRegion === settings.region &&
    !peer.restored &&
    (peer.forced || !isMember)
  ) {
    return "rejoining";
  }
  // A recreated region stays one while the survivor's stack cannot be read.
  if (
    !peer.known &&
    settings.installation !== undefined &&
    recorded.recovery?.phase === "rejoining"
  ) {
    return "rejoining";
  }
  // Once declared the recovery stays: a peer that cannot be read any more must not take it away.
  const joined =
    settings.installation === undefined ||
    recorded.brokers !== undefined ||
    recorded.unreadable === true;
  return joined || meetsPeer(settings, peer, recorded) ? "steady" : "installing";
}

/** Whether both regions are installed, with a network between them when this run has ended. */
function meetsPeer(settings: Settings, peer: PeerState, recorded: RecordedState): boolean {
  if (!peer.known || !peer.installed) {
    return false;
  }
  if (settings.platform !== "eks") {
    return true;
  }
  return settings.region === "region0"
    ? peer.network.requestedPeering !== undefined
    : peer.network.acceptedPeering !== undefined &&
        peer.network.acceptedPeering === recorded.network.requestedPeering;
}

/** Whether the other region is to be no member in this run. */
export function leavesOut(shape: Shape): shape is "failed-over" | "drained" {
  return shape === "failed-over" || shape === "drained";
}

/** The steps that a shape declares, in their order. What is steady asserts those of a failover. */
export function procedureOf(
  { failover, drain, failback }: Pick<Generation, "failover" | "drain" | "failback">,
  shape: Shape,
): readonly StepName[] {
  return shape === "failing-back" ? failback : shape === "drained" ? drain : failover;
}

/** The region that serves the users in this run: the one that stays, of a loss or a drain, else the configured one. */
export function activeRegionOf(settings: Settings, shape: Shape): RegionName {
  if (shape === "rejoining") {
    return settings.peer;
  }
  return settings.outRegion === undefined ? settings.activeRegion : settings.region;
}

/** How many replicas each partition has in one region: half of all. */
export const SURVIVING_REPLICAS = 2;

/** The brokers that are to be members, and how many replicas each partition is to have. */
export function desiredMembership(settings: Settings, shape: Shape) {
  const ids = idsOf(settings);
  return leavesOut(shape)
    ? { ids: ids.of(settings.region, settings.clusterSize), replicationFactor: SURVIVING_REPLICAS }
    : { ids: ids.all(settings.clusterSize), replicationFactor: settings.replicationFactor };
}
