import type { RegionName } from "../base/brokers";
import { idsOf } from "../generations";
import type { Settings } from "../settings";
import type { PeerState, RecordedState } from "../stack/stackState";

/**
 * What a run declares.
 * - `steady`: both regions are members.
 * - `failed-over`: the other region is lost and forced out.
 * - `failing-back`: the steps of a failback, then both regions.
 * - `rejoining`: this is the recreated region; the survivor's stack does the recovery, this one nothing.
 * - `installing`: a first installation whose other region is not there yet: there is no cluster to look at.
 */
export type Shape = "steady" | "failed-over" | "failing-back" | "rejoining" | "installing";

/** A shape in which the stack owns the recovery. */
export type RecoveryShape = Exclude<Shape, "rejoining" | "installing">;

/** Decides what this run declares, from the configuration and from what the other region's stack says. */
export function shapeOf(settings: Settings, peer: PeerState, recorded: RecordedState): Shape {
  if (settings.lostRegion !== undefined) {
    return settings.failback === undefined ? "failed-over" : "failing-back";
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

/** The region that serves the users in this run: the survivor of a loss, else the configured one. */
export function activeRegionOf(settings: Settings, shape: Shape): RegionName {
  if (shape === "rejoining") {
    return settings.peer;
  }
  return settings.lostRegion === undefined ? settings.activeRegion : settings.region;
}

/** How many replicas each partition has among the survivors: half of all. */
export const SURVIVING_REPLICAS = 2;

/** The brokers that are to be members, and how many replicas each partition is to have. */
export function desiredMembership(settings: Settings, shape: Shape) {
  const ids = idsOf(settings);
  return shape === "failed-over"
    ? { ids: ids.of(settings.region, settings.clusterSize), replicationFactor: SURVIVING_REPLICAS }
    : { ids: ids.all(settings.clusterSize), replicationFactor: settings.replicationFactor };
}
