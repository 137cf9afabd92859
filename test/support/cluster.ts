import type { Configuration, Topology } from "../../components/clients/topology";

/** A healthy configuration: each member has a replica of each partition, every exporter is enabled. */
export function configurationOf(members: number[], partitionCount = 2): Configuration {
  return {
    members: members.map((id) => ({
      id,
      state: "ACTIVE",
      replicas: partitions(partitionCount).map((partition) => ({
        partition,
        state: "ACTIVE",
        exporters: { elasticsearchregion0: "ENABLED", elasticsearchregion1: "ENABLED" },
      })),
    })),
  };
}

/** What a gateway sees of healthy brokers; the first leads every partition. */
export function topologyOf(seen: number[], partitionCount = 2): Topology {
  return {
    brokers: seen.map((id, index) => ({
      id,
      version: "8.6.0",
      partitions: partitions(partitionCount).map((partition) => ({
        id: partition,
        role: index === 0 ? "leader" : "follower",
        health: "healthy",
      })),
    })),
    clusterSize: seen.length,
    partitionsCount: partitionCount,
    replicationFactor: seen.length,
    gatewayVersion: "8.6.0",
  };
}

function partitions(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
