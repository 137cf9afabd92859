import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configureSession, session } from "../../components/recovery/session";
import { EmbeddedWorld } from "../../world/camunda/embedded";
import { CommandResult, KubeApiServer } from "../../world/kubernetes/played/apiServer";
import { Controllers } from "../../world/kubernetes/played/controllers";
import { KubeObject, ObjectStore } from "../../world/kubernetes/played/objects";
import { until } from "../../world/processes/until";
import { kubernetesConfig, lookup, Raw } from "./config";

/** What the probe's curl prints for a host: seconds to the address, and to the connection. 0 when there was none. */
export type Times = [lookup: number, connect: number, address?: string];

/**
 * The providers of region0 on platform `kubernetes`, with the stand-in of a Kubernetes API for its cluster.
 * What a pod reaches is what {@link reaches} says.
 */
export class ClusterBench {
  readonly store = new ObjectStore();
  readonly namespace = "camunda-london";
  /** What a pod of Elasticsearch reaches: by `host:port`, else nothing. */
  reaches: Record<string, Times> = {};
  /** What a command in a pod comes to, instead of what {@link reaches} says. */
  answer: ((command: string[]) => CommandResult) | undefined;
  /** `host:port` of every probe. */
  readonly probed: string[] = [];
  lines: string[] = [];
  world: EmbeddedWorld | undefined;
  api!: KubeApiServer;
  private controllers!: Controllers;
  private folder = "";
  private before: { kubeconfig: string | undefined; log: typeof console.log } | undefined;

  async start(
    options: { stopMs?: number; ready?: (pod: KubeObject) => boolean } = {},
  ): Promise<void> {
    this.before = { kubeconfig: process.env.KUBECONFIG, log: console.log };
    console.log = (line: unknown) => this.lines.push(String(line));
    this.controllers = new Controllers(this.store, { startMs: 5, stopMs: 5, ...options });
    this.api = await KubeApiServer.start(this.store, {
      exec: async (_namespace, _pod, _container, command) =>
        this.answer?.(command) ?? this.probe(command),
      forward: (_namespace, pod, port) => this.forward(pod, port),
    });
    this.folder = mkdtempSync(join(tmpdir(), "cluster-"));
    process.env.KUBECONFIG = join(this.folder, "config");
    writeFileSync(process.env.KUBECONFIG, this.api.kubeconfig("cluster-london"));
    this.addPod("camunda-elasticsearch-master-0", ["elasticsearch"], { app: "elasticsearch" });
    this.configure();
  }

  async stop(): Promise<void> {
    if (this.before === undefined) {
      return;
    }
    console.log = this.before.log;
    if (this.before.kubeconfig === undefined) {
      delete process.env.KUBECONFIG;
    } else {
      process.env.KUBECONFIG = this.before.kubeconfig;
    }
    this.before = undefined;
    this.controllers.close();
    await this.api.close();
    await this.world?.stop();
    rmSync(this.folder, { recursive: true });
  }

  /** Hands the configuration over as the engine does. */
  configure(changes: Raw = {}): void {
    const get = lookup(
      kubernetesConfig({
        timeouts: {
          request: 10,
          loss: 1,
          absence: 0.1,
          gate: 1,
          formation: 1,
          webApps: 1,
          release: 1,
        },
        ...changes,
      }),
    );
    configureSession({ get: (key) => get(key as keyof Raw) });
    session();
  }

  addPod(name: string, containers: string[], labels: Record<string, string>): void {
    this.store.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: this.namespace, labels },
      spec: { containers: containers.map((container) => ({ name: container })) },
      status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    });
  }

  addDeployment(name: string, replicas: number): void {
    const labels = { app: name };
    this.store.apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace: this.namespace },
      spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels } } },
    });
  }

  addStatefulSet(name: string, replicas: number): void {
    this.store.apply({
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name, namespace: this.namespace },
      spec: { replicas, template: { metadata: {} } },
    });
  }

  /** What the status of a StatefulSet says. */
  observed(name: string): Record<string, unknown> {
    const found = this.store.get("StatefulSet", this.namespace, name);
    return (found?.status ?? {}) as Record<string, unknown>;
  }

  /** Changes the pods that a StatefulSet wishes, while its controller does not look. */
  changeUnseen(name: string): void {
    this.controllers.close();
    const template = { metadata: { annotations: { changed: "once" } } };
    this.store.patch("StatefulSet", this.namespace, name, { spec: { template } });
  }

  /** The controller has seen the last change of a StatefulSet, whose pods are as they were. */
  seeChange(name: string): void {
    const observedGeneration = this.store.get("StatefulSet", this.namespace, name)?.metadata
      .generation;
    this.store.patch("StatefulSet", this.namespace, name, { status: { observedGeneration } });
  }

  /** A StatefulSet whose pods an admission forbids, and what its controller says of it. */
  forbidPods(name: string, replicas: number): void {
    this.addStatefulSet(name, 0);
    this.store.patch("StatefulSet", this.namespace, name, {
      spec: { replicas },
      status: { observedGeneration: 2, replicas: 0 },
    });
    this.controllers.close();
    this.store.apply({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${name}.17a`, namespace: this.namespace },
      involvedObject: { kind: "StatefulSet", name },
      reason: "FailedCreate",
      message: `create Pod ${name}-0 in StatefulSet ${name} failed error: pods "${name}-0" is forbidden: violates PodSecurity "restricted:latest": privileged (container "sysctl" must not set securityContext.privileged=true)`,
      lastTimestamp: new Date().toISOString(),
    });
  }

  /** Makes a pod ready; whether it is there. */
  setReady(pod: string): boolean {
    const there = this.store.get("Pod", this.namespace, pod) !== undefined;
    if (there) {
      this.controllers.setReady(this.namespace, pod, true);
    }
    return there;
  }

  readonly until = until;

  addPolicy(name: string, spec: Record<string, unknown>): void {
    this.store.apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name, namespace: this.namespace },
      spec: { podSelector: {}, ...spec },
    });
  }

  replicas(name: string): unknown {
    return (this.store.get("Deployment", this.namespace, name)?.spec as { replicas?: number })
      ?.replicas;
  }

  /** A whole embedded cluster behind the pods of this region: gateway and brokers 0 and 2. */
  async startCluster(world: EmbeddedWorld): Promise<void> {
    this.world = world;
    await world.start();
    const labels = { app: "gateway" };
    this.addPod("camunda-zeebe-gateway-0", ["gateway"], labels);
    this.store.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "camunda-zeebe-gateway", namespace: this.namespace },
      spec: {
        selector: labels,
        ports: [
          { name: "http", port: 9600, targetPort: 9600 },
          { name: "rest", port: 8080, targetPort: 8080 },
        ],
      },
    });
  }

  private forward(pod: string, port: number): number | undefined {
    const endpoints = this.world?.endpoints.region0;
    if (endpoints === undefined || !pod.startsWith("camunda-zeebe-gateway")) {
      return undefined;
    }
    return Number(new URL(port === 8080 ? endpoints.gateway : endpoints.management).port);
  }

  private probe(command: string[]): CommandResult {
    const { hostname, port } = new URL(command.at(-1) ?? "");
    const target = `${hostname}:${port || "80"}`;
    this.probed.push(target);
    const [lookupTime, connectTime, address = ""] = this.reaches[target] ?? [0, 0];
    const stdout = `${lookupTime.toFixed(6)} ${connectTime.toFixed(6)} ${address}`;
    return { stdout, exitCode: connectTime > 0 ? 0 : 28 };
  }
}

/** A bench for the tests of a suite, stopped after each. */
export function useClusterBench(): () => ClusterBench {
  let bench = new ClusterBench();
  beforeEach(() => {
    bench = new ClusterBench();
  });
  afterEach(() => bench.stop());
  return () => bench;
}
