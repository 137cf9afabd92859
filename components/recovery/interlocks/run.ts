import { shortened } from "../../base/bounded";
import { peerOf, REGIONS } from "../../base/brokers";
import { isBefore, nextVersion } from "../../generations";
import { INCIDENT_OVERRIDES, Override, OVERRIDES, Settings } from "../../settings";
import { isUnfinished } from "../../stack/contract";
import type { PeerState, RecordedState } from "../../stack/stackState";
import { beginsIncident, endedBy } from "../declaration";
import { Shape, shapeOf } from "../phase";
import { upgradeOf } from "../upgrade";
import { Interlock, isPassed } from "./interlock";

/** What is known of a run before its first resource, without a look at the cluster. */
export interface RunFacts {
  settings: Settings;
  /** What the other region's stack says. */
  peer: PeerState;
  /** What this stack has recorded. */
  recorded: RecordedState;
  shape: Shape;
  /** Name of this stack, with organization and project before it. */
  stack: string;
}

/** What is asked of the configuration and of what the stacks have recorded. */
interface RunInterlock extends Interlock {
  /** The fact, and the one way out; undefined when nothing is against the run. */
  refusal(facts: RunFacts): string | undefined;
}

/** The other region's operator has declared the opposite. Asked in every run, and once more directly before the force. */
const PEER_DECLARES_LOSS: Interlock & {
  refusal(facts: Pick<RunFacts, "settings" | "peer">): string | undefined;
} = {
  name: "peer-declares-loss",
  protects: OVERRIDES["peer-declares-loss"],
  override: "peer-declares-loss",
  refusal: ({ settings: { outRegion, region, peerStack }, peer }) =>
    outRegion !== undefined && peer.known && peer.lostRegion === region && !peer.restored
      ? `stack ${peerStack} declares ${region}, the region of this stack, lost: decide for one, remove lostRegion from the other's, and up there`
      : undefined,
};

/** The other region's operator drains this one. Asked as {@link PEER_DECLARES_LOSS} is. */
const PEER_DRAINS: typeof PEER_DECLARES_LOSS = {
  name: "peer-drains",
  protects: "Each region would be taken out from the other one.",
  refusal: ({ settings: { drainRegion, region, peerStack }, peer }) =>
    drainRegion === undefined || !peer.known || peer.drains !== region
      ? undefined
      : peer.drainedRegion === region
        ? `stack ${shortened(String(peerStack), 30)} has drained ${region}, the region of this stack, which holds nothing: remove drainRegion here, and fail back there`
        : `stack ${shortened(String(peerStack), 30)} drains ${region}, the region of this stack: one must stay; remove drainRegion from one stack, and up there`,
};

/** What is asked once more directly before a region's brokers are removed. */
const PEER_INTERLOCKS = [PEER_DECLARES_LOSS, PEER_DRAINS];

/** The written reasons of a configuration that are for one incident. */
function incidentReasons({ overrides }: Settings): [Override, string][] {
  return INCIDENT_OVERRIDES.flatMap((name): [Override, string][] => {
    const reason = overrides[name];
    return reason === undefined ? [] : [[name, reason]];
  });
}

function stackName(stack: string): string {
  return stack.split("/").at(-1) ?? stack;
}

/** What stops a whole run. Each is told, so that an operator sees all at once. */
export const RUN_INTERLOCKS: readonly RunInterlock[] = [
  ...PEER_INTERLOCKS,
  {
    name: "other-regions-configuration",
    protects: "A stack would do to its own region what was meant for the other one.",
    refusal({ settings: { region, peer }, recorded, stack }) {
      const was = recorded.region !== undefined && recorded.region !== region;
      return was || stack.endsWith(peer)
        ? `region is ${region}, but stack ${shortened(stackName(stack), 40)} is ${was ? "recorded as" : "by its name"} that of ${peer}: it has the other stack's configuration; correct its file`
        : undefined;
    },
  },
  {
    name: "own-peer",
    protects: "The stack would ask itself what the other region's operator has declared.",
    refusal: ({ settings: { peerStack, peer }, stack }) =>
      peerStack !== undefined && (peerStack === stack || peerStack === stackName(stack))
        ? `peerStack is ${shortened(peerStack, 40)}, this stack itself: set it to the stack of ${peer}: pulumi config set peerStack NAME`
        : undefined,
  },
  {
    name: "no-peer",
    protects:
      "Nobody would see what the other region's stack declares, and a recreated region would take itself for a new one.",
    // On the day nothing is refused for it: there may be no time to find out. It is a warning then.
    refusal: ({ settings: { peerStack, peer: region, lostRegion }, peer, recorded }) =>
      peer.known || peer.absent !== true || lostRegion !== undefined
        ? undefined
        : peerStack === undefined
          ? `peerStack is not set, and this stack's name does not hold its region: pulumi config set peerStack STACK-OF-${region}`
          : recorded.knownPeer === peerStack
            ? undefined
            : `stack ${shortened(peerStack, 30)} of ${region} does not exist: correct peerStack, or make it: pulumi stack init ${shortened(peerStack, 30)} --no-select`,
  },
  {
    name: "no-incident",
    protects: "A failback would end a loss or a drain of which nobody knows what was done.",
    refusal: ({ settings, recorded, shape }) =>
      shape === "failing-back" &&
      recorded.unreadable !== true &&
      endedBy(settings, recorded) === undefined
        ? "failback is set, but no incident or drain is recorded here: remove failback, up (which adopts what was done by hand), then set it again"
        : undefined,
  },
  {
    name: "drain-of-lost",
    protects:
      "A region that was forced out would be taken for one that is alive and may come back as it is.",
    refusal({ settings: { drainRegion }, recorded: { declaration, incident, recovery } }) {
      const isDeclared = incident !== undefined && incident.withdrawn !== true;
      if (drainRegion === undefined || (declaration?.lost === undefined && !isDeclared)) {
        return undefined;
      }
      // Nobody was removed, which can be taken back, or all are members again. A region that is declared lost once more
      // is refused while it is seen.
      const wayOut =
        declaration?.kind === "failing-back" && recovery?.phase === "restored"
          ? "remove drainRegion, up (finishes that), then set it"
          : (declaration?.kind ?? "steady") === "steady"
            ? "remove drainRegion, up (takes that back), then set it"
            : "set lostRegion again, and fail back";
      return `drainRegion is set, but ${drainRegion} is declared lost${incident === undefined ? "" : ` by incident ${incident.id}`}: ${wayOut}`;
    },
  },
  {
    name: "override-left",
    protects: "A reason that was written for one incident would pass the refusals of the next one.",
    refusal({ settings, recorded, shape }) {
      const left = incidentReasons(settings).filter(
        ([name, reason]) =>
          shape === "steady" ||
          shape === "drained" ||
          (beginsIncident(settings, shape, recorded) &&
            recorded.incident?.overrides[name] === reason),
      );
      const [first] = left.map(([name]) => name);
      return first === undefined
        ? undefined
        : `overrides.${first} is of an incident that is over: pulumi config rm --path overrides.${first}; for another one it is written anew`;
    },
  },
  {
    name: "switch-back",
    protects: OVERRIDES["switch-back"],
    override: "switch-back",
    refusal({ settings: { activeRegion }, recorded, shape }) {
      const since = REGIONS.find((one) => one === recorded.activeRegion);
      const recovery = recorded.recovery ?? {};
      return shape === "steady" &&
        (isUnfinished(recovery) || recovery.phase === "rejoining") &&
        since !== undefined &&
        since !== activeRegion
        ? `activeRegion is ${activeRegion}, but the users are with ${since} since ${peerOf(since)} was out: set activeRegion ${since} on both stacks`
        : undefined;
    },
  },
  {
    name: "state-unreadable",
    protects:
      "The network between the regions would be taken for not made yet, and an incident for none.",
    refusal: ({ settings: { installation }, recorded, shape }) =>
      recorded.unreadable === true &&
      (shape === "failing-back" || (installation !== undefined && shape !== "failed-over"))
        ? "the recorded state of this stack cannot be read: run it again when the state backend answers"
        : undefined,
  },
  {
    name: "peer-unreadable",
    protects: "A recreated region would take itself for one that is installed for the first time.",
    refusal: ({ settings: { installation, peerStack, region }, peer, recorded, shape }) =>
      installation !== undefined &&
      !peer.known &&
      peer.absent !== true &&
      recorded.brokers === undefined &&
      shape === "installing"
        ? `stack ${peerStack} cannot be read (${peer.why}): it says whether ${region} is new or recreated; run it again when it can`
        : undefined,
  },
  {
    name: "full-member",
    protects:
      "The web applications and the part in the recovery of a full member would be taken down.",
    refusal: ({ settings: { installation, peerStack, region }, peer, recorded, shape }) =>
      installation !== undefined &&
      shape === "rejoining" &&
      recorded.brokers !== undefined &&
      !(peer.known && peer.drainedRegion === region)
        ? `stack ${peerStack} declares ${region} lost, and this stack is a full member's: recreated, make it anew; not lost, end the recovery there`
        : undefined,
  },
  {
    name: "both-active",
    protects: "Both regions would serve the users at once.",
    override: "switch-back",
    refusal: ({ settings, peer, recorded, shape }) =>
      settings.installation !== undefined &&
      shape === "steady" &&
      peer.known &&
      settings.activeRegion === settings.region &&
      peer.activeRegion === settings.peer &&
      recorded.activeRegion !== settings.region
        ? `activeRegion is ${settings.region} here, stack ${settings.peerStack} says that ${settings.peer} serves the users: run that stack first, or set ${settings.peer} here`
        : undefined,
  },
  {
    name: "upgrade-one-minor",
    protects: "A broker that skips a minor, or goes back, does not start on the data that it has.",
    refusal({ settings, recorded }) {
      const { from, to } = upgradeOf(settings, recorded) ?? {};
      const next = from === undefined ? undefined : nextVersion(from);
      return from === undefined || to === next
        ? undefined
        : `camundaVersion is ${to}, but ${settings.region} is of ${from}: one minor at a time, and none back; set ${isBefore(to ?? "", from) ? from : next}`;
    },
  },
  {
    name: "upgrade-while-out",
    protects: "Brokers would be taken away from partitions that have no replica to spare.",
    refusal({ settings, recorded, shape }) {
      const upgrade = upgradeOf(settings, recorded);
      return upgrade === undefined || shape === "steady" || shape === "installing"
        ? undefined
        : `camundaVersion is ${upgrade.to}, but ${settings.region} is of ${upgrade.from}: no upgrade while a region is out; set ${upgrade.from} until both are back`;
    },
  },
  {
    name: "upgrade-order",
    protects:
      "Both regions at once would take two brokers of a partition away, and with them its quorum.",
    refusal({ settings, peer, recorded, shape }) {
      const { camundaVersion, installation, peer: other, peerStack, region } = settings;
      const upgrade = upgradeOf(settings, recorded);
      if (upgrade !== undefined && shape === "steady" && !peer.known) {
        return `camundaVersion is ${upgrade.to}, but whether ${other} is of it is not known (${peer.why}): upgrade when stack ${peerStack} can be read`;
      }
      if (installation === undefined || !peer.known || peer.camunda?.applied === undefined) {
        return undefined;
      }
      const { applied, verified } = peer.camunda;
      if (recorded.camunda?.applied === undefined) {
        // Of a state that cannot be read it is not known, and a failover goes on.
        return recorded.installed || recorded.unreadable === true || applied === camundaVersion
          ? undefined
          : `camundaVersion is ${camundaVersion}, but ${other} is of ${applied}: a region is installed as the other one is; set ${applied}`;
      }
      if (upgrade === undefined || shape !== "steady") {
        return undefined;
      }
      return region === "region0"
        ? applied === upgrade.from
          ? undefined
          : `camundaVersion is ${upgrade.to}, but ${other} is of ${applied}: bring it to ${upgrade.from} first, by stack ${peerStack}`
        : verified === upgrade.to
          ? undefined
          : `camundaVersion is ${upgrade.to}: region0 goes first, and is not whole on it yet; npm run up does one after the other`;
    },
  },
  {
    name: "attempt-used",
    protects: "What the earlier attempt has left behind would be taken for done.",
    refusal({ settings: { failback }, recorded }) {
      const { lastAttempt, gateAttempt, usedAttempts = [] } = recorded;
      // Lower case, as the name of the snapshot is: "ONE" would find the one of "one".
      const same = (name: string) => name.toLowerCase() === failback?.toLowerCase();
      const used = [...usedAttempts, ...(lastAttempt === undefined ? [] : [lastAttempt.attempt])];
      const isAbandoned = lastAttempt?.abandoned === true && same(lastAttempt.attempt);
      return failback !== undefined && used.some(same) && (isAbandoned || gateAttempt !== failback)
        ? `failback is ${shortened(failback, 40)}, the name of an earlier attempt: choose a new name: pulumi config set failback NEW-NAME`
        : undefined;
    },
  },
];

/**
 * Whether the other region's stack declares this one lost, or drains it, by what it says now.
 *
 * @returns the refusal, or undefined
 */
export function peerRefusal(settings: Settings, peer: PeerState): string | undefined {
  return PEER_INTERLOCKS.filter((one) => !isPassed(one, settings))
    .map((one) => one.refusal({ settings, peer }))
    .find((refusal) => refusal !== undefined);
}

/** What is wrong with the whole run, known before the first resource: a line each, with the way out. */
export function runProblems(
  settings: Settings,
  peer: PeerState,
  recorded: RecordedState,
  stack: string,
): string[] {
  const facts = { settings, peer, recorded, shape: shapeOf(settings, peer, recorded), stack };
  return RUN_INTERLOCKS.flatMap((interlock) => {
    const why = isPassed(interlock, settings) ? undefined : interlock.refusal(facts);
    return why === undefined ? [] : [why];
  });
}
