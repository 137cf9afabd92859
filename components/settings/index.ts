import { peerOf, RegionName, REGIONS } from "../base/brokers";
import type { Credentials } from "../clients/http";
import { readEndpoints, readExporters, readRepository } from "./endpoints";
import { Installation, INSTALLATION_KEYS, readInstallation } from "./installation";
import { ConfigError, Reader } from "./reader";

export { ConfigError };

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

const DEFAULT_TIMEOUTS: Timeouts = {
  request: 10,
  loss: 60,
  failover: 120,
  exporter: 60,
  exporting: 60,
  settle: 6,
  gate: 300,
  snapshot: 3600,
  restore: 3600,
  catchUp: 900,
  join: 1800,
  formation: 1200,
  webApps: 300,
  release: 300,
};

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

/**
 * The one reader of the configuration, for the program and for the provider process alike: both hand it
 * a way to look a key up, so that neither knows more than the other.
 *
 * @param get the raw value of a key; objects as JSON
 * @param stack name of the running stack, from which the peer's is derived; the provider process has none
 * @throws {@link ConfigError} with every problem at once
 */
export function readSettings(get: (key: Key) => string | undefined, stack?: string): Settings {
  const read = new Reader<Key>(get);
  const platform = read.oneOf("platform", ["eks", "kubernetes", "endpoints"], "eks");
  const region = read.oneOf("region", REGIONS);
  const clusterSize = read.integer("clusterSize", 8);
  if (clusterSize % 2 !== 0 || clusterSize < 4) {
    read.wrong(
      "clusterSize",
      `must be even and at least 4, not ${clusterSize}: half in each region`,
    );
  }
  const replicationFactor = read.integer("replicationFactor", 4);
  if (replicationFactor !== 4) {
    read.wrong(
      "replicationFactor",
      `must be 4, not ${replicationFactor}: two replicas of every partition in each region`,
    );
  }
  const partitionCount = read.integer("partitionCount", 8);
  if (partitionCount < 1) {
    read.wrong("partitionCount", `must be at least 1, not ${partitionCount}`);
  }
  const lostRegion = read.optionalOneOf("lostRegion", REGIONS);
  if (lostRegion !== undefined && lostRegion === region) {
    read.wrong(
      "lostRegion",
      `is ${lostRegion}, the region of this stack: set it on the stack of the region that survives`,
    );
  }
  const failback = readFailback(read, lostRegion);
  const camundaVersion = read.oneOf("camundaVersion", ["8.6"], "8.6");
  const installation =
    platform === "endpoints" ? undefined : readInstallation(read, platform, camundaVersion);
  if (installation?.cluster.kind === "eks") {
    refuseFewNodes(read, installation.cluster.nodes.desired, clusterSize, installation.sizing);
  }
  const settings: Settings = {
    platform,
    installation,
    activeRegion: read.oneOf("activeRegion", REGIONS, "region0"),
    hooks: readHooks(read),
    region,
    peer: peerOf(region),
    peerStack: read.text("peerStack") ?? derivedPeerStack(stack, region),
    camundaVersion,
    clusterSize,
    partitionCount,
    replicationFactor,
    endpoints: readEndpoints(read, clusterSize, installation),
    exporters: readExporters(read, camundaVersion, installation !== undefined),
    repository: readRepository(read, installation, lostRegion ? peerOf(lostRegion) : region),
    indexPrefixes: readPrefixes(read),
    webApps: readWebApps(read),
    credentials: readCredentials(read, installation),
    lostRegion,
    failback,
    overrides: readOverrides(read),
    timeouts: readTimeouts(read),
  };
  read.finish();
  return settings;
}

/** Pods of these kinds share a node with none of their own: those without one would wait for ever. */
function refuseFewNodes(
  read: Reader<Key>,
  desired: number,
  clusterSize: number,
  { elasticsearch, gateways }: Installation["sizing"],
): void {
  const kinds: [number, string][] = [
    [clusterSize / 2, "brokers"],
    [elasticsearch.nodes, "nodes of Elasticsearch"],
    [gateways, "gateways"],
  ];
  const [most, what] = kinds.reduce((one, other) => (other[0] > one[0] ? other : one));
  if (desired < most) {
    read.wrong(
      "nodes.desired",
      `is ${desired}, fewer than the ${most} ${what} of a region: each has a node of its own`,
    );
  }
}

/** Keys whose values are inputs of resources: what is in them is in the state in clear. */
const OPEN: readonly string[] = ["hooks", "webApps", "helmValues"];

/** What is wrong with the keys that are set as secrets. */
export function openSecrets(secret: readonly string[]): string[] {
  return secret
    .filter((key) => OPEN.includes(key))
    .map(
      (key) =>
        `${key} is set as a secret, but is in the state in clear: set it without --secret, and keep what is secret in ${key === "helmValues" ? "a Secret of the cluster, which the values name" : "the environment of pulumi, which commands see"}`,
    );
}

/** The keys of `present` that the program does not know, with the closest one it does. */
export function unknownKeys(present: readonly string[]): string[] {
  return present
    .filter((key) => !(KEYS as readonly string[]).includes(key))
    .map((key) => {
      const close = KEYS.find((known) => known.toLowerCase() === key.toLowerCase());
      return `${key} is not a key of this program${close ? `: did you mean ${close}?` : `; it knows ${KEYS.join(", ")}`}`;
    });
}

function derivedPeerStack(stack: string | undefined, region: RegionName): string | undefined {
  return stack?.includes(region) ? stack.replace(region, peerOf(region)) : undefined;
}

function readFailback(read: Reader<Key>, lostRegion: RegionName | undefined): string | undefined {
  const failback = read.text("failback");
  if (failback === undefined) {
    return undefined;
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(failback) || failback === "false") {
    read.wrong(
      "failback",
      `is "${failback}", not a name of an attempt: a date or a ticket, of letters, digits, ".", "_" and "-"`,
    );
  }
  if (lostRegion === undefined) {
    read.wrong(
      "failback",
      "is set without lostRegion: only a lost region can be failed back; remove failback, or set lostRegion",
    );
  }
  return failback;
}

/** Beginning of the names of the indices that Zeebe's exporters write, whatever follows in an installation. */
export const RECORDS_PREFIX = "zeebe-record";

function readPrefixes(read: Reader<Key>): string[] {
  const given = read.json("indexPrefixes");
  if (given === undefined) {
    return [RECORDS_PREFIX, "operate", "tasklist"];
  }
  if (
    !Array.isArray(given) ||
    given.length === 0 ||
    !given.every((prefix) => typeof prefix === "string" && /^[a-z][a-z0-9-]+$/.test(prefix))
  ) {
    read.wrong(
      "indexPrefixes",
      "must be a list of lower-case beginnings of index names, without *",
    );
    return [];
  }
  const prefixes = given as string[];
  if (!prefixes.some((one) => RECORDS_PREFIX.startsWith(one) || one.startsWith(RECORDS_PREFIX))) {
    read.wrong(
      "indexPrefixes",
      `has none of ${RECORDS_PREFIX}: without the records nothing shows whether the recreated region lacks any; add ${RECORDS_PREFIX}, and let index.prefix of the exporters begin with it`,
    );
  }
  return prefixes;
}

function readWebApps(read: Reader<Key>): Settings["webApps"] {
  const given = read.object("webApps");
  if (given === undefined || Object.keys(given).length === 0) {
    return undefined;
  }
  if (typeof given.stop !== "string" || typeof given.start !== "string") {
    read.wrong("webApps", "must have both commands, stop and start, as text");
    return undefined;
  }
  return { stop: given.stop, start: given.start };
}

function readHooks(read: Reader<Key>): Settings["hooks"] {
  const given = read.object("hooks") ?? {};
  for (const [name, command] of Object.entries(given)) {
    if (!(HOOKS as readonly string[]).includes(name)) {
      read.wrong(`hooks.${name}`, `is not a hook; these are: ${HOOKS.join(", ")}`);
    } else if (typeof command !== "string" || command.trim() === "") {
      read.wrong(`hooks.${name}`, "must be a command, as text");
    }
  }
  return given as Settings["hooks"];
}

function readCredentials(
  read: Reader<Key>,
  installation: Installation | undefined,
): Credentials | undefined {
  const user = read.text("elasticsearchUser");
  const password = read.text("elasticsearchPassword");
  if (installation !== undefined && (user !== undefined || password !== undefined)) {
    read.wrong(
      "elasticsearchUser",
      "is for an Elasticsearch that others have installed (platform endpoints): the one that this program installs asks for none; leave user and password out",
    );
    return undefined;
  }
  if ((user === undefined) !== (password === undefined)) {
    read.wrong(
      user === undefined ? "elasticsearchUser" : "elasticsearchPassword",
      "is missing: user and password of Elasticsearch go together",
    );
  }
  return user !== undefined && password !== undefined ? { user, password } : undefined;
}

function readOverrides(read: Reader<Key>): Settings["overrides"] {
  const given = read.object("overrides") ?? {};
  for (const [name, why] of Object.entries(given)) {
    if (!(name in OVERRIDES)) {
      read.wrong(
        `overrides.${name}`,
        `is not a refusal that can be overridden; these are: ${Object.keys(OVERRIDES).join(", ")}`,
      );
    } else if (typeof why !== "string" || why.trim().length < 10) {
      read.wrong(`overrides.${name}`, "must be a written reason of at least 10 characters");
    }
  }
  return given as Settings["overrides"];
}

function readTimeouts(read: Reader<Key>): Timeouts {
  const given = read.object("timeouts") ?? {};
  for (const [name, seconds] of Object.entries(given)) {
    if (!(name in DEFAULT_TIMEOUTS)) {
      read.wrong(
        `timeouts.${name}`,
        `is not known; known are ${Object.keys(DEFAULT_TIMEOUTS).join(", ")}`,
      );
    } else if (typeof seconds !== "number" || !(seconds > 0)) {
      read.wrong(`timeouts.${name}`, `must be a number of seconds above 0, not ${String(seconds)}`);
    }
  }
  return { ...DEFAULT_TIMEOUTS, ...(given as Partial<Timeouts>) };
}
