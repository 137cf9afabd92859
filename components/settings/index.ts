import { shortened } from "../base/bounded";
import { peerOf, RegionName } from "../base/brokers";
import { endpointsOf } from "./addresses";
import { bucketName, s3Client } from "./eksNames";
import { Lookup, readValues } from "./read";
import type { Entry } from "./schema";
import { Key, KEYS, TABLE, Values } from "./table";
import type { EksSettings, Installation, KubernetesSettings, Settings } from "./types";

export * from "./types";
export { ConfigError } from "./read";
export { HOOKS } from "./keys/stack";
export { OVERRIDES } from "./keys/recovery";
export { KEYS } from "./table";

/**
 * The one reader of the configuration, for the program and for the provider process alike: both hand it
 * a way to look a key up, so that neither knows more than the other.
 *
 * @param get the raw value of a key; objects as JSON
 * @param stack name of the running stack, from which the peer's is derived; the provider process has none
 * @throws {@link ConfigError} with every problem at once
 */
export function readSettings(get: Lookup, stack?: string): Settings {
  const values = readValues(get);
  const { region, lostRegion } = values;
  const installation = values.platform === "endpoints" ? undefined : installationOf(values);
  const endpoints = (of: RegionName) =>
    installation === undefined ? values.endpoints[of] : endpointsOf(installation, of, values);
  return {
    platform: values.platform,
    installation,
    activeRegion: values.activeRegion,
    hooks: values.hooks,
    region,
    peer: peerOf(region),
    peerStack: values.peerStack ?? derivedPeerStack(stack, region),
    camundaVersion: values.camundaVersion,
    clusterSize: values.clusterSize,
    partitionCount: values.partitionCount,
    replicationFactor: values.replicationFactor,
    endpoints: { region0: endpoints("region0"), region1: endpoints("region1") },
    exporters: values.exporters,
    repository: repositoryOf(values, installation, lostRegion ? peerOf(lostRegion) : region),
    indexPrefixes: values.indexPrefixes,
    webApps: values.webApps,
    credentials: credentialsOf(values),
    lostRegion,
    failback: values.failback,
    overrides: values.overrides,
    timeouts: values.timeouts,
  };
}

function derivedPeerStack(stack: string | undefined, region: RegionName): string | undefined {
  return stack?.includes(region) ? stack.replace(region, peerOf(region)) : undefined;
}

function installationOf(values: Values): Installation {
  const { s3AccessKey: accessKey, s3SecretKey: secretKey } = values;
  return {
    cluster: clusterOf(values),
    namespaces: values.namespaces,
    charts: values.charts,
    imageRegistry: values.imageRegistry,
    sizing: values.sizing,
    connectors: values.connectors,
    helmValues: values.helmValues,
    s3Keys:
      accessKey === undefined || secretKey === undefined ? undefined : { accessKey, secretKey },
  };
}

function clusterOf(values: Values): Installation["cluster"] {
  if (values.platform === "kubernetes") {
    const { contexts, dns } = values;
    return {
      kind: "kubernetes",
      contexts,
      dns,
      cidrs: values.cidrs as KubernetesSettings["cidrs"],
    };
  }
  return {
    kind: "eks",
    prefix: values.prefix,
    account: values.awsAccount,
    awsRegions: values.awsRegions,
    cidrs: values.cidrs as EksSettings["cidrs"],
    natGateways: values.natGateways,
    kubernetesVersion: values.kubernetesVersion,
    nodes: values.nodes,
    administrators: values.administrators,
    apiAccessCidrs: values.apiAccessCidrs,
    bucketEncryption: values.bucketEncryption,
    bucketSuffix: values.bucketSuffix,
    traffic: values.traffic,
  };
}

/**
 * On `eks` it is the survivor's own bucket, through the client that both Elasticsearches have for it: the
 * recreated region reads it there, and no loss of a region takes the backup along.
 */
function repositoryOf(
  { snapshotRepository }: Values,
  installation: Installation | undefined,
  survivor: RegionName,
): Settings["repository"] {
  if (installation?.cluster.kind !== "eks") {
    return snapshotRepository;
  }
  const bucket = bucketName(installation.cluster, survivor);
  return {
    name: "camunda_backup",
    type: "s3",
    settings: { bucket, client: s3Client(survivor), base_path: "backups" },
  };
}

function credentialsOf(values: Values): Settings["credentials"] {
  const { elasticsearchUser: user, elasticsearchPassword: password } = values;
  return user === undefined || password === undefined ? undefined : { user, password };
}

/** What is wrong with the keys that are set as secrets: what is in some of them is in the state in clear. */
export function openSecrets(secret: readonly string[]): string[] {
  return KEYS.filter((key) => secret.includes(key)).flatMap((key) => {
    const { open }: Entry = TABLE[key];
    return open === undefined
      ? []
      : [
          `${key} is set as a secret, but is in the state in clear: set it without --secret, and keep what is secret in ${open}`,
        ];
  });
}

/** The keys of `present` that the program does not know, with the closest one it does. */
export function unknownKeys(present: readonly string[]): string[] {
  return present
    .filter((key) => !KEYS.includes(key as Key))
    .map((key) => {
      const close = KEYS.find((known) => known.toLowerCase() === key.toLowerCase());
      return `${shortened(key, 40)} is not a key of this program: ${close ? `did you mean ${close}?` : "docs/configuration.md has those that are"}`;
    });
}
