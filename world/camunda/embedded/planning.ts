import {
  ClusterConfiguration,
  sortedMembers,
  memberOrder,
  MemberState,
  NEVER,
  ChangeOperation,
  partitionsOf,
  PartitionState,
  replicasOf,
  replicationFactorOf,
} from "./configuration";

/** A request that brokers refuse with status 400. */
export class InvalidRequest extends Error {}

/** Priority of every replica by partition and broker: round robin, as Zeebe distributes them. */
function distribute(
  members: number[],
  partitions: number[],
  replicationFactor: number,
): Map<number, Map<number, number>> {
  const ids = [...members].sort((a, b) => a - b);
  return new Map(
    partitions.map((partitionId) => {
      const replicas = Array.from(
        { length: replicationFactor },
        (_, i) => ids[(partitionId - 1 + i) % ids.length] as number,
      );
      const [primary, ...others] = replicas;
      // Partitions with the same primary get another second choice.
      if (Math.floor((partitionId - 1) / ids.length) % 2 === 1) {
        others.reverse();
      }
      return [
        partitionId,
        new Map([primary as number, ...others].map((id, i) => [id, replicationFactor - i])),
      ];
    }),
  );
}

/** The configuration that brokers start with. */
export function staticConfiguration(
  members: number[],
  partitionCount: number,
  replicationFactor: number,
  exporters: string[],
): ClusterConfiguration {
  const partitions = Array.from({ length: partitionCount }, (_, i) => i + 1);
  const distribution = distribute(members, partitions, replicationFactor);
  return {
    version: 1,
    members: new Map(
      members.map((id): [number, MemberState] => [
        id,
        { state: "ACTIVE", version: 0, lastUpdated: NEVER, partitions: replicasFor(id) },
      ]),
    ),
  };

  function replicasFor(id: number): Map<number, PartitionState> {
    const replicas = new Map<number, PartitionState>();
    for (const [partitionId, priorities] of distribution) {
      const priority = priorities.get(id);
      if (priority === undefined) {
        continue;
      }
      replicas.set(partitionId, {
        state: "ACTIVE",
        priority,
        exporters: new Map(
          exporters.map((exporterId) => [exporterId, { state: "ENABLED", metadataVersion: 0 }]),
        ),
      });
    }
    return replicas;
  }
}

/** Steps that keep `retained` and drop every other member, without asking them. */
export function planForcedRemoval(
  configuration: ClusterConfiguration,
  retained: number[],
): ChangeOperation[] {
  const kept = [...new Set(retained)];
  const unknown = kept.find((id) => !configuration.members.has(id));
  if (unknown !== undefined) {
    const current =
      configuration.version === 1
        ? sortedMembers(configuration)
        : memberOrder(sortedMembers(configuration));
    throw new InvalidRequest(
      `Expected to force configure while retaining broker '${unknown}', but broker '${unknown}' is not in the current cluster. ` +
        `Current members are '[${current.join(", ")}]'`,
    );
  }
  const partitions = partitionsOf(configuration);
  const remaining = (id: number) => replicasOf(configuration, id).filter((b) => kept.includes(b));
  const orphans = partitions.filter((id) => remaining(id).length === 0);
  if (orphans.length > 0) {
    throw new InvalidRequest(
      `Expected to force configure and retain members '[${kept.join(", ")}]', but this will result in partitions ` +
        `'[${orphans.join(", ")}]' having no replicas`,
    );
  }
  const coordinator = Math.min(...kept);
  return [
    ...partitions.map((partitionId) => ({
      operation: "PARTITION_FORCE_RECONFIGURE",
      brokerId: remaining(partitionId)[0] as number,
      partitionId,
      brokers: remaining(partitionId),
    })),
    ...memberOrder(configuration.members.keys())
      .filter((id) => !kept.includes(id))
      .map((id) => ({ operation: "BROKER_REMOVE", brokerId: coordinator, brokers: [id] })),
  ];
}

/** Steps to exactly these members, each asked to take part. */
export function planScaling(
  configuration: ClusterConfiguration,
  target: number[],
  requestedFactor: number | undefined,
): ChangeOperation[] {
  const members = [...new Set(target)];
  const factor = requestedFactor ?? replicationFactorOf(configuration);
  if (factor <= 0) {
    throw new InvalidRequest(`Replication factor [${factor}] must be greater than 0`);
  }
  if (members.length < factor) {
    throw new InvalidRequest(
      `Number of brokers [${members.length}] is less than the replication factor [${factor}]`,
    );
  }
  const partitions = partitionsOf(configuration);
  const wanted = distribute(members, partitions, factor);
  const added = memberOrder(members.filter((id) => !configuration.members.has(id)));
  const removed = memberOrder(sortedMembers(configuration).filter((id) => !members.includes(id)));
  return [
    ...added.map((brokerId) => ({ operation: "BROKER_ADD", brokerId, brokers: [] })),
    ...partitions.flatMap((id) => planPartition(configuration, id, wanted.get(id) ?? new Map())),
    ...removed.map((brokerId) => ({ operation: "BROKER_REMOVE", brokerId, brokers: [] })),
  ];
}

function planPartition(
  configuration: ClusterConfiguration,
  partitionId: number,
  wanted: Map<number, number>,
): ChangeOperation[] {
  const current = replicasOf(configuration, partitionId);
  const priorityOf = (id: number) =>
    configuration.members.get(id)?.partitions.get(partitionId)?.priority;
  const joining = [...wanted.keys()].filter((id) => !current.includes(id)).sort((a, b) => a - b);
  const leaving = current.filter((id) => !wanted.has(id));
  const staying = current.filter((id) => wanted.has(id) && wanted.get(id) !== priorityOf(id));
  return [
    ...joining.map((brokerId) => ({
      operation: "PARTITION_JOIN",
      brokerId,
      partitionId,
      priority: wanted.get(brokerId),
      brokers: [],
    })),
    ...leaving.map((brokerId) => ({
      operation: "PARTITION_LEAVE",
      brokerId,
      partitionId,
      brokers: [],
    })),
    ...staying.map((brokerId) => ({
      operation: "PARTITION_RECONFIGURE_PRIORITY",
      brokerId,
      partitionId,
      priority: wanted.get(brokerId),
      brokers: [],
    })),
  ];
}

/** Steps that disable an exporter in every replica. */
export function planDisable(
  configuration: ClusterConfiguration,
  exporterId: string,
): ChangeOperation[] {
  return replicas(configuration).map(({ brokerId, partitionId }) => ({
    operation: "PARTITION_DISABLE_EXPORTER",
    brokerId,
    partitionId,
    brokers: [],
    exporterId,
  }));
}

/** Steps that enable an exporter in every replica. An id that no broker knows is not refused. */
export function planEnable(
  configuration: ClusterConfiguration,
  exporterId: string,
  initializeFrom: string | undefined,
): ChangeOperation[] {
  return replicas(configuration).map(({ brokerId, partitionId }) => ({
    operation: "PARTITION_ENABLE_EXPORTER",
    brokerId,
    partitionId,
    brokers: [],
    exporterId,
    ...(initializeFrom !== undefined && { initializeFrom }),
  }));
}

/** Refuses steps that would fail: brokers rehearse a change before they begin it. */
export function rehearse(configuration: ClusterConfiguration, operations: ChangeOperation[]): void {
  for (const { operation, brokerId, partitionId, exporterId, initializeFrom } of operations) {
    if (exporterId === undefined) {
      continue;
    }
    const replica = configuration.members.get(brokerId)?.partitions.get(partitionId as number);
    const exporters: PartitionState["exporters"] = replica?.exporters ?? new Map();
    if (operation === "PARTITION_DISABLE_EXPORTER") {
      if (exporters.has(exporterId)) {
        continue;
      }
      throw new InvalidRequest(
        `java.lang.IllegalStateException: Expected to disable exporter, but the partition '${partitionId}' does not have the exporter '${exporterId}'`,
      );
    }
    const refused = "java.lang.IllegalStateException: Expected to enable exporter";
    if (exporters.get(exporterId)?.state === "ENABLED") {
      throw new InvalidRequest(`${refused}, but the exporter '${exporterId}' is already enabled`);
    }
    if (initializeFrom === undefined) {
      continue;
    }
    const from = `${refused} and initialize from exporter '${initializeFrom}'`;
    const source = exporters.get(initializeFrom);
    if (!source) {
      throw new InvalidRequest(
        `${from}, but the partition '${partitionId}' does not have exporter '${initializeFrom}'`,
      );
    }
    if (source.state === "DISABLED") {
      throw new InvalidRequest(`${from}, but the exporter '${initializeFrom}' is disabled`);
    }
  }
}

function replicas(
  configuration: ClusterConfiguration,
): { brokerId: number; partitionId: number }[] {
  return memberOrder(configuration.members.keys()).flatMap((brokerId) =>
    [...(configuration.members.get(brokerId)?.partitions.keys() ?? [])]
      .sort((a, b) => a - b)
      .map((partitionId) => ({ brokerId, partitionId })),
  );
}
