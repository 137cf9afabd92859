import { shortened } from "../base/bounded";
import { peerOf, RegionName } from "../base/brokers";
import { generationOf } from "../generations";
import { endpointsOf } from "./addresses";
import { credentialsOf } from "./credentials";
import { bucketName, s3Client } from "./eksNames";
import { CLUSTER } from "./keys/cluster";
import { EKS } from "./keys/eks";
import { INSTALLATION } from "./keys/installation";
import { REPOSITORY } from "./keys/kubernetes";
import { RECOVERY } from "./keys/recovery";
import { STACK } from "./keys/stack";
import { Lookup, readValues } from "./read";
import { Key, KEYS, Values } from "./table";
import type { EksSettings, Installation, KubernetesSettings, Settings } from "./types";

export * from "./types";
export { ConfigError } from "./read";
export { HOOKS } from "./keys/stack";
export { INCIDENT_OVERRIDES, OVERRIDES } from "./keys/recovery";
export { openSecrets, plainSecrets } from "./secrets";
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
  const { region, lostRegion, drainRegion } = values;
  const installation = values.platform === "endpoints" ? undefined : installationOf(values);
  const endpoints = (of: RegionName) =>
    installation === undefined ? values.endpoints[of] : endpointsOf(installation, of, values);
  return {
    ...part(values, STACK),
    ...part(values, CLUSTER),
    indexPrefixes: values.indexPrefixes ?? [
      values.recordsPrefix,
      ...generationOf(values.camundaVersion).indices.others,
    ],
    ...part(values, RECOVERY),
    installation,
    peer: peerOf(region),
    outRegion: lostRegion ?? drainRegion,
    peerStack: values.peerStack ?? derivedPeerStack(stack, region),
    endpoints: { region0: endpoints("region0"), region1: endpoints("region1") },
    repository: repositoryOf(values, installation, lostRegion ? peerOf(lostRegion) : region),
    webApps: values.webApps,
    credentials: installation === undefined ? credentialsOf(values) : undefined,
  };
}

/** The values of a section of the table. */
function part<K extends Key>(values: Values, { keys }: { keys: Record<K, unknown> }) {
  return Object.fromEntries(Object.keys(keys).map((key) => [key, values[key as K]])) as Pick<
    Values,
    K
  >;
}

function derivedPeerStack(stack: string | undefined, region: RegionName): string | undefined {
  return stack?.includes(region) ? stack.replace(region, peerOf(region)) : undefined;
}

function installationOf(values: Values): Installation {
  const { s3AccessKey, s3SecretKey, ...rest } = part(values, INSTALLATION);
  const { contexts, dns } = values;
  // The schema of the addresses is that of the platform.
  const cluster =
    values.platform === "eks"
      ? ({ kind: "eks", ...part(values, EKS) } as EksSettings)
      : ({ kind: "kubernetes", contexts, dns, cidrs: values.cidrs } as KubernetesSettings);
  return {
    ...rest,
    cluster,
    s3Keys:
      s3AccessKey === undefined || s3SecretKey === undefined
        ? undefined
        : { accessKey: s3AccessKey, secretKey: s3SecretKey },
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
    name: REPOSITORY,
    type: "s3",
    settings: { bucket, client: s3Client(survivor), base_path: "backups" },
  };
}

/** The keys of `present` that the program does not know, with the closest one it does. */
export function unknownKeys(present: readonly string[]): string[] {
  return present
    .filter((key) => !KEYS.includes(key as Key))
    .map((key) => {
      const [whole = ""] = key.split(/[.[]/);
      if (whole !== key && KEYS.includes(whole as Key)) {
        return `${shortened(key, 30)} is a part of ${whole}, set without --path: pulumi config rm '${shortened(key, 30)}', then pulumi config set --path '${shortened(key, 30)}' VALUE`;
      }
      const close = KEYS.find((known) => known.toLowerCase() === key.toLowerCase());
      return `${shortened(key, 40)} is not a key of this program: ${close ? `did you mean ${close}?` : "docs/configuration.md has those that are"}`;
    });
}
