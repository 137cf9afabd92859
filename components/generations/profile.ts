import type { RegionName } from "../base/brokers";

/**
 * What differs between the generations of Camunda in how a region is installed. A new generation (8.7 to
 * 8.10) says it here; the values are then made by the same function.
 */
export interface Profile {
  /** Major versions of the charts that install this generation: another one would be another Camunda. */
  chartMajors: { camunda: number; elasticsearch: number };
  /** Keys of the chart's values. */
  chart: {
    /** What holds the brokers: `zeebe`, from 8.8 on `orchestration`. */
    brokers: "zeebe";
    /** What holds the gateways; from 8.8 on they are inside the brokers. */
    gateways: "zeebeGateway";
    /** Operate and Tasklist: Deployments of their own, from 8.8 on profiles of the brokers. */
    webApps: readonly ("operate" | "tasklist")[];
    /** What must be off in two regions: it needs Identity, or stands alone. */
    unsupported: readonly string[];
  };
  /** How the brokers are told of an exporter by environment. Its id is upper-cased in the names. */
  exporter: {
    /** Default ids; from 8.8 on `camundaregion0` and `camundaregion1`. */
    ids: Record<RegionName, string>;
    className: string;
    /** Beginning of the names, before the id. */
    prefix: string;
    /** End of the name that holds the URL of Elasticsearch, after the id. */
    url: string;
  };
  /** Names of environment variables of a broker. */
  brokerEnv: { contactPoints: string };
  /** Environment of a web application that names the repository of its backups. */
  backupRepositoryEnv: Record<"operate" | "tasklist", string>;
  /** Settings of a broker, and of everything else that speaks the brokers' protocol, for long distances. */
  tuning: { broker: Record<string, string>; gateway: Record<string, string> };
}

/**
 * 8.6, with the figures of Camunda's reference installation on two EKS clusters.
 *
 * Messages are compressed because the link between regions is the narrow one. All that speaks the
 * brokers' protocol must agree on it: Operate and Tasklist as well, which have a gateway inside.
 * A member is probed every 2 s and has 500 ms for its answer: round trips are up to 100 ms.
 */
const CAMUNDA_8_6: Profile = {
  chartMajors: { camunda: 11, elasticsearch: 21 },
  chart: {
    brokers: "zeebe",
    gateways: "zeebeGateway",
    webApps: ["operate", "tasklist"],
    unsupported: ["identity", "identityKeycloak", "optimize", "console", "webModeler"],
  },
  exporter: {
    ids: { region0: "elasticsearchregion0", region1: "elasticsearchregion1" },
    className: "io.camunda.zeebe.exporter.ElasticsearchExporter",
    prefix: "ZEEBE_BROKER_EXPORTERS",
    url: "ARGS_URL",
  },
  brokerEnv: { contactPoints: "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS" },
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

const PROFILES: Record<string, Profile> = { "8.6": CAMUNDA_8_6 };

/**
 * The profile of a version of Camunda, `8.6`.
 *
 * @throws Error with one line when this program does not know the version
 */
export function profileOf(camundaVersion: string): Profile {
  const profile = PROFILES[camundaVersion];
  if (profile === undefined) {
    throw new Error(
      `camundaVersion is ${camundaVersion}: this program can install ${Object.keys(PROFILES).join(", ")}`,
    );
  }
  return profile;
}
