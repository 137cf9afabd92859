import { join } from "node:path";
import { EmbeddedWorld } from "../../world/camunda/embedded";
import { ownCharts } from "../../world/scenes/charts";
import { RegionCluster } from "../../world/kubernetes/played/cluster";
import { KubernetesStandIn } from "../../world/kubernetes/played/kubernetesStandIn";
import { Outages } from "../../world/pulumi/outages";
import { ProviderServer } from "../../world/pulumi/server";
import { providerContract } from "../kubernetes/provider.contract";
import { ProviderClient } from "../kubernetes/providerClient";

describe("Pulumi's provider for Kubernetes: the played one", () => {
  providerContract(async () => {
    const world = new EmbeddedWorld();
    await world.standBy({ find: () => undefined, bucketProblem: () => undefined });
    const cluster = new RegionCluster("region0", world);
    const outages = new Outages();
    const standIn = new KubernetesStandIn({
      locate: () => ({ region: "region0", cluster: outages.has("region0") ? undefined : cluster }),
      loadBalancer: (_cluster, { spec }) => {
        const { loadBalancerIP: ip } = spec as { loadBalancerIP?: string };
        return ip === undefined ? [] : [ip];
      },
      outages,
    });
    const server = new ProviderServer(standIn, outages);
    await server.start();
    const repository = "https://charts.example";
    return {
      connect: async () => new ProviderClient(server.port),
      config: { kubeconfig: "good", context: "region/0" },
      put: async (object) => void cluster.store.apply(object),
      remove: async (_apiVersion, ...which) => void cluster.store.remove(...which),
      read: async (_apiVersion, kind, namespace, name) => cluster.store.get(kind, namespace, name),
      charts: { path: join(ownCharts().elasticsearch.chart), repository },
      loseCharts: async () => outages.lose(repository),
      freeze: async () => outages.lose("region0"),
      stop: async () => {
        server.stop();
        cluster.close();
        await world.stop();
      },
    };
  });
});
