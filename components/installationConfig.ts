import { zoneIds } from "./aws/zones";
import { profileOf } from "./camunda/profile";
import { isRecord } from "./clients/http";
import { cidrProblems } from "./cidr";
import { RegionName, REGIONS } from "./camunda/brokers";
import type { Reader } from "./configReader";

/** Where a Helm chart comes from: a repository, or a local archive or folder, so that a recovery needs no repository. */
export interface Chart {
  /** Name of the chart in its repository, an `oci://` address, or a path. */
  chart: string;
  /** Address of the repository; none for a path or an `oci://` address. */
  repository?: string;
  /** Version of the chart; none for a path. */
  version?: string;
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

type Key = (typeof INSTALLATION_KEYS)[number];

/** Reads what is to be installed, and collects in `read` what is wrong with it. */
export function readInstallation(
  read: Reader<Key>,
  platform: "eks" | "kubernetes",
  camundaVersion: string,
): Installation {
  const namespaces = byRegion(read, "namespaces", {
    region0: "camunda-london",
    region1: "camunda-paris",
  });
  for (const region of REGIONS) {
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespaces[region])) {
      read.wrong(
        `namespaces.${region}`,
        `is "${namespaces[region]}", not a name of a namespace: lower-case letters, digits and "-", 63 at most`,
      );
    }
  }
  if (namespaces.region0 === namespaces.region1) {
    read.wrong(
      "namespaces",
      `are both ${namespaces.region0}: DNS tells the regions apart by their namespaces, give each its own`,
    );
  }
  const helmValues = read.object("helmValues") ?? {};
  const installation: Installation = {
    cluster: platform === "eks" ? readEks(read) : readKubernetes(read),
    namespaces,
    charts: readCharts(read, camundaVersion),
    imageRegistry: read.text("imageRegistry"),
    sizing: readSizing(read),
    connectors: read.oneOf("connectors", ["true", "false"], "false") === "true",
    helmValues: {
      camunda: isRecord(helmValues.camunda) ? helmValues.camunda : {},
      elasticsearch: isRecord(helmValues.elasticsearch) ? helmValues.elasticsearch : {},
    },
    s3Keys: readS3Keys(read),
  };
  refuseUnsupported(read, installation.helmValues.camunda);
  return installation;
}

function readEks(read: Reader<Key>): EksSettings {
  const prefix = read.text("prefix") ?? "camunda";
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(prefix)) {
    read.wrong(
      "prefix",
      `is "${prefix}": lower-case letters, digits and "-", 20 at most, since bucket and role names begin with it`,
    );
  }
  const account = read.text("awsAccount") ?? "";
  if (!/^\d{12}$/.test(account)) {
    read.wrong(
      "awsAccount",
      `must be the 12 digits of the AWS account of both regions${account === "" ? "" : `, not "${account}"`}: names are computed from it (aws sts get-caller-identity)`,
    );
  }
  const awsRegions = byRegion(read, "awsRegions", { region0: "eu-west-2", region1: "eu-west-3" });
  for (const region of REGIONS) {
    if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(awsRegions[region])) {
      read.wrong(
        `awsRegions.${region}`,
        `is "${awsRegions[region]}", not an AWS region like eu-west-2`,
      );
    } else {
      const problem = zoneProblem(awsRegions[region]);
      if (problem !== undefined) {
        read.wrong(`awsRegions.${region}`, problem);
      }
    }
  }
  if (awsRegions.region0 === awsRegions.region1) {
    read.wrong(
      "awsRegions",
      `are both ${awsRegions.region0}: the loss of that region would take the whole cluster; choose two`,
    );
  }
  const kubernetesVersion = read.text("kubernetesVersion") ?? "1.35";
  if (!/^1\.(2[89]|3\d)$/.test(kubernetesVersion)) {
    read.wrong("kubernetesVersion", `is "${kubernetesVersion}", not a version of EKS like 1.35`);
  }
  const cidrs = readCidrs(
    read,
    {
      region0: { vpc: "10.192.0.0/16", services: "10.190.0.0/16" },
      region1: { vpc: "10.202.0.0/16", services: "10.200.0.0/16" },
    },
    ["vpc", "services"],
  ) as EksSettings["cidrs"];
  return {
    kind: "eks",
    prefix,
    account,
    awsRegions,
    cidrs,
    natGateways: read.oneOf("natGateways", ["single", "per-zone"], "single"),
    kubernetesVersion,
    nodes: readNodes(read),
    administrators: readList(
      read,
      "administrators",
      /^arn:aws[a-z-]*:iam::\d{12}:(role|user)\//,
      [],
      "an ARN of an IAM role or user",
    ),
    apiAccessCidrs: readList(
      read,
      "apiAccessCidrs",
      /^\d+\.\d+\.\d+\.\d+\/\d+$/,
      ["0.0.0.0/0"],
      "a CIDR",
    ),
    bucketEncryption: read.oneOf("bucketEncryption", ["AES256", "aws:kms"], "AES256"),
    bucketSuffix: readSuffix(read),
    traffic: readTraffic(read),
  };
}

function zoneProblem(awsRegion: string): string | undefined {
  try {
    zoneIds(awsRegion);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function readKubernetes(read: Reader<Key>): KubernetesSettings {
  const contexts = byRegion(read, "contexts", { region0: "", region1: "" });
  for (const region of REGIONS) {
    if (contexts[region] === "") {
      read.wrong(
        `contexts.${region}`,
        "is missing: the context of that region's cluster in your kubeconfig (kubectl config get-contexts)",
      );
    }
  }
  if (contexts.region0 !== "" && contexts.region0 === contexts.region1) {
    read.wrong("contexts", `are both ${contexts.region0}: each region has its own cluster`);
  }
  const given = read.object("dns") ?? {};
  const kind = String(given.kind ?? "coredns");
  if (!["coredns", "coredns-custom", "kube-dns", "none"].includes(kind)) {
    read.wrong(
      "dns.kind",
      `is "${kind}": coredns, coredns-custom, kube-dns, or none where names resolve already`,
    );
  }
  const addresses = isRecord(given.addresses) ? given.addresses : {};
  const addressesOf = (region: RegionName): string[] => {
    const list = addresses[region];
    const good =
      Array.isArray(list) &&
      list.length > 0 &&
      list.every((address) => /^\d{1,3}(\.\d{1,3}){3}$/.test(String(address)));
    if (!good && kind !== "none") {
      read.wrong(
        `dns.addresses.${region}`,
        "must be a list of the fixed internal addresses of that region's DNS entry point, so that a recreated region answers at the same",
      );
    }
    return good ? list.map(String) : [];
  };
  const cidrs = readCidrs(read, {}, ["nodes", "pods", "services"]);
  return {
    kind: "kubernetes",
    contexts,
    cidrs: cidrs as KubernetesSettings["cidrs"],
    dns: {
      kind: kind as KubernetesSettings["dns"]["kind"],
      addresses: { region0: addressesOf("region0"), region1: addressesOf("region1") },
      annotations: isRecord(given.annotations)
        ? Object.fromEntries(Object.entries(given.annotations).map(([k, v]) => [k, String(v)]))
        : {},
    },
  };
}

function readCidrs(
  read: Reader<Key>,
  defaults: Partial<Record<RegionName, Record<string, string>>>,
  kinds: readonly string[],
): Record<RegionName, RegionCidrs> {
  const given = read.object("cidrs") ?? {};
  const all: Record<string, string> = {};
  const of = (region: RegionName): RegionCidrs => {
    const own = isRecord(given[region]) ? given[region] : {};
    for (const key of Object.keys(own)) {
      if (!kinds.includes(key)) {
        read.wrong(
          `cidrs.${region}.${key}`,
          `is not known on this platform: ${kinds.join(", ")} are`,
        );
      }
    }
    const entries = kinds.map((kind) => {
      const value = own[kind] ?? defaults[region]?.[kind];
      if (typeof value !== "string") {
        read.wrong(`cidrs.${region}.${kind}`, `is missing: the CIDR of the ${kind} of that region`);
        return [kind, ""];
      }
      all[`cidrs.${region}.${kind}`] = value;
      return [kind, value];
    });
    return Object.fromEntries(entries) as RegionCidrs;
  };
  const cidrs = { region0: of("region0"), region1: of("region1") };
  cidrProblems(all).forEach(({ key, problem }) => read.wrong(key, problem));
  return cidrs;
}

function readNodes(read: Reader<Key>): EksSettings["nodes"] {
  const given = read.object("nodes") ?? {};
  const nodes = { instanceType: "m6i.xlarge", min: 1, desired: 4, max: 10, diskGb: 20, ...given };
  for (const key of ["min", "desired", "max", "diskGb"] as const) {
    if (!Number.isInteger(nodes[key]) || nodes[key] < 1) {
      read.wrong(`nodes.${key}`, `must be a whole number of at least 1, not ${String(nodes[key])}`);
    }
  }
  if (nodes.min > nodes.desired || nodes.desired > nodes.max) {
    read.wrong(
      "nodes",
      `has min ${nodes.min}, desired ${nodes.desired}, max ${nodes.max}: min <= desired <= max must hold`,
    );
  }
  for (const key of Object.keys(given)) {
    if (!["instanceType", "min", "desired", "max", "diskGb"].includes(key)) {
      read.wrong(`nodes.${key}`, "is not known: instanceType, min, desired, max, diskGb are");
    }
  }
  return nodes;
}

function readCharts(read: Reader<Key>, camundaVersion: string): Installation["charts"] {
  const { chartMajors } = profileOf(camundaVersion);
  const given = read.object("charts") ?? {};
  const of = (name: "camunda" | "elasticsearch", otherwise: Chart): Chart => {
    const value = given[name];
    if (value === undefined) {
      return otherwise;
    }
    if (!isRecord(value) || typeof value.chart !== "string") {
      read.wrong(
        `charts.${name}`,
        'must be an object with chart (a name, an oci:// address or a path), and repository and version: {"chart": "./camunda-platform-11.12.3.tgz"}',
      );
      return otherwise;
    }
    const local = /^[./]/.test(value.chart) || value.chart.endsWith(".tgz");
    if (!local && typeof value.version !== "string") {
      read.wrong(
        `charts.${name}.version`,
        "is missing: without it the newest chart would be taken, whatever day it is",
      );
    }
    const major = chartMajors[name];
    if (typeof value.version === "string" && !value.version.startsWith(`${major}.`)) {
      read.wrong(
        `charts.${name}.version`,
        `is ${value.version}: Camunda ${camundaVersion} is installed by versions ${major}.x of that chart; change camundaVersion with it`,
      );
    }
    return {
      chart: value.chart,
      ...(typeof value.repository === "string" ? { repository: value.repository } : {}),
      ...(typeof value.version === "string" ? { version: value.version } : {}),
    };
  };
  return {
    camunda: of("camunda", {
      chart: "camunda-platform",
      repository: "https://helm.camunda.io",
      version: "11.12.3",
    }),
    elasticsearch: of("elasticsearch", {
      chart: "oci://registry-1.docker.io/bitnamicharts/elasticsearch",
      version: "21.6.3",
    }),
  };
}

function readSizing(read: Reader<Key>): Sizing {
  const given = read.object("sizing") ?? {};
  const defaults: Sizing = {
    zeebe: { cpu: "512m", memory: "2Gi", heap: "512m", disk: "32Gi" },
    gateways: 2,
    elasticsearch: { nodes: 2, memory: "2Gi", heap: "1g", disk: "64Gi" },
  };
  const part = <T extends object>(name: "zeebe" | "elasticsearch", otherwise: T): T => {
    const value = given[name];
    if (value === undefined) {
      return otherwise;
    }
    if (!isRecord(value)) {
      read.wrong(`sizing.${name}`, `must be an object with ${Object.keys(otherwise).join(", ")}`);
      return otherwise;
    }
    for (const key of Object.keys(value)) {
      if (!(key in otherwise)) {
        read.wrong(
          `sizing.${name}.${key}`,
          `is not known: ${Object.keys(otherwise).join(", ")} are`,
        );
      }
    }
    return { ...otherwise, ...value };
  };
  for (const key of Object.keys(given)) {
    if (!(key in defaults)) {
      read.wrong(`sizing.${key}`, `is not known: ${Object.keys(defaults).join(", ")} are`);
    }
  }
  return {
    zeebe: part("zeebe", defaults.zeebe),
    gateways: Number(given.gateways ?? defaults.gateways),
    elasticsearch: part("elasticsearch", defaults.elasticsearch),
  };
}

function readTraffic(read: Reader<Key>): Traffic | undefined {
  const given = read.object("traffic");
  if (given === undefined || Object.keys(given).length === 0) {
    return undefined;
  }
  const targets = isRecord(given.targets) ? given.targets : {};
  if (
    typeof given.zoneId !== "string" ||
    typeof given.name !== "string" ||
    typeof targets.region0 !== "string" ||
    typeof targets.region1 !== "string"
  ) {
    read.wrong(
      "traffic",
      "must have zoneId, name, and targets.region0 and targets.region1: the public host names of your entry points",
    );
    return undefined;
  }
  return {
    zoneId: given.zoneId,
    name: given.name,
    targets: { region0: targets.region0, region1: targets.region1 },
    healthCheckPath: String(given.healthCheckPath ?? "/"),
  };
}

function readS3Keys(read: Reader<Key>): Installation["s3Keys"] {
  const accessKey = read.text("s3AccessKey");
  const secretKey = read.text("s3SecretKey");
  if ((accessKey === undefined) !== (secretKey === undefined)) {
    read.wrong(
      accessKey === undefined ? "s3AccessKey" : "s3SecretKey",
      "is missing: both keys go together; without them Elasticsearch takes a role",
    );
  }
  return accessKey !== undefined && secretKey !== undefined ? { accessKey, secretKey } : undefined;
}

function readSuffix(read: Reader<Key>): string | undefined {
  const suffix = read.text("bucketSuffix");
  if (suffix !== undefined && !/^[a-z0-9]{1,12}$/.test(suffix)) {
    read.wrong("bucketSuffix", `is "${suffix}": 1 to 12 lower-case letters and digits`);
  }
  return suffix;
}

function readList(
  read: Reader<Key>,
  key: Key,
  pattern: RegExp,
  otherwise: string[],
  what: string,
): string[] {
  const value = read.json(key);
  if (value === undefined) {
    return otherwise;
  }
  if (!Array.isArray(value)) {
    read.wrong(key, "must be a list");
    return otherwise;
  }
  value.forEach((item, index) => {
    if (typeof item !== "string" || !pattern.test(item)) {
      read.wrong(`${key}[${index}]`, `is ${JSON.stringify(item)}, not ${what}`);
    }
  });
  return value.map(String);
}

function byRegion(
  read: Reader<Key>,
  key: Key,
  otherwise: Record<RegionName, string>,
): Record<RegionName, string> {
  const given = read.object(key) ?? {};
  for (const name of Object.keys(given)) {
    if (!(REGIONS as readonly string[]).includes(name)) {
      read.wrong(`${key}.${name}`, "is not known: region0 and region1 are");
    }
  }
  return {
    region0: String(given.region0 ?? otherwise.region0),
    region1: String(given.region1 ?? otherwise.region1),
  };
}

/** What Camunda does not support in two regions (concept page, limitations), refused where it is asked for. */
const UNSUPPORTED: Record<string, string> = {
  identity: "Identity (with multi-tenancy and access control) does not work in two regions",
  identityKeycloak: "Identity does not work in two regions",
  optimize: "Optimize does not work in two regions: it needs Identity",
  console: "Console needs Identity, which does not work in two regions",
  webModeler: "Web Modeler stands alone and is not part of a region: install it elsewhere",
};

/** What keys of this program say already. Said a second time in the values, the two would disagree some day. */
const DECIDED: [path: string, key: string][] = [
  ["global.multiregion", "region"],
  ["zeebe.clusterSize", "clusterSize"],
  ["zeebe.partitionCount", "partitionCount"],
  ["zeebe.replicationFactor", "replicationFactor"],
  ["elasticsearch.enabled", "charts.elasticsearch"],
];

function refuseUnsupported(read: Reader<Key>, values: Record<string, unknown>): void {
  for (const [part, why] of Object.entries(UNSUPPORTED)) {
    const value = values[part];
    if (isRecord(value) && value.enabled === true) {
      read.wrong(`helmValues.camunda.${part}.enabled`, `is true: ${why}; leave it off`);
    }
  }
  const global = isRecord(values.global) ? values.global : {};
  const multitenancy = isRecord(global.multitenancy) ? global.multitenancy : {};
  if (multitenancy.enabled === true) {
    read.wrong(
      "helmValues.camunda.global.multitenancy.enabled",
      "is true: multi-tenancy does not work in two regions; leave it off",
    );
  }
  if (isRecord(values.zeebe) && values.zeebe.extraInitContainers !== undefined) {
    read.wrong(
      "helmValues.camunda.zeebe.extraInitContainers",
      "is ignored by the chart beside initContainers, which this program uses: write yours under initContainers",
    );
  }
  for (const [path, key] of DECIDED) {
    const found = path
      .split(".")
      .reduce<unknown>((value, part) => (isRecord(value) ? value[part] : undefined), values);
    if (found !== undefined) {
      read.wrong(
        `helmValues.camunda.${path}`,
        `is decided by ${key}, by which broker ids and the recovery are computed: leave it out here`,
      );
    }
  }
  for (const app of ["operate", "tasklist"]) {
    const value = values[app];
    if (isRecord(value) && value.replicas !== undefined && value.replicas !== 1) {
      read.wrong(
        `helmValues.camunda.${app}.replicas`,
        `is ${String(value.replicas)}: one ${app} a region, more would import records twice`,
      );
    }
  }
}
