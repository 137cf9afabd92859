import assert from "node:assert/strict";
import fc from "fast-check";
import { REGIONS } from "../../../components/base/brokers";
import { IDS } from "../../support/ids";
import {
  camundaValues,
  elasticsearchValues,
  Values,
  waitForPeerScript,
} from "../../../components/installation/camunda/helmValues";
import { generationOf } from "../../../components/generations";
import { ConfigError } from "../../../components/settings";
import { eksSettings, kubernetesSettings } from "../kubernetes/declared";

const spread = (matchLabels: Record<string, string>) => ({
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      { labelSelector: { matchLabels }, topologyKey: "kubernetes.io/hostname" },
    ],
    preferredDuringSchedulingIgnoredDuringExecution: [
      {
        weight: 100,
        podAffinityTerm: {
          labelSelector: { matchLabels },
          topologyKey: "topology.kubernetes.io/zone",
        },
      },
    ],
  },
});

const gatewayEnv = [
  { name: "ZEEBE_GATEWAY_CLUSTER_MESSAGECOMPRESSION", value: "GZIP" },
  { name: "ZEEBE_GATEWAY_CLUSTER_MEMBERSHIP_PROBETIMEOUT", value: "500ms" },
  { name: "ZEEBE_GATEWAY_CLUSTER_MEMBERSHIP_PROBEINTERVAL", value: "2s" },
];

const BROKER_0 = "camunda-zeebe-0.camunda-zeebe.camunda-london.svc.cluster.local";

/** Values of 8.6 for eight brokers with the defaults of the configuration. */
const waitForPeer = (peers: string, first: string) => ({
  name: "wait-for-peer",
  image:
    '{{ include "camundaPlatform.imageByParams" (dict "base" .Values.global "overlay" .Values.zeebe) }}',
  command: [
    ...["bash", "-c", waitForPeerScript(0), "wait-for-peer", first],
    ...[0, 1, 2, 3].map(
      (ordinal) => `camunda-zeebe-${ordinal}.camunda-zeebe.${peers}.svc.cluster.local`,
    ),
  ],
  volumeMounts: [
    { name: "camunda-rejoining", mountPath: "/etc/camunda-rejoining", readOnly: true },
  ],
  resources: {
    requests: { cpu: "50m", memory: "64Mi" },
    limits: { cpu: "50m", memory: "64Mi" },
  },
  securityContext: {
    allowPrivilegeEscalation: false,
    privileged: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    runAsUser: 1001,
    seccompProfile: { type: "RuntimeDefault" },
  },
});

const camunda86 = (regionId: number) => ({
  global: {
    multiregion: { regions: 2, regionId },
    identity: { auth: { enabled: false } },
    elasticsearch: { disableExporter: true, url: { host: "camunda-elasticsearch" } },
  },
  elasticsearch: { enabled: false },
  zeebe: {
    clusterSize: 8,
    partitionCount: 8,
    replicationFactor: 4,
    env: [
      { name: "ZEEBE_BROKER_DATA_SNAPSHOTPERIOD", value: "5m" },
      { name: "ZEEBE_BROKER_DATA_DISKUSAGECOMMANDWATERMARK", value: "0.85" },
      { name: "ZEEBE_BROKER_DATA_DISKUSAGEREPLICATIONWATERMARK", value: "0.87" },
      { name: "ZEEBE_BROKER_CLUSTER_MEMBERSHIP_PROBETIMEOUT", value: "500ms" },
      { name: "ZEEBE_BROKER_CLUSTER_MEMBERSHIP_PROBEINTERVAL", value: "2s" },
      { name: "ZEEBE_BROKER_EXPERIMENTAL_RAFT_SNAPSHOTREQUESTTIMEOUT", value: "10s" },
      { name: "ZEEBE_BROKER_CLUSTER_MESSAGECOMPRESSION", value: "GZIP" },
      { name: "ZEEBE_BROKER_BACKPRESSURE_AIMD_REQUESTTIMEOUT", value: "1s" },
      { name: "ZEEBE_LOG_APPENDER", value: "Stackdriver" },
      { name: "ZEEBE_LOG_STACKDRIVER_SERVICENAME", value: "zeebe" },
      {
        name: "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS",
        value: [
          "camunda-zeebe-0.camunda-zeebe.camunda-london.svc.cluster.local:26502",
          "camunda-zeebe-0.camunda-zeebe.camunda-paris.svc.cluster.local:26502",
          "camunda-zeebe-1.camunda-zeebe.camunda-london.svc.cluster.local:26502",
          "camunda-zeebe-1.camunda-zeebe.camunda-paris.svc.cluster.local:26502",
          "camunda-zeebe-2.camunda-zeebe.camunda-london.svc.cluster.local:26502",
          "camunda-zeebe-2.camunda-zeebe.camunda-paris.svc.cluster.local:26502",
          "camunda-zeebe-3.camunda-zeebe.camunda-london.svc.cluster.local:26502",
          "camunda-zeebe-3.camunda-zeebe.camunda-paris.svc.cluster.local:26502",
        ].join(","),
      },
      {
        name: "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION0_CLASSNAME",
        value: "io.camunda.zeebe.exporter.ElasticsearchExporter",
      },
      {
        name: "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION0_ARGS_URL",
        value: "http://camunda-elasticsearch-master-hl.camunda-london.svc.cluster.local:9200",
      },
      {
        name: "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_CLASSNAME",
        value: "io.camunda.zeebe.exporter.ElasticsearchExporter",
      },
      {
        name: "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_ARGS_URL",
        value: "http://camunda-elasticsearch-master-hl.camunda-paris.svc.cluster.local:9200",
      },
    ],
    javaOpts:
      "-Xms512m -Xmx512m -XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/usr/local/zeebe/data -XX:ErrorFile=/usr/local/zeebe/data/zeebe_error%p.log -XX:+ExitOnOutOfMemoryError",
    pvcSize: "32Gi",
    resources: {
      requests: { cpu: "512m", memory: "2Gi" },
      limits: { cpu: "512m", memory: "2Gi" },
    },
    affinity: spread({ "app.kubernetes.io/component": "zeebe-broker" }),
    podDisruptionBudget: { enabled: true, maxUnavailable: 1 },
    initContainers: [
      regionId === 0 ? waitForPeer("camunda-paris", BROKER_0) : waitForPeer("camunda-london", ""),
    ],
    extraVolumes: [
      { name: "camunda-rejoining", configMap: { name: "camunda-rejoining", optional: true } },
    ],
  },
  zeebeGateway: {
    replicas: 2,
    env: gatewayEnv,
    affinity: spread({ "app.kubernetes.io/component": "zeebe-gateway" }),
  },
  operate: {
    enabled: true,
    env: [
      ...gatewayEnv,
      { name: "CAMUNDA_OPERATE_BACKUP_REPOSITORYNAME", value: "camunda_backup" },
    ],
  },
  tasklist: {
    enabled: true,
    env: [
      ...gatewayEnv,
      { name: "CAMUNDA_TASKLIST_BACKUP_REPOSITORYNAME", value: "camunda_backup" },
    ],
  },
  identity: { enabled: false },
  identityKeycloak: { enabled: false },
  optimize: { enabled: false },
  console: { enabled: false },
  webModeler: { enabled: false },
  connectors: { enabled: false },
});

const elasticsearch86 = (awsRegion: string) => ({
  global: { security: { allowInsecureImages: true } },
  image: { repository: "bitnamilegacy/elasticsearch", tag: "8.15.4" },
  sysctlImage: { repository: "bitnamilegacy/os-shell" },
  data: { replicaCount: 0 },
  coordinating: { replicaCount: 0 },
  ingest: { enabled: false },
  extraConfig: {
    s3: {
      client: {
        region0: { region: "eu-west-2", endpoint: "s3.eu-west-2.amazonaws.com" },
        region1: { region: "eu-west-3", endpoint: "s3.eu-west-3.amazonaws.com" },
      },
    },
  },
  master: {
    masterOnly: false,
    replicaCount: 2,
    heapSize: "1g",
    persistence: { size: "64Gi" },
    resources: {
      requests: { cpu: "1", memory: "2Gi" },
      limits: { cpu: "2", memory: "2Gi" },
    },
    affinity: spread({
      "app.kubernetes.io/component": "master",
      "app.kubernetes.io/instance": "camunda-elasticsearch",
    }),
    networkPolicy: { enabled: false },
    serviceAccount: {
      create: true,
      name: "elasticsearch",
      annotations: {
        "eks.amazonaws.com/role-arn": `arn:aws:iam::123456789012:role/camunda-elasticsearch-${awsRegion}`,
      },
    },
    extraEnvVars: [
      { name: "ELASTICSEARCH_ENABLE_REST_TLS", value: "false" },
      {
        name: "AWS_ROLE_ARN",
        value: `arn:aws:iam::123456789012:role/camunda-elasticsearch-${awsRegion}`,
      },
      {
        name: "AWS_WEB_IDENTITY_TOKEN_FILE",
        value: "/opt/bitnami/elasticsearch/config/repository-s3/aws-web-identity-token-file",
      },
      { name: "AWS_STS_REGIONAL_ENDPOINTS", value: "regional" },
      { name: "AWS_REGION", value: awsRegion },
    ],
    extraVolumes: [
      {
        name: "s3-token",
        projected: {
          sources: [
            {
              serviceAccountToken: {
                audience: "sts.amazonaws.com",
                expirationSeconds: 86400,
                path: "aws-web-identity-token-file",
              },
            },
          ],
        },
      },
    ],
    extraVolumeMounts: [
      {
        name: "s3-token",
        mountPath: "/opt/bitnami/elasticsearch/config/repository-s3",
        readOnly: true,
      },
    ],
  },
});

type Env = { name: string; value: string }[];
const brokersOf = (values: Values) =>
  values.zeebe as { clusterSize: number; env: Env; javaOpts: string };
const envOf = (env: Env, name: string) => env.find((one) => one.name === name)?.value;
const at = (values: Values, ...path: string[]): unknown =>
  path.reduce<unknown>(
    (value, key) => (value as Record<string, unknown> | undefined)?.[key],
    values,
  );

describe("Helm values of Camunda 8.6", () => {
  REGIONS.forEach((region, regionId) => {
    it(`are these for eight brokers, as a whole, in ${region}`, () => {
      assert.deepEqual(
        camundaValues(eksSettings({ region }), { webApps: true }),
        camunda86(regionId),
      );
    });
  });

  it("of both regions differ in the region's id, and in whom brokers that rejoin wait for, only", () => {
    const [region0, region1] = REGIONS.map((region) =>
      camundaValues(eksSettings({ region }), { webApps: true }),
    );
    assert.notDeepEqual(region0, region1);
    const global = region1?.global as Record<string, unknown>;
    const zeebe = region1?.zeebe as Record<string, unknown>;
    assert.deepEqual(
      {
        ...region1,
        global: { ...global, multiregion: { regions: 2, regionId: 0 } },
        zeebe: { ...zeebe, initContainers: [waitForPeer("camunda-paris", BROKER_0)] },
      },
      region0,
    );
  });

  it("leave Operate and Tasklist out while the Elasticsearch is not restored, and nothing else", () => {
    const without = camundaValues(eksSettings(), { webApps: false });
    const expected = camunda86(0);
    expected.operate.enabled = false;
    expected.tasklist.enabled = false;
    assert.deepEqual(without, expected);
  });

  it("name all brokers of both namespaces once, in turns, and no variable twice (property)", () => {
    const namespace = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/);
    const id = fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/);
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 12 }),
        fc.uniqueArray(namespace, { minLength: 2, maxLength: 2 }),
        fc.uniqueArray(id, { minLength: 2, maxLength: 2 }),
        fc.constantFrom(...REGIONS),
        (half, [london = "", paris = ""], [first, second], region) => {
          const clusterSize = half * 2;
          const settings = eksSettings({
            nodes: { desired: 12, max: 12 },
            region,
            clusterSize,
            namespaces: { region0: london, region1: paris },
            exporters: { region0: first, region1: second },
          });
          const { env } = brokersOf(camundaValues(settings, { webApps: true }));
          const variables = env.map(({ name }) => name);
          assert.equal(new Set(variables).size, variables.length);
          const points = envOf(env, "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS")?.split(",");
          assert.deepEqual(
            points,
            IDS.all(clusterSize).map((broker) => {
              const ordinal = Math.floor(broker / 2);
              return `camunda-zeebe-${ordinal}.camunda-zeebe.${broker % 2 === 0 ? london : paris}.svc.cluster.local:26502`;
            }),
          );
          for (const [exporter, of] of [
            [first, london],
            [second, paris],
          ]) {
            assert.equal(
              envOf(env, `ZEEBE_BROKER_EXPORTERS_${exporter?.toUpperCase()}_ARGS_URL`),
              `http://camunda-elasticsearch-master-hl.${of}.svc.cluster.local:9200`,
            );
          }
        },
      ),
    );
  });

  it("give a contact point enough dots to be looked up as it is", () => {
    const { env } = brokersOf(camundaValues(eksSettings(), { webApps: true }));
    const points = envOf(env, "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS")?.split(",") ?? [];
    assert.equal(points.length, 8);
    points.forEach((point) => assert.equal((point.split(":")[0]?.match(/\./g) ?? []).length, 5));
  });

  it("follow the sizing, the registry and the values of one's own", () => {
    const values = camundaValues(
      eksSettings({
        sizing: { zeebe: { cpu: "2", memory: "8Gi", heap: "2g", disk: "128Gi" }, gateways: 3 },
        imageRegistry: "mirror.example",
        helmValues: {
          camunda: {
            zeebe: {
              env: [{ name: "ZEEBE_BROKER_DATA_SNAPSHOTPERIOD", value: "15m" }],
              podLabels: { team: "a" },
            },
          },
        },
      }),
      { webApps: true },
    );
    const { env, javaOpts } = brokersOf(values);
    assert.equal(envOf(env, "ZEEBE_BROKER_DATA_SNAPSHOTPERIOD"), "15m");
    assert.equal(env.length, camunda86(0).zeebe.env.length);
    assert.match(javaOpts, /^-Xms2g -Xmx2g /);
    assert.equal(at(values, "zeebe", "pvcSize"), "128Gi");
    assert.deepEqual(at(values, "zeebe", "resources", "limits"), { cpu: "2", memory: "8Gi" });
    assert.deepEqual(at(values, "zeebe", "podLabels"), { team: "a" });
    assert.equal(at(values, "zeebeGateway", "replicas"), 3);
    assert.equal(at(values, "global", "image", "registry"), "mirror.example");
    assert.equal(at(values, "global", "multiregion", "regions"), 2);
  });

  it("let connectors ask Operate only where there is one", () => {
    const settings = eksSettings({ connectors: "true" });
    assert.equal(
      at(camundaValues(settings, { webApps: true }), "connectors", "inbound"),
      undefined,
    );
    assert.deepEqual(camundaValues(settings, { webApps: false }).connectors, {
      enabled: true,
      inbound: { mode: "disabled" },
    });
  });

  it("are refused for an exporter whose id makes no name of a variable", () => {
    assert.throws(
      () => eksSettings({ exporters: { region0: "camunda-region0" } }),
      (error) =>
        error instanceof ConfigError &&
        error.problems.length === 1 &&
        /^exporters\.region0 is "camunda-region0": /.test(error.problems[0] ?? ""),
    );
  });

  it("are not to be had for a version that is not known", () => {
    assert.throws(
      () => generationOf("8.5"),
      /^Error: camundaVersion is 8\.5: this program knows 8\.6$/,
    );
  });
});

describe("Helm values of Elasticsearch", () => {
  for (const [region, awsRegion] of [
    ["region0", "eu-west-2"],
    ["region1", "eu-west-3"],
  ] as const) {
    it(`are these on EKS, as a whole, in ${region}`, () => {
      const roleArn = `arn:aws:iam::123456789012:role/camunda-elasticsearch-${awsRegion}`;
      assert.deepEqual(
        elasticsearchValues(eksSettings({ region }), { roleArn }),
        elasticsearch86(awsRegion),
      );
    });
  }

  it("know nothing of AWS in a cluster that is given", () => {
    const { extraConfig, master, ...common } = elasticsearch86("");
    assert.ok(extraConfig);
    const { serviceAccount, extraVolumes, extraVolumeMounts, extraEnvVars, ...plain } = master;
    assert.ok(serviceAccount && extraVolumes && extraVolumeMounts);
    assert.deepEqual(elasticsearchValues(kubernetesSettings()), {
      ...common,
      master: { ...plain, extraEnvVars: extraEnvVars.slice(0, 1) },
    });
  });

  it("name the Secret with the keys of S3, not the keys, for the clients that are used", () => {
    const keys = { s3AccessKey: "AKIAEXAMPLE", s3SecretKey: "very/secret+key=" };
    const clients = (settings: Parameters<typeof elasticsearchValues>[0]) => {
      const values = elasticsearchValues(settings);
      const text = JSON.stringify(values);
      assert.equal(text.includes("AKIAEXAMPLE"), false);
      assert.equal(text.includes("very/secret"), false);
      assert.equal(text.includes("AWS_ROLE_ARN"), false);
      assert.equal(values.extraEnvVarsSecret, "elasticsearch-s3-keys");
      const script = at(values, "initScripts", "s3-keys.sh");
      return [...String(script).matchAll(/s3\.client\.(\w+)\.(\w+)$/gm)].map(
        (m) => m[1] + ":" + m[2],
      );
    };
    assert.deepEqual(clients(eksSettings(keys)), [
      "region0:access_key",
      "region0:secret_key",
      "region1:access_key",
      "region1:secret_key",
    ]);
    assert.deepEqual(clients(kubernetesSettings(keys)), ["backup:access_key", "backup:secret_key"]);
  });

  it("keep the environment when one's own is added to it", () => {
    const values = elasticsearchValues(
      eksSettings({
        helmValues: {
          elasticsearch: { master: { extraEnvVars: [{ name: "ES_JAVA_OPTS", value: "-Dx=y" }] } },
        },
      }),
      { roleArn: "arn:aws:iam::123456789012:role/any" },
    );
    const env = at(values, "master", "extraEnvVars") as Env;
    assert.equal(envOf(env, "ELASTICSEARCH_ENABLE_REST_TLS"), "false");
    assert.equal(envOf(env, "ES_JAVA_OPTS"), "-Dx=y");
    assert.equal(env.length, 6);
  });
});
