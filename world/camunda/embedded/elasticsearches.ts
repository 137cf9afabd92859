import { EmbeddedElasticsearch } from "../../search/embedded/elasticsearch";
import { searchable, SearchStore, ShardMove } from "../../search/embedded/searchStore";
import { RepositoryStorage, Snapshots } from "../../search/embedded/snapshots";
import type { RecordSource } from "./log";
import type { WorldSettings } from "./options";
import type { RegionName } from "../../world";

interface Search {
  store: SearchStore;
  snapshots: Snapshots;
  api: EmbeddedElasticsearch;
  running: boolean;
}

/** Why a region's Elasticsearch cannot use a bucket; undefined when it can. */
type BucketGuard = (region: RegionName, bucket: string, write: boolean) => string | undefined;

/** The Elasticsearch of each region, and the repository that both reach. */
export class Elasticsearches {
  /** What stands around the regions, where they are installed. */
  guard?: BucketGuard;
  private readonly storage: RepositoryStorage;
  private readonly searches: Record<RegionName, Search>;
  /** S3 clients of each region's Elasticsearch, when it was installed by values. */
  private readonly s3Clients = new Map<RegionName, readonly string[]>();

  constructor(private readonly settings: WorldSettings) {
    this.storage = new RepositoryStorage(settings);
    this.searches = { region0: this.made("region0"), region1: this.made("region1") };
  }

  of(region: RegionName): Search {
    return this.searches[region];
  }

  /** The documents of a region, whose Elasticsearch must run. */
  storeOf(region: RegionName): SearchStore {
    const { running, store } = this.searches[region];
    if (!running) {
      throw new Error(`the Elasticsearch of ${region} does not answer`);
    }
    return store;
  }

  /** A new disk, or the one that was there: nothing runs yet. */
  place(region: RegionName, data: "empty" | "old", s3Clients?: readonly string[]): void {
    if (data === "empty") {
      this.searches[region] = this.made(region);
    } else {
      this.searches[region].snapshots.resume();
    }
    if (s3Clients !== undefined) {
      this.s3Clients.set(region, s3Clients);
    }
  }

  documents(region: RegionName): Record<string, number> {
    const { recordsPrefix } = this.settings;
    const camundas = [...this.storeOf(region).indices.values()].filter(
      ({ name }) =>
        name.startsWith(recordsPrefix) || /^(operate|tasklist|optimize|camunda)/.test(name),
    );
    return Object.fromEntries(
      camundas
        .sort((a, b) => a.name.localeCompare(b.name))
        .map((index) => [index.name, searchable(index).size]),
    );
  }

  instanceKeys(region: RegionName): Set<string> {
    const sources = [...this.storeOf(region).indices.values()]
      .filter(({ name }) => name.startsWith(`${this.settings.recordsPrefix}_process-instance_`))
      .flatMap((index) => [...searchable(index).values()] as Partial<RecordSource>[]);
    return new Set(
      sources.flatMap(({ value }) => String(value?.["processInstanceKey"] ?? "") || []),
    );
  }

  /** Fills the Elasticsearch of a region with what the other one holds, as a restore would. */
  copyDocuments(region: RegionName): void {
    const source = this.searches[region === "region0" ? "region1" : "region0"].store;
    for (const index of source.indices.values()) {
      for (const [id, document] of searchable(index)) {
        this.searches[region].store.write(index.name, id, document);
      }
    }
  }

  movePrimaries(
    region: RegionName,
    move: ShardMove,
    which: (shard: number, index: string) => boolean,
  ): void {
    for (const { name, shards, recovery } of this.storeOf(region).indices.values()) {
      for (let shard = 0; shard < shards; shard++) {
        if (which(shard, name)) {
          (recovery.moves ??= new Map()).set(shard, move);
        }
      }
    }
  }

  private made(region: RegionName): Search {
    const store = new SearchStore(this.settings.recordsPrefix);
    const { guard } = this;
    const snapshots = new Snapshots(
      store,
      this.storage,
      this.settings,
      guard &&
        ((bucket, client, write) => {
          const known = ["default", ...(this.s3Clients.get(region) ?? [])];
          return known.includes(client)
            ? guard(region, bucket, write)
            : `Unknown s3 client name [${client}]. Existing client configs: ${known.join(",")}`;
        }),
    );
    const api = new EmbeddedElasticsearch(
      store,
      snapshots,
      this.settings.demands?.[region].elasticsearch,
      this.settings.withheld,
    );
    return { store, snapshots, api, running: false };
  }
}
