import type { RegionName } from "../components/base/brokers";
import type { RegionEndpoints } from "../components/settings";

export type { RegionEndpoints, RegionName };

/** How large the Camunda cluster of a world is. */
export interface ClusterShape {
  clusterSize: number;
  partitionCount: number;
  replicationFactor: number;
}

/** A snapshot repository that both Elasticsearches of a world can reach. */
export interface RepositorySettings {
  type: string;
  settings: Record<string, string | boolean>;
}

/**
 * Two regions that run a dual-region Camunda cluster, which can be lost and recreated.
 *
 * Implementations: embedded (one process on loopback that behaves as recorded of real brokers), and embedded
 * brokers on real search engines. The drill and the contract tests know this interface only.
 */
export interface World {
  /** What it is, for people. */
  readonly kind: string;
  readonly shape: ClusterShape;
  readonly endpoints: Record<RegionName, RegionEndpoints>;
  readonly repository: RepositorySettings;

  /** Starts both regions; resolves when every partition has one leader, all replicas are healthy, and both Elasticsearches answer. */
  start(): Promise<void>;

  /** Kills every broker and the Elasticsearch of a region at once (real processes by SIGKILL). Survivors need some seconds to notice. */
  lose(region: RegionName): Promise<void>;

  /**
   * Starts a lost region again. `empty` (default): new disks, an empty Elasticsearch. `old`: as it was
   * lost. Resolves when the processes answer: as brokers without partitions, not ready (readiness
   * needs membership).
   */
  recreate(region: RegionName, data?: "empty" | "old"): Promise<void>;

  /** Starts a broker again whose process is up but which has shut its ports down (a broker that came back with old data). */
  restartBroker(id: number): Promise<void>;

  /**
   * Creates process instances through a live gateway of `region` and returns their keys. Rejects when
   * the cluster does not serve commands. Deploys the process on first use.
   */
  startInstances(region: RegionName, count: number): Promise<string[]>;

  /** Number of documents by index in the Elasticsearch of a region (refreshed first), Camunda's indices only. */
  documents(region: RegionName): Promise<Record<string, number>>;

  /** Keys of the process instances that the Elasticsearch of a region knows. */
  instanceKeys(region: RegionName): Promise<Set<string>>;

  /** Ends everything that the world started, and removes its files. Never rejects for what is already gone. */
  stop(): Promise<void>;
}
