import { allBrokerIds, brokerIds } from "../camunda/brokers";
import { OVERRIDES, Settings } from "../config";
import type { PeerState, RecordedState } from "../stackState";

/**
 * What a run declares.
 * - `steady`: both regions are members.
 * - `failed-over`: the other region is lost and forced out.
 * - `failing-back`: the steps of a failback, then both regions.
 * - `rejoining`: this is the recreated region; the survivor's stack does the recovery, this one nothing.
 */
export type Shape = "steady" | "failed-over" | "failing-back" | "rejoining";

/** Decides what this run declares, from the configuration and from what the other region's stack says. */
export function shapeOf(settings: Settings, peer: PeerState): Shape {
  if (settings.lostRegion !== undefined) {
    return settings.failback === undefined ? "failed-over" : "failing-back";
  }
  return peer.known && peer.lostRegion === settings.region && !peer.restored
    ? "rejoining"
    : "steady";
}

/** The brokers that are to be members, and how many replicas each partition is to have. */
export function desiredMembership(settings: Settings, shape: Shape) {
  return shape === "failed-over"
    ? { ids: brokerIds(settings.region, settings.clusterSize), replicationFactor: 2 }
    : { ids: allBrokerIds(settings.clusterSize), replicationFactor: settings.replicationFactor };
}

/** What is wrong with the whole run, known before the first resource. Each line names the way out. */
export function runProblems(
  settings: Settings,
  peer: PeerState,
  recorded: RecordedState,
): string[] {
  const problems: string[] = [];
  if (
    settings.lostRegion !== undefined &&
    peer.known &&
    peer.lostRegion === settings.region &&
    !peer.restored &&
    settings.overrides["peer-declares-loss"] === undefined
  ) {
    problems.push(
      `stack ${settings.peerStack} declares ${settings.region}, the region of this stack, lost (${OVERRIDES["peer-declares-loss"]}): decide for one region and remove lostRegion from the other's stack, or write the reason into overrides.peer-declares-loss`,
    );
  }
  // Lower case, as the name of the snapshot is: "ONE" would find the one of "one".
  const used = recorded.exportingAttempt?.toLowerCase();
  const wanted = settings.failback?.toLowerCase();
  if (
    wanted !== undefined &&
    (used === abandoned(wanted) || (used === wanted && recorded.gateAttempt !== settings.failback))
  ) {
    problems.push(
      `failback is ${settings.failback}, the name of an earlier attempt: what it left behind would be taken for done; choose a new name: pulumi config set failback NEW-NAME`,
    );
  }
  return problems;
}

/**
 * What a run declares, in words. Changes whenever something else is declared, also when an attempt is
 * abandoned: what that attempt did before it was killed is in no state, so it must be looked at anew.
 */
export function phaseLabel(settings: Settings, shape: Shape, recorded: RecordedState): string {
  switch (shape) {
    case "failed-over": {
      const attempt = attemptLabel(settings, shape, recorded);
      return `failed over from ${settings.lostRegion}${attempt.endsWith(ABANDONED) ? ` (${attempt})` : ""}`;
    }
    case "failing-back":
      return `failing back to ${settings.lostRegion}: ${settings.failback}`;
    case "rejoining":
    case "steady":
      return shape;
  }
}

/**
 * The last failback attempt and how it stands, as the persistent resources carry it. It changes when an
 * attempt begins and when one is abandoned, and only then: so abandoning updates them (and their update
 * asserts the live state), also when the attempt was killed so early that nothing but its gate is in the
 * state; and finishing changes nothing.
 */
export function attemptLabel(settings: Settings, shape: Shape, recorded: RecordedState): string {
  if (settings.failback !== undefined) {
    return settings.failback;
  }
  if (shape === "failed-over" && recorded.gateAttempt !== undefined) {
    return abandoned(recorded.gateAttempt);
  }
  // Not knowing what was before, assert the live state: an update that finds nothing to do is harmless.
  return recorded.unreadable ? `unknown at ${Date.now()}` : (recorded.exportingAttempt ?? "none");
}

const ABANDONED = " abandoned";

function abandoned(attempt: string): string {
  return `${attempt}${ABANDONED}`;
}
