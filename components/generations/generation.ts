import type { RegionName } from "../base/brokers";

/** A step of a failover or of a failback, by name. */
export type StepName =
  | "connection"
  | "health"
  | "before-failover"
  | "after-failover"
  | "before-failback"
  | "after-failback"
  | "gate"
  | "web-apps-stop"
  | "export-pause"
  | "snapshot-source"
  | "snapshot"
  | "snapshot-target"
  | "restore"
  | "web-apps"
  | "exporters"
  | "export-resume"
  | "exporting"
  | "membership";

/** What differs between the generations of Camunda: data, one file for each. */
export interface Generation {
  /**
   * The order of a failover, said here and nowhere else: the resources and what each waits for, and the plan of
   * a preview are made from it. Of a stack that is steady the same is asserted.
   */
  failover: readonly StepName[];
  /** The order of a failback. */
  failback: readonly StepName[];
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
