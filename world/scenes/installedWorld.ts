import type { RegionEndpoints, RegionName } from "../world";
import { Recorder } from "../recorder";
import { peerOf } from "../../components/base/brokers";
import { EmbeddedWorld, EmbeddedWorldOptions } from "../camunda/embedded";
import { ApiRequest, KubeApiServer } from "../kubernetes/played/apiServer";
import { Outages } from "../pulumi/outages";
import { debugProviders, ProviderCall, ProviderServer } from "../pulumi/server";
import type { StandIn } from "../pulumi/standIn";
import { RegionCluster } from "../kubernetes/played/cluster";
import { KubernetesStandIn, Located } from "../kubernetes/played/kubernetesStandIn";
import { Ports, Regions, Wiring } from "../kubernetes/played/regions";
import type { KubeObject, ObjectStore } from "../kubernetes/played/objects";
import type { Arrival, InstallableWorld } from "./installableWorld";

/** The Kubernetes cluster of a region, and its API. */
export interface LiveCluster {
  cluster: RegionCluster;
  api: KubeApiServer;
}

/**
 * Two regions in which nothing runs until the program installs it, through stand-ins for the providers of
 * Pulumi: what it installs are brokers and Elasticsearches of the embedded world. Subclasses are the platforms.
 */
export abstract class InstalledWorld implements InstallableWorld {
  readonly world: EmbeddedWorld;
  readonly outages = new Outages();
  readonly regions: Regions;
  recorder!: Recorder;
  /** Every request that reached a Kubernetes API, by region, also of clusters that are gone. */
  readonly apiRequests: Record<RegionName, ApiRequest[][]> = { region0: [], region1: [] };

  readonly plugins = [];
  readonly timeouts = {};

  protected readonly live = new Map<RegionName, LiveCluster>();
  /** Regions by the address of their clusters' APIs, past ones too: a kubeconfig may be old. */
  private readonly regionOfServer = new Map<string, RegionName>();
  private readonly servers: ProviderServer[] = [];
  private endpoints?: Record<RegionName, RegionEndpoints>;

  protected constructor(options: EmbeddedWorldOptions) {
    this.world = new EmbeddedWorld(options);
    this.regions = new Regions(
      this.world,
      this.wiring(),
      portsOf(() => this.endpoints),
    );
  }

  abstract readonly config: Record<string, unknown>;

  /** Names, network and buckets of the platform. */
  protected abstract wiring(): Wiring;

  /** Stand-ins besides that for Kubernetes. */
  protected abstract standIns(): StandIn[];

  /** Name of a region for outages. */
  abstract outageOf(region: RegionName): string;

  /** Environment in which the program finds its clusters. */
  protected abstract platformEnvironment(): Record<string, string>;

  /** The platform's share of a start. */
  protected abstract begin(): Promise<void>;

  /** The platform's share of a loss: what there is besides the cluster is gone. */
  protected abstract loseRest(region: RegionName): void;

  /** The platform's share of a recreation: an empty region. */
  protected abstract recreateRest(region: RegionName): Promise<void>;

  /** Removes what the platform has on disk. */
  protected abstract cleanUp(): Promise<void>;

  /** The cluster that a kubeconfig names. */
  protected abstract serverOf(
    kubeconfig: string | undefined,
    context: string | undefined,
  ): string | undefined;

  /** Addresses that a Service of type LoadBalancer is given. */
  protected abstract loadBalancer(cluster: RegionCluster, service: KubeObject): string[];

  async start(): Promise<void> {
    await this.world.standBy(this.regions);
    const { recorder, endpoints } = await Recorder.of(this.world);
    this.recorder = recorder;
    this.endpoints = endpoints;
    const kubernetes = new KubernetesStandIn({
      locate: (kubeconfig, context) => this.locate(kubeconfig, context),
      loadBalancer: (cluster, service) => this.loadBalancer(cluster, service),
      outages: this.outages,
    });
    for (const standIn of [kubernetes, ...this.standIns()]) {
      const server = new ProviderServer(standIn, this.outages);
      await server.start();
      this.servers.push(server);
    }
    await this.begin();
  }

  get environment(): Record<string, string> {
    return { PULUMI_DEBUG_PROVIDERS: debugProviders(this.servers), ...this.platformEnvironment() };
  }

  /** Every call that reached a provider, in order. */
  get calls(): ProviderCall[] {
    return this.servers.flatMap(({ calls }) => calls).sort((a, b) => a.at - b.at);
  }

  async lose(region: RegionName): Promise<void> {
    this.outages.lose(this.outageOf(region));
    this.live.get(region)?.api.lose();
    this.dropCluster(region);
    this.loseRest(region);
    await this.world.lose(region);
  }

  async recreate(region: RegionName): Promise<void> {
    this.outages.recover(this.outageOf(region));
    await this.live.get(region)?.api.close();
    this.live.delete(region);
    await this.recreateRest(region);
  }

  webApps(region: RegionName): Record<string, number> {
    const store = this.regions.clusters.get(region)?.store;
    return store === undefined ? {} : webAppsIn(store);
  }

  /** Type of the resource that is the fence. */
  protected abstract readonly fence: string;

  fenceWritten(region: RegionName): number[] {
    return this.calls
      .filter(
        ({ stack, type, method }) =>
          stack === region && type === this.fence && (method === "create" || method === "update"),
      )
      .map(({ at }) => at);
  }

  reached(region: RegionName): Arrival[] {
    const outage = this.outageOf(region);
    const calls = this.calls
      .filter(({ stack, reaches }) => stack === peerOf(region) && reaches.includes(outage))
      .map(({ at, package: name, method, type }) => ({ at, what: `${name} ${method} ${type}` }));
    const requests = this.apiRequests[region]
      .flat()
      .map(({ at, method, path }) => ({ at, what: `${method} ${path}` }));
    return [...calls, ...requests];
  }

  abstract leftIn(region: RegionName): Promise<string[]>;

  async stop(): Promise<void> {
    this.servers.forEach((server) => server.stop());
    for (const region of [...this.live.keys()]) {
      this.dropCluster(region);
      await this.live.get(region)?.api.close();
    }
    await this.world.stop();
    await this.recorder?.close();
    await this.cleanUp();
  }

  /** Makes the cluster of a region, with the API in front of it. */
  protected async makeCluster(region: RegionName): Promise<LiveCluster> {
    const cluster = new RegionCluster(region, this.world);
    const api = await KubeApiServer.start(cluster.store, this.regions.hooks(region));
    this.apiRequests[region].push(api.requests);
    this.regionOfServer.set(api.url, region);
    this.regions.clusters.set(region, cluster);
    const live = { cluster, api };
    this.live.set(region, live);
    return live;
  }

  /** The cluster is deleted, and what ran in it ends. */
  protected async deleteCluster(region: RegionName): Promise<void> {
    const live = this.live.get(region);
    this.dropCluster(region);
    this.live.delete(region);
    await live?.api.close();
    await this.world.lose(region);
  }

  private dropCluster(region: RegionName): void {
    this.live.get(region)?.cluster.close();
    this.regions.clusters.delete(region);
  }

  private locate(kubeconfig: string | undefined, context: string | undefined): Located | undefined {
    const server = this.serverOf(kubeconfig, context);
    const region = server === undefined ? undefined : this.regionOfServer.get(server);
    if (region === undefined) {
      return undefined;
    }
    const live = this.live.get(region);
    return {
      region: this.outageOf(region),
      cluster: live?.api.url === server ? live?.cluster : undefined,
    };
  }
}

/** Where the servers of the regions are behind, on this machine. */
export function portsOf(
  endpoints: () => Record<RegionName, RegionEndpoints> | undefined,
): (region: RegionName) => Ports {
  const port = (url: string | undefined) =>
    url === undefined ? undefined : Number(new URL(url).port);
  return (region) => {
    const found = endpoints()?.[region];
    return {
      gateway: port(found?.gateway),
      management: port(found?.management),
      elasticsearch: port(found?.elasticsearch),
      broker: (id) => port(found?.brokers[id]),
    };
  };
}

/** Pods that are wished of Operate and Tasklist, by name of their Deployment. */
export function webAppsIn(store: ObjectStore): Record<string, number> {
  return Object.fromEntries(
    store
      .list("Deployment")
      .filter(({ metadata }) => /-(operate|tasklist)$/.test(metadata.name))
      .map(({ metadata, spec }) => [metadata.name, (spec as { replicas: number }).replicas]),
  );
}
