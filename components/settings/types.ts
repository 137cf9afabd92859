import type { RegionName } from "../base/brokers";
import type { Chart } from "../generations/generation";

/** Where one region's Camunda and Elasticsearch answer. */
export interface RegionEndpoints {
  /** Zeebe REST API, without `/v2`: shows which brokers are seen. */
  gateway: string;
  /** Zeebe management API, without `/actuator`: changes membership, exporters and exporting. */
  management: string;
  /** Management API of every broker of the region by id: the only place that shows a pause. */
  brokers: Record<string, string>;
  /** Elasticsearch of the region. */
  elasticsearch: string;
}

/** How long each kind of wait may take, in seconds. Past it the step fails, names what it saw last, and the next `up` goes on. */
export interface Timeouts {
  /** One HTTP request. Default 10. */
  request: number;
  /** Until the survivors no longer see a broker that was lost; they take 10 to 12 s. Default 60. */
  loss: number;
  /** Forced removal with the elections after it. Default 120. */
  failover: number;
  /** Disabling or enabling an exporter in every partition. Default 60. */
  exporter: number;
  /** Pausing or resuming exporting on every broker. Default 60. */
  exporting: number;
  /**
   * How long the surviving Elasticsearch must hold the same number of records after a pause, before it is
   * snapshotted: longer than the exporters' bulk delay (5 s unless the brokers say otherwise), since they
   * write what they have collected even when paused. Default 6.
   */
  settle: number;
  /** Until the brokers of the recreated region are known to the survivors. Default 300. */
  gate: number;
  /** Snapshot of the surviving Elasticsearch: grows with its data. Default 3600. */
  snapshot: number;
  /** Restore in the recreated Elasticsearch: grows with its data. Default 3600. */
  restore: number;
  /** Until the recreated Elasticsearch has caught up with the survivor's after exporting was resumed. Default 900. */
  catchUp: number;
  /** Adding the brokers of the recreated region: they copy every partition. Default 1800. */
  join: number;
  /** Until a cluster that is being installed has all brokers and is healthy. Default 1200. */
  formation: number;
  /** Stopping or starting Operate and Tasklist, until their pods are gone or ready. Default 300. */
  webApps: number;
  /**
   * How long nobody may have written an operation of Helm that a killed run has left unended, before it counts as
   * dead and is ended. Default 300, the deadline of Helm's own waits.
   */
  release: number;
}

/** A user name and password for HTTP basic authentication. */
export interface Credentials {
  user: string;
  password: string;
}

/** What a broker and a node of Elasticsearch get. Quantities as Kubernetes writes them (`2Gi`, `512m`). */
export interface Sizing {
  /** Memory and CPU of a Zeebe broker, its heap (JVM options are derived from it), and its disk. */
  zeebe: { cpu: string; memory: string; heap: string; disk: string };
  /** Zeebe gateways in the region. */
  gateways: number;
  /** Nodes of Elasticsearch in the region, and what each gets. */
  elasticsearch: { nodes: number; memory: string; heap: string; disk: string };
}

/** CIDRs of one region. None may overlap with another of the same or of the other region. */
export interface RegionCidrs {
  /** `eks`: the VPC, a /16 to /20. Pods have addresses of it. */
  vpc?: string;
  /** `kubernetes`: where nodes and pods have their addresses. */
  nodes?: string;
  pods?: string;
  /** Cluster IPs of services. Not routed between the regions, and yet distinct. */
  services: string;
}

/** What is said of two EKS clusters. */
export interface EksSettings {
  kind: "eks";
  /** Beginning of the names of everything in AWS. Default `camunda`. */
  prefix: string;
  /** AWS account of both regions, 12 digits: bucket names and roles are computed from it, not looked up. */
  account: string;
  awsRegions: Record<RegionName, string>;
  cidrs: Record<RegionName, RegionCidrs & { vpc: string }>;
  /** One NAT gateway for the region, or one in each zone. Default `single`. */
  natGateways: "single" | "per-zone";
  /** Version of Kubernetes, `1.35`. */
  kubernetesVersion: string;
  nodes: { instanceType: string; min: number; desired: number; max: number; diskGb: number };
  /** ARNs of IAM principals that administrate the cluster besides its creator. */
  administrators: string[];
  /** From where the public endpoint of the Kubernetes API is reached; empty: from within the VPC only. */
  apiAccessCidrs: string[];
  /** Encryption of the backup bucket: with keys of S3, or with a KMS key of the region. */
  bucketEncryption: "AES256" | "aws:kms";
  /** End of the bucket's name, when a recreated stack must not take over the bucket that is there. */
  bucketSuffix: string | undefined;
  /** Route 53 records that send users to the active region. */
  traffic: Traffic | undefined;
}

/** What moves the users between the regions. */
export interface Traffic {
  /** Id of the public hosted zone. */
  zoneId: string;
  /** Name that users know, `camunda.example.com`. */
  name: string;
  /** Public host name of each region's entry point, an ingress or a load balancer of yours. */
  targets: Record<RegionName, string>;
  /** Path that the health check asks over HTTPS. Default `/`. */
  healthCheckPath: string;
}

/** What is said of two clusters that are there already. */
export interface KubernetesSettings {
  kind: "kubernetes";
  /** Context of each region's cluster in the kubeconfig (`KUBECONFIG`, or `~/.kube/config`). */
  contexts: Record<RegionName, string>;
  cidrs: Record<RegionName, RegionCidrs & { nodes: string; pods: string }>;
  dns: {
    /**
     * What resolves names in the clusters: `coredns` with a Corefile that may be changed; `coredns-custom` where
     * it is the provider's and imports blocks from the ConfigMap of that name (AKS); `kube-dns` (GKE); `none`
     * when names of the other cluster resolve already.
     */
    kind: "coredns" | "coredns-custom" | "kube-dns" | "none";
    /** Internal addresses that each region's DNS entry point is given. Fixed, so that a recreated region has the same. */
    addresses: Record<RegionName, string[]>;
    /** Annotations of the entry point's Service, which make the cloud give it an internal address. */
    annotations: Record<string, string>;
  };
}

/** What a stack installs itself, on the platforms `eks` and `kubernetes`. */
export interface Installation {
  cluster: EksSettings | KubernetesSettings;
  namespaces: Record<RegionName, string>;
  charts: { camunda: Chart; elasticsearch: Chart };
  /** Registry that all images are taken from, instead of those of the charts. */
  imageRegistry: string | undefined;
  sizing: Sizing;
  /** Whether connectors are installed. In both regions: inbound events must be idempotent. */
  connectors: boolean;
  /** Values of your own, merged last; lists of `env` by name. */
  helmValues: { camunda: Record<string, unknown>; elasticsearch: Record<string, unknown> };
  /** Keys for S3 in Elasticsearch's keystore, instead of a role. The second is a secret. */
  s3Keys: { accessKey: string; secretKey: string } | undefined;
}

/** Keys of the configuration that say how a region is installed. */
export const INSTALLATION_KEYS = [
  "prefix",
  "awsAccount",
  "awsRegions",
  "cidrs",
  "natGateways",
  "kubernetesVersion",
  "nodes",
  "administrators",
  "apiAccessCidrs",
  "bucketEncryption",
  "bucketSuffix",
  "traffic",
  "contexts",
  "dns",
  "namespaces",
  "charts",
  "imageRegistry",
  "sizing",
  "connectors",
  "helmValues",
  "s3AccessKey",
  "s3SecretKey",
] as const;

/** A key of an installation. */
export type InstallationKey = (typeof INSTALLATION_KEYS)[number];

/** The refusals that a written reason may override, and what is at stake. */
export const OVERRIDES = {
  "peer-declares-loss":
    "the other region's stack declares this region lost: two halves forced apart lose data for good",
  "export-gap":
    "an exporter is enabled outside a failback: the records of the time it was disabled may be missing",
  "fence-unproved":
    "the fence to the lost region could not be proved from inside a pod: a lost region that lives on could still be heard",
  "still-seen":
    "the brokers of the region that is declared lost are alive: the fence and the forced removal would take a healthy half out of the cluster",
  "switch-back":
    "the region that was lost and recreated is to serve the users again, who have been with the other one since the failover",
} as const;

/** Name of a refusal that can be overridden. */
export type Override = keyof typeof OVERRIDES;

/** How Camunda comes to a region. */
export type Platform = "eks" | "kubernetes" | "endpoints";

/** Commands of the user's own around a recovery, run where Pulumi runs. Each must end with 0 only when it is done. */
export const HOOKS = [
  "beforeFailover",
  "afterFailover",
  "beforeFailback",
  "afterFailback",
] as const;

/** Name of a hook. */
export type Hook = (typeof HOOKS)[number];

/** The whole configuration of a stack, validated. */
export interface Settings {
  platform: Platform;
  /** What the stack installs itself; nothing on `endpoints`. */
  installation: Installation | undefined;
  /** The region that serves the users while both are there. */
  activeRegion: RegionName;
  hooks: Partial<Record<Hook, string>>;
  /** The region that this stack owns. */
  region: RegionName;
  /** The other region. */
  peer: RegionName;
  /** Name of the stack that owns the other region, or undefined when it cannot be told. */
  peerStack: string | undefined;
  camundaVersion: string;
  clusterSize: number;
  partitionCount: number;
  replicationFactor: number;
  endpoints: Record<RegionName, RegionEndpoints>;
  /** Id of the exporter that writes to each region's Elasticsearch. */
  exporters: Record<RegionName, string>;
  repository: { name: string; type: string; settings: Record<string, unknown> };
  /** Beginnings of the names of Camunda's indices and templates. */
  indexPrefixes: string[];
  webApps: { stop: string; start: string } | undefined;
  credentials: Credentials | undefined;
  /** The region that a human has declared lost. */
  lostRegion: RegionName | undefined;
  /** Name of the running attempt to fail back. */
  failback: string | undefined;
  overrides: Partial<Record<Override, string>>;
  timeouts: Timeouts;
}

/** Settings of a stack that installs its region. */
export type InstalledSettings = Settings & { installation: Installation };

/** Whether the stack installs its region. */
export function isInstalled(settings: Settings): settings is InstalledSettings {
  return settings.installation !== undefined;
}

/** Every key that the program reads. A key that is not listed here is a typing error of the user's. */
export const KEYS = [
  "platform",
  "region",
  "peerStack",
  "camundaVersion",
  "clusterSize",
  "partitionCount",
  "replicationFactor",
  "endpoints",
  "exporters",
  "snapshotRepository",
  "indexPrefixes",
  "webApps",
  "elasticsearchUser",
  "elasticsearchPassword",
  "lostRegion",
  "failback",
  "overrides",
  "timeouts",
  "activeRegion",
  "hooks",
  ...INSTALLATION_KEYS,
] as const;

/** A key of the configuration. */
export type Key = (typeof KEYS)[number];
