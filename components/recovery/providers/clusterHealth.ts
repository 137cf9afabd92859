import { listed, shortened } from "../../base/bounded";
import { BrokerMap, idsOfMap } from "../../base/brokers";
import { unhealthy } from "../../clients/topology";
import { waitFor } from "../../clients/poll";
import { implement } from "./behaviour";

/** Inputs of a `ClusterHealth`. */
export interface ClusterHealthInputs {
  /** The brokers that must be members and healthy, by name. */
  brokers: BrokerMap;
  /** Replicas of every partition. */
  replicationFactor: number;
}

/**
 * Instead of Helm's waiting: a pod of Zeebe is ready only as a member of a cluster that has a quorum, and
 * that is there only with both regions. So the releases do not wait, and this does, on the fields that
 * decide: members, replicas, leaders.
 */
export const provider = implement<ClusterHealthInputs>({
  id: () => "cluster-health",
  async converge(inputs, { session }) {
    const { settings } = session;
    const brokers = idsOfMap(inputs.brokers);
    await waitFor<void>(
      "the cluster of both regions to be healthy",
      settings.timeouts.formation,
      session.log,
      async () => {
        const { configuration, topology } = await session.observe();
        const problems = unhealthy(
          configuration,
          topology,
          brokers,
          inputs.replicationFactor,
          settings.partitionCount,
        );
        return problems.length === 0
          ? { done: true, value: undefined }
          : { done: false, seen: listed(problems, "; ") };
      },
      {
        refuse: (last, seconds) =>
          `the cluster is not healthy (waited ${seconds} s): ${shortened(last, 60)}; look at the pods of both regions, then pulumi up`,
      },
    );
    return { how: "already true", observed: { brokers: brokers.length, healthy: true } };
  },
});
