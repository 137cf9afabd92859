import {
  ClusterConfiguration,
  sortedMembers,
  MemberState,
  ChangeOperation,
  replicationFactorOf,
} from "./configuration";
import { PartitionLog } from "./log";
import { REGION_NAMES, WorldSettings } from "./options";
import { staticConfiguration } from "./planning";
import { Brokers, Side } from "./side";
import { RegionName } from "../../world";

/** What a broker does with the records that it could export. */
export type ExportingPhase = "EXPORTING" | "PAUSED" | "SOFT_PAUSED";

/** A broker process and its disk. */
export interface Broker {
  readonly id: number;
  readonly region: RegionName;
  /** `zombie`: the process runs, but has closed its ports. */
  process: "up" | "down" | "zombie";
  startedAt: number;
  diedAt: number;
  /** Came back with outdated data, and closes its ports at this time. */
  shutdownAt?: number;
  /** Came back with outdated data, and runs replicas that it does not know itself. */
  hangs: boolean;
  /** Exporter phase by partition: a file beside each replica. */
  phases: Map<number, ExportingPhase>;
  /** The broker's own state in the configuration when it was lost. */
  memberVersion?: number;
  /** Replicas that the others saw last. */
  lastListing: number[];
}

/** A change that was begun, and how the cluster stood at that moment. */
export interface StartedChange {
  /** Milliseconds since the epoch. */
  at: number;
  operations: readonly ChangeOperation[];
  members: number[];
  /** Members that ran and were connected with whoever began the change. */
  alive: number[];
}

/** No leader, or none that can be reached. */
export class Unavailable extends Error {}

/** The Zeebe cluster: its brokers, which of them see each other, and the logs of its partitions. */
export class Cluster implements Brokers {
  readonly brokers = new Map<number, Broker>();
  readonly logs: PartitionLog[];
  readonly processes = new Set<string>();
  readonly started: StartedChange[] = [];
  /** What holds operations up: see {@link isHeld}. */
  readonly holds = new Set<(operation: ChangeOperation) => boolean>();
  private sides: Record<RegionName, Side>;
  /** Regions whose brokers wait for a configuration: only broker 0 makes one by itself. */
  private readonly waiting = new Set<RegionName>();
  /** By region, where its installation says one. */
  readonly versions = new Map<RegionName, string>();
  private cutAt?: number;
  private readonly unawareUntil = new Map<RegionName, number>();
  private nextPartition = 0;

  constructor(
    readonly settings: WorldSettings,
    /** Called when a broker closes its ports by itself. */
    private readonly portsClosed: (brokerId: number) => void,
  ) {
    const { clusterSize, partitionCount } = settings.shape;
    const exporters = Object.keys(settings.exporters);
    this.logs = Array.from(
      { length: partitionCount },
      (_, i) => new PartitionLog(i + 1, exporters),
    );
    const side = this.newSide();
    this.sides = { region0: side, region1: side };
    for (let id = 0; id < clusterSize; id++) {
      this.brokers.set(id, newBroker(id, settings.dialect.regionOf(id)));
    }
  }

  /** What brokers with empty disks believe. */
  private newSide(): Side {
    const { clusterSize, partitionCount, replicationFactor } = this.settings.shape;
    const ids = Array.from({ length: clusterSize }, (_, id) => id);
    const exporters = Object.keys(this.settings.exporters);
    return new Side(
      this.settings,
      this,
      staticConfiguration(ids, partitionCount, replicationFactor, exporters),
    );
  }

  sideOf(region: RegionName): Side {
    return this.sides[region];
  }

  broker(id: number): Broker {
    const broker = this.brokers.get(id);
    if (!broker) {
      throw new Error(`there is no broker ${id}`);
    }
    return broker;
  }

  brokersOf(region: RegionName): Broker[] {
    return [...this.brokers.values()].filter((broker) => broker.region === region);
  }

  /** Starts brokers for the first time. With all of them, every partition has its leader at once. */
  bootstrap(regions: RegionName[]): void {
    for (const broker of this.brokers.values()) {
      if (!regions.includes(broker.region)) {
        continue;
      }
      broker.process = "up";
    }
    if (regions.length < REGION_NAMES.length) {
      return;
    }
    const side = this.sides.region0;
    const alive = side.alive();
    for (const { partitionId } of this.logs) {
      const first = alive.get(partitionId)?.[0];
      if (first !== undefined) {
        side.lead(partitionId, first);
      }
    }
  }

  kill(id: number): void {
    const broker = this.broker(id);
    if (broker.process === "down") {
      return;
    }
    const now = Date.now();
    broker.lastListing = this.listed(broker, this.sides[broker.region], now);
    broker.memberVersion = this.member(broker)?.version;
    broker.process = "down";
    broker.diedAt = now;
    broker.shutdownAt = undefined;
    broker.hangs = false;
    // What runs at this moment must not see a leader that is gone.
    this.sides[broker.region].advance(now);
  }

  /** Starts a broker that is down: with an empty disk, or as it was. */
  start(id: number, data: "empty" | "old"): void {
    const broker = this.broker(id);
    const now = Date.now();
    if (data === "empty") {
      broker.phases.clear();
    }
    broker.process = "up";
    broker.startedAt = now;
    const outdated =
      broker.memberVersion !== undefined && broker.memberVersion !== this.member(broker)?.version;
    if (data === "empty" || !outdated) {
      return;
    }
    if (this.settings.oldData === "hangs") {
      broker.hangs = true;
    } else {
      broker.shutdownAt = now + this.settings.shutdownMs;
    }
  }

  /** Starts a broker anew that has closed its ports: it then follows the configuration of the others. */
  revive(id: number): void {
    const broker = this.broker(id);
    broker.phases.clear();
    broker.memberVersion = undefined;
    broker.shutdownAt = undefined;
    broker.hangs = false;
    broker.process = "up";
  }

  /** Starts the gateways of a region's brokers anew: for a while each knows its own region only. */
  restartGateways(region: RegionName, unawareMs: number): void {
    this.unawareUntil.set(region, Date.now() + unawareMs);
  }

  /** Cuts the network between the regions. */
  cut(): void {
    if (this.cutAt !== undefined) {
      return;
    }
    this.cutAt = Date.now();
    this.sides.region1 = this.sides.region0.split();
    Object.values(this.sides).forEach((side) => side.advance(Date.now()));
  }

  /**
   * A region whose disks are all empty is started apart from the other one. Broker 0 then makes a
   * configuration anew, as in a first installation; the brokers of the other region wait for one.
   */
  startApart(region: RegionName): void {
    this.cut();
    this.sides[region] = this.newSide();
    if (region === "region1") {
      this.waiting.add(region);
    }
  }

  /** Joins the regions again: the newer configuration wins, and brokers with another state end. */
  heal(): void {
    if (this.cutAt === undefined) {
      return;
    }
    this.cutAt = undefined;
    const { region0, region1 } = this.sides;
    const [winner, loser] =
      region1.configuration.version > region0.configuration.version
        ? [region1, region0]
        : [region0, region1];
    for (const broker of this.brokers.values()) {
      if (this.sides[broker.region] !== loser || broker.process !== "up") {
        continue;
      }
      if (this.waiting.has(broker.region)) {
        continue;
      }
      const [before, after] = [loser, winner].map((s) => s.configuration.members.get(broker.id));
      if (before?.version !== after?.version) {
        broker.shutdownAt = Date.now();
      }
    }
    this.sides = { region0: winner, region1: winner };
    this.waiting.clear();
  }

  get isCut(): boolean {
    return this.cutAt !== undefined;
  }

  isAlive(side: Side, brokerId: number): boolean {
    const broker = this.brokers.get(brokerId);
    return broker?.process === "up" && this.sides[broker.region] === side;
  }

  canJoin(brokerId: number): boolean {
    return !this.broker(brokerId).hangs;
  }

  isHeld(operation: ChangeOperation): boolean {
    return [...this.holds].some((holds) => holds(operation));
  }

  joined(brokerId: number, partitionId: number): void {
    this.broker(brokerId).phases.set(partitionId, "EXPORTING");
  }

  exporterChanged(operation: ChangeOperation): void {
    const log = this.log(operation.partitionId as number);
    const id = operation.exporterId as string;
    if (operation.operation === "PARTITION_DISABLE_EXPORTER") {
      log.disableExporter(id);
    } else {
      log.enableExporter(id, operation.initializeFrom);
    }
  }

  changeStarted(side: Side, operations: readonly ChangeOperation[]): void {
    const members = sortedMembers(side.configuration);
    const alive = members.filter((id) => this.isAlive(side, id));
    this.started.push({ at: Date.now(), operations: [...operations], members, alive });
  }

  removed(side: Side, brokerId: number): void {
    // A removed broker that still runs learns it by gossip, and ends.
    if (this.isAlive(side, brokerId)) {
      this.broker(brokerId).shutdownAt = Date.now() + this.settings.shutdownMs;
    }
  }

  elected(side: Side, partitionId: number, leaderId: number): void {
    const log = this.log(partitionId);
    log.reopenExporters();
    const replica = side.configuration.members.get(leaderId)?.partitions.get(partitionId);
    // What was changed while there was no leader to do it.
    for (const [id, { state, initializedFrom }] of replica?.exporters ?? []) {
      if (state === "DISABLED") {
        log.disableExporter(id);
      } else if (!log.exporters.has(id)) {
        log.enableExporter(id, initializedFrom);
      }
    }
  }

  log(partitionId: number): PartitionLog {
    return this.logs[partitionId - 1] as PartitionLog;
  }

  phaseOf(broker: Broker, partitionId: number): ExportingPhase {
    return broker.phases.get(partitionId) ?? "EXPORTING";
  }

  /** Partitions whose replica a broker runs. */
  partitionsOf(broker: Broker): number[] {
    const side = this.sides[broker.region];
    return [...(this.member(broker)?.partitions ?? [])]
      .filter(([id, { state }]) => state !== "JOINING" && side.bootstrapped.has(id))
      .map(([id]) => id)
      .sort((a, b) => a - b);
  }

  advance(now: number): void {
    new Set(Object.values(this.sides)).forEach((side) => side.advance(now));
    for (const broker of this.brokers.values()) {
      if (broker.shutdownAt === undefined || now < broker.shutdownAt) {
        continue;
      }
      broker.shutdownAt = undefined;
      if (broker.process !== "up") {
        continue;
      }
      broker.process = "zombie";
      this.portsClosed(broker.id);
    }
  }

  /** Of what version gateways and brokers of a region are: that of the dialect, until another one is installed. */
  private versionOf(region: RegionName): string {
    return this.versions.get(region) ?? this.settings.dialect.version;
  }

  /** Brokers that the gateway of a broker lists, and what it believes of their replicas. */
  topology(from: Broker, ports: (id: number) => number): object {
    const now = Date.now();
    const side = this.sides[from.region];
    const seen = [...this.brokers.values()].filter((broker) => this.sees(from, broker, now));
    // Gateways list brokers in no particular order.
    const order = [...seen].sort((a, b) => (a.id || Infinity) - (b.id || Infinity)).reverse();
    return {
      brokers: order.map((broker) => ({
        nodeId: broker.id,
        host: "127.0.0.1",
        port: ports(broker.id),
        partitions: this.listed(broker, side, now).map((partitionId) => ({
          partitionId,
          role: side.shownLeader(partitionId, now) === broker.id ? "leader" : "follower",
          health: "healthy",
        })),
        version: this.versionOf(broker.region),
      })),
      partitionsCount: this.settings.shape.partitionCount,
      ...this.sizes(side),
      gatewayVersion: this.versionOf(from.region),
    };
  }

  /** The sizes that follow from the dynamic configuration. */
  sizes({ configuration }: Side): { clusterSize: number; replicationFactor: number } {
    return {
      clusterSize: configuration.members.size,
      replicationFactor: replicationFactorOf(configuration),
    };
  }

  /** Whether the gateway of a broker believes that another one runs. */
  sees(from: Broker, other: Broker, now = Date.now()): boolean {
    if (from.id === other.id) {
      return true;
    }
    const { detectionMs, appearMs } = this.settings;
    if (from.region !== other.region && now < (this.unawareUntil.get(from.region) ?? 0)) {
      return false;
    }
    if (
      this.cutAt !== undefined &&
      from.region !== other.region &&
      now > this.cutAt + detectionMs
    ) {
      return false;
    }
    const missed = other.diedAt > 0 && now < other.diedAt + detectionMs;
    return missed || (other.process !== "down" && now >= other.startedAt + appearMs);
  }

  /** Whether a broker that gateways still list does not run, or cannot be reached. */
  isMissed(from: Broker, other: Broker): boolean {
    return this.sees(from, other) && !this.isAlive(this.sides[from.region], other.id);
  }

  /** Starts a process instance by the gateway of a region. */
  startInstance(region: RegionName, processId: string, variables: Record<string, unknown>): string {
    return this.leaderLog(region).startInstance(processId, variables);
  }

  deploy(region: RegionName, processId: string): void {
    this.leaderLog(region);
    this.processes.add(processId);
    this.logs.forEach((log) => log.deploy(processId));
  }

  /** Throws unless some partition takes commands. */
  requireLeaders(region: RegionName): void {
    if (this.sides[region].leaders.size === 0) {
      throw new Unavailable();
    }
  }

  /** Log of the partition whose turn it is. */
  private leaderLog(region: RegionName): PartitionLog {
    const partitionId = (this.nextPartition++ % this.logs.length) + 1;
    if (!this.sides[region].leaders.has(partitionId)) {
      throw new Unavailable();
    }
    return this.log(partitionId);
  }

  private member(broker: Broker): MemberState | undefined {
    return this.sides[broker.region].configuration.members.get(broker.id);
  }

  /** Replicas of a broker that the others know of. */
  listed(broker: Broker, side: Side, now: number): number[] {
    if (broker.process === "down") {
      return broker.lastListing;
    }
    if (broker.process === "zombie" || broker.shutdownAt !== undefined) {
      return [];
    }
    if (broker.startedAt > 0 && now < broker.startedAt + this.settings.appearMs) {
      return broker.diedAt > 0 && now < broker.diedAt + this.settings.detectionMs
        ? broker.lastListing
        : [];
    }
    return this.partitionsOf(broker).filter((partitionId) => {
      const joinedAt = side.joinedAt.get(`${broker.id}/${partitionId}`) ?? 0;
      return now >= joinedAt + this.settings.topologyLagMs;
    });
  }
}

/** Whether every partition has a leader and all its replicas. */
export function isClusterComplete(cluster: Cluster, region: RegionName): boolean {
  const side = cluster.sideOf(region);
  const { replicationFactor } = cluster.settings.shape;
  const alive = side.alive();
  return cluster.logs.every(
    ({ partitionId }) =>
      side.leaders.has(partitionId) && alive.get(partitionId)?.length === replicationFactor,
  );
}

/** The broker that answers questions on the configuration: the member with the lowest id. */
export function coordinatorOf(configuration: ClusterConfiguration): number {
  return sortedMembers(configuration)[0] ?? 0;
}

function newBroker(id: number, region: RegionName): Broker {
  return {
    id,
    region,
    process: "down",
    startedAt: 0,
    diedAt: 0,
    hangs: false,
    phases: new Map(),
    lastListing: [],
  };
}
