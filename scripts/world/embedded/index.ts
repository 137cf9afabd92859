import { Broker, Cluster, ExporterPhase, isComplete } from "./cluster";
import { CompletedChange, memberIds, Plan } from "./configuration";
import { Elasticsearch } from "./elasticsearch";
import { pump } from "./exporting";
import { Fault, FaultBook, Journal, RecordedRequest } from "./faults";
import { GatewayApi } from "./gateway";
import { RecordSource } from "./log";
import { exporterStates, ManagementApi } from "./management";
import { EmbeddedWorldOptions, regionNames, regionOf, Settings, settingsFrom } from "./options";
import { searchable, SearchStore } from "./searchStore";
import { Incoming, LoopbackServer, Reply } from "./server";
import { RepositoryStorage, Snapshots } from "./snapshots";
import { RegionEndpoints, RegionName, RepositorySettings, Shape, World } from "../world";

export { EmbeddedWorldOptions, ExporterTarget } from "./options";
export { Fault, RecordedRequest, ServerName } from "./faults";
export { ExporterPhase } from "./cluster";

const tickMs = 10;
const processId = "demo";

/** What the brokers of a region agree on, for tests that look behind the APIs. */
export interface ClusterView {
  version: number;
  members: number[];
  /** Partitions by member that it has a replica of, with those that are about to join. */
  partitions: Record<string, number[]>;
  leaders: Record<string, number>;
  exporters: Record<string, string>;
  /** Exporter phase by broker and partition, of the replicas that run. */
  phases: Record<string, Record<string, ExporterPhase>>;
  pendingChange?: Plan;
  lastChange?: CompletedChange;
}

interface Search {
  store: SearchStore;
  snapshots: Snapshots;
  api: Elasticsearch;
  running: boolean;
}

/**
 * Two regions in one process on loopback, which answer as recorded of real brokers. Nothing is shared
 * with the machine but the ports, and everything ends with {@link stop}.
 */
export class EmbeddedWorld implements World {
  readonly kind = "embedded";
  readonly shape: Shape;
  readonly repository: RepositorySettings;
  /** Brokers whose file was damaged by a hard pause that followed a soft pause. */
  readonly corruptedBrokers: number[] = [];

  private readonly settings: Settings;
  private readonly model: Cluster;
  private readonly managementApi: ManagementApi;
  private readonly storage: RepositoryStorage;
  private readonly search: Record<RegionName, Search>;
  private readonly faults = new FaultBook();
  private readonly journal = new Journal();
  private readonly managements = new Map<number, LoopbackServer>();
  private readonly gateways = new Map<number, LoopbackServer>();
  private readonly searches: Record<RegionName, LoopbackServer>;
  private ticker?: NodeJS.Timeout;

  constructor(options: EmbeddedWorldOptions = {}) {
    const settings = settingsFrom(options);
    this.settings = settings;
    this.shape = settings.shape;
    this.repository = settings.repository;
    this.storage = new RepositoryStorage(settings);
    this.search = { region0: this.emptySearch(), region1: this.emptySearch() };
    this.model = new Cluster(settings, (id) => void this.closeBroker(id));
    this.managementApi = new ManagementApi(this.model, (id) => {
      if (settings.softThenHardCorrupts && !this.corruptedBrokers.includes(id)) {
        this.corruptedBrokers.push(id);
      }
    });
    const gatewayApi = new GatewayApi(this.model, (id) => this.gateways.get(id)?.port ?? 0);
    for (const { id, region } of this.model.brokers.values()) {
      const site = { region, brokerId: id };
      this.managements.set(
        id,
        this.server({ ...site, server: "management" }, (r) => this.managementApi.answer(id, r)),
      );
      this.gateways.set(
        id,
        this.server({ ...site, server: "gateway" }, (r) => gatewayApi.answer(id, r)),
      );
    }
    const searchServer = (region: RegionName) =>
      this.server({ region, server: "elasticsearch" }, (r) => this.search[region].api.answer(r));
    this.searches = { region0: searchServer("region0"), region1: searchServer("region1") };
  }

  /** Where the regions answer; the ports stay when a region is lost and recreated. */
  get endpoints(): Record<RegionName, RegionEndpoints> {
    const of = (region: RegionName): RegionEndpoints => {
      const ids = this.model.brokersOf(region).map(({ id }) => id);
      const url = (servers: Map<number, LoopbackServer>, id = ids[0] ?? 0) =>
        (servers.get(id) as LoopbackServer).url;
      return {
        gateway: url(this.gateways),
        management: url(this.managements),
        brokers: Object.fromEntries(ids.map((id) => [String(id), url(this.managements, id)])),
        elasticsearch: this.searches[region].url,
      };
    };
    return { region0: of("region0"), region1: of("region1") };
  }

  async start(): Promise<void> {
    const absent = regionNames.filter((region) => !this.settings.startRegions.includes(region));
    for (const region of regionNames) {
      await this.openRegion(region);
      this.search[region].running = true;
    }
    // Opened once, so that the ports of an absent region are known and stay.
    await Promise.all(absent.map((region) => this.closeRegion(region)));
    this.model.bootstrap(this.settings.startRegions);
    this.ticker = setInterval(() => this.tick(), tickMs);
    this.ticker.unref();
    if (absent.length === 0) {
      await this.until("the cluster is complete", () => isComplete(this.model, "region0"));
    }
  }

  async lose(region: RegionName): Promise<void> {
    this.model.brokersOf(region).forEach(({ id }) => this.model.kill(id));
    await this.closeRegion(region);
  }

  async recreate(region: RegionName, data: "empty" | "old" = "empty"): Promise<void> {
    await this.lose(region);
    if (data === "empty") this.search[region] = this.emptySearch();
    else this.search[region].snapshots.resume();
    await this.openRegion(region);
    this.search[region].running = true;
    this.model.brokersOf(region).forEach(({ id }) => this.model.start(id, data));
  }

  async restartBroker(id: number): Promise<void> {
    const wasDown = this.model.broker(id).process === "down";
    await this.closeBroker(id);
    await this.openBroker(id);
    if (wasDown) this.model.start(id, "old");
    else this.model.revive(id);
  }

  /** Kills one broker; {@link restartBroker} starts it again with its disk. */
  async stopBroker(id: number): Promise<void> {
    this.model.kill(id);
    await this.closeBroker(id);
  }

  async startInstances(region: RegionName, count: number): Promise<string[]> {
    if (!this.model.brokersOf(region).some(({ process }) => process === "up")) {
      throw new Error(`no gateway of ${region} answers`);
    }
    const refused = () =>
      new Error("the cluster does not serve commands: no leader, or none in reach");
    try {
      if (!this.model.processes.has(processId)) this.model.deploy(region, processId);
      return Array.from({ length: count }, () =>
        this.model.startInstance(region, processId, { x: 1 }),
      );
    } catch {
      throw refused();
    }
  }

  async documents(region: RegionName): Promise<Record<string, number>> {
    const indices = [...this.storeOf(region).indices.values()];
    const camundas = indices.filter(({ name }) =>
      /^(zeebe|operate|tasklist|optimize|camunda)/.test(name),
    );
    return Object.fromEntries(
      camundas
        .sort((a, b) => a.name.localeCompare(b.name))
        .map((index) => [index.name, searchable(index).size]),
    );
  }

  async instanceKeys(region: RegionName): Promise<Set<string>> {
    const indices = [...this.storeOf(region).indices.values()];
    const sources = indices
      .filter(({ name }) => name.startsWith("zeebe-record_process-instance_"))
      .flatMap((index) => [...searchable(index).values()] as Partial<RecordSource>[]);
    return new Set(
      sources.flatMap(({ value }) => String(value?.["processInstanceKey"] ?? "") || []),
    );
  }

  async stop(): Promise<void> {
    clearInterval(this.ticker);
    this.ticker = undefined;
    await Promise.all(regionNames.map((region) => this.closeRegion(region)));
  }

  /** Fills the Elasticsearch of a region with what the other one holds, as a restore would. */
  copyDocuments(region: RegionName): void {
    const source = this.search[region === "region0" ? "region1" : "region0"].store;
    for (const index of source.indices.values()) {
      for (const [id, document] of searchable(index)) {
        this.search[region].store.write(index.name, id, document);
      }
    }
  }

  /** Cuts the network between the regions; {@link heal} joins them again. */
  partition(): void {
    this.model.cut();
  }

  heal(): void {
    this.model.heal();
  }

  /** Lets requests go wrong until the returned function is called. */
  inject(fault: Fault): () => void {
    return this.faults.inject(fault);
  }

  /** Every request that a server of the world received. */
  get requests(): RecordedRequest[] {
    return this.journal.requests;
  }

  /** The requests that change something: no reads, no dry runs. */
  mutations(): RecordedRequest[] {
    return this.journal.mutations();
  }

  /** Is called with every request before it is handled, until the returned function is called. */
  onRequest(listener: (request: RecordedRequest) => void): () => void {
    return this.journal.listen(listener);
  }

  /** What the brokers of a region agree on; of the region that runs when none is given. */
  cluster(region: RegionName = this.livingRegion()): ClusterView {
    const side = this.model.sideOf(region);
    const { version, members, plan, lastChange } = side.configuration;
    const ids = memberIds(side.configuration);
    const alive = ids
      .filter((id) => this.model.isAlive(side, id))
      .map((id) => this.model.broker(id));
    const phases = (broker: Broker) =>
      this.model.partitionsOf(broker).map((id) => [id, this.model.phaseOf(broker, id)]);
    return structuredClone({
      version,
      members: ids,
      partitions: Object.fromEntries(
        ids.map((id) => [
          id,
          [...(members.get(id)?.partitions.keys() ?? [])].sort((a, b) => a - b),
        ]),
      ),
      leaders: Object.fromEntries(side.leaders) as Record<string, number>,
      exporters: Object.fromEntries(
        exporterStates(side.configuration).map(({ exporterId, status }) => [exporterId, status]),
      ),
      phases: Object.fromEntries(alive.map((b) => [b.id, Object.fromEntries(phases(b))])) as Record<
        string,
        Record<string, ExporterPhase>
      >,
      ...(plan && { pendingChange: plan }),
      ...(lastChange && { lastChange }),
    });
  }

  /** Disables an exporter as an operator would, and waits until that is done. */
  async disableExporter(id: string): Promise<void> {
    this.operate(`/actuator/exporters/${id}/disable`);
    await this.until(`${id} is disabled`, () => this.cluster().exporters[id] === "DISABLED");
    await this.untilNothingPends();
  }

  /** Pauses exporting as an operator would. */
  async pauseExporting(options: { soft?: boolean } = {}): Promise<void> {
    const answer = this.operate(`/actuator/exporting/pause${options.soft ? "?soft=true" : ""}`);
    const body = answer.body as { status?: number } | undefined;
    if ((body?.status ?? answer.status) !== 204) {
      throw new Error(`cannot pause: ${JSON.stringify(answer.body)}`);
    }
  }

  /** Removes brokers by force as an operator would, and waits until that is done. */
  async forceRemove(ids: number[]): Promise<void> {
    const retained = this.cluster().members.filter((id) => !ids.includes(id));
    this.operate("/actuator/cluster/brokers?force=true", JSON.stringify(retained));
    await this.untilNothingPends();
  }

  private untilNothingPends(): Promise<void> {
    return this.until("the change is complete", () => this.cluster().pendingChange === undefined);
  }

  /** A request that an operator sends to any broker that runs, past the servers and the journal. */
  private operate(target: string, text = ""): Reply {
    const [path = "", query = ""] = target.split("?");
    const living = this.model
      .brokersOf(this.livingRegion())
      .find(({ process }) => process === "up");
    const request: Incoming = {
      method: "POST",
      path,
      query: new URLSearchParams(query),
      headers: { "content-type": "application/json" },
      text,
    };
    const reply = this.managementApi.answer(living?.id ?? 0, request);
    if (reply.status >= 400)
      throw new Error(`${target}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply;
  }

  private livingRegion(): RegionName {
    const side = this.model.sideOf("region0");
    const member = [...side.configuration.members.keys()].find((id) =>
      this.model.isAlive(side, id),
    );
    return regionOf(member ?? 0);
  }

  private tick(): void {
    this.model.advance(Date.now());
    pump(this.model, (region) => {
      const { running, store } = this.search[region];
      return running ? store : undefined;
    });
  }

  private until(what: string, condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 30_000;
    return new Promise((resolve, reject) => {
      const check = () => {
        if (condition()) resolve();
        else if (!this.ticker || Date.now() > deadline)
          reject(new Error(`never came true: ${what}`));
        else setTimeout(check, tickMs);
      };
      check();
    });
  }

  private storeOf(region: RegionName): SearchStore {
    const { running, store } = this.search[region];
    if (!running) throw new Error(`the Elasticsearch of ${region} does not answer`);
    return store;
  }

  private emptySearch(): Search {
    const store = new SearchStore();
    const snapshots = new Snapshots(store, this.storage, this.settings);
    const api = new Elasticsearch(store, snapshots, this.settings);
    return { store, snapshots, api, running: false };
  }

  private server(
    site: ConstructorParameters<typeof LoopbackServer>[0],
    handle: (request: Incoming) => Reply | Promise<Reply>,
  ): LoopbackServer {
    return new LoopbackServer(site, handle, this.faults, this.journal);
  }

  private async openRegion(region: RegionName): Promise<void> {
    for (const { id } of this.model.brokersOf(region)) await this.openBroker(id);
    await this.searches[region].open();
  }

  private async closeRegion(region: RegionName): Promise<void> {
    const search = this.search[region];
    search.running = false;
    search.snapshots.end();
    await Promise.all([
      ...this.model.brokersOf(region).map(({ id }) => this.closeBroker(id)),
      this.searches[region].close(),
    ]);
  }

  private async openBroker(id: number): Promise<void> {
    await this.managements.get(id)?.open();
    await this.gateways.get(id)?.open();
  }

  private async closeBroker(id: number): Promise<void> {
    await Promise.all([this.managements.get(id)?.close(), this.gateways.get(id)?.close()]);
  }
}
