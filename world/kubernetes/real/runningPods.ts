import { isDeepStrictEqual } from "node:util";
import type { BrokerInstallation, EmbeddedWorld } from "../../camunda/embedded";
import { exportersNamed, InitContainers, waitOf } from "../played/charts";
import { ClusterView, isServing } from "../played/cluster";
import type { RegionName } from "../../world";
import { KubeObject, ObjectStore, saysReady } from "../played/objects";
import type { RealCluster } from "./cluster";

/** How often the readiness of pods follows what runs behind them. */
const FOLLOW_MS = 200;

/**
 * What runs in a real cluster: the pods that run there are brokers and an Elasticsearch of the embedded
 * world, configured as their pods say. Pods are ready when what is behind them is.
 */
export class RunningPods implements ClusterView {
  /** What the API server has, a moment later. */
  readonly store = new ObjectStore();
  /** When each NetworkPolicy was written, milliseconds since the epoch. */
  readonly policiesWritten: number[] = [];
  private readonly claims = new Set<string>();
  /** Pods of brokers that were started, by name. */
  private readonly started = new Map<string, string>();
  private brokers: BrokerInstallation | undefined;
  private searches = false;
  private work = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    readonly region: RegionName,
    private readonly cluster: RealCluster,
    private readonly world: EmbeddedWorld,
  ) {}

  /**
   * Follows the cluster from now on, until {@link close}. What goes wrong is told by `onError`. While its API is frozen
   * nothing is written to it: what runs in its pods goes on.
   */
  async follow(onError: (error: unknown) => void): Promise<void> {
    await this.cluster.watch(WATCHED, (type, object) => this.mirror(type, object));
    const again = () => {
      this.work = this.work
        .then(() => (this.closed || this.cluster.frozen ? undefined : this.bringAbout()))
        .catch((error: unknown) => {
          if (!this.cluster.frozen) {
            onError(error);
          }
        });
      void this.work.then(() => {
        if (!this.closed) {
          this.timer = setTimeout(again, FOLLOW_MS);
        }
      });
    };
    again();
  }

  /** Whatever ran in it is ended by whoever loses the region. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  brokerOf({ metadata }: KubeObject): number | undefined {
    return this.brokers?.nodeIds[ordinalOf(metadata.name)];
  }

  private mirror(type: "there" | "gone", object: KubeObject): void {
    const { kind, metadata } = object;
    const before = this.store.get(kind, metadata.namespace, metadata.name);
    if (kind === "NetworkPolicy" && !isDeepStrictEqual(before?.spec, object.spec)) {
      this.policiesWritten.push(Date.now());
    }
    if (type === "there") {
      this.store.mirror(object);
    } else {
      this.store.remove(kind, metadata.namespace, metadata.name);
    }
  }

  private async bringAbout(): Promise<void> {
    await this.followBrokers();
    await this.followElasticsearch();
    this.world.runWebApps(
      this.region,
      (["operate", "tasklist"] as const).filter((app) => (this.replicasOf(app) ?? 0) > 0),
    );
    for (const pod of this.store.list("Pod")) {
      await this.followReadiness(pod);
    }
  }

  private async followBrokers(): Promise<void> {
    const [set] = this.store.list("StatefulSet", undefined, component("zeebe-broker"));
    const pods = this.running("zeebe-broker");
    for (const [name] of [...this.started].filter(([one]) => !pods.some(isNamed(one)))) {
      this.started.delete(name);
      const id = this.brokers?.nodeIds[ordinalOf(name)];
      if (id !== undefined) {
        await this.world.stopBroker(id);
      }
    }
    if (set === undefined) {
      if (this.brokers !== undefined && pods.length === 0) {
        this.brokers = undefined;
        await this.world.uninstall(this.region);
      }
      return;
    }
    const fresh = pods.filter(({ metadata }) => this.started.get(metadata.name) !== metadata.uid);
    const [first] = fresh;
    const wanted = (set.spec as { replicas: number }).replicas;
    // All at once in the beginning: whom brokers find when they start decides what they believe.
    if (first === undefined || (this.brokers === undefined && pods.length < wanted)) {
      return;
    }
    for (const { metadata } of fresh) {
      this.started.set(metadata.name, String(metadata.uid));
    }
    const brokers = this.installationOf(set, first);
    if (isDeepStrictEqual(brokers, this.brokers)) {
      for (const pod of fresh) {
        await this.world.restartBroker(this.brokerOf(pod) as number);
      }
      return;
    }
    this.brokers = brokers;
    await this.world.install(this.region, brokers, this.disks(set), this.waits(first, brokers));
  }

  private async followElasticsearch(): Promise<void> {
    const [set] = this.store.list("StatefulSet", undefined, component("master"));
    const runs = set !== undefined && this.running("master").length > 0;
    if (runs === this.searches) {
      return;
    }
    this.searches = runs;
    if (runs) {
      const maps = this.store.list("ConfigMap", set.metadata.namespace, component("master"));
      const named = JSON.stringify(maps.map(({ data }) => data)).matchAll(
        /s3\.client\.([a-z0-9_-]+)\./g,
      );
      const clients = [...new Set([...named].map((match) => match[1] as string))];
      await this.world.installElasticsearch(this.region, clients, this.disks(set));
    } else {
      await this.world.uninstallElasticsearch(this.region);
    }
  }

  /** Configuration of the brokers: the environment and the init container of a pod, and the script that starts it. */
  private installationOf(set: KubeObject, pod: KubeObject): BrokerInstallation {
    const { containers, initContainers, volumes } = pod.spec as InitContainers & {
      containers: { env?: { name: string; value?: string }[]; livenessProbe?: unknown }[];
    };
    const env = Object.fromEntries(
      (containers[0]?.env ?? []).map(({ name, value = "" }) => [name, value]),
    );
    const { namespace, name } = set.metadata;
    const script = this.store.get("ConfigMap", namespace, `${name}-configuration`)?.data;
    const [, regions, regionId] =
      /\* (\d+) \+ (\d+)/.exec(String((script as Record<string, string>)["startup.sh"])) ?? [];
    return {
      nodeIds: Array.from(
        { length: (set.spec as { replicas: number }).replicas },
        (_, ordinal) => ordinal * Number(regions) + Number(regionId),
      ),
      clusterSize: Number(env.ZEEBE_BROKER_CLUSTER_CLUSTERSIZE),
      partitionCount: Number(env.ZEEBE_BROKER_CLUSTER_PARTITIONSCOUNT),
      replicationFactor: Number(env.ZEEBE_BROKER_CLUSTER_REPLICATIONFACTOR),
      contactPoints: (env.ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS ?? "").split(","),
      exporters: exportersNamed(env),
      restarts: containers[0]?.livenessProbe !== undefined,
      ...waitOf({ initContainers, volumes }, `${name}-0.${name}.${namespace}.`),
    };
  }

  /** Whether brokers wait for the other region when they start now. */
  private waits({ metadata }: KubeObject, { waitsBy }: BrokerInstallation): boolean {
    if (waitsBy === undefined) {
      return false;
    }
    const map = this.store.get("ConfigMap", metadata.namespace, waitsBy.configMap);
    return (map?.data as Record<string, string> | undefined)?.[waitsBy.key] === "true";
  }

  /** Whether the claims of a StatefulSet have been used before. */
  private disks({ metadata }: KubeObject): "empty" | "old" {
    const claims = this.store
      .list("PersistentVolumeClaim", metadata.namespace)
      .filter(({ metadata: { name } }) => name.startsWith(`data-${metadata.name}-`))
      .map(({ metadata: { uid } }) => String(uid));
    const used = claims.some((uid) => this.claims.has(uid));
    claims.forEach((uid) => this.claims.add(uid));
    return used ? "old" : "empty";
  }

  private running(role: string): KubeObject[] {
    return this.store
      .list("Pod", undefined, component(role))
      .filter(
        ({ metadata, status }) =>
          metadata.deletionTimestamp === undefined &&
          (status as { phase?: string } | undefined)?.phase === "Running",
      );
  }

  private replicasOf(app: string): number | undefined {
    const [found] = this.store.list("Deployment", undefined, component(app));
    return (found?.spec as { replicas?: number } | undefined)?.replicas;
  }

  private async followReadiness(pod: KubeObject): Promise<void> {
    const { metadata, status } = pod;
    if ((status as { phase?: string } | undefined)?.phase !== "Running") {
      return;
    }
    const ready = isServing(this.world, this, pod);
    if (ready === saysReady(pod)) {
      return;
    }
    const { conditions } = status as { conditions: { type: string; status: string }[] };
    await this.cluster.patchStatus("Pod", metadata.namespace ?? "", metadata.name, {
      conditions: conditions.map((one) =>
        one.type === "Ready" || one.type === "ContainersReady"
          ? { ...one, status: ready ? "True" : "False" }
          : one,
      ),
    });
  }
}

const WATCHED = [
  ...["v1/Namespace", "v1/Pod", "v1/Service", "v1/ConfigMap", "v1/PersistentVolumeClaim"],
  ...["apps/v1/Deployment", "apps/v1/StatefulSet", "networking.k8s.io/v1/NetworkPolicy"],
];

function component(role: string): Record<string, string> {
  return { "app.kubernetes.io/component": role };
}

function ordinalOf(pod: string): number {
  return Number(/-(\d+)$/.exec(pod)?.[1]);
}

function isNamed(name: string): (object: KubeObject) => boolean {
  return ({ metadata }) => metadata.name === name;
}
