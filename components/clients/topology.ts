import { firstOf, listed } from "../base/bounded";
import { brokerList, without } from "../base/brokers";

/** A replica of a partition as the cluster's configuration has it. */
export interface Replica {
  partition: number;
  /** `ACTIVE`, or `JOINING`, `LEAVING` while a change is under way. */
  state: string;
  /** State of every exporter in this partition: `ENABLED`, `ENABLING`, `DISABLED`, `DISABLING`. */
  exporters: Record<string, string>;
}

/** A broker that is a member by the cluster's configuration, dead or alive: this says nothing about its health. */
export interface Member {
  id: number;
  state: string;
  replicas: Replica[];
}

/** One operation of a configuration change, for example `PARTITION_FORCE_RECONFIGURE` on broker 2, partition 1. */
export interface Operation {
  operation: string;
  brokerId: number;
  partitionId?: number;
  brokers: number[];
  exporterId?: string;
}

/** A change that has ended. */
export interface LastChange {
  id: number;
  status: string;
}

/** A change under way. While one is, the cluster refuses every other with 409. */
export interface PendingChange {
  id: number;
  status: string;
  completed: Operation[];
  pending: Operation[];
}

/** The cluster's configuration: who is a member, with which replicas and exporters, and what is changing. */
export interface Configuration {
  /** Grows with every change of it; absent where it was not told. */
  version?: number;
  members: Member[];
  lastChange?: LastChange;
  pendingChange?: PendingChange;
}

/** A broker as a gateway sees it now (`/v2/topology`): dead ones are gone after some 10 s. */
export interface SeenBroker {
  id: number;
  version: string;
  partitions: { id: number; role: string; health: string }[];
}

/** What a gateway sees (`/v2/topology`). The only answer that shows a loss. */
export interface Topology {
  brokers: SeenBroker[];
  clusterSize: number;
  partitionsCount: number;
  replicationFactor: number;
  gatewayVersion: string;
}

/** The ids of the members, ascending. */
export function memberIds(configuration: Configuration): number[] {
  return configuration.members.map((member) => member.id).sort((a, b) => a - b);
}

/** The ids of the brokers that a gateway sees, ascending. */
export function seenIds(topology: Topology): number[] {
  return topology.brokers.map((broker) => broker.id).sort((a, b) => a - b);
}

/** The partitions that would have no replica if only `survivors` stayed. */
export function partitionsWithout(
  configuration: Configuration,
  survivors: readonly number[],
  partitionCount: number,
): number[] {
  const held = new Set(
    configuration.members
      .filter((member) => survivors.includes(member.id))
      .flatMap((member) =>
        member.replicas.filter((r) => r.state === "ACTIVE").map((r) => r.partition),
      ),
  );
  return partitionIds(partitionCount).filter((partition) => !held.has(partition));
}

/**
 * What keeps a cluster from being healthy with exactly these members, in words; empty when it is.
 * Decided by the fields that decide: the configuration for who holds what, the gateway's view for who
 * leads. A completed change is not enough: elections end seconds after it.
 */
export function unhealthy(
  configuration: Configuration,
  topology: Topology,
  members: readonly number[],
  replicationFactor: number,
  partitionCount: number,
): string[] {
  const problems: string[] = [];
  const actual = memberIds(configuration);
  const extra = without(actual, members);
  const missing = without(members, actual);
  if (extra.length > 0) {
    problems.push(`${brokerList(extra)} still a member`);
  }
  if (missing.length > 0) {
    problems.push(`${brokerList(missing)} not a member`);
  }
  if (configuration.pendingChange) {
    problems.push(`change ${configuration.pendingChange.id} still pending`);
  }
  if (topology.replicationFactor !== replicationFactor) {
    problems.push(
      `replication factor ${topology.replicationFactor} instead of ${replicationFactor}`,
    );
  }
  if (topology.clusterSize !== members.length) {
    problems.push(`cluster size ${topology.clusterSize} instead of ${members.length}`);
  }
  const unseen = without(members, seenIds(topology));
  if (unseen.length > 0) {
    problems.push(`${brokerList(unseen)} not seen by the gateway`);
  }
  for (const partition of partitionIds(partitionCount)) {
    problems.push(
      ...partitionProblems(configuration, topology, members, replicationFactor, partition),
    );
  }
  return problems;
}

/**
 * What keeps the other brokers from leaving by an ordinary change, in words. Some of them may have left partitions
 * already, or be at it, by a change that was cancelled half way: that is no reason not to go on.
 *
 * @param own the brokers that stay
 * @param replicationFactor how many replicas each partition has among them
 */
export function notReadyToLeave(
  configuration: Configuration,
  topology: Topology,
  own: readonly number[],
  replicationFactor: number,
  partitionCount: number,
): string[] {
  const others = configuration.members.filter(({ id }) => !own.includes(id));
  const members = [...own, ...others.map(({ id }) => id)];
  return partitionIds(partitionCount).flatMap((partition) => {
    const held = others.flatMap(({ id, replicas }) =>
      replicas.filter((r) => r.partition === partition).map(({ state }) => ({ id, state })),
    );
    const leaving = held.filter(({ state }) => state === "LEAVING").map(({ id }) => id);
    const replicas = replicationFactor + held.length - leaving.length;
    return partitionProblems(configuration, topology, members, replicas, partition, leaving);
  });
}

function partitionProblems(
  configuration: Configuration,
  topology: Topology,
  members: readonly number[],
  replicationFactor: number,
  partition: number,
  leaving: readonly number[] = [],
): string[] {
  const problems: string[] = [];
  const active = configuration.members.filter((member) =>
    member.replicas.some((r) => r.partition === partition && r.state === "ACTIVE"),
  );
  if (active.length !== replicationFactor) {
    problems.push(
      `partition ${partition} has ${active.length} active replicas instead of ${replicationFactor}`,
    );
  }
  const holders = topology.brokers
    .filter((broker) => members.includes(broker.id))
    .flatMap(({ id, partitions }) =>
      partitions.filter((p) => p.id === partition).map((p) => ({ ...p, broker: id })),
    );
  const leaders = holders.filter((p) => p.role === "leader").length;
  if (leaders !== 1) {
    problems.push(
      `partition ${partition} has ${leaders === 0 ? "no leader" : `${leaders} leaders`}`,
    );
  }
  const healthy = holders.filter(
    (p) => p.health === "healthy" && !leaving.includes(p.broker),
  ).length;
  if (healthy !== replicationFactor) {
    problems.push(
      `partition ${partition} has ${healthy} healthy replicas instead of ${replicationFactor}`,
    );
  }
  return problems;
}

/** The partitions of which each member holds an active replica, by broker id. Members without one are left out. */
export function activeReplicas({ members }: Configuration): Map<number, number[]> {
  return new Map(
    [...members]
      .sort((a, b) => a.id - b.id)
      .flatMap(({ id, replicas }): [number, number[]][] => {
        const held = replicas.filter(({ state }) => state === "ACTIVE");
        return held.length === 0 ? [] : [[id, held.map(({ partition }) => partition)]];
      }),
  );
}

/** State of an exporter over all replicas: one state, or which of them it has. Empty when no replica knows it. */
export function exporterStates(configuration: Configuration, exporterId: string): string[] {
  const states = configuration.members.flatMap((member) =>
    member.replicas.map((replica) => replica.exporters[exporterId] ?? "UNKNOWN"),
  );
  return [...new Set(states)].sort();
}

/** All exporter ids that any replica knows. */
export function exporterIds(configuration: Configuration): string[] {
  return [
    ...new Set(
      configuration.members.flatMap((member) =>
        member.replicas.flatMap((replica) => Object.keys(replica.exporters)),
      ),
    ),
  ].sort();
}

/** An operation in words: `PARTITION_JOIN broker 3 partition 1`. */
export function describeOperation(operation: Operation): string {
  const parts = [operation.operation, `broker ${operation.brokerId}`];
  if (operation.partitionId !== undefined) {
    parts.push(`partition ${operation.partitionId}`);
  }
  if (operation.exporterId !== undefined) {
    parts.push(`exporter ${operation.exporterId}`);
  }
  if (operation.brokers.length > 0) {
    parts.push(`with brokers ${listed(operation.brokers.map(String))}`);
  }
  return parts.join(" ");
}

/**
 * Operations in words, the first few of each kind and how many more: a removal by force has one for every
 * partition, and after them those that remove the brokers.
 */
export function describeOperations(operations: readonly Operation[]): string[] {
  const kinds = new Set(operations.map(({ operation }) => operation));
  return [...kinds].flatMap((kind) =>
    firstOf(operations.filter(({ operation }) => operation === kind).map(describeOperation)),
  );
}

/** A pending change in words: its id, how far it is, and what it is at. */
export function describePending(change: PendingChange): string {
  const total = change.completed.length + change.pending.length;
  const next = change.pending[0];
  const at = next ? `, at ${describeOperation(next)}` : "";
  return `change ${change.id} (${change.completed.length} of ${total} done${at})`;
}

/** The ids of the partitions: 1 to `count`. */
export function partitionIds(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
