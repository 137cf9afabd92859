import { agreedCluster, AgreedCluster } from "./agreed";
import type { ChangeOperation } from "./configuration";
import { Cluster, isClusterComplete, StartedChange } from "./cluster";
import { until } from "../../processes/until";
import { Elasticsearches } from "./elasticsearches";
import { pump } from "./exporting";
import type { ExportTarget } from "./exportTarget";
import { isMet, unauthorized } from "./demands";
import { Fault, FaultBook, Journal, ReceivedRequest } from "./faults";
import { GatewayApi } from "./gateway";
import { BrokerInstallation, Installer, Surroundings } from "./installer";
import { ManagementApi } from "./management";
import { Operator } from "./operator";
import { EmbeddedWorldOptions, REGION_NAMES, WorldSettings, settingsFrom } from "./options";
import type { ShardMove } from "../../search/embedded/searchStore";
import { Servers } from "./servers";
import { RegionEndpoints, RegionName, RepositorySettings, ClusterShape, World } from "../../world";

export { EmbeddedWorldOptions, ExporterTarget, QUICK } from "./options";
export { AgreedCluster } from "./agreed";
export { StartedChange } from "./cluster";
export { changesSomething, Fault, ReceivedRequest, ServerName, Told } from "./faults";
export { bodyOf } from "./server";
export type { Reply } from "../../exchange";
export { BrokerInstallation, Destination, Surroundings } from "./installer";

const TICK_MS = 10;
const PROCESS_ID = "demo";

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
  private readonly search: Elasticsearches;
  private readonly webApps = new Map<RegionName, readonly ("operate" | "tasklist")[]>();
  private installer?: Installer;
  /** Regions whose brokers wait for the other one before they start, and their disks. */
  private readonly waiting = new Map<RegionName, "empty" | "old">();
  /** Ids of records by the exporter that has written them to something else than Elasticsearch. */
  private readonly writtenElsewhere = new Map<string, string[]>();
  private readonly faults = new FaultBook();
  private readonly journal = new Journal();
  private readonly servers: Servers;
  private readonly operator: Operator;
  private ticker?: NodeJS.Timeout;

  constructor(options: EmbeddedWorldOptions = {}) {
    const settings = settingsFrom(options);
    this.settings = settings;
    this.shape = settings.shape;
    this.repository = settings.repository;
    this.search = new Elasticsearches(settings);
    this.servers = new Servers(
      {
        broker: (id, server, request) => {
          const demand = settings.demands?.[this.model.broker(id).region][server];
          return isMet(demand, request)
            ? (server === "management" ? this.managementApi : this.gatewayApi).answer(id, request)
            : unauthorized(demand);
        },
        elasticsearch: (region, request) => this.search.of(region).api.answer(request),
      },
      this.faults,
      this.journal,
    );
    this.operator = new Operator(
      (request) => {
        const brokers = this.model.brokersOf(this.livingRegion());
        const living = brokers.find(({ process }) => process === "up");
        return this.managementApi.answer(living?.id ?? 0, request);
      },
      () => this.cluster(),
      (what, condition) => this.until(what, condition),
    );
    this.makeCluster(settings);
  }

  /** A cluster that was never started, and servers for the brokers that have none yet. */
  private makeCluster(settings: WorldSettings): void {
    this.settings = settings;
    this.model = new Cluster(settings, (id) => void this.portsClosed(id));
    this.managementApi = new ManagementApi(this.model, (id) => {
      if (!this.corruptedBrokers.includes(id)) {
        this.corruptedBrokers.push(id);
      }
    });
    this.gatewayApi = new GatewayApi(this.model, (id) => this.servers.portOf(id, "gateway") ?? 0);
    this.servers.add(this.model.brokers.values());
  }

  /** Where the regions answer; the ports stay when a region is lost and recreated. */
  get endpoints(): Record<RegionName, RegionEndpoints> {
    const of = (region: RegionName) =>
      this.servers.endpoints(
        region,
        this.model.brokersOf(region).map(({ id }) => id),
      );
    return { region0: of("region0"), region1: of("region1") };
  }

  async start(): Promise<void> {
    const absent = REGION_NAMES.filter((region) => !this.settings.startRegions.includes(region));
    for (const region of REGION_NAMES) {
      await this.openRegion(region);
      this.search.of(region).running = true;
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
    this.search.guard = surroundings.bucketProblem.bind(surroundings);
    REGION_NAMES.forEach((region) => this.search.place(region, "empty"));
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
    if (installation.version !== undefined) {
      this.model.versions.set(region, installation.version);
    }
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
      await this.servers.openBroker(id);
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
    this.search.place(region, disks, s3Clients);
    await this.servers.openSearch(region);
    this.search.of(region).running = true;
  }

  /** Takes all that the Elasticsearch of a region holds, its settings too, while its brokers live on. */
  async emptyElasticsearch(region: RegionName): Promise<void> {
    await this.closeSearch(region);
    this.search.place(region, "empty");
    await this.servers.openSearch(region);
    this.search.of(region).running = true;
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
    return this.search.of(region).running;
  }

  async lose(region: RegionName, what: "all" | "brokers" = "all"): Promise<void> {
    this.model.brokersOf(region).forEach(({ id }) => this.model.kill(id));
    if (what === "all") {
      await this.closeRegion(region);
    } else {
      await Promise.all(this.model.brokersOf(region).map(({ id }) => this.servers.closeBroker(id)));
    }
    this.waiting.delete(region);
    if (what === "all") {
      this.installer?.set(region, undefined);
    }
  }

  async recreate(region: RegionName, data: "empty" | "old" = "empty"): Promise<void> {
    await this.lose(region);
    this.search.place(region, data);
    await this.openRegion(region);
    this.search.of(region).running = true;
    this.model.brokersOf(region).forEach(({ id }) => this.model.start(id, data));
  }

  async restartBroker(id: number): Promise<void> {
    const wasDown = this.model.broker(id).process === "down";
    await this.servers.closeBroker(id);
    await this.servers.openBroker(id);
    if (wasDown) {
      this.model.start(id, "old");
    } else {
      this.model.revive(id);
    }
  }

  /** Kills one broker; {@link restartBroker} starts it again with its disk. */
  async stopBroker(id: number): Promise<void> {
    this.model.kill(id);
    await this.servers.closeBroker(id);
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
    return this.search.documents(region);
  }

  async instanceKeys(region: RegionName): Promise<Set<string>> {
    return this.search.instanceKeys(region);
  }

  async stop(): Promise<void> {
    clearInterval(this.ticker);
    this.ticker = undefined;
    await Promise.all(REGION_NAMES.map((region) => this.closeRegion(region)));
    this.servers.release();
  }

  /** Fills the Elasticsearch of a region with what the other one holds, as a restore would. */
  copyDocuments(region: RegionName): void {
    this.search.copyDocuments(region);
  }

  /** Lets primary shards of a region's Elasticsearch come to another node, all unless told which. */
  movePrimaries(
    region: RegionName,
    move: ShardMove,
    which: (shard: number, index: string) => boolean = () => true,
  ): void {
    this.search.movePrimaries(region, move, which);
  }

  /**
   * Starts the gateways of a region anew: for some milliseconds they know no broker of the other region, which lives on,
   * led from wherever it was.
   */
  restartGateways(region: RegionName, unawareMs: number): void {
    this.model.restartGateways(region, unawareMs);
  }

  /** Lets every partition be led by another broker, where one has a replica of it: as after an election. */
  moveLeaders(region: RegionName): void {
    this.model.sideOf(region).moveLeaders();
  }

  /** Operations of changes do not end, whoever has begun them, until the returned function is called. */
  hold(holds: (operation: ChangeOperation) => boolean): () => void {
    this.model.holds.add(holds);
    return () => {
      this.model.holds.delete(holds);
    };
  }

  /** Cuts the network between the regions; {@link heal} joins them again. */
  partition(): void {
    this.model.cut();
  }

  heal(): void {
    this.model.heal();
  }

  get isPartitioned(): boolean {
    return this.model.isCut;
  }

  /** {@link documents}, as they are at this moment; none while the Elasticsearch does not run. */
  documentsNow(region: RegionName): Record<string, number> {
    return this.search.of(region).running ? this.search.documents(region) : {};
  }

  /** {@link instanceKeys}, as they are at this moment. */
  instanceKeysNow(region: RegionName): Set<string> {
    return this.search.instanceKeys(region);
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

  /** Every change of the cluster that was begun, by whomever. */
  get startedChanges(): readonly StartedChange[] {
    return this.model.started;
  }

  /** Is called with every request before it is handled, until the returned function is called. */
  onRequest(listener: (request: ReceivedRequest) => void): () => void {
    return this.journal.listen(listener);
  }

  /** What the brokers of a region agree on; of the region that runs when none is given. */
  cluster(region: RegionName = this.livingRegion()): AgreedCluster {
    return agreedCluster(this.model, region);
  }

  /** Ids of the records that an exporter has written to something else than Elasticsearch, in order. */
  exportedElsewhere(exporterId: string): readonly string[] {
    return this.writtenElsewhere.get(exporterId) ?? [];
  }

  /** Disables an exporter as an operator would, and waits until that is done. */
  disableExporter(id: string): Promise<void> {
    return this.operator.disableExporter(id);
  }

  /** Pauses exporting as an operator would. */
  pauseExporting(options: { soft?: boolean } = {}): Promise<void> {
    return this.operator.pauseExporting(options);
  }

  /** Removes brokers by force as an operator would, and waits until that is done. */
  forceRemove(ids: number[]): Promise<void> {
    return this.operator.forceRemove(ids);
  }

  /** Cancels the pending change as an operator would, and waits until that is done. */
  cancelChange(): Promise<void> {
    return this.operator.cancelChange();
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
      const { running, store } = this.search.of(region);
      if (running) {
        apps.forEach((app) => store.openWebApp(app));
      }
    }
    pump(this.model, (region, exporterId) => {
      if (this.settings.exporters[exporterId]?.elsewhere) {
        return this.search.of(region).running ? this.elsewhere(exporterId) : undefined;
      }
      if (this.settings.searchOf) {
        return this.settings.searchOf(region);
      }
      const { running, store } = this.search.of(region);
      return running ? store : undefined;
    });
  }

  private until(what: string, condition: () => boolean): Promise<void> {
    return until(what, condition, { stopped: () => this.ticker === undefined });
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

  private elsewhere(exporterId: string): ExportTarget {
    const written = this.writtenElsewhere.get(exporterId) ?? [];
    this.writtenElsewhere.set(exporterId, written);
    return {
      export: (records) => {
        written.push(...records.map(({ id }) => id));
        return records.length;
      },
    };
  }

  private async portsClosed(id: number): Promise<void> {
    await this.servers.closeBroker(id);
    if (this.installer?.get(this.settings.dialect.regionOf(id))?.restarts) {
      await this.restartBroker(id);
    }
  }

  private async openRegion(region: RegionName): Promise<void> {
    for (const { id } of this.model.brokersOf(region)) {
      await this.servers.openBroker(id);
    }
    await this.servers.openSearch(region);
  }

  private async closeRegion(region: RegionName): Promise<void> {
    await Promise.all([
      ...this.model.brokersOf(region).map(({ id }) => this.servers.closeBroker(id)),
      this.closeSearch(region),
    ]);
  }

  private async closeSearch(region: RegionName): Promise<void> {
    this.search.of(region).running = false;
    this.search.of(region).snapshots.end();
    await this.servers.closeSearch(region);
  }
}
