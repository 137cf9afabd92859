import { allBrokerIds, brokerIds, RegionName } from "../base/brokers";
import type { Declaration, LastAttempt } from "../base/declaration";
import { isRecord } from "../base/json";
import { OVERRIDES, Settings } from "../settings";
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
  if (peer.known && peer.lostRegion === settings.region && !peer.restored) {
    return "rejoining";
  }
  // A recreated region stays one while the survivor's stack cannot be read.
  if (
    !peer.known &&
    settings.installation !== undefined &&
    recordedPhase(recorded) === "rejoining"
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
  problems.push(...switchBack(settings, peer, recorded));
  if (settings.installation !== undefined) {
    problems.push(...installedProblems(settings, peer, recorded));
  }
  // Lower case, as the name of the snapshot is: "ONE" would find the one of "one".
  const used = recorded.lastAttempt;
  if (
    used !== undefined &&
    used.attempt.toLowerCase() === settings.failback?.toLowerCase() &&
    (used.abandoned || recorded.gateAttempt !== settings.failback)
  ) {
    problems.push(
      `failback is ${settings.failback}, the name of an earlier attempt: what it left behind would be taken for done; choose a new name: pulumi config set failback NEW-NAME`,
    );
  }
  return problems;
}

/**
 * On platforms where the stack owns network and releases, what is declared from a wrong idea of the other
 * stack is not only a record: it cuts the regions apart, or turns applications off. So it is refused.
 */
function installedProblems(settings: Settings, peer: PeerState, recorded: RecordedState): string[] {
  const shape = shapeOf(settings, peer, recorded);
  const problems: string[] = [];
  if (recorded.unreadable === true && shape !== "failed-over") {
    problems.push(
      "the recorded state of this stack cannot be read, and without it the network between the regions would be taken for not made yet: run it again when the state backend answers",
    );
  }
  if (
    !peer.known &&
    peer.absent !== true &&
    recorded.brokers === undefined &&
    shape === "installing"
  ) {
    problems.push(
      `stack ${settings.peerStack} cannot be read (${peer.why}), and whether ${settings.region} is installed for the first time or recreated is for it to say: run it again when the state backend answers`,
    );
  }
  if (shape === "rejoining" && recorded.brokers !== undefined) {
    problems.push(
      `stack ${settings.peerStack} declares ${settings.region} lost, and this stack is that of a full member: its web applications and its part of the recovery would be taken down; when ${settings.region} was lost, make the stack anew (pulumi stack rm --force --preserve-config, pulumi stack init, npm run up); when it was not, or is back by hand, end the recovery on stack ${settings.peerStack} first`,
    );
  }
  if (
    shape === "steady" &&
    peer.known &&
    settings.activeRegion === settings.region &&
    peer.activeRegion === settings.peer &&
    recorded.activeRegion !== settings.region &&
    settings.overrides["switch-back"] === undefined
  ) {
    problems.push(
      `activeRegion is ${settings.region} here, and stack ${settings.peerStack} says that ${settings.peer} serves the users: run the other stack first with the same activeRegion, so that never both are active; or set activeRegion ${settings.peer} here`,
    );
  }
  return problems;
}

function recordedPhase({ recovery }: RecordedState): string | undefined {
  return typeof recovery?.phase === "string" ? recovery.phase : undefined;
}

/** Which kind of loss it is, and what follows from it for the users (concept page, region loss). */
export interface Loss {
  /** The region that was lost served the users (`active`), or stood by (`passive`). */
  kind: "active" | "passive";
  /** What is to be done, or what need not be. */
  follows: string[];
}

/** The kind of loss that is declared. What the record of the same incident says stays, whatever is configured since. */
export function lossOf(settings: Settings, recorded: RecordedState, incident?: string): Loss {
  const last = recorded.recovery?.lastFailover;
  if (
    isRecord(last) &&
    incident !== undefined &&
    last.incident === incident &&
    isRecord(last.loss)
  ) {
    return last.loss as unknown as Loss;
  }
  const survivor = settings.region;
  return settings.lostRegion === settings.activeRegion
    ? {
        kind: "active",
        follows: [
          `reroute the users to ${survivor}, which is the active region now`,
          "batch operations of Operate that had not completed are gone: create them again",
          "task assignments of Tasklist are gone: assign the tasks again",
        ],
      }
    : {
        kind: "passive",
        follows: [`the users stay with ${survivor}: nothing to reroute, nothing is lost`],
      };
}

/** Ending a failback must not silently move the users to a region that was empty an hour ago. */
function switchBack(settings: Settings, peer: PeerState, recorded: RecordedState): string[] {
  const { activeRegion, overrides } = settings;
  const since = recorded.activeRegion;
  return shapeOf(settings, peer, recorded) === "steady" &&
    ["restored", "failed-over", "rejoining"].includes(String(recorded.recovery?.phase)) &&
    since !== undefined &&
    since !== activeRegion &&
    overrides["switch-back"] === undefined
    ? [
        `activeRegion is ${activeRegion}, but the users are with ${since} since the failover: after a failback the recreated region is the passive one; pulumi config set activeRegion ${since} on both stacks, or write the reason into overrides.switch-back to move the users back with this run`,
      ]
    : [];
}

/** What this run declares of the recovery, as data: the one writer of it. */
export function declarationOf(
  settings: Settings,
  shape: RecoveryShape,
  recorded: RecordedState,
): Declaration {
  const lost = settings.lostRegion;
  if (shape === "steady" || lost === undefined) {
    return { kind: "steady" };
  }
  if (shape === "failing-back") {
    return { kind: shape, lost, attempt: settings.failback };
  }
  const { attempt, abandoned } = lastAttempt(settings, shape, recorded);
  return { kind: shape, lost, ...(abandoned ? { abandoned: attempt } : {}) };
}

/**
 * The last failback attempt and how it stands, as the persistent resources carry it. It changes when an
 * attempt begins and when one is abandoned, and only then: so abandoning updates them (and their update
 * asserts the live state), also when the attempt was killed so early that nothing but its gate is in the
 * state; and finishing changes nothing.
 */
export function lastAttempt(
  settings: Settings,
  shape: Shape,
  recorded: RecordedState,
): LastAttempt {
  if (settings.failback !== undefined) {
    return { attempt: settings.failback, abandoned: false };
  }
  if (shape === "failed-over" && recorded.gateAttempt !== undefined) {
    return { attempt: recorded.gateAttempt, abandoned: true };
  }
  if (recorded.unreadable) {
    // Not knowing what was before, assert the live state: an update that finds nothing to do is harmless.
    return { attempt: `unknown at ${Date.now()}`, abandoned: false };
  }
  return recorded.lastAttempt ?? { attempt: "none", abandoned: false };
}

/** The last attempt for the commands of a user, which run again when it changes. */
export function attemptForCommands({ attempt, abandoned }: LastAttempt): string {
  return abandoned ? `${attempt} abandoned` : attempt;
}
