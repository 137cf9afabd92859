import type { Demands } from "./demands";
import { Dialect, RECORDED } from "./dialect";
import { RECORDS_PREFIX } from "./log";
import type { ExportTarget } from "./exportTarget";
import { RegionName, RepositorySettings, ClusterShape } from "../../world";

/** One exporter that every broker is configured with, and the region in which it writes. */
export interface ExporterTarget {
  region: RegionName;
  /** Whether it writes to something else there than Elasticsearch: that takes all, as long as the region runs. */
  elsewhere?: true;
  /** Class of the exporter. Initialising one exporter from another works within a class only. */
  type: string;
}

/** What can be chosen for an embedded world. Durations are short, so that a whole failback takes seconds. */
export interface EmbeddedWorldOptions {
  shape?: Partial<ClusterShape>;
  /** How long survivors still list dead brokers in `/v2/topology`. */
  detectionMs?: number;
  /** From the return of a quorum to a leader. */
  electionMs?: number;
  /** A forced removal. */
  forceMs?: number;
  /** One operation of a broker add: a broker that joins the cluster, or a replica that joins a partition. */
  joinMs?: number;
  /** One operation of an exporter change: one replica. */
  exporterMs?: number;
  /** From the start of a broker until the others list it. */
  appearMs?: number;
  /** How much later than `/actuator/cluster` `/v2/topology` shows a replica that joined. */
  topologyLagMs?: number;
  /** How long a broker that came back with outdated data answers before it closes its ports. */
  shutdownMs?: number;
  /**
   * What becomes of a broker that came back with outdated data. It closes its ports, or, when it learnt of the
   * others before it watched for that, `hangs`: it runs its old replicas, does not know them, and never joins.
   */
  oldData?: "closes" | "hangs";
  /** How long an exporter collects records before it writes them. */
  bulkDelayMs?: number;
  snapshotMs?: number;
  restoreMs?: number;
  /** `200-envelope`: as 8.6.0 answers, always 200 with the real status in the body. `204`: as later patches do. */
  pauseAnswer?: "200-envelope" | "204";
  /** The generation that the brokers are of, when it is not 8.6. */
  dialect?: Dialect;
  /** What the servers ask for; nothing when missing. */
  demands?: Demands;
  /** Privileges that an Elasticsearch says its user has not, where it asks for one. */
  withheld?: string[];
  /** `index.prefix` of the exporters. */
  recordsPrefix?: string;
  /** The repository that both regions reach. */
  repository?: RepositorySettings;
  /** Buckets that exist besides the one of `repository`. */
  buckets?: string[];
  /** Folders that a repository of type `fs` may use besides the one of `repository`. */
  locations?: string[];
  exporters?: Record<string, ExporterTarget>;
  /** The search engines that exporters write to, instead of the stand-in of the region. */
  searchOf?: (region: RegionName) => ExportTarget;
  /** Regions that `start` starts: one only is a first installation whose other half does not run yet. */
  startRegions?: RegionName[];
}

/** The options with every default filled in. */
export type WorldSettings = Required<
  Omit<EmbeddedWorldOptions, "shape" | "demands" | "searchOf">
> & {
  shape: ClusterShape;
  searchOf?: (region: RegionName) => ExportTarget;
  demands?: Demands;
  /** Where an exporter of a region's leader writes, when that is not what {@link exporters} says. */
  exportTarget?: (from: RegionName, exporterId: string) => RegionName | undefined;
};

/** A world in which everything takes milliseconds. */
export const QUICK: EmbeddedWorldOptions = {
  detectionMs: 20,
  electionMs: 5,
  forceMs: 5,
  joinMs: 2,
  appearMs: 10,
  topologyLagMs: 5,
  shutdownMs: 20,
  snapshotMs: 15,
  restoreMs: 30,
};

export const REGION_NAMES: RegionName[] = ["region0", "region1"];

const ELASTICSEARCH_EXPORTER = "io.camunda.zeebe.exporter.ElasticsearchExporter";

/** Fills in the defaults. */
export function settingsFrom(options: EmbeddedWorldOptions): WorldSettings {
  return {
    detectionMs: 1500,
    electionMs: 800,
    forceMs: 50,
    joinMs: 60,
    exporterMs: 6,
    appearMs: 100,
    topologyLagMs: 100,
    shutdownMs: 150,
    oldData: "closes",
    bulkDelayMs: 0,
    snapshotMs: 150,
    restoreMs: 200,
    pauseAnswer: "200-envelope",
    recordsPrefix: RECORDS_PREFIX,
    dialect: RECORDED,
    repository: { type: "s3", settings: { bucket: "camunda-backup", base_path: "backups" } },
    buckets: [],
    locations: [],
    withheld: [],
    exporters: {
      elasticsearchregion0: { region: "region0", type: ELASTICSEARCH_EXPORTER },
      elasticsearchregion1: { region: "region1", type: ELASTICSEARCH_EXPORTER },
    },
    startRegions: [...REGION_NAMES],
    ...withoutUndefined(options),
    shape: {
      clusterSize: 4,
      partitionCount: 2,
      replicationFactor: 4,
      ...withoutUndefined(options.shape ?? {}),
    },
  };
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}
