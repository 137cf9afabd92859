import type { BrokerIds, RegionName } from "../base/brokers";

/** A step of a failover, a drain or a failback, by name. */
export type StepName =
  | "connection"
  | "health"
  | "before-failover"
  | "after-failover"
  | "before-drain"
  | "after-drain"
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

/** A request to the management API that changes something, below the API's URL. */
export interface ChangeRequest {
  /** With its query. */
  path: string;
  body?: unknown;
}

/** How the cluster is asked for a change of its configuration, and what it calls the parts of one. */
export interface ClusterDialect {
  /**
   * Asks for a set of members: all that are to stay or become members.
   *
   * @param options.force removes the others at once, without their consent: for brokers that are gone
   */
  members(
    ids: readonly number[],
    options: { force?: boolean; replicationFactor?: number },
  ): ChangeRequest;
  /** Disables an exporter in every partition. Waits for dead members for ever. */
  disableExporter(id: string): ChangeRequest;
  /** Enables an exporter, continuing where `initializeFrom` is: without it, records are skipped in silence. */
  enableExporter(id: string, initializeFrom: string): ChangeRequest;
  /** Path of a pending change, whose `DELETE` cancels it. */
  pendingChange(id: string): string;
  /** Names of the operations that a change consists of. */
  operations: {
    forceReconfigure: string;
    remove: string;
    /** By which a broker becomes a member. */
    add: string;
    /** By which a broker gets a replica of a partition. */
    join: string;
    /** By which it gives one up, of an ordinary change. */
    leave: string;
    /** Which replica is to lead first. */
    reorder: string;
    enableExporter: string;
    disableExporter: string;
  };
}

/** How exporting is paused and resumed on all brokers, never softly. */
export interface ExportingDialect {
  pause: ChangeRequest;
  resume: ChangeRequest;
  /** What became of it by an answer: its own status and body, or those that are wrapped in it. */
  outcome(answer: { status: number; body: unknown }): { status: number; body: unknown };
  /** The status of success. */
  success: number;
}

/** Where a Helm chart comes from: a repository, from which its archive is fetched once, or a local archive or folder. */
export interface Chart {
  /** Name of the chart in its repository, an `oci://` address, or a path. */
  chart: string;
  /** Address of the repository; none for a path or an `oci://` address. */
  repository?: string;
  /** Version of the chart; none for a path. */
  version?: string;
}

/** Names of what runs in a region's namespace. */
export interface RegionObjects {
  /** StatefulSet and headless Service of the brokers. */
  brokers: string;
  /** Deployment and Service of the gateways. */
  gateway: string;
  /** StatefulSet of Elasticsearch; its headless Service has `-hl` behind it. */
  elasticsearch: string;
  /** The pod that looks at the other region, and the container in it whose image has curl. */
  lookout: { pod: string; container: string };
  /** The Deployments that must stand still while Elasticsearch is snapshotted, by the chart's key of each. */
  webApps: Record<"operate" | "tasklist", string>;
}

/** What differs between the generations of Camunda: data and pure functions, one file for each. */
export interface Generation {
  /**
   * The order of a failover, said here and nowhere else: the resources and what each waits for, and the plan of
   * a preview are made from it. Of a stack that is steady the same is asserted.
   */
  failover: readonly StepName[];
  /** The order in which a region that is alive is taken out. */
  drain: readonly StepName[];
  /** The order of a failback. */
  failback: readonly StepName[];
  /** How the brokers of the two regions are numbered. */
  ids: BrokerIds;
  /**
   * The versions that a gateway and brokers may answer with: patches of one minor. With those below `patch` a recovery is
   * not safe: a broker that restarts enables an exporter again that was disabled (camunda/camunda#52260).
   */
  versions: { minor: string; patch: number };
  cluster: ClusterDialect;
  exporting: ExportingDialect;
  /**
   * What is in Elasticsearch, unless it is configured otherwise. Beginnings of the names of the indices that the brokers'
   * exporters write, whose documents carry partition and position, which shows what a region lacks; and of all others.
   */
  indices: { records: string; others: readonly string[] };
  /** The charts that install this generation, by default. Of another major version they would be another Camunda. */
  charts: Record<"camunda" | "elasticsearch", Chart>;
  /** Names of the objects that these charts make in a region's namespace. */
  objects: RegionObjects;
  /** Keys of the chart's values. */
  chart: {
    /** What holds the brokers: `zeebe`, from 8.8 on `orchestration`. */
    brokers: "zeebe";
    /** What holds the gateways; from 8.8 on they are inside the brokers. */
    gateways: "zeebeGateway";
    /** Operate and Tasklist: Deployments of their own, from 8.8 on profiles of the brokers. */
    webApps: readonly ("operate" | "tasklist")[];
    /** What must be off in two regions, and why (concept page, limitations). */
    unsupported: Record<string, string>;
    /** What the chart ignores or must not be told, by its path in the values, and what to do instead. */
    refused: Record<string, string>;
    /** What keys of this program say already, by path: said a second time, the two would disagree some day. */
    decided: Record<string, string>;
    /**
     * What must stay as the charts have it, by release and path: by names, ports, paths and the way to ask that follow
     * from it the regions, the brokers and the recovery reach each other. Why, as the rest of a sentence.
     */
    fixed: Record<"camunda" | "elasticsearch", Record<string, string>>;
    /** Variables of a broker's or a gateway's environment of which the same holds; of a component as the chart names it. */
    fixedEnv: Record<string, RegExp>;
    /** Label `app.kubernetes.io/component` of the pods. */
    components: { brokers: string; gateways: string };
  };
  /** Image of Elasticsearch, and of the container that sets kernel parameters for it. */
  elasticsearchImages: {
    image: { repository: string; tag: string };
    sysctlImage: { repository: string };
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
    /** End of the name that holds the beginning of the names of the indices. */
    indexPrefix: string;
  };
  /** Names of environment variables of a broker. */
  brokerEnv: { contactPoints: string };
  /** Environment of a web application that says how the indices of the records begin. */
  recordsPrefixEnv: Record<"operate" | "tasklist", string>;
  /** Environment by which connectors reach Operate, at the URL, and sign in as its first user. */
  connectorsEnv(operate: string): Record<string, string>;
  /** Environment of a web application that names the repository of its backups. */
  backupRepositoryEnv: Record<"operate" | "tasklist", string>;
  /** Settings of a broker, and of everything else that speaks the brokers' protocol, for long distances. */
  tuning: { broker: Record<string, string>; gateway: Record<string, string> };
}
