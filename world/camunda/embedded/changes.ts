import {
  ClusterConfiguration,
  MemberState,
  nanoTime,
  ChangeOperation,
  replicasOf,
} from "./configuration";

/** What an operation already changes when its broker begins with it. */
export function beginOperation(
  configuration: ClusterConfiguration,
  operation: ChangeOperation,
): void {
  const { brokerId, partitionId } = operation;
  const member = configuration.members.get(brokerId);
  switch (operation.operation) {
    case "BROKER_ADD":
      configuration.members.set(brokerId, {
        state: "JOINING",
        version: 1,
        lastUpdated: nanoTime(),
        partitions: new Map(),
      });
      return;
    case "PARTITION_JOIN":
      member?.partitions.set(partitionId as number, {
        state: "JOINING",
        priority: operation.priority as number,
        exporters: exportersOf(configuration, partitionId as number),
      });
      return touch(member);
    case "PARTITION_LEAVE": {
      const replica = member?.partitions.get(partitionId as number);
      if (replica) {
        replica.state = "LEAVING";
      }
      return touch(member);
    }
    case "BROKER_REMOVE":
      // Forced, the removed broker is not asked.
      if (operation.brokers.length > 0 || !member) {
        return;
      }
      member.state = "LEAVING";
      return touch(member);
  }
}

/** What an operation has changed when it is complete. */
export function finishOperation(
  configuration: ClusterConfiguration,
  operation: ChangeOperation,
): void {
  const { brokerId, partitionId, exporterId } = operation;
  const member = configuration.members.get(brokerId);
  const replica = member?.partitions.get(partitionId ?? -1);
  switch (operation.operation) {
    case "BROKER_ADD":
      if (member) {
        member.state = "ACTIVE";
      }
      return touch(member);
    case "PARTITION_JOIN":
      if (replica) {
        replica.state = "ACTIVE";
      }
      return touch(member);
    case "PARTITION_LEAVE":
      member?.partitions.delete(partitionId as number);
      return touch(member);
    case "PARTITION_RECONFIGURE_PRIORITY":
      if (replica) {
        replica.priority = operation.priority as number;
      }
      return touch(member);
    case "BROKER_REMOVE":
      configuration.members.delete(operation.brokers[0] ?? brokerId);
      return;
    case "PARTITION_FORCE_RECONFIGURE":
      for (const [id, { partitions }] of configuration.members) {
        if (!operation.brokers.includes(id)) {
          partitions.delete(partitionId as number);
        }
      }
      return;
    case "PARTITION_DISABLE_EXPORTER":
    case "PARTITION_ENABLE_EXPORTER": {
      const enabled = operation.operation === "PARTITION_ENABLE_EXPORTER";
      const before = replica?.exporters.get(exporterId as string);
      replica?.exporters.set(exporterId as string, {
        state: enabled ? "ENABLED" : "DISABLED",
        metadataVersion: (before?.metadataVersion ?? 0) + (enabled ? 1 : 0),
        ...(enabled && { initializedFrom: operation.initializeFrom }),
      });
      return touch(member);
    }
  }
}

/** The configuration that these operations lead to. */
export function afterOperations(
  configuration: ClusterConfiguration,
  operations: ChangeOperation[],
): ClusterConfiguration {
  const expected = structuredClone(configuration);
  for (const operation of operations) {
    beginOperation(expected, operation);
    finishOperation(expected, operation);
  }
  return expected;
}

function touch(member: MemberState | undefined): void {
  if (!member) {
    return;
  }
  member.version++;
  member.lastUpdated = nanoTime();
}

/** A replica that joins follows the configuration of the others. */
function exportersOf(configuration: ClusterConfiguration, partitionId: number) {
  const [first] = replicasOf(configuration, partitionId);
  const replica = configuration.members.get(first ?? -1)?.partitions.get(partitionId);
  return structuredClone(replica?.exporters ?? new Map());
}
