import {
  Configuration,
  ExporterState,
  memberOrder,
  MemberState,
  never,
  Operation,
  PartitionState,
} from "./configuration";

/** The configuration as Java prints it: brokers refuse a second change with all of this in the message. */
export function configurationText(configuration: Configuration): string {
  const { version, lastChange, plan } = configuration;
  const members = memberOrder(configuration.members.keys()).map(
    (id) => `${id}=${memberText(configuration.members.get(id) as MemberState)}`,
  );
  const last =
    lastChange &&
    `CompletedChange[id=${lastChange.id}, status=${lastChange.status}, startedAt=${lastChange.startedAt}, completedAt=${lastChange.completedAt}]`;
  const pending =
    plan &&
    `ClusterChangePlan[id=${plan.id}, version=${plan.completed.length + 1}, status=IN_PROGRESS, startedAt=${plan.startedAt}, ` +
      `completedOperations=[${plan.completed.map(completedText).join(", ")}], ` +
      `pendingOperations=[${plan.pending.map(operationText).join(", ")}]]`;
  return (
    `ClusterConfiguration[version=${version}, members={${members.join(", ")}}, ` +
    `lastChange=${optional(last)}, pendingChanges=${optional(pending)}, routingState=Optional.empty]`
  );
}

function optional(text: string | undefined): string {
  return text === undefined ? "Optional.empty" : `Optional[${text}]`;
}

function memberText(member: MemberState): string {
  const updated = member.lastUpdated === never ? "-1000000000-01-01T00:00:00Z" : member.lastUpdated;
  const partitions = [...member.partitions].map(([id, state]) => `${id}=${partitionText(state)}`);
  return `MemberState[version=${member.version}, lastUpdated=${updated}, state=${member.state}, partitions={${partitions.join(", ")}}]`;
}

function partitionText(partition: PartitionState): string {
  const exporters = [...partition.exporters].map(([id, state]) => `${id}=${exporterText(state)}`);
  return (
    `PartitionState[state=${partition.state}, priority=${partition.priority}, ` +
    `config=DynamicPartitionConfig[exporting=ExportersConfig[exporters={${exporters.join(", ")}}]]]`
  );
}

function exporterText(exporter: ExporterState): string {
  return `ExporterState[metadataVersion=${exporter.metadataVersion}, state=${exporter.state}, initializedFrom=${optional(exporter.initializedFrom)}]`;
}

function completedText(operation: Operation): string {
  return `CompletedOperation[operation=${operationText(operation)}, completedAt=${operation.completedAt}]`;
}

function operationText(operation: Operation): string {
  const at = `memberId=${operation.brokerId}, partitionId=${operation.partitionId}`;
  switch (operation.operation) {
    case "BROKER_ADD":
      return `MemberJoinOperation[memberId=${operation.brokerId}]`;
    case "BROKER_REMOVE":
      return operation.brokers.length > 0
        ? `MemberRemoveOperation[memberId=${operation.brokerId}, memberToRemove=${operation.brokers[0]}]`
        : `MemberLeaveOperation[memberId=${operation.brokerId}]`;
    case "PARTITION_JOIN":
      return `PartitionJoinOperation[${at}, priority=${operation.priority}]`;
    case "PARTITION_LEAVE":
      return `PartitionLeaveOperation[${at}]`;
    case "PARTITION_RECONFIGURE_PRIORITY":
      return `PartitionReconfigurePriorityOperation[${at}, priority=${operation.priority}]`;
    case "PARTITION_FORCE_RECONFIGURE":
      return `PartitionForceReconfigureOperation[${at}, members=[${operation.brokers.join(", ")}]]`;
    case "PARTITION_DISABLE_EXPORTER":
      return `PartitionDisableExporterOperation[${at}, exporterId=${operation.exporterId}]`;
    default:
      return `PartitionEnableExporterOperation[${at}, exporterId=${operation.exporterId}, initializeFrom=${optional(operation.initializeFrom)}]`;
  }
}
