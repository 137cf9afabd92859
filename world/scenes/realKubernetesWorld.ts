import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Recorder } from "../recorder";
import { EmbeddedWorld, EmbeddedWorldOptions } from "../camunda/embedded";
import { kubeconfig } from "../kubernetes/played/kubeconfig";
import type { KubeObject } from "../kubernetes/played/objects";
import { NODE, RealCluster } from "../kubernetes/real/cluster";
import { KubernetesPrograms, PLUGIN_VERSION, prepareKubernetes } from "../kubernetes/real/prepare";
import { RunningPods } from "../kubernetes/real/runningPods";
import { Regions } from "../kubernetes/played/regions";
import type { RegionEndpoints, RegionName } from "../world";
import type { Arrival, InstallableWorld } from "./installableWorld";
import { portsOf, webAppsIn } from "./installedWorld";
import { ownCharts } from "./charts";
import { KUBEADM_COREFILE } from "../kubernetes/shippedCorefiles";
import { CONTEXTS, GIVEN_CLUSTERS, leftOf, wiringOf } from "./kubernetesWorld";
import { Tap } from "./tap";

const REGIONS = ["region0", "region1"] as const;

/** What is in each cluster before anybody installs anything. */
const GIVEN: KubeObject[] = [
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "coredns", namespace: "kube-system" },
    data: { Corefile: KUBEADM_COREFILE },
  },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "coredns", namespace: "kube-system" },
    spec: {
      selector: { matchLabels: { "k8s-app": "kube-dns" } },
      template: {
        metadata: { labels: { "k8s-app": "kube-dns" } },
        spec: { nodeName: NODE, containers: [{ name: "coredns", image: "none" }] },
      },
    },
  },
];

interface LiveRegion {
  cluster: RealCluster;
  pods: RunningPods;
}

/**
 * Two clusters that are there already, with real Kubernetes API servers: platform `kubernetes` through the
 * real provider of Pulumi. What runs in them are brokers and Elasticsearches of the embedded world; names and
 * ways between their pods are what the objects in the clusters make of them.
 */
export class RealKubernetesWorld implements InstallableWorld {
  readonly world: EmbeddedWorld;
  readonly config = {
    ...GIVEN_CLUSTERS,
    charts: ownCharts(),
  };
  // The usual 5 s were too few on a busy machine, and 20 s on one with thirty processes for two cores.
  readonly timeouts = { request: 60, gate: 120 };
  recorder!: Recorder;
  /** The clusters that answer. */
  readonly live = new Map<RegionName, LiveRegion>();
  private readonly regions: Regions;
  /** In front of each API server. */
  private readonly taps = new Map<RegionName, Tap>();
  private readonly lost: RealCluster[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), "camunda-clusters-"));
  private endpoints?: Record<RegionName, RegionEndpoints>;
  private programs!: KubernetesPrograms;
  private failure: unknown;

  constructor(options: EmbeddedWorldOptions = {}) {
    this.world = new EmbeddedWorld(options);
    this.regions = new Regions(
      this.world,
      wiringOf(() => this.regions.clusters),
      portsOf(() => this.endpoints),
    );
  }

  get environment(): Record<string, string> {
    return {
      KUBECONFIG: join(this.folder, "kubeconfig"),
      // Helm's own files: what it has of charts is not the user's.
      HELM_CACHE_HOME: join(this.folder, "helm"),
      HELM_CONFIG_HOME: join(this.folder, "helm"),
      HELM_DATA_HOME: join(this.folder, "helm"),
    };
  }

  get plugins() {
    return [{ name: "kubernetes", version: PLUGIN_VERSION, file: this.programs.plugin }];
  }

  async start(): Promise<void> {
    this.programs = await prepareKubernetes({ log: console.log });
    await this.world.standBy(this.regions);
    const { recorder, endpoints } = await Recorder.of(this.world);
    this.recorder = recorder;
    this.endpoints = endpoints;
    for (const region of REGIONS) {
      this.taps.set(region, await Tap.open());
    }
    await Promise.all(REGIONS.map((region) => this.build(region)));
  }

  /** The API server hangs: connections to it come about, and nothing answers. */
  async lose(region: RegionName): Promise<void> {
    const { cluster, pods } = this.region(region);
    cluster.freeze();
    pods.close();
    this.live.delete(region);
    this.regions.clusters.delete(region);
    this.lost.push(cluster);
    await this.world.lose(region);
  }

  async recreate(region: RegionName): Promise<void> {
    await this.endLost();
    await this.build(region);
  }

  webApps(region: RegionName): Record<string, number> {
    this.expectWell();
    return webAppsIn(this.region(region).pods.store);
  }

  fenceWritten(region: RegionName): number[] {
    return this.region(region).pods.policiesWritten;
  }

  reached(region: RegionName): Arrival[] {
    const connections = this.taps.get(region)?.connections ?? [];
    return connections.map((at) => ({ at, what: "a connection to the Kubernetes API" }));
  }

  async leftIn(region: RegionName): Promise<string[]> {
    const { cluster } = this.region(region);
    const kinds = ["Namespace", "Service", "ConfigMap", "Secret", "Pod"];
    const found = await Promise.all(kinds.map((kind) => cluster.list("v1", kind)));
    const policies = await cluster.list("networking.k8s.io/v1", "NetworkPolicy");
    return leftOf([...found.flat(), ...policies]);
  }

  async stop(): Promise<void> {
    for (const { pods } of this.live.values()) {
      pods.close();
    }
    await Promise.all([...this.live.values()].map(({ cluster }) => cluster.stop()));
    await this.endLost();
    this.taps.forEach((tap) => tap.close());
    await this.world.stop();
    await this.recorder?.close();
    rmSync(this.folder, { recursive: true, force: true });
    this.expectWell();
  }

  /** The cluster of a region that is not lost. */
  region(region: RegionName): LiveRegion {
    const found = this.live.get(region);
    if (found === undefined) {
      throw new Error(`${region} is lost`);
    }
    return found;
  }

  private async build(region: RegionName): Promise<void> {
    const hooks = this.regions.hooks(region);
    const cluster = await RealCluster.start(this.programs, CONTEXTS[region], hooks);
    const pods = new RunningPods(region, cluster, this.world);
    this.live.set(region, { cluster, pods });
    this.regions.clusters.set(region, pods);
    this.taps.get(region)?.lead(cluster.port);
    writeFileSync(
      this.environment.KUBECONFIG as string,
      kubeconfig(
        [...this.live].map(
          ([
            name,
            {
              cluster: { access },
            },
          ]) => ({
            ...access,
            server: `https://127.0.0.1:${this.taps.get(name)?.port}`,
          }),
        ),
      ),
    );
    await cluster.create(GIVEN);
    await pods.follow((error) => (this.failure ??= error));
  }

  private async endLost(): Promise<void> {
    await Promise.all(this.lost.splice(0).map((cluster) => cluster.stop()));
  }

  /** What went wrong behind the pods, where nobody waits for it. */
  private expectWell(): void {
    if (this.failure !== undefined) {
      throw this.failure;
    }
  }
}
