import { profileOf } from "../generations/profile";
import { RegionName, REGIONS } from "../base/brokers";
import { isRecord } from "../base/json";
import { readEks } from "./eks";
import { refuseUnsupported } from "./helmValues";
import { readKubernetes } from "./kubernetes";
import type { Reader } from "./reader";
import { byRegion } from "./regions";

/** Where a Helm chart comes from: a repository, from which its archive is fetched once, or a local archive or folder. */
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

/** A key of an installation. */
export type InstallationKey = (typeof INSTALLATION_KEYS)[number];

type Key = InstallationKey;

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
  const sizing: Sizing = {
    zeebe: part("zeebe", defaults.zeebe),
    gateways: (given.gateways ?? defaults.gateways) as number,
    elasticsearch: part("elasticsearch", defaults.elasticsearch),
  };
  for (const [key, count] of [
    ["gateways", sizing.gateways],
    ["elasticsearch.nodes", sizing.elasticsearch.nodes],
  ] as const) {
    if (!Number.isInteger(count) || count < 1) {
      read.wrong(
        `sizing.${key}`,
        `must be a whole number of at least 1, not ${JSON.stringify(count)}`,
      );
    }
  }
  return sizing;
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
