import { listed, shortened } from "../../base/bounded";
import { BrokerMap, idsOfMap } from "../../base/brokers";
import { fits, previousOf } from "../../generations";
import { unhealthy } from "../../clients/topology";
import { waitFor } from "../../clients/poll";
import { implement } from "./behaviour";

/** Inputs of a `ClusterHealth`. */
export interface ClusterHealthInputs {
  /** The brokers that must be members and healthy, by name. */
  brokers: BrokerMap;
  /** Replicas of every partition. */
  replicationFactor: number;
  /** The generation that the brokers of this region and its gateway must be of: another one is an upgrade to wait for. */
  camundaVersion: string;
}

/**
 * Instead of Helm's waiting: a pod of Zeebe is ready only as a member of a cluster that has a quorum, and
 * that is there only with both regions. So the releases do not wait, and this does, on the fields that
 * decide: members, replicas, leaders, and after an upgrade the versions.
 */
export const provider = implement<ClusterHealthInputs>({
  id: () => "cluster-health",
  async converge(inputs, { session }) {
    const { generation, settings } = session;
    const brokers = idsOfMap(inputs.brokers);
    const previous = previousOf(settings.camundaVersion);
    await waitFor<void>(
      "the cluster of both regions to be healthy",
      settings.timeouts.formation,
      session.log,
      async () => {
        // While the gateways of this region are replaced. Any other version is a wrong configuration, refused at once.
        const { gatewayVersion } = await session.zeebe.topology();
        if (previous !== undefined && fits(previous, gatewayVersion) !== "no") {
          return { done: false, seen: `the gateway is of version ${gatewayVersion}` };
        }
        const { configuration, topology } = await session.observe();
        const old = topology.brokers.find(
          ({ id, version }) => session.own.includes(id) && fits(generation, version) === "no",
        );
        if (old !== undefined) {
          return { done: false, seen: `broker ${old.id} is of version ${old.version}` };
        }
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
