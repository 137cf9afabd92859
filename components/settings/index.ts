import { CAMUNDA_VERSIONS, DEFAULT_VERSION, generationOf } from "../generations";
import { peerOf, RegionName, REGIONS } from "../base/brokers";
import { readEndpoints, readExporters, readRepository } from "./endpoints";
import { readInstallation } from "./installation";
import { ConfigError, Reader } from "./reader";
import {
  Credentials,
  HOOKS,
  Installation,
  Key,
  KEYS,
  OVERRIDES,
  Settings,
  Timeouts,
} from "./types";

export * from "./types";
export { ConfigError };

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
  const camundaVersion = read.oneOf("camundaVersion", CAMUNDA_VERSIONS, DEFAULT_VERSION);
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
    endpoints: readEndpoints(read, { camundaVersion, clusterSize }, installation),
    exporters: readExporters(read, camundaVersion, installation !== undefined),
    repository: readRepository(read, installation, lostRegion ? peerOf(lostRegion) : region),
    indexPrefixes: readPrefixes(read, camundaVersion),
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

function readPrefixes(read: Reader<Key>, camundaVersion: string): string[] {
  const { all, records } = generationOf(camundaVersion).indices;
  const given = read.json("indexPrefixes");
  if (given === undefined) {
    return [...all];
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
  if (!prefixes.some((one) => records.startsWith(one) || one.startsWith(records))) {
    read.wrong(
      "indexPrefixes",
      `has none of ${records}: without the records nothing shows whether the recreated region lacks any; add ${records}, and let index.prefix of the exporters begin with it`,
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
