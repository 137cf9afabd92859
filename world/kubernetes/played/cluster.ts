import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { isDeepStrictEqual } from "node:util";
import type { BrokerInstallation, EmbeddedWorld } from "../../camunda/embedded";
import { Controllers } from "./controllers";
import { KubeObject, ObjectStore, saysReady } from "./objects";
import type { RegionName } from "../../world";
import { ChartError, renderCamunda, renderElasticsearch, Rendering } from "./charts";

/** What a pod is, as far as it answers anything. */
export type PodRole = "zeebe-broker" | "zeebe-gateway" | "master" | "operate" | "tasklist";

/** What a pod is. */
export function roleOf(pod: KubeObject): PodRole | undefined {
  return pod.metadata.labels?.["app.kubernetes.io/component"] as PodRole | undefined;
}

/** The cluster of a region, as far as names and ways between pods go. */
export interface ClusterView {
  readonly region: RegionName;
  readonly store: ObjectStore;
  /** Node id of the broker that a pod runs. */
  brokerOf(pod: KubeObject): number | undefined;
}

/** Whether what runs in a pod serves, so that the pod is ready. */
export function isServing(world: EmbeddedWorld, cluster: ClusterView, pod: KubeObject): boolean {
  switch (roleOf(pod)) {
    case "zeebe-broker": {
      const id = cluster.brokerOf(pod);
      return id !== undefined && world.isReady(id);
    }
    case "master":
      return world.isSearching(cluster.region);
    default:
      return true;
  }
}

/** A Helm release in a cluster. */
export interface ReleaseRecord {
  name: string;
  namespace: string;
  chart: "camunda" | "elasticsearch";
  /** Of the chart, where it says one. */
  version?: string;
  revision: number;
  objects: KubeObject[];
  brokers?: BrokerInstallation;
  s3Clients?: string[];
}

/** Charts by the last part of the name, address or path that a release is given. */
const CHARTS: [RegExp, ReleaseRecord["chart"]][] = [
  [/(^|\/)camunda-platform(-[\d.]+(\.tgz)?)?\/?$/, "camunda"],
  [/(^|\/)elasticsearch(-[\d.]+(\.tgz)?)?\/?$/, "elasticsearch"],
];

/** What a chart says of itself, in its folder or by the name of its archive. */
function metadataOf(chart: string): { version?: string; appVersion?: string } {
  const file = join(chart, "Chart.yaml");
  return existsSync(file)
    ? (parse(readFileSync(file, "utf8")) as { version: string; appVersion: string })
    : { version: /-(\d+\.[\d.]*\d)\.tgz$/.exec(chart)?.[1] };
}

const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** How often the readiness of pods follows what runs behind them. */
const FOLLOW_MS = 50;

/**
 * The Kubernetes cluster of a region, in which Helm releases start what their values describe: brokers and
 * an Elasticsearch of the embedded world.
 */
export class RegionCluster implements ClusterView {
  readonly store = new ObjectStore();
  private readonly releases = new Map<string, ReleaseRecord>();
  private readonly controllers: Controllers;
  private readonly stopListening: () => void;
  private readonly follower: NodeJS.Timeout;
  private readonly restarting = new Set<string>();

  constructor(
    readonly region: RegionName,
    private readonly world: EmbeddedWorld,
  ) {
    for (const name of NAMESPACES) {
      this.store.apply({
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
      });
    }
    this.store.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "kubernetes", namespace: "default" },
      spec: { type: "ClusterIP", clusterIP: "kubernetes", ports: [{ port: 443 }] },
    });
    this.controllers = new Controllers(this.store, {
      ready: (pod) => isServing(this.world, this, pod),
      onScaled: () => this.countWebApps(),
    });
    this.stopListening = this.store.onChange(({ type, object }) => {
      if (type === "removed" && object.kind === "Pod") {
        this.replacePod(object);
      }
    });
    this.follower = setInterval(() => this.follow(), FOLLOW_MS);
    this.follower.unref();
  }

  /** The cluster is gone: whatever ran in it is ended by whoever loses the region. */
  close(): void {
    clearInterval(this.follower);
    this.stopListening();
    this.controllers.close();
  }

  /** A release by namespace and name. */
  release(namespace: string, name: string): ReleaseRecord | undefined {
    return this.releases.get(`${namespace}/${name}`);
  }

  /**
   * `helm install`: makes the objects of a chart, and starts what they are.
   *
   * @throws Error as Helm says it
   */
  async install(chart: string, rendering: Rendering): Promise<ReleaseRecord> {
    const { release: name, namespace } = rendering;
    if (this.revisions(namespace, name).length > 0) {
      throw new Error("cannot re-use a name that is still in use");
    }
    if (this.store.get("Namespace", undefined, namespace) === undefined) {
      throw new Error(`create: failed to create: namespaces "${namespace}" not found`);
    }
    const release = this.rendered(chart, rendering, 1);
    for (const object of release.objects) {
      const { kind, metadata } = object;
      const existing = this.store.get(kind, metadata.namespace, metadata.name);
      if (existing?.metadata.annotations?.["meta.helm.sh/release-name"] === name) {
        continue;
      }
      if (existing !== undefined) {
        throw new Error(
          `Unable to continue with install: ${kind} "${metadata.name}" in namespace "${namespace}" exists and cannot be imported into the current release: invalid ownership metadata`,
        );
      }
    }
    const disks = this.claimDisks(release) ? "old" : "empty";
    this.put(release);
    if (release.brokers !== undefined) {
      await this.world.install(this.region, release.brokers, disks, this.waits(release));
    }
    if (release.s3Clients !== undefined) {
      await this.world.installElasticsearch(this.region, release.s3Clients, disks);
    }
    return release;
  }

  /**
   * `helm upgrade`: what has changed in the values of brokers restarts them, as the rolling of their
   * StatefulSet does; anything else leaves them alone.
   *
   * @throws Error as Helm says it
   */
  async upgrade(chart: string, rendering: Rendering): Promise<ReleaseRecord> {
    const { release: name, namespace } = rendering;
    const before = this.release(namespace, name);
    const last = this.revisions(namespace, name).at(-1);
    if (last !== undefined && labelOf(last, "status").startsWith("pending-")) {
      throw new Error("another operation (install/upgrade/rollback) is in progress");
    }
    if (before === undefined || last === undefined) {
      throw new Error(`"${name}" has no deployed releases`);
    }
    const release = this.rendered(chart, rendering, Number(labelOf(last, "version")) + 1);
    this.claimDisks(release);
    this.put(release);
    const kept = new Set(release.objects.map(keyOf));
    before.objects
      .filter((object) => !kept.has(keyOf(object)))
      .forEach((o) => this.removeObject(o));
    if (release.brokers !== undefined && !isDeepStrictEqual(release.brokers, before.brokers)) {
      await this.world.install(this.region, release.brokers, "old", this.waits(release));
    }
    if (
      release.s3Clients !== undefined &&
      !isDeepStrictEqual(release.s3Clients, before.s3Clients)
    ) {
      await this.world.uninstallElasticsearch(this.region);
      await this.world.installElasticsearch(this.region, release.s3Clients, "old");
    }
    return release;
  }

  /** `helm uninstall`: the disks stay. Nothing to do when there is no such release. */
  async uninstall(namespace: string, name: string): Promise<void> {
    const release = this.release(namespace, name);
    if (release === undefined) {
      return;
    }
    this.releases.delete(`${namespace}/${name}`);
    release.objects.forEach((object) => this.removeObject(object));
    this.revisions(namespace, name).forEach((secret) => this.removeObject(secret));
    if (release.brokers !== undefined) {
      await this.world.uninstall(this.region);
    }
    if (release.s3Clients !== undefined) {
      await this.world.uninstallElasticsearch(this.region);
    }
    this.countWebApps();
  }

  /** Deletes a namespace and all that is in it, disks too. */
  async removeNamespace(namespace: string): Promise<void> {
    for (const release of [...this.releases.values()].filter((r) => r.namespace === namespace)) {
      await this.uninstall(namespace, release.name);
    }
    for (const kind of ALL_KINDS) {
      this.store
        .list(kind, namespace)
        .forEach(({ metadata }) => this.store.remove(kind, namespace, metadata.name));
    }
    this.store.remove("Namespace", undefined, namespace);
  }

  brokerOf(pod: KubeObject): number | undefined {
    const ordinal = Number(/-(\d+)$/.exec(pod.metadata.name)?.[1]);
    return this.brokers()?.nodeIds[ordinal];
  }

  /** What this region's brokers are configured with. */
  brokers(): BrokerInstallation | undefined {
    return [...this.releases.values()].find((release) => release.brokers !== undefined)?.brokers;
  }

  /** Whether the pods of a release's brokers wait for the other region when they start now. */
  private waits({ namespace, brokers }: ReleaseRecord): boolean {
    if (brokers?.waitsBy === undefined) {
      return false;
    }
    const { configMap, key } = brokers.waitsBy;
    const found = this.store.get("ConfigMap", namespace, configMap);
    return (found?.data as Record<string, string> | undefined)?.[key] === "true";
  }

  private rendered(chart: string, rendering: Rendering, revision: number): ReleaseRecord {
    const kind = CHARTS.find(([pattern]) => pattern.test(chart))?.[1];
    if (kind === undefined) {
      throw new ChartError(`chart "${chart}" is none of those that are known here`);
    }
    const { release: name, namespace } = rendering;
    const { version, appVersion } = metadataOf(chart);
    return {
      name,
      namespace,
      chart: kind,
      version,
      revision,
      ...(kind === "camunda"
        ? renderCamunda({ ...rendering, appVersion })
        : renderElasticsearch(rendering)),
    };
  }

  /** What Helm keeps of a release, oldest first. */
  private revisions(namespace: string, name: string): KubeObject[] {
    return this.store
      .list("Secret", namespace, { owner: "helm", name })
      .sort((a, b) => Number(labelOf(a, "version")) - Number(labelOf(b, "version")));
  }

  private put(release: ReleaseRecord): void {
    const { namespace, name, revision } = release;
    const deployed = { owner: "helm", name, status: "deployed" };
    for (const earlier of this.store.list("Secret", namespace, deployed)) {
      this.store.patch("Secret", namespace, earlier.metadata.name, {
        metadata: { labels: { status: "superseded" } },
      });
    }
    this.releases.set(`${namespace}/${name}`, release);
    release.objects.forEach((object) => this.store.apply(object));
    this.store.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: secretName({ name, revision }),
        namespace,
        labels: { owner: "helm", name, version: String(revision), status: "deployed" },
      },
      type: "helm.sh/release.v1",
    });
    this.countWebApps();
  }

  /** Makes the claims of StatefulSets; whether there were some already, with data on them. */
  private claimDisks({ objects }: ReleaseRecord): boolean {
    let found = false;
    for (const { kind, metadata, spec } of objects) {
      if (kind !== "StatefulSet") {
        continue;
      }
      const { replicas = 1, volumeClaimTemplates = [] } = spec as {
        replicas?: number;
        volumeClaimTemplates?: { metadata: { name: string }; spec: object }[];
      };
      for (const template of volumeClaimTemplates) {
        for (let ordinal = 0; ordinal < replicas; ordinal++) {
          const name = `${template.metadata.name}-${metadata.name}-${ordinal}`;
          found ||= this.store.get(CLAIM, metadata.namespace, name) !== undefined;
          this.store.apply({
            apiVersion: "v1",
            kind: CLAIM,
            metadata: { name, namespace: metadata.namespace },
            spec: template.spec,
          });
        }
      }
    }
    return found;
  }

  private removeObject({ kind, metadata }: KubeObject): void {
    this.store.remove(kind, metadata.namespace, metadata.name);
  }

  private countWebApps(): void {
    const apps = (["operate", "tasklist"] as const).filter((app) =>
      this.store
        .list("Deployment", undefined, { "app.kubernetes.io/component": app })
        .some(({ spec }) => ((spec as { replicas?: number }).replicas ?? 1) > 0),
    );
    this.world.runWebApps(this.region, apps);
  }

  private follow(): void {
    for (const pod of this.store.list("Pod")) {
      const ready = isServing(this.world, this, pod);
      if (ready !== saysReady(pod)) {
        this.controllers.setReady(pod.metadata.namespace ?? "", pod.metadata.name, ready);
      }
    }
  }

  /** A pod that somebody has deleted comes back, with its disk: what a StatefulSet does. */
  private replacePod(pod: KubeObject): void {
    const [owner] = (pod.metadata.ownerReferences ?? []) as { kind: string; name: string }[];
    const { namespace, name } = pod.metadata;
    if (owner?.kind !== "StatefulSet" || pod.metadata.deletionTimestamp !== undefined) {
      return;
    }
    const set = this.store.get("StatefulSet", namespace, owner.name);
    if (set === undefined || this.restarting.has(name)) {
      return;
    }
    this.restarting.add(name);
    const id = roleOf(pod) === "zeebe-broker" ? this.brokerOf(pod) : undefined;
    void (id === undefined ? Promise.resolve() : this.world.restartBroker(id)).then(() => {
      this.restarting.delete(name);
      if (this.store.get("StatefulSet", namespace, owner.name) === undefined) {
        return;
      }
      const { labels, annotations, ownerReferences } = pod.metadata;
      this.store.apply({
        ...pod,
        metadata: { name, namespace, labels, annotations, ownerReferences },
      });
    });
  }
}

const CLAIM = "PersistentVolumeClaim";

const ALL_KINDS = [
  "StatefulSet",
  "Deployment",
  "Pod",
  "Service",
  "ConfigMap",
  "Secret",
  "ServiceAccount",
  "NetworkPolicy",
  "PodDisruptionBudget",
  CLAIM,
];

function secretName({ name, revision }: { name: string; revision: number }): string {
  return `sh.helm.release.v1.${name}.v${revision}`;
}

function labelOf({ metadata }: KubeObject, label: string): string {
  return metadata.labels?.[label] ?? "";
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`;
}
