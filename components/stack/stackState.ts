import * as pulumi from "@pulumi/pulumi";
import { versionOfChart } from "../generations";
import { ELASTICSEARCH_RELEASE, RELEASE } from "../generations/objects";
import {
  Declaration,
  LastAttempt,
  readDeclaration,
  readDrain,
  readIncident,
  readLastAttempt,
  RecordedDrain,
  RecordedIncident,
} from "../base/declaration";
import type { BrokerMap, RegionName } from "../base/brokers";
import { isRecord } from "../base/json";
import { RecordedRecovery, recoveryOf } from "./contract";
import { messageOf } from "../base/messageOf";

/** What another stack says of itself, or why that is not known. */
export type PeerState =
  | {
      known: true;
      /** The region that it declares lost, or that it has recorded as lost. */
      lostRegion: string | undefined;
      /** Whether it has forced that region out: a declaration alone may still be taken back. */
      forced: boolean;
      /** The region that it has drained: whose brokers are no members any more. */
      drainedRegion?: RegionName;
      /** The region whose drain it has declared, until a failback has ended it, however far either has come. */
      drains?: RegionName;
      /** Whether it has brought that region back and only the declaration is left. */
      restored: boolean;
      /** Whether its `up` has installed Camunda. */
      installed: boolean;
      camunda?: RecordedCamunda;
      /** Tag of the image of its Elasticsearch. */
      searchImage?: string;
      /** The region that it says serves the users. */
      activeRegion: string | undefined;
      network: RecordedNetwork;
    }
  | {
      known: false;
      why: string;
      /** Whether there is no such stack, or none is named. Else it could not be read. */
      absent?: true;
    };

/** Ids of the network between the regions, as a stack has them recorded. Only AWS has any. */
export interface RecordedNetwork {
  /** Its own VPC. */
  vpcId?: string;
  /** The peering that it has requested (region1). */
  requestedPeering?: string;
  /** The VPC that the peering was requested to. */
  requestedVpcId?: string;
  /** The peering that it has accepted (region0). */
  acceptedPeering?: string;
}

/** Of which generation the Camunda is that a stack has installed. */
export interface RecordedCamunda {
  /** Of its release, by the chart; the brokers' pods may still be replaced. */
  applied?: string;
  /** Of all brokers of its region, when the cluster was last found healthy after an installation or an upgrade. */
  verified?: string;
}

/** What the state of this stack has recorded of the recovery: by the last `up`, whatever has happened since. */
export interface RecordedState {
  brokers?: BrokerMap;
  /** Whether the membership was verified: else its change was begun, and the next `up` goes on. */
  verified?: boolean;
  /** What the membership was last brought about for. */
  declaration?: Declaration;
  /** The loss that is declared, or was last. */
  incident?: RecordedIncident;
  /** The drain that is declared, or was last. */
  drain?: RecordedDrain;
  exporters: Record<string, string>;
  /** The last attempt to fail back, as `Exporting` carries it. */
  lastAttempt?: LastAttempt;
  /** The attempt whose gate is in the state: its steps may have begun. */
  gateAttempt?: string;
  /** The attempt that has paused exporting and has not resumed it by a step of its own, and since when, ISO 8601. */
  pause?: { attempt: string; at: string };
  /** The names of all attempts that the state knows of. */
  usedAttempts?: string[];
  /** Set when the state could not be read: what was before is not known. */
  unreadable?: true;
  /** The output `recovery` of the last `up`. */
  recovery?: RecordedRecovery;
  /** The output `region` of the last `up`. */
  region?: string;
  /** The other region's stack that was seen to be there, by the last `up`. */
  knownPeer?: string;
  /** The output `activeRegion` of the last `up`. */
  activeRegion?: string;
  /** Whether Camunda's release is in the state. */
  installed: boolean;
  /** The namespace of the region, once it is in the state: from then on there is a cluster to look into. */
  namespace?: string;
  /** The Helm releases, by name. */
  releases: Record<string, RecordedRelease>;
  network: RecordedNetwork;
  /** The bucket of the backups. */
  bucket?: string;
  /** Of which generation Camunda is, where this program has installed it. */
  camunda?: RecordedCamunda;
  /** Whether every node of Elasticsearch was found ready after the installation. */
  searchReady?: boolean;
  /** Whether the snapshot repository was tried in normal operation. */
  repositoryTried?: boolean;
  /** Whether the NetworkPolicy that is the fence is in the state, closed. */
  fenceClosed?: boolean;
}

/** What the state has of a Helm release. */
export interface RecordedRelease {
  /** The revision that this stack has made last. */
  revision?: number;
  /** The `description` that it was given: changes when it must be applied again. */
  description?: string;
  /** `Kind/name` of what it consists of. */
  objects: string[];
  /** Version of its chart. */
  chart?: string;
  /** Tag of the image that its values name at their top. */
  image?: string;
}

/**
 * Longest time for what a stack has recorded, in milliseconds. It takes a tenth of a second, but on a machine with much
 * else to do five were not enough, and a recreated region took itself for a first installation or was refused.
 */
const DEADLINE_MS = 15_000;

/**
 * Reads the other region's outputs. Tolerant by construction: a StackReference to a stack that is
 * missing or unreadable fails the whole run, and cannot be caught, and then a lost region could block
 * the recovery from its loss. Only named values are taken: the engine hands over secrets in clear.
 */
export async function readPeer(peerStack: string | undefined): Promise<PeerState> {
  if (peerStack === undefined) {
    return {
      known: false,
      absent: true,
      why: "peerStack is not set, and the stack's name does not hold its region",
    };
  }
  try {
    return peerStateOf(recordedOf(Object.values(await readResources(peerStack))));
  } catch (error) {
    const why = firstLine(error);
    return {
      known: false,
      why,
      ...(/unknown stack|no stack named/i.test(why) ? { absent: true } : {}),
    };
  }
}

/** What another stack says of itself by what it has recorded. */
export function peerStateOf(recorded: RecordedState): Extract<PeerState, { known: true }> {
  const { declaration, verified, installed, camunda, activeRegion, network } = recorded;
  const searchImage = recorded.releases[ELASTICSEARCH_RELEASE]?.image;
  // The membership counts before the outputs: an `up` of the peer that has failed half way may have
  // forced this region out already, and its outputs are still those of before.
  const forced = declaration?.lost ?? textOf(recorded.recovery, "lostRegion");
  return {
    known: true,
    // What it is about to do is written before it is done.
    lostRegion: declaredLost(recorded) ?? forced,
    forced: forced !== undefined,
    // A drain that was only begun may still be taken back, and its region is a member until it has ended. Once it has, a
    // failback that has begun to add brokers takes nothing of it back before they are verified.
    ...(declaration?.drained !== undefined &&
    (verified === true || recorded.recovery?.phase === "drained")
      ? { drainedRegion: declaration.drained }
      : {}),
    ...drainsOf(recorded),
    restored: isRestored(recorded),
    installed,
    camunda,
    ...(searchImage === undefined ? {} : { searchImage }),
    activeRegion,
    network,
  };
}

function drainsOf(recorded: RecordedState): { drains?: RegionName } {
  const { drain, recovery } = recorded;
  const ended = isRecord(recovery?.drain) ? recovery.drain.id : undefined;
  return drain === undefined || (isRestored(recorded) && drain.id === ended)
    ? {}
    : { drains: drain.drained };
}

function declaredLost({ incident }: RecordedState): RegionName | undefined {
  return incident?.withdrawn === true ? undefined : incident?.lost;
}

/** Whether the incident that is recorded is the one that its failback has ended: the region may be lost once more. */
function isRestored({ recovery, declaration, incident }: RecordedState): boolean {
  const ended = isRecord(recovery?.incident) ? recovery.incident.id : undefined;
  return (
    recovery?.phase === "restored" &&
    declaration?.kind !== "failed-over" &&
    declaration?.kind !== "drained" &&
    (incident === undefined || incident.id === ended)
  );
}

/** Reads what this stack has recorded. Nothing recorded, or not readable: an empty state. */
export async function readRecorded(): Promise<RecordedState> {
  try {
    return recordedOf(
      // A backend that was slow once: what follows from not knowing is worse than some seconds.
      Object.values(
        await readResources(pulumi.getStack()).catch(() => readResources(pulumi.getStack())),
      ),
    );
  } catch (error) {
    await pulumi.log.warn(
      `the recorded state of this stack cannot be read (${firstLine(error)}): everything is looked at anew`,
    );
    return { exporters: {}, installed: false, releases: {}, network: {}, unreadable: true };
  }
}

async function readResources(stack: string): Promise<Record<string, unknown>> {
  const found = await within(
    pulumi.runtime.invoke(
      "pulumi:pulumi:readStackResourceOutputs",
      { stackName: fullName(stack) },
      { async: true },
    ),
  );
  return isRecord(found) && isRecord(found.outputs) ? found.outputs : {};
}

/**
 * What resources of a state have recorded, as the engine hands them to the program and as `pulumi stack export` has
 * them. The only reader of a state, for the program and the commands.
 */
export function recordedOf(resources: readonly unknown[]): RecordedState {
  const recorded: RecordedState = { exporters: {}, installed: false, releases: {}, network: {} };
  let resumed: string | undefined;
  let verifiedVersion: string | undefined;
  for (const resource of resources) {
    // Of a replacement that was not ended the old one is there too, to be deleted.
    if (!isRecord(resource) || !isRecord(resource.outputs) || resource.delete === true) {
      continue;
    }
    const outputs = resource.outputs;
    switch (resource.type) {
      case "pulumi-nodejs:dynamic/camunda:BrokerMembership":
        recorded.brokers = isRecord(outputs.brokers) ? (outputs.brokers as BrokerMap) : undefined;
        recorded.declaration = readDeclaration(outputs.declaration);
        recorded.verified = isRecord(outputs.record);
        break;
      case "pulumi-nodejs:dynamic/camunda:Incident":
        recorded.incident = readIncident(outputs);
        break;
      case "pulumi-nodejs:dynamic/camunda:Drain":
        recorded.drain = readDrain(outputs);
        break;
      case "pulumi-nodejs:dynamic/camunda:Exporter":
        Object.assign(recorded.exporters, outputs.exporters);
        break;
      case "pulumi-nodejs:dynamic/camunda:ClusterHealth":
        verifiedVersion = textOf(outputs, "camundaVersion");
        break;
      case "pulumi-nodejs:dynamic/camunda:ElasticsearchHealth":
        recorded.searchReady = true;
        break;
      case "pulumi-nodejs:dynamic/camunda:RepositoryTrial":
        recorded.repositoryTried = true;
        break;
      case "pulumi-nodejs:dynamic/camunda:Exporting":
        recorded.lastAttempt = readLastAttempt(outputs);
        recorded.usedAttempts = withAttempts(recorded.usedAttempts, outputs);
        break;
      case "pulumi-nodejs:dynamic/camunda:FailbackGate":
        recorded.gateAttempt = textOf(outputs, "attempt");
        recorded.usedAttempts = withAttempts(recorded.usedAttempts, outputs);
        break;
      case "pulumi-nodejs:dynamic/camunda:ExportPause":
        recorded.pause = pauseOf(outputs);
        break;
      case "pulumi-nodejs:dynamic/camunda:ExportResume":
        resumed = isRecord(outputs.record) ? textOf(outputs, "attempt") : undefined;
        break;
      case "kubernetes:helm.sh/v3:Release":
        recorded.installed ||= outputs.name === RELEASE;
        recorded.releases[String(outputs.name)] = releaseOf(outputs);
        break;
      case "kubernetes:core/v1:Namespace":
        recorded.namespace = textOf(outputs.metadata, "name");
        break;
      case "aws:s3/bucket:Bucket":
        recorded.bucket = textOf(outputs, "bucket");
        break;
      case "kubernetes:networking.k8s.io/v1:NetworkPolicy":
        recorded.fenceClosed = namesPeers(outputs.spec);
        break;
      case "aws:ec2/vpc:Vpc":
        recorded.network.vpcId = textOf(outputs, "id");
        break;
      case "aws:ec2/vpcPeeringConnection:VpcPeeringConnection":
        recorded.network.requestedPeering = textOf(outputs, "id");
        recorded.network.requestedVpcId = textOf(outputs, "peerVpcId");
        break;
      case "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter":
        recorded.network.acceptedPeering = textOf(outputs, "vpcPeeringConnectionId");
        break;
      case "pulumi:pulumi:Stack":
        recorded.recovery = recoveryOf(outputs);
        recorded.activeRegion = textOf(outputs, "activeRegion");
        recorded.region = textOf(outputs, "region");
        recorded.knownPeer = knownPeerOf(outputs.peer);
        break;
    }
  }
  if (recorded.installed) {
    const { chart } = recorded.releases[RELEASE] ?? {};
    // A chart of the user's own may be numbered otherwise.
    const applied = (chart === undefined ? undefined : versionOfChart(chart)) ?? verifiedVersion;
    recorded.camunda = { applied, verified: verifiedVersion };
  }
  if (recorded.pause?.attempt === resumed) {
    delete recorded.pause;
  }
  return recorded;
}

/** The pause of an attempt, once its step has recorded it. */
function pauseOf(outputs: Record<string, unknown>): RecordedState["pause"] {
  const attempt = textOf(outputs, "attempt");
  const at = textOf(outputs.record, "startedAt");
  return attempt === undefined || at === undefined ? undefined : { attempt, at };
}

/** The names that are known, and those that the resource of an attempt carries. */
function withAttempts(
  known: string[] | undefined,
  { attempt, earlier }: Record<string, unknown>,
): string[] {
  const carried = [...(Array.isArray(earlier) ? (earlier as unknown[]) : []), attempt];
  return [
    ...new Set([
      ...(known ?? []),
      ...carried.filter((name): name is string => typeof name === "string"),
    ]),
  ];
}

function releaseOf(outputs: Record<string, unknown>): RecordedRelease {
  const revision = isRecord(outputs.status) ? outputs.status.revision : undefined;
  const chart = textOf(outputs.status, "version");
  const image = textOf(isRecord(outputs.values) ? outputs.values.image : undefined, "tag");
  const names = isRecord(outputs.resourceNames) ? outputs.resourceNames : {};
  return {
    ...(typeof revision === "number" ? { revision } : {}),
    ...(chart === undefined ? {} : { chart }),
    ...(image === undefined ? {} : { image }),
    description: textOf(outputs, "description"),
    // By "Deployment.apps/apps/v1" or "Service/v1"; the names with their namespace when the chart gives one.
    objects: Object.entries(names).flatMap(([key, list]) =>
      (Array.isArray(list) ? list : []).map(
        (name) => `${key.split(/[./]/)[0]}/${String(name).split("/").at(-1)}`,
      ),
    ),
  };
}

function knownPeerOf(peer: unknown): string | undefined {
  return isRecord(peer) && peer.known === true ? textOf(peer, "stack") : undefined;
}

/** Whether a NetworkPolicy names who is let in: an open one lets everybody in. */
function namesPeers(spec: unknown): boolean {
  const rules = isRecord(spec) ? spec.ingress : undefined;
  const [rule] = Array.isArray(rules) ? (rules as unknown[]) : [];
  return isRecord(rule) && Array.isArray(rule.from) && rule.from.length > 0;
}

/** The name of a stack of this project with all that stands before it. */
export function fullName(stack: string): string {
  return stack.includes("/")
    ? stack
    : `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
}

/** A backend that hangs must not hold a recovery up. */
async function within<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${DEADLINE_MS / 1000} s`)),
      DEADLINE_MS,
    );
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function textOf(value: unknown, key: string): string | undefined {
  const found = isRecord(value) ? value[key] : undefined;
  return typeof found === "string" ? found : undefined;
}

function firstLine(error: unknown): string {
  const text = messageOf(error);
  return text.split("\n").find((line) => line.trim() !== "") ?? "no reason given";
}
