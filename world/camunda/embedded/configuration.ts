/** An exporter of one replica. */
export interface ExporterState {
  state: "ENABLED" | "DISABLED";
  metadataVersion: number;
  initializedFrom?: string;
}

/** A replica in the dynamic configuration. */
export interface PartitionState {
  state: "ACTIVE" | "JOINING" | "LEAVING";
  priority: number;
  exporters: Map<string, ExporterState>;
}

/** A member in the dynamic configuration. */
export interface MemberState {
  state: "ACTIVE" | "JOINING" | "LEAVING";
  version: number;
  lastUpdated: string;
  partitions: Map<number, PartitionState>;
}

/** One step of a change of the configuration. */
export interface ChangeOperation {
  operation: string;
  /** The broker that carries it out. */
  brokerId: number;
  partitionId?: number;
  priority?: number;
  brokers: number[];
  exporterId?: string;
  initializeFrom?: string;
  completedAt?: string;
}

/** A change that is under way. */
export interface Plan {
  id: number;
  startedAt: string;
  completed: ChangeOperation[];
  pending: ChangeOperation[];
}

/** The change before the current one. */
export interface CompletedChange {
  id: number;
  status: "COMPLETED" | "CANCELLED";
  startedAt: string;
  completedAt: string;
}

/** The dynamic configuration that brokers share by gossip. */
export interface ClusterConfiguration {
  version: number;
  members: Map<number, MemberState>;
  lastChange?: CompletedChange;
  plan?: Plan;
}

/** When a member was never changed. */
export const NEVER = "0000-01-01T00:00:00Z";

/** The time in the resolution that Java prints. */
export function nanoTime(): string {
  const nanos = String(process.hrtime.bigint() % 1000000n).padStart(6, "0");
  return new Date().toISOString().replace("Z", `${nanos}Z`);
}

/** Ids in the order in which brokers list members: they are not sorted, 0 comes last. */
export function memberOrder(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => (a || Infinity) - (b || Infinity));
}

/** Ids of the replicas of a partition, with those that are about to join or leave. */
export function replicasOf(configuration: ClusterConfiguration, partitionId: number): number[] {
  const ids = [...configuration.members.keys()].filter((id) =>
    configuration.members.get(id)?.partitions.has(partitionId),
  );
  return memberOrder(ids);
}

/** All partitions that have a replica, sorted. */
export function partitionsOf(configuration: ClusterConfiguration): number[] {
  const ids = [...configuration.members.values()].flatMap((member) => [
    ...member.partitions.keys(),
  ]);
  return [...new Set(ids)].sort((a, b) => a - b);
}

/**
 * Ids of the replicas that hold the data of a partition, by partition. Of all at once, as it is looked at with
 * every tick: to look for the replicas of each of many partitions among many brokers took most of the time.
 */
export function votersOf(configuration: ClusterConfiguration): Map<number, number[]> {
  const voters = new Map<number, number[]>();
  for (const id of memberOrder(configuration.members.keys())) {
    for (const [partitionId, { state }] of configuration.members.get(id)?.partitions ?? []) {
      const known = voters.get(partitionId) ?? [];
      if (state !== "JOINING") {
        known.push(id);
      }
      voters.set(partitionId, known);
    }
  }
  return voters;
}

/** The smallest number of replicas of any partition. */
export function replicationFactorOf(configuration: ClusterConfiguration): number {
  const counts = [...votersOf(configuration).values()].map((ids) => ids.length);
  return counts.length === 0 ? 0 : Math.min(...counts);
}

/** Ids of the members, the lowest first. */
export function sortedMembers(configuration: ClusterConfiguration): number[] {
  return [...configuration.members.keys()].sort((a, b) => a - b);
}

/** The `brokers` part of the answers. */
export function renderMembers(configuration: ClusterConfiguration): object[] {
  return memberOrder(configuration.members.keys()).map((id) => {
    const member = configuration.members.get(id) as MemberState;
    return {
      id,
      state: member.state,
      version: member.version,
      lastUpdatedAt: member.lastUpdated,
      partitions: [...member.partitions]
        .sort(([a], [b]) => a - b)
        .map(([partitionId, { state, priority, exporters }]) => ({
          id: partitionId,
          state,
          priority,
          config: {
            exporting: {
              exporters: [...exporters].map(([exporterId, exporter]) => ({
                id: exporterId,
                state: exporter.state,
              })),
            },
          },
        })),
    };
  });
}

/** One operation as the answers show it. */
export function renderOperation(operation: ChangeOperation): object {
  return {
    operation: operation.operation,
    brokerId: operation.brokerId,
    ...(operation.partitionId !== undefined && { partitionId: operation.partitionId }),
    ...(operation.priority !== undefined && { priority: operation.priority }),
    brokers: operation.brokers,
    ...(operation.exporterId !== undefined && { exporterId: operation.exporterId }),
    ...(operation.completedAt !== undefined && { completedAt: operation.completedAt }),
  };
}

/** The answer of `GET /actuator/cluster`. */
export function renderConfiguration(configuration: ClusterConfiguration): object {
  const { version, lastChange, plan } = configuration;
  return {
    version,
    brokers: renderMembers(configuration),
    ...(plan && {
      pendingChange: {
        id: plan.id,
        status: "IN_PROGRESS",
        completed: plan.completed.map(renderOperation),
        pending: plan.pending.map(renderOperation),
      },
    }),
    ...(lastChange && { lastChange }),
  };
}
