import { Broker, Cluster, ExportingPhase, isClusterComplete } from "./cluster";
import { CompletedChange, sortedMembers, Plan } from "./configuration";
import { until } from "../../processes/until";
import { EmbeddedElasticsearch } from "../../search/embedded/elasticsearch";
import { pump } from "./exporting";
import { Fault, FaultBook, Journal, ReceivedRequest } from "./faults";
import { GatewayApi } from "./gateway";
import { BrokerInstallation, Installer, Surroundings } from "./installer";
import { RecordSource } from "./log";
import { aggregatedExporters, ManagementApi } from "./management";
import { EmbeddedWorldOptions, REGION_NAMES, WorldSettings, settingsFrom } from "./options";
import { ShardMove, searchable, SearchStore } from "../../search/embedded/searchStore";
import { Incoming, LoopbackServer, Reply } from "./server";
import { RepositoryStorage, Snapshots } from "../../search/embedded/snapshots";
import { RegionEndpoints, RegionName, RepositorySettings, ClusterShape, World } from "../../world";

export { EmbeddedWorldOptions, ExporterTarget } from "./options";
export { Fault, ReceivedRequest, ServerName } from "./faults";
export { BrokerInstallation, Destination, Surroundings } from "./installer";

const TICK_MS = 10;
const PROCESS_ID = "demo";

/** What the brokers of a region agree on, for tests that look behind the APIs. */
export interface AgreedCluster {
  version: number;
  members: number[];
  /** Partitions by member that it has a replica of, with those that are about to join. */
  partitions: Record<string, number[]>;
  leaders: Record<string, number>;
  exporters: Record<string, string>;
  /** Exporter phase by broker and partition, of the replicas that run. */
  phases: Record<string, Record<string, ExportingPhase>>;
  pendingChange?: Plan;
  lastChange?: CompletedChange;
}

interface Search {
  store: SearchStore;
  snapshots: Snapshots;
  api: EmbeddedElasticsearch;
  running: boolean;
}

/**
 * Two regions in one process on loopback, which answer as recorded of real brokers. Nothing is shared
 * with the machine but the ports, and everything ends with {@link stop}.
 */
export class EmbeddedWorld implements World {
  readonly kind = "embedded";
  readonly shape: ClusterShape;
  readonly repository: RepositorySettings;
  /** Brokers whose file was damaged by a hard pause that followed a soft pause. */
  readonly corruptedBrokers: number[] = [];

  private settings: WorldSettings;
  private model!: Cluster;
  private managementApi!: ManagementApi;
  private gatewayApi!: GatewayApi;
  private readonly storage: RepositoryStorage;
  private readonly search: Record<RegionName, Search>;
  /** S3 clients of each region's Elasticsearch, when it was installed by values. */
  private readonly s3Clients = new Map<RegionName, readonly string[]>();
  private readonly webApps = new Map<RegionName, readonly ("operate" | "tasklist")[]>();
  private installer?: Installer;
  /** Regions whose brokers wait for the other one before they start, and their disks. */
  private readonly waiting = new Map<RegionName, "empty" | "old">();
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
    this.search = { region0: this.emptySearch("region0"), region1: this.emptySearch("region1") };
    this.makeCluster(settings);
    const searchServer = (region: RegionName) =>
      this.server({ region, server: "elasticsearch" }, (r) => this.search[region].api.answer(r));
    this.searches = { region0: searchServer("region0"), region1: searchServer("region1") };
  }

  /** A cluster that was never started, and servers for the brokers that have none yet. */
  private makeCluster(settings: WorldSettings): void {
    this.settings = settings;
    this.model = new Cluster(settings, (id) => void this.portsClosed(id));
    this.managementApi = new ManagementApi(this.model, (id) => {
      if (settings.softThenHardCorrupts && !this.corruptedBrokers.includes(id)) {
        this.corruptedBrokers.push(id);
      }
    });
    this.gatewayApi = new GatewayApi(this.model, (id) => this.gateways.get(id)?.port ?? 0);
    for (const { id, region } of this.model.brokers.values()) {
      if (this.managements.has(id)) {
        continue;
      }
      const site = { region, brokerId: id };
      this.managements.set(
        id,
        this.server({ ...site, server: "management" }, (r) => this.managementApi.answer(id, r)),
      );
      this.gateways.set(
        id,
        this.server({ ...site, server: "gateway" }, (r) => this.gatewayApi.answer(id, r)),
      );
    }
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
    const absent = REGION_NAMES.filter((region) => !this.settings.startRegions.includes(region));
    for (const region of REGION_NAMES) {
      await this.openRegion(region);
      this.search[region].running = true;
    }
    // Opened once, so that the ports of an absent region are known and stay.
    await Promise.all(absent.map((region) => this.closeRegion(region)));
    this.model.bootstrap(this.settings.startRegions);
    this.startTicking();
    if (absent.length === 0) {
      await this.until("the cluster is complete", () => isClusterComplete(this.model, "region0"));
    }
  }

  /**
   * Instead of {@link start}: nothing runs until it is installed. Brokers then become a cluster when their
   * values fit together and they find each other, which is looked at all the time.
   */
  async standBy(surroundings: Surroundings): Promise<void> {
    this.installer = new Installer(surroundings);
    REGION_NAMES.forEach((region) => (this.search[region] = this.emptySearch(region)));
    // Opened once, so that the ports are known and stay.
    for (const region of REGION_NAMES) {
      await this.openRegion(region);
      await this.closeRegion(region);
    }
    this.startTicking();
  }

  /**
   * Starts the brokers of a region as its values describe them; when it has been installed already, they
   * are started anew with what has changed, on their disks.
   *
   * @param waits whether they rejoin, and start only when they reach a broker of the other region
   */
  async install(
    region: RegionName,
    installation: BrokerInstallation,
    disks: "empty" | "old" = "empty",
    waits = false,
  ): Promise<void> {
    const installer = this.installing();
    const isRunning = installer.get(region) !== undefined;
    if (installer.isEmpty && disks === "empty") {
      this.makeCluster(this.settingsOf(installation));
    }
    if (isRunning) {
      await this.lose(region, "brokers");
    }
    installer.set(region, installation);
    if (waits && !installer.reachesPeer(region, (id) => this.isRunning(id))) {
      this.waiting.set(region, disks);
      return;
    }
    if (disks === "empty" && !isRunning) {
      // Whom they find when they start decides what brokers with empty disks believe.
      if (installer.obstacles().length > 0) {
        this.model.startApart(region);
      } else {
        // Broker 0 begins a cluster anew when another empty one answers it first: here it always does.
        if (waits && region === "region0" && !installation.waitsBy?.firstAlone) {
          this.model.startApart(region);
        }
        this.model.heal();
      }
    }
    for (const id of installer.runnable(region, this.model)) {
      await this.openBroker(id);
      this.model.start(id, isRunning ? "old" : disks);
    }
  }

  /** Starts the brokers that have waited for the other region, when they reach it. */
  private startWaiting(): void {
    for (const [region, disks] of this.waiting) {
      const installation = this.installer?.get(region);
      if (this.installer?.reachesPeer(region, (id) => this.isRunning(id)) && installation) {
        this.waiting.delete(region);
        this.installer.set(region, undefined);
        void this.install(region, installation, disks, true);
      }
    }
  }

  /** Ends the brokers of a region. Their disks stay until it is installed with empty ones. */
  async uninstall(region: RegionName): Promise<void> {
    this.waiting.delete(region);
    await this.lose(region, "brokers");
    this.installing().set(region, undefined);
  }

  /** Why the brokers that are installed are not one cluster; nothing when they are. */
  obstacles(): string[] {
    return this.installing().obstacles();
  }

  /** Starts the Elasticsearch of a region, which knows these S3 clients besides `default`. */
  async installElasticsearch(
    region: RegionName,
    s3Clients: readonly string[],
    disks: "empty" | "old" = "empty",
  ): Promise<void> {
    if (disks === "empty") {
      this.search[region] = this.emptySearch(region);
    } else {
      this.search[region].snapshots.resume();
    }
    this.s3Clients.set(region, s3Clients);
    await this.searches[region].open();
    this.search[region].running = true;
  }

  /** Ends the Elasticsearch of a region. */
  async uninstallElasticsearch(region: RegionName): Promise<void> {
    await this.closeSearch(region);
  }

  /**
   * Says which web applications run in a region. Those that run make their indices in an Elasticsearch that
   * has none, which is why they must not run in a region that waits for its restore.
   */
  runWebApps(region: RegionName, apps: readonly ("operate" | "tasklist")[]): void {
    this.webApps.set(region, apps);
  }

  /** Whether the process of a broker runs and answers. */
  isRunning(id: number): boolean {
    return this.model.brokers.get(id)?.process === "up";
  }

  /** Whether a broker has a replica of a partition, which is what its readiness asks. */
  isReady(id: number): boolean {
    return this.isRunning(id) && this.model.partitionsOf(this.model.broker(id)).length > 0;
  }

  /** Whether the Elasticsearch of a region runs. */
  isSearching(region: RegionName): boolean {
    return this.search[region].running;
  }

  /** Port on this machine of a broker's server. */
  portOf(id: number, server: "management" | "gateway"): number | undefined {
    return (server === "management" ? this.managements : this.gateways).get(id)?.port;
  }

  async lose(region: RegionName, what: "all" | "brokers" = "all"): Promise<void> {
    this.model.brokersOf(region).forEach(({ id }) => this.model.kill(id));
    if (what === "all") {
      await this.closeRegion(region);
    } else {
      await Promise.all(this.model.brokersOf(region).map(({ id }) => this.closeBroker(id)));
    }
    this.waiting.delete(region);
    if (what === "all") {
      this.installer?.set(region, undefined);
    }
  }

  async recreate(region: RegionName, data: "empty" | "old" = "empty"): Promise<void> {
    await this.lose(region);
    if (data === "empty") {
      this.search[region] = this.emptySearch(region);
    } else {
      this.search[region].snapshots.resume();
    }
    await this.openRegion(region);
    this.search[region].running = true;
    this.model.brokersOf(region).forEach(({ id }) => this.model.start(id, data));
  }

  async restartBroker(id: number): Promise<void> {
    const wasDown = this.model.broker(id).process === "down";
    await this.closeBroker(id);
    await this.openBroker(id);
    if (wasDown) {
      this.model.start(id, "old");
    } else {
      this.model.revive(id);
    }
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
      if (!this.model.processes.has(PROCESS_ID)) {
        this.model.deploy(region, PROCESS_ID);
      }
      return Array.from({ length: count }, () =>
        this.model.startInstance(region, PROCESS_ID, { x: 1 }),
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
    await Promise.all(REGION_NAMES.map((region) => this.closeRegion(region)));
    [this.managements, this.gateways].forEach((servers) => servers.forEach((s) => s.release()));
    Object.values(this.searches).forEach((server) => server.release());
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

  /** Lets primary shards of a region's Elasticsearch come to another node, all unless told which. */
  movePrimaries(
    region: RegionName,
    move: ShardMove,
    which: (shard: number, index: string) => boolean = () => true,
  ): void {
    for (const { name, shards, recovery } of this.storeOf(region).indices.values()) {
      for (let shard = 0; shard < shards; shard++) {
        if (which(shard, name)) {
          (recovery.moves ??= new Map()).set(shard, move);
        }
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
  get requests(): ReceivedRequest[] {
    return this.journal.requests;
  }

  /** The requests that change something: no reads, no dry runs. */
  mutations(): ReceivedRequest[] {
    return this.journal.mutations();
  }

  /** Is called with every request before it is handled, until the returned function is called. */
  onRequest(listener: (request: ReceivedRequest) => void): () => void {
    return this.journal.listen(listener);
  }

  /** What the brokers of a region agree on; of the region that runs when none is given. */
  cluster(region: RegionName = this.livingRegion()): AgreedCluster {
    const side = this.model.sideOf(region);
    const { version, members, plan, lastChange } = side.configuration;
    const ids = sortedMembers(side.configuration);
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
        aggregatedExporters(side.configuration).map(({ exporterId, status }) => [
          exporterId,
          status,
        ]),
      ),
      phases: Object.fromEntries(alive.map((b) => [b.id, Object.fromEntries(phases(b))])) as Record<
        string,
        Record<string, ExportingPhase>
      >,
      ...(plan && { pendingChange: plan }),
      ...(lastChange && { lastChange }),
    });
  }

  /** Disables an exporter as an operator would, and waits until that is done. */
  async disableExporter(id: string): Promise<void> {
    await this.operate(`/actuator/exporters/${id}/disable`);
    await this.until(`${id} is disabled`, () => this.cluster().exporters[id] === "DISABLED");
    await this.untilNothingPends();
  }

  /** Pauses exporting as an operator would. */
  async pauseExporting(options: { soft?: boolean } = {}): Promise<void> {
    const answer = await this.operate(
      `/actuator/exporting/pause${options.soft ? "?soft=true" : ""}`,
    );
    const body = answer.body as { status?: number } | undefined;
    if ((body?.status ?? answer.status) !== 204) {
      throw new Error(`cannot pause: ${JSON.stringify(answer.body)}`);
    }
  }

  /** Removes brokers by force as an operator would, and waits until that is done. */
  async forceRemove(ids: number[]): Promise<void> {
    const retained = this.cluster().members.filter((id) => !ids.includes(id));
    await this.operate("/actuator/cluster/brokers?force=true", JSON.stringify(retained));
    await this.untilNothingPends();
  }

  private untilNothingPends(): Promise<void> {
    return this.until("the change is complete", () => this.cluster().pendingChange === undefined);
  }

  /** A request that an operator sends to any broker that runs, past the servers and the journal. */
  private async operate(target: string, text = ""): Promise<Reply> {
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
    const reply = await this.managementApi.answer(living?.id ?? 0, request);
    if (reply.status >= 400) {
      throw new Error(`${target}: ${reply.status} ${JSON.stringify(reply.body)}`);
    }
    return reply;
  }

  private livingRegion(): RegionName {
    const lives = (region: RegionName) =>
      this.model
        .brokersOf(region)
        .some(({ id }) => this.model.isAlive(this.model.sideOf(region), id));
    return REGION_NAMES.find(lives) ?? "region0";
  }

  private startTicking(): void {
    this.ticker = setInterval(() => this.tick(), TICK_MS);
    this.ticker.unref();
  }

  private tick(): void {
    const now = Date.now();
    this.installer?.glance(this.model, now);
    this.startWaiting();
    this.model.advance(now);
    for (const [region, apps] of this.webApps) {
      const { running, store } = this.search[region];
      if (running) {
        apps.forEach((app) => store.openWebApp(app));
      }
    }
    pump(this.model, (region) => {
      if (this.settings.searchOf) {
        return this.settings.searchOf(region);
      }
      const { running, store } = this.search[region];
      return running ? store : undefined;
    });
  }

  private until(what: string, condition: () => boolean): Promise<void> {
    return until(what, condition, { stopped: () => this.ticker === undefined });
  }

  private storeOf(region: RegionName): SearchStore {
    const { running, store } = this.search[region];
    if (!running) {
      throw new Error(`the Elasticsearch of ${region} does not answer`);
    }
    return store;
  }

  private emptySearch(region: RegionName): Search {
    const store = new SearchStore();
    const guard = this.installer
      ? (bucket: string, client: string, write: boolean) =>
          this.bucketProblem(region, bucket, client, write)
      : undefined;
    const snapshots = new Snapshots(store, this.storage, this.settings, guard);
    const api = new EmbeddedElasticsearch(store, snapshots, this.settings);
    return { store, snapshots, api, running: false };
  }

  private bucketProblem(
    region: RegionName,
    bucket: string,
    client: string,
    write: boolean,
  ): string | undefined {
    const known = ["default", ...(this.s3Clients.get(region) ?? [])];
    return known.includes(client)
      ? this.installer?.surroundings.bucketProblem(region, bucket, write)
      : `Unknown s3 client name [${client}]. Existing client configs: ${known.join(",")}`;
  }

  private installing(): Installer {
    if (!this.installer) {
      throw new Error("this world is started as a whole, not installed");
    }
    return this.installer;
  }

  /** Broker 0 decides on what the cluster is; where it is not installed yet, the other half as well. */
  private settingsOf(installation: BrokerInstallation): WorldSettings {
    const { clusterSize, partitionCount, replicationFactor, exporters } = installation;
    return {
      ...this.settings,
      shape: { clusterSize, partitionCount, replicationFactor },
      exporters: Object.fromEntries(
        Object.entries(exporters).map(([id, { className }]) => [
          id,
          { region: "region0", type: className },
        ]),
      ),
      exportTarget: (from, id) => this.installer?.exportTarget(from, id),
    };
  }

  private async portsClosed(id: number): Promise<void> {
    await this.closeBroker(id);
    if (this.installer?.get(this.settings.dialect.regionOf(id))?.restarts) {
      await this.restartBroker(id);
    }
  }

  private server(
    site: ConstructorParameters<typeof LoopbackServer>[0],
    handle: (request: Incoming) => Reply | Promise<Reply>,
  ): LoopbackServer {
    return new LoopbackServer(site, handle, this.faults, this.journal);
  }

  private async openRegion(region: RegionName): Promise<void> {
    for (const { id } of this.model.brokersOf(region)) {
      await this.openBroker(id);
    }
    await this.searches[region].open();
  }

  private async closeRegion(region: RegionName): Promise<void> {
    await Promise.all([
      ...this.model.brokersOf(region).map(({ id }) => this.closeBroker(id)),
      this.closeSearch(region),
    ]);
  }

  private async closeSearch(region: RegionName): Promise<void> {
    this.search[region].running = false;
    this.search[region].snapshots.end();
    await this.searches[region].close();
  }

  private async openBroker(id: number): Promise<void> {
    await this.managements.get(id)?.open();
    await this.gateways.get(id)?.open();
  }

  private async closeBroker(id: number): Promise<void> {
    await Promise.all([this.managements.get(id)?.close(), this.gateways.get(id)?.close()]);
  }
}
