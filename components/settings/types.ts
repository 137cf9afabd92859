import type { RegionName } from "../base/brokers";
import type { CLUSTER } from "./keys/cluster";
import type { EKS } from "./keys/eks";
import type { INSTALLATION } from "./keys/installation";
import type { RECOVERY } from "./keys/recovery";
import type { STACK } from "./keys/stack";
import type { Values } from "./table";

export type { Hook } from "./keys/stack";
export type { Override } from "./keys/recovery";
export type { Platform } from "./schema";
export type { Key } from "./table";

/** Where one region's Camunda and Elasticsearch answer. */
export type RegionEndpoints = Values["endpoints"][RegionName];

/** How long each kind of wait may take, in seconds. */
export type Timeouts = Values["timeouts"];

/** The APIs that may ask for credentials, as `credentials` names them. */
export type Api = keyof Values["credentials"];

/** What a request to an API of a region signs in with. */
export interface Credentials {
  /** The place in the configuration that says it, or would. */
  key: string;
  /** What is sent, in words and without the secret: `user elastic`, `an API key`, `a token`, `no credentials`. */
  sent: string;
  /** The header `Authorization`; none where nothing is sent. A secret. */
  authorization: string | undefined;
}

/** What moves the users between the regions. */
export type Traffic = NonNullable<Values["traffic"]>;

type Cidrs<Kind extends string, Blocks> = Record<RegionName, Record<Kind, Blocks>>;

/** What is said of two EKS clusters. */
export interface EksSettings extends Omit<Pick<Values, keyof typeof EKS.keys>, "cidrs"> {
  kind: "eks";
  cidrs: Cidrs<"vpc" | "services", string>;
}

/** What is said of two clusters that are there already. */
export interface KubernetesSettings extends Pick<Values, "contexts" | "dns"> {
  kind: "kubernetes";
  cidrs: Cidrs<"nodes" | "pods" | "services", string[]>;
}

/** What a stack installs itself, on the platforms `eks` and `kubernetes`. */
export interface Installation extends Omit<
  Pick<Values, keyof typeof INSTALLATION.keys>,
  "s3AccessKey" | "s3SecretKey"
> {
  cluster: EksSettings | KubernetesSettings;
  /** Keys for S3 in Elasticsearch's keystore, instead of a role. The second is a secret. */
  s3Keys: { accessKey: string; secretKey: string } | undefined;
}

/** The whole configuration of a stack, validated. */
export interface Settings extends Omit<
  Pick<Values, keyof typeof STACK.keys | keyof typeof CLUSTER.keys | keyof typeof RECOVERY.keys>,
  "indexPrefixes"
> {
  /** Beginnings of the names of all of Camunda's indices. */
  indexPrefixes: string[];
  /** What the stack installs itself; nothing on `endpoints`. */
  installation: Installation | undefined;
  /** The other region. */
  peer: RegionName;
  /** The region that is declared lost, or drained; undefined while both are to be members. */
  outRegion: RegionName | undefined;
  /** Name of the stack that owns the other region, or undefined when it cannot be told. */
  peerStack: string | undefined;
  endpoints: Record<RegionName, RegionEndpoints>;
  repository: Values["snapshotRepository"];
  webApps: Values["webApps"];
  /** What each region's APIs are asked with; nothing where the stack installs its region, which asks for none. */
  credentials: Record<RegionName, Record<Api, Credentials>> | undefined;
}

/** Settings of a stack that installs its region. */
export type InstalledSettings = Settings & { installation: Installation };

/** Whether the stack installs its region. */
export function isInstalled(settings: Settings): settings is InstalledSettings {
  return settings.installation !== undefined;
}
