import { beginOperation, finishOperation } from "./changes";
import { ClusterConfiguration, nanoTime, ChangeOperation, votersOf } from "./configuration";
import { WorldSettings } from "./options";

/** What a side needs to know of the brokers. */
export interface Brokers {
  /** Whether a broker runs and the side can reach it. */
  isAlive(side: Side, brokerId: number): boolean;
  /** Whether a broker answers when it is to join a partition. */
  canJoin(brokerId: number): boolean;
  /** A replica joined: it has nothing on its disk yet. */
  joined(brokerId: number, partitionId: number): void;
  /** The leader of a partition starts or stops an exporter. */
  exporterChanged(operation: ChangeOperation): void;
  /** Whether an operation does not come to its end, though whoever carries it out runs. */
  isHeld(operation: ChangeOperation): boolean;
  /** A change begins. */
  changeStarted(side: Side, operations: readonly ChangeOperation[]): void;
  /** A broker is no member any more, without having been asked. */
  removed(side: Side, brokerId: number): void;
  /** A partition has a new leader, which starts the exporters as its replica is configured. */
  elected(side: Side, partitionId: number, leaderId: number): void;
}

/**
 * Brokers that see each other: their configuration, its changes, and the leaders of the partitions.
 * There is one side, and two while the network between the regions is cut.
 */
export class Side {
  readonly leaders = new Map<number, number>();
  readonly joinedAt = new Map<string, number>();
  private readonly lastLeaders = new Map<number, { id: number; shownUntil: number }>();
  private readonly electionAt = new Map<number, number>();
  private running?: { operation: ChangeOperation; doneAt: number };
  private idleSince = 0;

  constructor(
    private readonly settings: WorldSettings,
    private readonly brokers: Brokers,
    readonly configuration: ClusterConfiguration,
    /** Partitions that had a leader once: the others do not exist on any disk. */
    readonly bootstrapped = new Set<number>(),
  ) {}

  /** The same side, as the other half sees it from the moment on when the network is cut. */
  split(): Side {
    const copy = new Side(
      this.settings,
      this.brokers,
      structuredClone(this.configuration),
      this.bootstrapped,
    );
    this.leaders.forEach((id, partition) => copy.leaders.set(partition, id));
    this.joinedAt.forEach((at, replica) => copy.joinedAt.set(replica, at));
    return copy;
  }

  /** The leader that gateways know of: for a while also one that is gone. */
  shownLeader(partitionId: number, now: number): number | undefined {
    const last = this.lastLeaders.get(partitionId);
    return this.leaders.get(partitionId) ?? (last && now < last.shownUntil ? last.id : undefined);
  }

  /** Starts a change and returns its id. */
  startChange(operations: ChangeOperation[]): number {
    const { configuration } = this;
    this.brokers.changeStarted(this, operations);
    const id = ++configuration.version;
    configuration.plan = { id, startedAt: nanoTime(), completed: [], pending: [...operations] };
    this.idleSince = Date.now();
    return id;
  }

  cancelChange(): void {
    const { configuration } = this;
    const { plan } = configuration;
    if (!plan) {
      return;
    }
    configuration.version += 2;
    this.endPlan("CANCELLED");
  }

  /** Hands a partition to the replica with the highest priority. */
  rebalance(): void {
    const alive = this.alive();
    for (const partitionId of this.leaders.keys()) {
      const best = alive.get(partitionId)?.[0];
      if (best === undefined || best === this.leaders.get(partitionId)) {
        continue;
      }
      this.lead(partitionId, best);
    }
  }

  /** Hands each partition to another replica that lives, where there is one. */
  moveLeaders(): void {
    const alive = this.alive();
    for (const [partitionId, leader] of [...this.leaders]) {
      const other = alive.get(partitionId)?.find((id) => id !== leader);
      if (other !== undefined) {
        this.lead(partitionId, other);
      }
    }
  }

  advance(now: number): void {
    this.advanceChange(now);
    const voters = votersOf(this.configuration);
    for (let id = 1; id <= this.settings.shape.partitionCount; id++) {
      this.advanceElection(id, voters.get(id) ?? [], now);
    }
  }

  private advanceElection(partitionId: number, replicas: number[], now: number): void {
    const alive = this.living(partitionId, replicas);
    const quorum = alive.length > replicas.length / 2;
    const leader = this.leaders.get(partitionId);
    if (leader !== undefined && (!quorum || !alive.includes(leader))) {
      this.leaders.delete(partitionId);
      this.lastLeaders.set(partitionId, {
        id: leader,
        shownUntil: now + this.settings.detectionMs,
      });
    }
    if (!quorum) {
      this.electionAt.delete(partitionId);
    } else if (!this.leaders.has(partitionId)) {
      const due = this.electionAt.get(partitionId) ?? now + this.settings.electionMs;
      this.electionAt.set(partitionId, due);
      if (now >= due) {
        this.lead(partitionId, alive[0] as number);
      }
    }
  }

  /** Makes a broker the leader at once. */
  lead(partitionId: number, brokerId: number): void {
    this.leaders.set(partitionId, brokerId);
    this.electionAt.delete(partitionId);
    this.bootstrapped.add(partitionId);
    this.brokers.elected(this, partitionId, brokerId);
  }

  /** Living replicas by partition, the highest priority first. */
  alive(): Map<number, number[]> {
    const voters = [...votersOf(this.configuration)];
    return new Map(voters.map(([id, replicas]) => [id, this.living(id, replicas)]));
  }

  private living(partitionId: number, replicas: number[]): number[] {
    const priority = (id: number) =>
      this.configuration.members.get(id)?.partitions.get(partitionId)?.priority ?? 0;
    return replicas
      .filter((id) => this.brokers.isAlive(this, id))
      .sort((a, b) => priority(b) - priority(a));
  }

  private advanceChange(now: number): void {
    for (;;) {
      const { plan } = this.configuration;
      const operation = plan?.pending[0];
      if (!plan || !operation) {
        this.running = undefined;
        if (plan) {
          this.configuration.version = plan.id + 1;
          this.endPlan("COMPLETED");
        }
        return;
      }
      if (!this.canRun(operation)) {
        this.idleSince = now;
        return;
      }
      if (this.running?.operation !== operation) {
        beginOperation(this.configuration, operation);
        this.running = { operation, doneAt: this.idleSince + this.durationOf(operation) };
      }
      if (now < this.running.doneAt) {
        return;
      }
      this.idleSince = this.running.doneAt;
      this.finish(operation, now);
      plan.pending.shift();
      plan.completed.push({ ...operation, completedAt: secondsNow() });
    }
  }

  private finish(operation: ChangeOperation, now: number): void {
    const { brokerId, partitionId } = operation;
    finishOperation(this.configuration, operation);
    if (operation.operation === "PARTITION_JOIN") {
      this.joinedAt.set(`${brokerId}/${partitionId}`, now);
      this.brokers.joined(brokerId, partitionId as number);
    } else if (operation.operation === "BROKER_REMOVE" && operation.brokers.length > 0) {
      this.brokers.removed(this, operation.brokers[0] as number);
    } else if (
      operation.exporterId !== undefined &&
      this.leaders.get(partitionId as number) === brokerId
    ) {
      this.brokers.exporterChanged(operation);
    }
  }

  private canRun(operation: ChangeOperation): boolean {
    if (!this.brokers.isAlive(this, operation.brokerId) || this.brokers.isHeld(operation)) {
      return false;
    }
    switch (operation.operation) {
      case "PARTITION_JOIN":
        if (!this.brokers.canJoin(operation.brokerId)) {
          return false;
        }
        return this.leaders.has(operation.partitionId as number);
      case "PARTITION_LEAVE":
      case "PARTITION_RECONFIGURE_PRIORITY":
        return this.leaders.has(operation.partitionId as number);
      case "PARTITION_ENABLE_EXPORTER": {
        const exporter = this.settings.exporters[operation.exporterId as string];
        const source = this.settings.exporters[operation.initializeFrom ?? ""];
        // Brokers log this and try again, for ever.
        return exporter !== undefined && (source === undefined || source.type === exporter.type);
      }
      default:
        return true;
    }
  }

  private durationOf(operation: ChangeOperation): number {
    if (operation.operation === "PARTITION_FORCE_RECONFIGURE") {
      return this.settings.forceMs / this.settings.shape.partitionCount;
    }
    if (operation.exporterId !== undefined) {
      return this.settings.exporterMs;
    }
    return operation.brokers.length > 0 ? 0 : this.settings.joinMs;
  }

  private endPlan(status: "COMPLETED" | "CANCELLED"): void {
    const { plan } = this.configuration;
    if (!plan) {
      return;
    }
    this.configuration.lastChange = {
      id: plan.id,
      status,
      startedAt: plan.startedAt,
      completedAt: nanoTime(),
    };
    this.configuration.plan = undefined;
    this.running = undefined;
  }
}

function secondsNow(): string {
  return new Date().toISOString().replace(/\.\d+/, "");
}
