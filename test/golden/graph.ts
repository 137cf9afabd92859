import * as pulumi from "@pulumi/pulumi";
import { RegionName } from "../../components/base/brokers";
import { isRecord } from "../../components/base/json";
import { generationOf } from "../../components/generations";
import { MIRRORED } from "../generation/mirrored";
import { IDS } from "../support/ids";
import type { Declaration } from "../../components/base/declaration";
import { Key, readSettings } from "../../components/settings";
import { Region } from "../../components/region";
import { GoldenResource, inOrder } from "./difference";
import { eksConfig, kubernetesConfig, lookup, nowhere } from "../support/config";
import { TWO_EACH } from "../support/exporters";

/** A state of a stack whose resource graph is kept as a golden file. */
export interface GoldenCase {
  name: string;
  /** The case whose graph is kept whole, of which this one's file says the difference; default: none. */
  base?: string;
  region: RegionName;
  /** Default `endpoints`. */
  platform?: "eks" | "kubernetes";
  config: Partial<Record<Key, string>>;
  /** What the stack has recorded before. */
  recorded?: {
    brokers: number[];
    gate?: string;
    attempt?: string;
    declaration?: Declaration;
    fence?: true;
    /** Whether the snapshot repository was tried. */
    trial?: true;
    /** The version that the cluster was last found healthy with. */
    verified?: string;
  };
  /** How many reads of the own state fail before one succeeds. */
  failingReads?: number;
  /** Whether it is a preview. */
  preview?: true;
  /** What the other region's stack says; unknown without it. */
  peer?: {
    phase: string;
    lostRegion?: RegionName;
    network?: PeerNetwork;
    /** What its membership was last brought about for, where that is known. */
    declaration?: Declaration;
  };
}

/** What the other stack has recorded of an installed region. */
interface PeerNetwork {
  vpcId: string;
  /** The peering that it has requested or accepted. */
  peering?: string;
}

const survivors0 = IDS.of("region0", 4);
const survivors1 = IDS.of("region1", 4);
const commands = JSON.stringify({ stop: "scale --replicas=0", start: "scale --replicas=1" });

const twoExporters = { exporters: JSON.stringify(TWO_EACH) };
const traffic = JSON.stringify({
  zoneId: "Z1",
  name: "camunda.example.com",
  targets: { region0: "london.example.com", region1: "paris.example.com" },
});

/** A generation whose ids, order and dialect are not those of 8.6. */
const mirrored = {
  camundaVersion: MIRRORED,
  endpoints: JSON.stringify({
    region0: { ...nowhere.region0, brokers: nowhere.region1.brokers },
    region1: { ...nowhere.region1, brokers: nowhere.region0.brokers },
  }),
};

const ofTheOperators = {
  administrators: JSON.stringify(["arn:aws:iam::123456789012:role/operators"]),
  traffic,
};
const s3Keys = { s3AccessKey: "AKIA", s3SecretKey: "hush" };

/** Every shape that a stack can have, for both regions where they differ. */
export const CASES: GoldenCase[] = [
  { name: "steady", region: "region0", config: {} },
  {
    name: "steady-with-hooks",
    base: "steady",
    region: "region0",
    config: {
      hooks: JSON.stringify({
        beforeFailover: "page",
        afterFailover: "reroute",
        beforeFailback: "freeze",
        afterFailback: "thaw",
      }),
    },
  },
  { name: "lost-region1", base: "steady", region: "region0", config: { lostRegion: "region1" } },
  { name: "lost-region0", base: "steady", region: "region1", config: { lostRegion: "region0" } },
  {
    name: "failback-region1",
    base: "steady",
    region: "region0",
    config: { lostRegion: "region1", failback: "ticket-1" },
    recorded: { brokers: survivors0, trial: true },
  },
  {
    name: "failback-region0",
    base: "steady",
    region: "region1",
    config: { lostRegion: "region0", failback: "ticket-1" },
    recorded: { brokers: survivors1 },
  },
  {
    name: "lost-region1-with-two-exporters",
    base: "steady",
    region: "region0",
    config: { ...twoExporters, lostRegion: "region1" },
  },
  {
    name: "failback-region1-with-two-exporters",
    base: "steady",
    region: "region0",
    config: { ...twoExporters, lostRegion: "region1", failback: "ticket-1" },
    recorded: { brokers: survivors0 },
  },
  {
    name: "mirrored-lost-region1",
    base: "steady",
    region: "region0",
    config: { ...mirrored, lostRegion: "region1" },
  },
  {
    name: "mirrored-failback-region1",
    base: "steady",
    region: "region0",
    config: { ...mirrored, lostRegion: "region1", failback: "ticket-1" },
    recorded: { brokers: [1, 3] },
  },
  {
    name: "failback-region1-with-web-apps",
    base: "steady",
    region: "region0",
    config: { lostRegion: "region1", failback: "ticket-1", webApps: commands },
    recorded: { brokers: survivors0 },
  },
  {
    name: "abandoned-with-web-apps",
    base: "steady",
    region: "region0",
    config: { lostRegion: "region1", webApps: commands },
    recorded: { brokers: survivors0, gate: "ticket-1", attempt: "none" },
  },
  {
    name: "steady-after-failback",
    base: "steady",
    region: "region0",
    config: {},
    recorded: { brokers: IDS.all(4), gate: "ticket-1", attempt: "ticket-1" },
    peer: { phase: "steady" },
  },
  {
    name: "drained-region1",
    base: "steady",
    region: "region0",
    config: {
      drainRegion: "region1",
      reason: "CHG-12",
      hooks: JSON.stringify({ beforeDrain: "page", afterDrain: "reroute" }),
    },
  },
  {
    name: "failback-from-drain-region1",
    base: "steady",
    region: "region0",
    config: { drainRegion: "region1", failback: "ticket-1" },
    recorded: { brokers: survivors0, declaration: { kind: "drained", drained: "region1" } },
  },
  {
    // Drained once more when all brokers were members again, and the failback was not finished.
    name: "drained-once-more",
    base: "steady",
    region: "region0",
    config: { drainRegion: "region1" },
    recorded: {
      brokers: IDS.all(4),
      declaration: { kind: "failing-back", drained: "region1", attempt: "ticket-1" },
      gate: "ticket-1",
      attempt: "ticket-1",
    },
  },
  {
    name: "rejoining-drained",
    base: "steady",
    region: "region1",
    config: {},
    recorded: { brokers: IDS.all(4) },
    peer: { phase: "drained", declaration: { kind: "drained", drained: "region1" } },
  },
  {
    name: "rejoining",
    base: "steady",
    region: "region1",
    config: {},
    peer: { phase: "failed-over", lostRegion: "region1" },
  },
  {
    name: "eks-installing-region0",
    base: "eks-steady-region0",
    platform: "eks",
    region: "region0",
    config: {},
  },
  {
    name: "eks-installing-region1",
    platform: "eks",
    region: "region1",
    config: {},
    peer: { phase: "installing", network: { vpcId: "vpc-0" } },
  },
  {
    name: "eks-steady-region0",
    platform: "eks",
    region: "region0",
    config: ofTheOperators,
    peer: { phase: "installing", network: { vpcId: "vpc-1", peering: "pcx-1" } },
  },
  {
    name: "eks-lost-region1",
    base: "eks-steady-region0",
    platform: "eks",
    region: "region0",
    config: { ...ofTheOperators, lostRegion: "region1" },
    // Of the second run: the first one asks the cluster before.
    recorded: {
      brokers: survivors0,
      declaration: { kind: "failed-over", lost: "region1" },
      trial: true,
    },
    peer: { phase: "steady", network: { vpcId: "vpc-1", peering: "pcx-1" } },
  },
  {
    name: "eks-failback-region0",
    base: "eks-installing-region1",
    platform: "eks",
    region: "region1",
    config: { lostRegion: "region0", failback: "ticket-1" },
    recorded: { brokers: survivors1 },
    peer: { phase: "rejoining", network: { vpcId: "vpc-2", peering: "pcx-2" } },
  },
  {
    name: "eks-rejoining-region1",
    base: "eks-installing-region1",
    platform: "eks",
    region: "region1",
    config: { bucketEncryption: "aws:kms", natGateways: "single", traffic },
    peer: { phase: "failed-over", lostRegion: "region1", network: { vpcId: "vpc-0" } },
  },
  {
    name: "kubernetes-steady-region1",
    platform: "kubernetes",
    region: "region1",
    config: s3Keys,
    peer: { phase: "installing", network: { vpcId: "" } },
  },
  {
    name: "kubernetes-8.7-region1",
    base: "kubernetes-steady-region1",
    platform: "kubernetes",
    region: "region1",
    config: { ...s3Keys, camundaVersion: "8.7" },
    peer: { phase: "installing", network: { vpcId: "" } },
  },
  {
    name: "eks-8.7-region0",
    base: "eks-steady-region0",
    platform: "eks",
    region: "region0",
    config: { ...ofTheOperators, camundaVersion: "8.7", connectors: "true" },
    peer: { phase: "installing", network: { vpcId: "vpc-1", peering: "pcx-1" } },
  },
  {
    name: "kubernetes-mirrored-region1",
    base: "kubernetes-steady-region1",
    platform: "kubernetes",
    region: "region1",
    config: { ...s3Keys, camundaVersion: MIRRORED },
    peer: { phase: "installing", network: { vpcId: "" } },
  },
  {
    name: "kubernetes-lost-region0",
    base: "kubernetes-steady-region1",
    platform: "kubernetes",
    region: "region1",
    config: {
      ...s3Keys,
      lostRegion: "region0",
      hooks: JSON.stringify({ beforeFailover: "page", afterFailover: "reroute" }),
    },
    recorded: { brokers: survivors1, declaration: { kind: "failed-over", lost: "region0" } },
  },
  {
    name: "kubernetes-abandoned",
    base: "kubernetes-taken-back",
    platform: "kubernetes",
    region: "region0",
    config: { lostRegion: "region1", hooks: JSON.stringify({ beforeFailover: "cut" }) },
    recorded: {
      brokers: survivors0,
      declaration: { kind: "failed-over", lost: "region1" },
      gate: "ticket-1",
      attempt: "ticket-1",
    },
    peer: { phase: "rejoining", network: { vpcId: "" } },
  },
  {
    // Its release is of the new minor already, its brokers are not all: nothing waits for them.
    name: "kubernetes-lost-in-upgrade",
    base: "kubernetes-steady-region1",
    platform: "kubernetes",
    region: "region1",
    config: { ...s3Keys, camundaVersion: "8.7", lostRegion: "region0" },
    recorded: {
      brokers: survivors1,
      declaration: { kind: "failed-over", lost: "region0" },
      verified: "8.6",
    },
  },
  {
    // Lost once more when all brokers were members again, and the failback was not finished.
    name: "kubernetes-lost-once-more",
    base: "kubernetes-taken-back",
    platform: "kubernetes",
    region: "region0",
    // Nobody answers here: the fence would not be closed.
    config: {
      lostRegion: "region1",
      overrides: JSON.stringify({ "still-seen": "seen from the console of the cloud" }),
    },
    recorded: {
      brokers: IDS.all(4),
      declaration: { kind: "failing-back", lost: "region1", attempt: "ticket-1" },
      gate: "ticket-1",
      attempt: "ticket-1",
    },
    peer: { phase: "steady", network: { vpcId: "" } },
  },
  {
    name: "kubernetes-drained",
    base: "kubernetes-taken-back",
    platform: "kubernetes",
    region: "region0",
    config: { drainRegion: "region1" },
    recorded: {
      brokers: survivors0,
      declaration: { kind: "drained", drained: "region1" },
      trial: true,
    },
    peer: { phase: "rejoining", network: { vpcId: "" } },
  },
  {
    name: "kubernetes-rejoining-drained",
    base: "kubernetes-taken-back",
    platform: "kubernetes",
    region: "region1",
    config: {},
    recorded: { brokers: IDS.all(4) },
    peer: {
      phase: "drained",
      declaration: { kind: "drained", drained: "region1" },
      network: { vpcId: "" },
    },
  },
  {
    // The fence was closed, nobody was forced out, and the declaration was taken back.
    name: "kubernetes-taken-back",
    platform: "kubernetes",
    region: "region0",
    config: {},
    recorded: { brokers: IDS.all(4), declaration: { kind: "steady" }, fence: true },
    peer: { phase: "steady", network: { vpcId: "" } },
  },
  {
    name: "kubernetes-failback-region1",
    base: "kubernetes-taken-back",
    platform: "kubernetes",
    region: "region0",
    config: {
      lostRegion: "region1",
      failback: "ticket-1",
      hooks: JSON.stringify({ beforeFailback: "page", afterFailback: "tell" }),
    },
    recorded: { brokers: survivors0 },
    peer: { phase: "rejoining", network: { vpcId: "" } },
  },
];

/** Runs the program under mocks and returns what it registers, in an order that does not vary. */
export async function graphOf(golden: GoldenCase): Promise<GoldenResource[]> {
  const registered: GoldenResource[] = [];
  let failing = golden.failingReads ?? 0;
  await pulumi.runtime.setMocks(
    {
      newResource(args) {
        const inputs = { ...(args.inputs as Record<string, unknown>) };
        delete inputs.__provider;
        registered.push({
          type: args.type,
          name: args.name,
          inputs,
          dependsOn: [],
        });
        return {
          id: args.name,
          state: { ...inputs, ...computed(args.type, args.name), record: record() },
        };
      },
      call: (args) => {
        if (failing > 0 && String(args.inputs.stackName).endsWith(golden.region)) {
          failing--;
          throw new Error("slow");
        }
        return answer(golden, args);
      },
    },
    "camunda-dual-region",
    golden.region,
    golden.preview === true,
    "organization",
  );
  const requested = watchRequests();
  const settings = readSettings(
    (key) => ({ ...shared(golden), ...golden.config })[key],
    golden.region,
  );
  const { outputs } = await Region.create("region", settings);
  await settled(pulumi.output(outputs));
  await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
  return inOrder(
    registered.map((resource) => ({
      ...resource,
      ...requested.get(`${resource.type}::${resource.name}`),
    })),
  );
}

interface Registration {
  getType(): string;
  getName(): string;
  getDependenciesList(): string[];
  getIgnorechangesList(): string[];
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getDeletebeforereplace(): boolean;
  getDeletedwith(): string;
  getCustomtimeouts(): { toObject(): Record<string, string> } | undefined;
}

/** Mocks are not told what a resource depends on, nor its options, which decide a recovery too: so listen in. */
function watchRequests(): Map<string, Pick<GoldenResource, "dependsOn" | "options">> {
  const requested = new Map<string, Pick<GoldenResource, "dependsOn" | "options">>();
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource(request: Registration, callback: unknown): Promise<void>;
  };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    const names = request.getDependenciesList().map(nameIn);
    const options = optionsOf(request);
    requested.set(`${request.getType()}::${request.getName()}`, {
      dependsOn: [...new Set(names)].sort(),
      ...(Object.keys(options).length === 0 ? {} : { options }),
    });
    return register(request, callback);
  };
  return requested;
}

/** The options that are set. */
function optionsOf(request: Registration): Record<string, unknown> {
  const all = {
    ignoreChanges: request.getIgnorechangesList(),
    protect: request.getProtect(),
    retainOnDelete: request.getRetainondelete(),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    deletedWith: nameIn(request.getDeletedwith()),
    customTimeouts: setIn(request.getCustomtimeouts()?.toObject() ?? {}),
  };
  return setIn(all);
}

/** What is not empty. */
function setIn(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(([, one]) =>
      isRecord(one) || Array.isArray(one) ? Object.keys(one).length > 0 : one,
    ),
  );
}

function nameIn(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}

function recordedOfPeer({ network, declaration, ...recovery }: NonNullable<GoldenCase["peer"]>) {
  const own = {
    stack: { type: "pulumi:pulumi:Stack", outputs: { recovery } },
    membership: {
      type: "pulumi-nodejs:dynamic/camunda:BrokerMembership",
      outputs: { declaration, record: record() },
    },
  };
  return network === undefined
    ? own
    : {
        ...own,
        release: { type: "kubernetes:helm.sh/v3:Release", outputs: { name: "camunda" } },
        vpc: { type: "aws:ec2/vpc:Vpc", outputs: { id: network.vpcId } },
        ...(network.peering === undefined
          ? {}
          : {
              peering: {
                type: "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
                outputs: { id: network.peering, peerVpcId: "vpc-own" },
              },
            }),
      };
}

function settled(output: pulumi.Output<unknown>): Promise<void> {
  return new Promise((resolve) => {
    output.apply(() => resolve());
  });
}

function record() {
  return { how: "done", startedAt: "2026-11-21T03:00:00.000Z", seconds: 1, observed: {} };
}

/** What the resources of AWS and Kubernetes compute, as far as others are made from it. */
function computed(type: string, name: string): Record<string, unknown> {
  const arn = `arn:aws:service:region:123456789012:${name}`;
  switch (type) {
    case "aws:eks/cluster:Cluster":
      return {
        arn,
        endpoint: "https://cluster.test",
        certificateAuthority: { data: "Y2E=" },
        identities: [{ oidcs: [{ issuer: "https://oidc.test/id" }] }],
        vpcConfig: { clusterSecurityGroupId: "sg-cluster" },
      };
    case "aws:iam/role:Role":
      return { arn, name };
    case "aws:eks/nodeGroup:NodeGroup":
      return { arn, resources: [{ autoscalingGroups: [{ name: "nodes" }] }] };
    case "aws:ec2/launchTemplate:LaunchTemplate":
      return { arn, latestVersion: 1 };
    case "kubernetes:helm.sh/v3:Release":
      return { status: { name: "camunda", status: "deployed", version: "11.12.3" } };
    default:
      return type.startsWith("aws:") ? { arn } : {};
  }
}

function shared({ region, platform }: GoldenCase): Partial<Record<Key, string>> {
  if (platform !== undefined) {
    const raw = platform === "eks" ? eksConfig({ region }) : kubernetesConfig({ region });
    return Object.fromEntries(Object.keys(raw).map((key) => [key, lookup(raw)(key as Key)]));
  }
  const endpoints = (name: RegionName) => ({
    gateway: `http://${name}:8080`,
    management: `http://${name}:9600`,
    brokers: Object.fromEntries(
      IDS.of(name, 4).map((id) => [String(id), `http://${name}-${id}:9600`]),
    ),
    elasticsearch: `http://${name}:9200`,
  });
  return {
    platform: "endpoints",
    region,
    clusterSize: "4",
    partitionCount: "2",
    endpoints: JSON.stringify({ region0: endpoints("region0"), region1: endpoints("region1") }),
    snapshotRepository: JSON.stringify({ type: "s3", settings: { bucket: "backup" } }),
  };
}

function answer(golden: GoldenCase, args: pulumi.runtime.MockCallArgs): Record<string, unknown> {
  if (args.token === "aws:s3/getBucket:getBucket") {
    return args.inputs as Record<string, unknown>;
  }
  if (!String(args.inputs.stackName).endsWith(golden.region)) {
    if (golden.peer === undefined) {
      if (golden.platform !== undefined) {
        // A stack that was made and has not run yet.
        return { outputs: {} };
      }
      throw new Error("unknown stack");
    }
    return { outputs: recordedOfPeer(golden.peer) };
  }
  const { recorded } = golden;
  const outputs: Record<string, unknown> = {};
  const add = (type: string, values: Record<string, unknown>) => {
    outputs[type] = { type: `pulumi-nodejs:dynamic/camunda:${type}`, outputs: values };
  };
  if (recorded !== undefined) {
    add("BrokerMembership", {
      brokers: IDS.mapOf(recorded.brokers),
      declaration: recorded.declaration,
    });
    add("Exporting", { attempt: recorded.attempt ?? "none" });
  }
  if (recorded !== undefined && golden.config.lostRegion !== undefined) {
    add("Incident", {
      lost: golden.config.lostRegion,
      overrides: {},
      record: { ...record(), observed: { id: "incident-1", who: "me@here", cluster: "gateway" } },
    });
  }
  if (recorded !== undefined && golden.config.drainRegion !== undefined) {
    add("Drain", {
      drained: golden.config.drainRegion,
      record: { ...record(), observed: { id: "drain-1", who: "me@here", cluster: "gateway" } },
    });
  }
  if (recorded?.fence === true) {
    outputs.fence = {
      type: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
      outputs: { spec: { ingress: [{ from: [{ namespaceSelector: {} }] }] } },
    };
  }
  if (recorded?.verified !== undefined) {
    const { version } = generationOf(golden.config.camundaVersion ?? recorded.verified).charts
      .camunda;
    outputs.release = {
      type: "kubernetes:helm.sh/v3:Release",
      outputs: { name: "camunda", status: { version } },
    };
    add("ClusterHealth", { camundaVersion: recorded.verified });
  }
  if (recorded?.trial === true) {
    add("RepositoryTrial", { record: record() });
  }
  if (recorded?.gate !== undefined) {
    add("FailbackGate", { attempt: recorded.gate });
  }
  if (golden.peer?.network?.peering !== undefined) {
    // Whoever is asked for a peering has a VPC already.
    outputs.vpc = { type: "aws:ec2/vpc:Vpc", outputs: { id: "vpc-own" } };
  }
  return { outputs };
}
