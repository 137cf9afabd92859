import { s3Client, s3Endpoint } from "../../settings/eksNames";
import type { EksSettings, InstalledSettings } from "../../settings";
import { brokerHost, elasticsearchHost } from "../../settings/addresses";
import { ELASTICSEARCH_RELEASE, PORTS, REJOINING } from "../../generations/objects";
import { peerOf, RegionName, REGIONS } from "../../base/brokers";
import { mergeValues } from "./mergeValues";
import { exporterVariable, generationOf, idsOf } from "../../generations";
import type { Generation } from "../../generations/generation";

/** Service account of Elasticsearch's pods on `eks`: its role lets in this name only. */
export const ELASTICSEARCH_SERVICE_ACCOUNT = "elasticsearch";

/** Secret that holds the keys of S3 where no role is used, with {@link S3_KEYS} in it. */
export const S3_KEYS_SECRET = "elasticsearch-s3-keys";

/** Keys of that Secret; the pods have them as environment. */
export const S3_KEYS = { access: "S3_ACCESS_KEY", secret: "S3_SECRET_KEY" } as const;

/** Values of a Helm chart. */
export type Values = Record<string, unknown>;

/**
 * Values of Camunda's chart for the region of this stack.
 *
 * Both regions' values differ in `global.multiregion.regionId` only, from which the chart derives the
 * broker ids: `ordinal * 2 + regionId`.
 *
 * @param options `webApps`: whether Operate and Tasklist run. Off in a region that was recreated: they
 *   would make indices in an Elasticsearch that the survivor's backup is to be restored into.
 * @returns plain values, without any secret; the user's own are merged last (`helmValues.camunda`)
 */
export function camundaValues(settings: InstalledSettings, options: { webApps: boolean }): Values {
  const { installation, region } = settings;
  const { sizing } = installation;
  const profile = generationOf(settings.camundaVersion);
  const { chart } = profile;
  const values: Values = {
    global: {
      multiregion: { regions: REGIONS.length, regionId: REGIONS.indexOf(region) },
      ...(installation.imageRegistry === undefined
        ? {}
        : { image: { registry: installation.imageRegistry } }),
      // Without Identity: sign-in by user and password. The chart would also make passwords that nothing uses.
      identity: { auth: { enabled: false } },
      elasticsearch: {
        // The chart's exporter writes to one Elasticsearch; ours are in the environment of the brokers.
        disableExporter: true,
        url: { host: ELASTICSEARCH_RELEASE },
      },
    },
    // A release of its own.
    elasticsearch: { enabled: false },
    [chart.brokers]: {
      clusterSize: settings.clusterSize,
      partitionCount: settings.partitionCount,
      replicationFactor: settings.replicationFactor,
      // The chart sets contact points of its own region before these: of two entries the last one wins.
      env: envList({
        ...profile.tuning.broker,
        [profile.brokerEnv.contactPoints]: contactPoints(settings),
        ...exporterEnv(settings, profile),
      }),
      javaOpts: javaOptions(sizing.zeebe.heap),
      pvcSize: sizing.zeebe.disk,
      resources: both({ cpu: sizing.zeebe.cpu, memory: sizing.zeebe.memory }),
      affinity: spread({ "app.kubernetes.io/component": chart.components.brokers }),
      // While nodes are replaced: two brokers of a partition that are away at once leave it without a quorum.
      podDisruptionBudget: { enabled: true, maxUnavailable: 1 },
      initContainers: [waitForPeer(settings)],
      extraVolumes: [
        { name: REJOINING.configMap, configMap: { name: REJOINING.configMap, optional: true } },
      ],
    },
    [chart.gateways]: {
      replicas: sizing.gateways,
      env: envList(profile.tuning.gateway),
      affinity: spread({ "app.kubernetes.io/component": chart.components.gateways }),
    },
    ...Object.fromEntries(
      chart.webApps.map((app) => [
        app,
        {
          enabled: options.webApps,
          env: envList({
            ...profile.tuning.gateway,
            [profile.backupRepositoryEnv[app]]: settings.repository.name,
            ...(settings.recordsPrefix === profile.indices.records
              ? {}
              : { [profile.recordsPrefixEnv[app]]: settings.recordsPrefix }),
          }),
        },
      ]),
    ),
    ...Object.fromEntries(Object.keys(chart.unsupported).map((part) => [part, { enabled: false }])),
    connectors: installation.connectors ? connectors(options.webApps, profile) : { enabled: false },
  };
  return mergeValues(values, installation.helmValues.camunda);
}

/**
 * Values of Elasticsearch's chart for the region of this stack.
 *
 * @param options `roleArn`: the role that its service account takes on `eks`, unless keys of S3 are given; `data`: tag of
 *   the image that its data is of
 * @returns plain values, without any secret; the user's own are merged last (`helmValues.elasticsearch`)
 */
export function elasticsearchValues(
  settings: InstalledSettings,
  options: { roleArn?: string; data?: string } = {},
): Values {
  const { installation, region } = settings;
  const { cluster, sizing, s3Keys } = installation;
  const eks = cluster.kind === "eks" ? cluster : undefined;
  const { memory, heap, disk, nodes } = sizing.elasticsearch;
  const master = {
    masterOnly: false,
    replicaCount: nodes,
    heapSize: heap,
    persistence: { size: disk },
    resources: { requests: { cpu: "1", memory }, limits: { cpu: "2", memory } },
    affinity: spread({
      "app.kubernetes.io/component": "master",
      "app.kubernetes.io/instance": ELASTICSEARCH_RELEASE,
    }),
    // The chart's own policy lets everything in and out. Policies add up: beside it no fence would hold.
    networkPolicy: { enabled: false },
    extraEnvVars: envList({ ELASTICSEARCH_ENABLE_REST_TLS: "false" }),
  };
  const values: Values = {
    global: {
      // The registry that Camunda's chart of this generation takes Bitnami's images from is not the chart's own.
      security: { allowInsecureImages: true },
      ...(installation.imageRegistry === undefined
        ? {}
        : { imageRegistry: installation.imageRegistry }),
    },
    ...notBefore(options.data, generationOf(settings.camundaVersion).elasticsearchImages),
    // Few nodes that do everything, as Camunda's chart has it.
    data: { replicaCount: 0 },
    coordinating: { replicaCount: 0 },
    ingest: { enabled: false },
    ...(eks === undefined ? {} : { extraConfig: { s3: { client: s3Clients(eks) } } }),
    ...(s3Keys === undefined ? {} : keystore(settings)),
    master:
      eks === undefined || s3Keys !== undefined || options.roleArn === undefined
        ? master
        : mergeValues(master, withRole(eks, region, options.roleArn)),
  };
  return mergeValues(values, installation.helmValues.elasticsearch);
}

/**
 * An Elasticsearch does not start on the data of a later version, nor restore it: in an upgrade that is given up before
 * Camunda's release is touched, its image stays as it is.
 */
function notBefore(
  data: string | undefined,
  images: Generation["elasticsearchImages"],
): Generation["elasticsearchImages"] {
  return data !== undefined && isLater(data, images.image.tag)
    ? { ...images, image: { ...images.image, tag: data } }
    : images;
}

/** Whether a tag is of a later version, by the numbers that it begins with. */
function isLater(tag: string, other: string): boolean {
  const [mine, others] = [tag, other].map((one) => /^\d+\.\d+\.\d+/.exec(one)?.[0].split("."));
  const place = mine?.findIndex((number, index) => number !== others?.[index]) ?? -1;
  return Number(mine?.[place]) > Number(others?.[place]);
}

/**
 * Keeps a broker of a recreated region from starting before it reaches one of the survivors, and the others
 * of the coordinator's region until that has joined. It asks all brokers what the cluster is: when another one with an
 * empty disk answers first, or no survivor does, it begins a cluster of its own. As soon as the survivors'
 * configuration is known, all of them close their ports and stay so, with what they have made by then on their
 * disks (seen on brokers of 8.6.0).
 *
 * In every pod, whatever the region is at the moment: a template that changed would restart the brokers.
 */
function waitForPeer(settings: InstalledSettings) {
  const { clusterSize, region } = settings;
  const { ids, chart } = generationOf(settings.camundaVersion);
  const host = (id: number) => brokerHost(id, settings);
  return {
    name: "wait-for-peer",
    // The image of the broker itself: nothing else to mirror. The chart fills it in.
    image: `{{ include "camundaPlatform.imageByParams" (dict "base" .Values.global "overlay" .Values.${chart.brokers}) }}`,
    command: [
      ...["bash", "-c", waitForPeerScript(ids.coordinator), "wait-for-peer"],
      region === ids.regionOf(ids.coordinator) ? host(ids.coordinator) : "",
      ...ids.of(peerOf(region), clusterSize).map(host),
    ],
    volumeMounts: [{ name: REJOINING.configMap, mountPath: REJOINING.folder, readOnly: true }],
    resources: both({ cpu: "50m", memory: "64Mi" }),
    // As the chart has it for the broker.
    securityContext: {
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 1001,
      seccompProfile: { type: "RuntimeDefault" },
    },
  };
}

/**
 * Arguments: the host of the coordinator when it is of this region, else nothing; the hosts of the other region's
 * brokers. Ends when one of these takes a connection, and the coordinator its management port, which it opens when it
 * has learnt what the cluster is; or when the region does not rejoin any more, or nobody says that it does.
 */
export function waitForPeerScript(coordinator: number): string {
  return [
    'first="$1"; shift',
    // The coordinator does not wait for itself: the name of its pod begins the name of its host.
    'case "$first" in "$HOSTNAME".*) first="" ;; esac',
    `reaches() { timeout 3 bash -c '</dev/tcp/"$0"/"$1"' "$1" "$2" 2>/dev/null; }`,
    `while [ "$(cat ${REJOINING.folder}/${REJOINING.key} 2>/dev/null)" = true ]; do`,
    '  missing="a broker of the other one"',
    '  for host in "$@"; do',
    `    reaches "$host" ${PORTS.internal} || continue`,
    `    [ -n "$first" ] && ! reaches "$first" ${PORTS.management} || exit 0`,
    `    missing="broker ${coordinator}, which joins first,"`,
    "    break",
    "  done",
    '  echo "this region rejoins: waiting for $missing to be reached"',
    "  sleep 2",
    "done",
  ].join("\n");
}

/** Every broker of both regions, a region at a time in turns: half of them answer when one region is gone. */
function contactPoints(settings: InstalledSettings): string {
  // No dot at the end: with five dots these names are tried as they are first (`ndots:5` in a pod).
  return idsOf(settings)
    .all(settings.clusterSize)
    .map((id) => `${brokerHost(id, settings)}:${PORTS.internal}`)
    .join(",");
}

function exporterEnv(
  settings: InstalledSettings,
  { exporter, indices }: Generation,
): Record<string, string> {
  const of = (region: RegionName): [string, string][] => {
    const name = (end: string) => exporterVariable(exporter, settings.exporters[region][0], end);
    const host = elasticsearchHost(region, settings);
    return [
      [name("CLASSNAME"), exporter.className],
      [name(exporter.url), `http://${host}:${PORTS.elasticsearch}`],
      ...(settings.recordsPrefix === indices.records
        ? []
        : [[name(exporter.indexPrefix), settings.recordsPrefix] as [string, string]]),
    ];
  };
  return Object.fromEntries(REGIONS.flatMap(of));
}

/** The chart's own options, which it would lose to ours, and the heap. */
function javaOptions(heap: string): string {
  const data = "/usr/local/zeebe/data";
  return [
    `-Xms${heap}`,
    `-Xmx${heap}`,
    "-XX:+HeapDumpOnOutOfMemoryError",
    `-XX:HeapDumpPath=${data}`,
    `-XX:ErrorFile=${data}/zeebe_error%p.log`,
    "-XX:+ExitOnOutOfMemoryError",
  ].join(" ");
}

/** What is asked for is what is given: an overcommitted node would end a broker on the day it is needed. */
function both(resources: Record<string, string>) {
  return { requests: resources, limits: resources };
}

/** One pod a node, and as many zones as there are: a zone that is lost takes no more than it must. */
function spread(matchLabels: Record<string, string>) {
  const term = (topologyKey: string) => ({ labelSelector: { matchLabels }, topologyKey });
  return {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [term("kubernetes.io/hostname")],
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, podAffinityTerm: term("topology.kubernetes.io/zone") },
      ],
    },
  };
}

/**
 * Inbound connectors learn from Operate what to listen to, and sign in as its first user. The chart's own
 * way without Identity is a user that Operate does not have, with a password made at random.
 */
function connectors(operate: boolean, { connectorsEnv, objects }: Generation): Values {
  return operate
    ? {
        enabled: true,
        env: envList(connectorsEnv(`http://${objects.webApps.operate}:80`)),
      }
    : { enabled: true, inbound: { mode: "disabled" } };
}

/** Both buckets, each at its own region's endpoint: the default one is in us-east-1. */
function s3Clients(eks: EksSettings): Values {
  return Object.fromEntries(
    REGIONS.map((region) => {
      const awsRegion = eks.awsRegions[region];
      return [s3Client(region), { region: awsRegion, endpoint: s3Endpoint(awsRegion) }];
    }),
  );
}

/**
 * Elasticsearch 8 reads the token of its service account at one place only, below its configuration. STS
 * is asked in the own region: by default it would be in us-east-1.
 */
function withRole(eks: EksSettings, region: RegionName, roleArn: string): Values {
  const folder = "/opt/bitnami/elasticsearch/config/repository-s3";
  const file = "aws-web-identity-token-file";
  const name = "s3-token";
  return {
    serviceAccount: {
      create: true,
      name: ELASTICSEARCH_SERVICE_ACCOUNT,
      annotations: { "eks.amazonaws.com/role-arn": roleArn },
    },
    extraEnvVars: envList({
      AWS_ROLE_ARN: roleArn,
      AWS_WEB_IDENTITY_TOKEN_FILE: `${folder}/${file}`,
      AWS_STS_REGIONAL_ENDPOINTS: "regional",
      AWS_REGION: eks.awsRegions[region],
    }),
    extraVolumes: [
      {
        name,
        projected: {
          sources: [
            {
              serviceAccountToken: {
                audience: "sts.amazonaws.com",
                expirationSeconds: 86400,
                path: file,
              },
            },
          ],
        },
      },
    ],
    extraVolumeMounts: [{ name, mountPath: folder, readOnly: true }],
  };
}

/** Keys of S3 go from the Secret into the keystore when a pod starts; neither values nor scripts hold them. */
function keystore(settings: InstalledSettings): Values {
  const { cluster } = settings.installation;
  const clients =
    cluster.kind === "eks"
      ? REGIONS.map(s3Client)
      : [String(settings.repository.settings.client ?? "default")];
  const add = (client: string, setting: string, variable: string) =>
    `printf '%s' "$${variable}" | elasticsearch-keystore add --stdin --force s3.client.${client}.${setting}`;
  return {
    extraEnvVarsSecret: S3_KEYS_SECRET,
    initScripts: {
      "s3-keys.sh": [
        "#!/bin/bash",
        "set -eu",
        ...clients.flatMap((client) => [
          add(client, "access_key", S3_KEYS.access),
          add(client, "secret_key", S3_KEYS.secret),
        ]),
        "",
      ].join("\n"),
    },
  };
}

/** A map, in which a name is there once, as the list that a container has. */
function envList(env: Record<string, string>): { name: string; value: string }[] {
  return Object.entries(env).map(([name, value]) => ({ name, value }));
}
