import { BrokerIds, REGIONS } from "../base/brokers";
import { isRecord } from "../base/json";
import { ELASTICSEARCH_RELEASE, RELEASE } from "./objects";
import type { Generation } from "./generation";

/** The StatefulSet of Elasticsearch. */
const ELASTICSEARCH = `${ELASTICSEARCH_RELEASE}-master`;

// Why a value must stay as the chart has it.
const NAME = "changes names of pods or Services";
const PORT = "moves a port";
const PATH = "moves the path of the API";
const FILE = "replaces the whole configuration (use extraConfiguration)";
const COMPONENT = "takes a part of the cluster away";
const DATABASE = "leads to another Elasticsearch";
const IDENTITY = "asks for a sign-in that does not work in two regions";
const SECURITY = "lets Elasticsearch ask for TLS or a user";

/** The same reason for each of some paths. */
function each(why: string, paths: readonly string[]): Record<string, string> {
  return Object.fromEntries(paths.map((path) => [path, why]));
}

/**
 * 8.6: the order of its operational guide (dual-region), and the figures of Camunda's reference installation on two EKS clusters.
 *
 * Messages are compressed because the link between regions is the narrow one. All that speaks the
 * brokers' protocol must agree on it: Operate and Tasklist as well, which have a gateway inside.
 * A member is probed every 2 s and has 500 ms for its answer: round trips are up to 100 ms.
 */
export const CAMUNDA_8_6: Generation = {
  // Membership first: an exporter change would wait for dead members for ever. Steady, the same is asserted.
  failover: [
    "connection",
    "health",
    "before-failover",
    "membership",
    "exporters",
    "exporting",
    "web-apps",
    "after-failover",
  ],
  // As a failover: without its exporter a region must hold no replica.
  drain: [
    "connection",
    "health",
    "before-drain",
    "membership",
    "exporters",
    "exporting",
    "web-apps",
    "after-drain",
  ],
  failback: [
    "health",
    "connection",
    "before-failback",
    "gate",
    "web-apps-stop",
    "export-pause",
    "snapshot-source",
    "snapshot",
    "snapshot-target",
    "restore",
    "web-apps",
    "exporters",
    "export-resume",
    "exporting",
    "membership",
    "after-failback",
  ],
  // The rule of Camunda's Helm chart (`global.multiregion`), which the procedure's lists of brokers stem from:
  // region0 has the even ids, region1 the odd ones.
  ids: new BrokerIds({
    idOf: (region, ordinal) => ordinal * 2 + REGIONS.indexOf(region),
    placeOf: (id) => ({
      region: REGIONS[id % 2] ?? "region0",
      ordinal: Math.floor(id / 2),
    }),
    coordinator: 0,
  }),
  // The first patch in which that was mended is not known of 8.6: none is refused.
  versions: { minor: "8.6", patch: 0 },
  cluster: {
    members(ids, { force, replicationFactor }) {
      const query = new URLSearchParams({
        ...(force ? { force: "true" } : {}),
        ...(replicationFactor === undefined
          ? {}
          : { replicationFactor: String(replicationFactor) }),
      }).toString();
      return {
        path: `/actuator/cluster/brokers${query === "" ? "" : `?${query}`}`,
        body: ids.map(String),
      };
    },
    disableExporter: (id) => ({ path: `/actuator/exporters/${encodeURIComponent(id)}/disable` }),
    enableExporter: (id, initializeFrom) => ({
      path: `/actuator/exporters/${encodeURIComponent(id)}/enable`,
      body: { initializeFrom },
    }),
    pendingChange: (id) => `/actuator/cluster/changes/${id}`,
    operations: {
      forceReconfigure: "PARTITION_FORCE_RECONFIGURE",
      remove: "BROKER_REMOVE",
      add: "BROKER_ADD",
      join: "PARTITION_JOIN",
      leave: "PARTITION_LEAVE",
      reorder: "PARTITION_RECONFIGURE_PRIORITY",
      enableExporter: "PARTITION_ENABLE_EXPORTER",
      disableExporter: "PARTITION_DISABLE_EXPORTER",
    },
  },
  exporting: {
    pause: { path: "/actuator/exporting/pause" },
    resume: { path: "/actuator/exporting/resume" },
    success: 204,
    // The patch 8.6.0 answers 200 whatever happened, with the real answer in the body; later ones answer 204.
    outcome: ({ status, body }) =>
      status === 200 && isRecord(body) && typeof body.status === "number"
        ? { status: body.status, body: body.body }
        : { status, body },
  },
  indices: { records: "zeebe-record", others: ["operate", "tasklist"] },
  charts: {
    camunda: {
      chart: "camunda-platform",
      repository: "https://helm.camunda.io",
      version: "11.12.3",
    },
    elasticsearch: {
      chart: "oci://registry-1.docker.io/bitnamicharts/elasticsearch",
      version: "21.6.3",
    },
  },
  objects: {
    brokers: `${RELEASE}-zeebe`,
    gateway: `${RELEASE}-zeebe-gateway`,
    elasticsearch: ELASTICSEARCH,
    lookout: { pod: `${ELASTICSEARCH}-0`, container: "elasticsearch" },
    webApps: { operate: `${RELEASE}-operate`, tasklist: `${RELEASE}-tasklist` },
  },
  chart: {
    brokers: "zeebe",
    gateways: "zeebeGateway",
    webApps: ["operate", "tasklist"],
    unsupported: {
      identity: "Identity (with multi-tenancy and access control) does not work in two regions",
      identityKeycloak: "Identity does not work in two regions",
      optimize: "Optimize does not work in two regions: it needs Identity",
      console: "Console needs Identity, which does not work in two regions",
      webModeler: "Web Modeler stands alone and is not part of a region: install it elsewhere",
    },
    refused: {
      "zeebe.extraInitContainers":
        "is ignored by the chart beside initContainers, which this program uses: write yours under initContainers",
    },
    decided: {
      "global.multiregion": "region",
      "zeebe.clusterSize": "clusterSize",
      "zeebe.partitionCount": "partitionCount",
      "zeebe.replicationFactor": "replicationFactor",
      "elasticsearch.enabled": "charts.elasticsearch",
      "global.elasticsearch.prefix": "recordsPrefix",
    },
    fixed: {
      camunda: {
        ...each(NAME, [
          "nameOverride",
          "fullnameOverride",
          "global.nameOverride",
          "global.fullnameOverride",
          "global.zeebeClusterName",
          "zeebe.nameOverride",
          "zeebe.fullnameOverride",
          "zeebeGateway.nameOverride",
          "zeebeGateway.fullnameOverride",
          "operate.nameOverride",
          "operate.fullnameOverride",
          "tasklist.nameOverride",
          "tasklist.fullnameOverride",
        ]),
        ...each(PORT, [
          "zeebe.service.httpPort",
          "zeebe.service.commandPort",
          "zeebe.service.internalPort",
          "zeebeGateway.service.httpPort",
          "zeebeGateway.service.grpcPort",
          "zeebeGateway.service.restPort",
          "zeebeGateway.service.internalPort",
          "operate.service.port",
        ]),
        ...each(PATH, ["zeebe.contextPath", "zeebeGateway.contextPath"]),
        ...each(FILE, ["zeebe.configuration", "zeebeGateway.configuration"]),
        ...each(COMPONENT, ["zeebe.enabled", "zeebeGateway.enabled"]),
        ...each(DATABASE, [
          "global.elasticsearch.enabled",
          "global.elasticsearch.external",
          "global.elasticsearch.url",
          "global.elasticsearch.tls",
          "global.elasticsearch.auth",
          "global.elasticsearch.clusterName",
          "global.elasticsearch.disableExporter",
          "global.opensearch",
        ]),
        ...each(IDENTITY, ["global.identity.auth.enabled"]),
      },
      elasticsearch: {
        ...each(NAME, [
          "nameOverride",
          "fullnameOverride",
          "namespaceOverride",
          "clusterDomain",
          "master.nameOverride",
          "master.fullnameOverride",
          "master.servicenameOverride",
        ]),
        ...each(PORT, [
          "service.ports",
          "containerPorts.restAPI",
          "containerPorts.transport",
          "extraConfig.http",
          "extraConfig.http.port",
        ]),
        ...each(SECURITY, ["security", "extraConfig.xpack", "extraConfig.xpack.security.enabled"]),
        ...each(COMPONENT, ["master.masterOnly"]),
      },
    },
    fixedEnv: {
      zeebe:
        /^(SERVER_(PORT|ADDRESS|SSL_.*|SERVLET_.*)|MANAGEMENT_(SERVER|ENDPOINTS)_.*|ZEEBE_BROKER_NETWORK_(.*PORT|.*HOST|PORTOFFSET|SECURITY_.*)|ZEEBE_BROKER_CLUSTER_(NODEID|CLUSTERSIZE|PARTITIONSCOUNT|REPLICATIONFACTOR|CLUSTERNAME|INITIALCONTACTPOINTS))$/,
      zeebeGateway:
        /^(SERVER_(PORT|ADDRESS|SSL_.*|SERVLET_.*)|MANAGEMENT_(SERVER|ENDPOINTS)_.*|ZEEBE_GATEWAY_(NETWORK_(HOST|PORT)|SECURITY_(ENABLED|AUTHENTICATION_.*)|CLUSTER_(CONTACTPOINT|INITIALCONTACTPOINTS|CLUSTERNAME|HOST|PORT|ADVERTISED.*))|CAMUNDA_REST_.*)$/,
    },
    components: { brokers: "zeebe-broker", gateways: "zeebe-gateway" },
  },
  elasticsearchImages: {
    image: { repository: "bitnamilegacy/elasticsearch", tag: "8.15.4" },
    sysctlImage: { repository: "bitnamilegacy/os-shell" },
  },
  exporter: {
    ids: { region0: "elasticsearchregion0", region1: "elasticsearchregion1" },
    className: "io.camunda.zeebe.exporter.ElasticsearchExporter",
    prefix: "ZEEBE_BROKER_EXPORTERS",
    url: "ARGS_URL",
    indexPrefix: "ARGS_INDEX_PREFIX",
  },
  brokerEnv: { contactPoints: "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS" },
  recordsPrefixEnv: {
    operate: "CAMUNDA_OPERATE_ZEEBEELASTICSEARCH_PREFIX",
    tasklist: "CAMUNDA_TASKLIST_ZEEBEELASTICSEARCH_PREFIX",
  },
  connectorsEnv: (operate) => ({
    CAMUNDA_OPERATE_CLIENT_URL: operate,
    CAMUNDA_OPERATE_CLIENT_USERNAME: "demo",
    CAMUNDA_OPERATE_CLIENT_PASSWORD: "demo",
  }),
  backupRepositoryEnv: {
    operate: "CAMUNDA_OPERATE_BACKUP_REPOSITORYNAME",
    tasklist: "CAMUNDA_TASKLIST_BACKUP_REPOSITORYNAME",
  },
  tuning: {
    broker: {
      ZEEBE_BROKER_DATA_SNAPSHOTPERIOD: "5m",
      ZEEBE_BROKER_DATA_DISKUSAGECOMMANDWATERMARK: "0.85",
      ZEEBE_BROKER_DATA_DISKUSAGEREPLICATIONWATERMARK: "0.87",
      ZEEBE_BROKER_CLUSTER_MEMBERSHIP_PROBETIMEOUT: "500ms",
      ZEEBE_BROKER_CLUSTER_MEMBERSHIP_PROBEINTERVAL: "2s",
      ZEEBE_BROKER_EXPERIMENTAL_RAFT_SNAPSHOTREQUESTTIMEOUT: "10s",
      ZEEBE_BROKER_CLUSTER_MESSAGECOMPRESSION: "GZIP",
      ZEEBE_BROKER_BACKPRESSURE_AIMD_REQUESTTIMEOUT: "1s",
      ZEEBE_LOG_APPENDER: "Stackdriver",
      ZEEBE_LOG_STACKDRIVER_SERVICENAME: "zeebe",
    },
    gateway: {
      ZEEBE_GATEWAY_CLUSTER_MESSAGECOMPRESSION: "GZIP",
      ZEEBE_GATEWAY_CLUSTER_MEMBERSHIP_PROBETIMEOUT: "500ms",
      ZEEBE_GATEWAY_CLUSTER_MEMBERSHIP_PROBEINTERVAL: "2s",
    },
  },
};
