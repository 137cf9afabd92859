import { EmbeddedWorld } from "../../camunda/embedded";
import type { Dialect } from "../../camunda/embedded/dialect";
import { RegionEndpoints, RegionName, RepositorySettings, ClusterShape, World } from "../../world";
import { BulkExport } from "./bulkExport";
import { prepareSearch } from "../../processes/prepare";
import { SearchNodes } from "./searchNodes";
import type { Log } from "../../../components/clients/poll";
import { stamped } from "../../processes/tools";

/** What such a world is made of: see {@link EmbeddedOnSearch}. */
export interface EmbeddedOnSearchOptions {
  /** Default: four brokers with two partitions of four replicas. */
  shape?: Partial<ClusterShape>;
  /** Default: as recorded of 8.6. */
  dialect?: Dialect;
  /** Default: silence. */
  log?: Log;
}

/** As real brokers are told to in a drill: once a second. */
const BULK_DELAY_MS = 1_000;

/**
 * Embedded brokers that export into two real OpenSearches, whose snapshots lie in a real S3 server: what is
 * asked of the search engines is answered by real ones, which are lost by SIGKILL.
 */
export class EmbeddedOnSearch implements World {
  readonly kind = "embedded on OpenSearch";
  private readonly camunda: EmbeddedWorld;
  private readonly log: Log;
  private readonly progress: Log;
  private nodes?: SearchNodes;

  constructor(options: EmbeddedOnSearchOptions = {}) {
    this.log = options.log ?? (() => undefined);
    this.progress = stamped(this.log);
    const targets: Partial<Record<RegionName, BulkExport>> = {};
    this.camunda = new EmbeddedWorld({
      shape: options.shape,
      dialect: options.dialect,
      bulkDelayMs: BULK_DELAY_MS,
      searchOf: (region) =>
        (targets[region] ??= new BulkExport(this.search.url(region), this.progress)),
    });
  }

  get shape(): ClusterShape {
    return this.camunda.shape;
  }

  get endpoints(): Record<RegionName, RegionEndpoints> {
    const { region0, region1 } = this.camunda.endpoints;
    return {
      region0: { ...region0, elasticsearch: this.search.url("region0") },
      region1: { ...region1, elasticsearch: this.search.url("region1") },
    };
  }

  get repository(): RepositorySettings {
    return this.search.repository;
  }

  async start(): Promise<void> {
    this.nodes = new SearchNodes(await prepareSearch({ log: this.log }));
    this.progress("starting 2 × OpenSearch");
    await this.nodes.start();
    await this.camunda.start();
    this.progress("the cluster is healthy");
  }

  async lose(region: RegionName): Promise<void> {
    // A busy machine takes longer to end a process than the embedded survivors to notice.
    await this.search.lose(region);
    await this.camunda.lose(region);
    this.progress(`${region} is lost`);
  }

  async recreate(region: RegionName, data: "empty" | "old" = "empty"): Promise<void> {
    await Promise.all([this.camunda.recreate(region, data), this.search.recreate(region, data)]);
    this.progress(`${region} is back, with ${data} data`);
  }

  restartBroker(id: number): Promise<void> {
    return this.camunda.restartBroker(id);
  }

  startInstances(region: RegionName, count: number): Promise<string[]> {
    return this.camunda.startInstances(region, count);
  }

  documents(region: RegionName): Promise<Record<string, number>> {
    return this.search.documents(region);
  }

  instanceKeys(region: RegionName): Promise<Set<string>> {
    return this.search.instanceKeys(region);
  }

  async stop(): Promise<void> {
    await this.camunda.stop();
    await this.nodes?.stop();
  }

  /** The search engines, without the brokers. */
  get search(): SearchNodes {
    if (this.nodes === undefined) {
      throw new Error("the world has not been started");
    }
    return this.nodes;
  }
}
