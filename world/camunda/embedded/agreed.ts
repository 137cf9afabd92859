import { Broker, Cluster, ExportingPhase } from "./cluster";
import { CompletedChange, Plan, sortedMembers } from "./configuration";
import { aggregatedExporters } from "./management";
import type { RegionName } from "../../world";

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

/** What a region's brokers agree on at the moment. */
export function agreedCluster(model: Cluster, region: RegionName): AgreedCluster {
  const side = model.sideOf(region);
  const { version, members, plan, lastChange } = side.configuration;
  const ids = sortedMembers(side.configuration);
  const alive = ids.filter((id) => model.isAlive(side, id)).map((id) => model.broker(id));
  const phases = (broker: Broker) =>
    model.partitionsOf(broker).map((id) => [id, model.phaseOf(broker, id)] as const);
  const partitions = (id: number) => [...(members.get(id)?.partitions.keys() ?? [])];
  return structuredClone({
    version,
    members: ids,
    partitions: Object.fromEntries(ids.map((id) => [id, partitions(id).sort((a, b) => a - b)])),
    leaders: Object.fromEntries(side.leaders),
    exporters: Object.fromEntries(
      aggregatedExporters(side.configuration).map(({ exporterId, status }) => [exporterId, status]),
    ),
    phases: Object.fromEntries(alive.map((one) => [one.id, Object.fromEntries(phases(one))])),
    ...(plan && { pendingChange: plan }),
    ...(lastChange && { lastChange }),
  });
}
