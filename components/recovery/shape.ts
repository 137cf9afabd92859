import { allBrokerIds, brokerIds, sameIds, idsOfMap } from "../camunda/brokers";
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
  return peer.known && peer.lostRegion === settings.region && peer.phase !== "restored"
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
  shape: Shape,
  peer: PeerState,
  recorded: RecordedState,
): string[] {
  const problems: string[] = [];
  if (
    settings.lostRegion !== undefined &&
    peer.known &&
    peer.lostRegion === settings.region &&
    peer.phase !== "restored" &&
    settings.overrides["peer-declares-loss"] === undefined
  ) {
    problems.push(
      `stack ${settings.peerStack} declares ${settings.region}, the region of this stack, lost (${OVERRIDES["peer-declares-loss"]}): decide for one region and remove lostRegion from the other's stack, or write the reason into overrides.peer-declares-loss`,
    );
  }
  if (shape === "failed-over" && finished(settings, recorded)) {
    problems.push(
      `lostRegion is still ${settings.lostRegion}, but failback ${recorded.gateAttempt} has finished and both regions are members: pulumi config rm lostRegion`,
    );
  }
  const used = recorded.exportingAttempt;
  if (
    settings.failback !== undefined &&
    (used === abandoned(settings.failback) ||
      (used === settings.failback && recorded.gateAttempt !== settings.failback))
  ) {
    problems.push(
      `failback is ${settings.failback}, the name of an earlier attempt: what it left behind would be taken for done; choose a new name: pulumi config set failback NEW-NAME`,
    );
  }
  return problems;
}

function finished(settings: Settings, recorded: RecordedState): boolean {
  return (
    recorded.gateAttempt !== undefined &&
    recorded.brokers !== undefined &&
    sameIds(idsOfMap(recorded.brokers), allBrokerIds(settings.clusterSize))
  );
}

/** What a run declares, in words. Changes whenever something else is declared. */
export function phaseLabel(settings: Settings, shape: Shape): string {
  switch (shape) {
    case "failed-over":
      return `failed over from ${settings.lostRegion}`;
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
  return recorded.exportingAttempt ?? "none";
}

function abandoned(attempt: string): string {
  return `${attempt} abandoned`;
}
