import { join } from "node:path";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { ownCharts } from "../../world/scenes/charts";
import { RealCluster } from "../../world/kubernetes/real/cluster";
import { prepareKubernetes } from "../../world/kubernetes/real/prepare";
import { ChartRepository } from "./chartRepository";
import { ProviderClient, RunningPlugin } from "./providerClient";
import { providerContract } from "./provider.contract";

describe("Pulumi's provider for Kubernetes: the real one", () => {
  providerContract(async () => {
    const programs = await prepareKubernetes({ log: console.log });
    const cluster = await RealCluster.start(programs, "region/0", {});
    const folder = mkdtempSync(join(tmpdir(), "provider-"));
    const plugins: RunningPlugin[] = [];
    const repository = await ChartRepository.start({
      elasticsearch: { folder: ownCharts().elasticsearch.chart, version: "21.6.3" },
    });
    writeFileSync(join(folder, "kubeconfig"), cluster.kubeconfig);
    return {
      connect: async () => {
        const plugin = await RunningPlugin.start(programs.plugin, { HOME: folder });
        plugins.push(plugin);
        return new ProviderClient(plugin.port);
      },
      config: { kubeconfig: join(folder, "kubeconfig"), context: "region/0" },
      put: (object) => cluster.create([object]),
      remove: (...which) => cluster.remove(...which),
      read: (...which) => cluster.read(...which),
      charts: { path: ownCharts().elasticsearch.chart, repository: repository.url },
      loseCharts: () => repository.stop(),
      freeze: async () => cluster.freeze(),
      stop: async () => {
        await Promise.all(plugins.map((plugin) => plugin.stop()));
        await repository.stop();
        await cluster.stop();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  });
});
