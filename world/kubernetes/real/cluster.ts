import { generateKeyPairSync } from "node:crypto";
import { connect } from "node:net";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Informer,
  KubeConfig,
  KubernetesListObject,
  KubernetesObject,
  KubernetesObjectApi,
  makeInformer,
} from "@kubernetes/client-node";
import { freePorts, returnPorts } from "../../processes/ports";
import { OwnProcess, removeAtExit, removedAlready } from "../../processes/processes";
import { until } from "../../processes/until";
import type { StreamHooks } from "../played/apiServer";
import { loopbackCertificate } from "../played/certificate";
import { kubeconfig } from "../played/kubeconfig";
import { KubeObject, saysReady } from "../played/objects";
import { HookServer } from "./hookServer";
import type { KubernetesPrograms } from "./prepare";

/** Name of the only node. Pods that name it run at once; there is no scheduler. */
export const NODE = "here";

/** What charts and their removal need. There is no scheduler and no disk: pods name the node, claims stay pending. */
const CONTROLLERS = [
  ...["deployment-controller", "replicaset-controller", "statefulset-controller"],
  ...["disruption-controller", "endpoints-controller", "endpointslice-controller"],
  ...["garbage-collector-controller", "namespace-controller", "serviceaccount-controller"],
  "persistentvolumeclaim-protection-controller",
];

const TOKEN = "admin-of-this-cluster";

/**
 * A real Kubernetes API server with its etcd and controllers, on loopback. Its one node is played by kwok:
 * pods run as far as the API can tell; where their ports lead to, and what commands in their containers come
 * to, the hooks say.
 */
export class RealCluster {
  private breaking = Promise.resolve();
  private standsStill = false;
  private readonly informers = new Set<Informer<KubernetesObject>>();

  private constructor(
    /** Name of its context, in {@link kubeconfig} and for `kubernetes:` addresses. */
    readonly context: string,
    private readonly folder: string,
    private readonly ports: number[],
    private readonly parts: Parts,
    private readonly ca: string,
    private readonly hooks: HookServer,
  ) {}

  /** Starts a cluster; ready when its node is, some ten seconds later. */
  static async start(
    programs: KubernetesPrograms,
    context: string,
    hooks: StreamHooks,
  ): Promise<RealCluster> {
    const folder = mkdtempSync(join(tmpdir(), "cluster-"));
    removeAtExit(folder);
    const ports = freePorts(6);
    const certificate = await loopbackCertificate();
    const server = await HookServer.start(hooks);
    const parts = new Parts(programs, folder, ports, server.url);
    const cluster = new RealCluster(context, folder, ports, parts, certificate.cert, server);
    try {
      writeFileSync(join(folder, "tls.crt"), certificate.cert);
      writeFileSync(join(folder, "tls.key"), certificate.key);
      writeFileSync(join(folder, "tokens.csv"), `${TOKEN},admin,admin,system:masters\n`);
      writeFileSync(join(folder, "kubeconfig"), cluster.kubeconfig);
      writeFileSync(join(folder, "kwok.yaml"), "");
      writeFileSync(join(folder, "service-accounts.key"), privateKey());
      parts.start("etcd");
      parts.start("apiServer");
      await cluster.until("the API server", () => cluster.ask("readyz"));
      parts.start("controllerManager");
      parts.start("kubelet");
      await cluster.until("the node's streams", () => accepts(ports[4] as number));
      parts.start("kwok");
      await cluster.create([
        {
          apiVersion: "v1",
          kind: "Node",
          metadata: { name: NODE, annotations: { "kwok.x-k8s.io/node": "fake" } },
        },
      ]);
      await cluster.until("the node", async () =>
        saysReady(await cluster.read("v1", "Node", undefined, NODE)),
      );
      await cluster.watch(["v1/Service"], (type, service) => {
        // A write that comes too late for its Service is nobody's concern.
        if (type === "there") {
          cluster.giveAddress(service).catch(() => undefined);
        }
      });
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Text of a kubeconfig with this cluster as its only context. */
  get kubeconfig(): string {
    return kubeconfig([this.access]);
  }

  /** This cluster's entry in a kubeconfig. */
  get access() {
    return { context: this.context, server: this.url, ca: this.ca, token: TOKEN };
  }

  /** Port of its API on this machine. */
  get port(): number {
    return this.ports[2] as number;
  }

  private get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Creates objects, in their order. What they say of their status is the node's and the controllers' to write. */
  async create(objects: readonly KubeObject[]): Promise<void> {
    const api = KubernetesObjectApi.makeApiClient(this.config());
    for (const object of objects) {
      await api.create({ ...object, status: undefined } as unknown as KubernetesObject);
    }
  }

  /** Reads an object; undefined when it does not exist. */
  async read(
    apiVersion: string,
    kind: string,
    namespace: string | undefined,
    name: string,
  ): Promise<KubeObject | undefined> {
    const api = KubernetesObjectApi.makeApiClient(this.config());
    try {
      const found = await api.read({
        apiVersion,
        kind,
        metadata: { name, namespace: namespace ?? "" },
      });
      return found as unknown as KubeObject;
    } catch (error) {
      if ((error as { code?: number }).code === 404) {
        return undefined;
      }
      throw error;
    }
  }

  /** All objects of a kind, as the API has them. */
  async list(apiVersion: string, kind: string): Promise<KubeObject[]> {
    const { items } = await this.listed(apiVersion, kind);
    return items.map((item) => ({ ...item, apiVersion, kind }));
  }

  /** Removes an object; resolves when it is gone. */
  async remove(apiVersion: string, kind: string, namespace: string, name: string): Promise<void> {
    const api = KubernetesObjectApi.makeApiClient(this.config());
    await api.delete({ apiVersion, kind, metadata: { name, namespace } });
    await this.until(`${kind} ${name} to go`, async () => {
      return (await this.read(apiVersion, kind, namespace, name)) === undefined;
    });
  }

  /** Merges into the status of an object, as its controller does. */
  async patchStatus(
    kind: string,
    namespace: string,
    name: string,
    status: Record<string, unknown>,
  ): Promise<void> {
    await this.request(
      "PATCH",
      `api/v1/namespaces/${namespace}/${kind.toLowerCase()}s/${name}/status`,
      {
        status,
      },
    );
  }

  /** Tells of all objects of some kinds (`apps/v1/Deployment`), and of what becomes of them until {@link stop}. */
  async watch(
    kinds: readonly string[],
    listener: (type: "there" | "gone", object: KubeObject) => void,
  ): Promise<void> {
    for (const name of kinds) {
      const [, apiVersion = "", kind = ""] = /^(.+)\/(\w+)$/.exec(name) ?? [];
      const informer = makeInformer(
        this.config(),
        `/${pathOf(apiVersion, kind)}`,
        () => this.listed(apiVersion, kind) as Promise<KubernetesListObject<KubernetesObject>>,
      );
      const tell = (type: "there" | "gone") => (object: KubernetesObject) =>
        // Objects in lists do not say what they are.
        listener(type, { ...object, apiVersion, kind } as unknown as KubeObject);
      informer.on("add", tell("there"));
      informer.on("update", tell("there"));
      informer.on("delete", tell("gone"));
      informer.on("error", () => {
        if (this.informers.has(informer)) {
          setTimeout(() => void informer.start(), 200);
        }
      });
      this.informers.add(informer);
      await informer.start();
    }
  }

  /** Waits until a pod is ready. */
  async untilReady(namespace: string, pod: string): Promise<void> {
    await this.until(`pod ${pod}`, async () =>
      saysReady(await this.read("v1", "Pod", namespace, pod)),
    );
  }

  /**
   * Cuts all streams that are open, at once: the node's end of them is killed. Resolves when it was started
   * anew and answers.
   */
  breakStreams(): Promise<void> {
    this.parts.signal("kubelet", "SIGKILL");
    this.breaking = this.breaking.then(async () => {
      await this.parts.kill("kubelet");
      this.parts.start("kubelet");
      await this.until("the node's streams", () => accepts(this.ports[4] as number));
    });
    return this.breaking;
  }

  /** The API server stands still: connections are accepted by the kernel, and nothing answers. */
  freeze(): void {
    this.standsStill = true;
    this.parts.signal("apiServer", "SIGSTOP");
  }

  /** Ends {@link freeze}. */
  thaw(): void {
    this.parts.signal("apiServer", "SIGCONT");
    this.standsStill = false;
  }

  /** Whether it is {@link freeze frozen}. */
  get frozen(): boolean {
    return this.standsStill;
  }

  /** Ends all of it and removes what it has written. */
  async stop(): Promise<void> {
    const informers = [...this.informers];
    this.informers.clear();
    await Promise.all(informers.map((informer) => informer.stop()));
    await this.parts.stop();
    this.hooks.close();
    rmSync(this.folder, { recursive: true, force: true });
    removedAlready(this.folder);
    returnPorts(this.ports);
  }

  /** What a cloud does for a Service that asks for an address. */
  private async giveAddress({ metadata, spec, status }: KubeObject): Promise<void> {
    const { type, loadBalancerIP: ip } = spec as { type?: string; loadBalancerIP?: string };
    const given = (status as { loadBalancer?: { ingress?: unknown[] } } | undefined)?.loadBalancer;
    if (type !== "LoadBalancer" || ip === undefined || given?.ingress !== undefined) {
      return;
    }
    await this.patchStatus("Service", metadata.namespace ?? "", metadata.name, {
      loadBalancer: { ingress: [{ ip }] },
    });
  }

  private config(): KubeConfig {
    const config = new KubeConfig();
    config.loadFromString(this.kubeconfig);
    config.setCurrentContext(this.context);
    return config;
  }

  private async ask(path: string): Promise<boolean> {
    return (await this.request("GET", path)).status === 200;
  }

  /** Not by the library, which renames fields (`_from`). */
  private async listed(apiVersion: string, kind: string): Promise<{ items: KubeObject[] }> {
    const { status, data } = await this.request("GET", pathOf(apiVersion, kind));
    if (status !== 200) {
      throw new Error(`${this.context}: ${kind} cannot be listed: ${JSON.stringify(data)}`);
    }
    return data as { items: KubeObject[] };
  }

  private async request(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; data: unknown }> {
    const { default: axios } = await import("axios");
    const { Agent } = await import("node:https");
    return axios.request<unknown>({
      ...{ method, url: `${this.url}/${path}`, data: body },
      httpsAgent: new Agent({ ca: this.ca }),
      headers: {
        Authorization: `Bearer ${TOKEN}`,
        "Content-Type": "application/strategic-merge-patch+json",
      },
      validateStatus: () => true,
      proxy: false,
      timeout: 20_000,
    });
  }

  private until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const { all: processes } = this.parts;
    return until(`${this.context}: ${what}`, holds, { seconds: 120, everyMs: 100, processes });
  }
}

type Part = "etcd" | "apiServer" | "controllerManager" | "kwok" | "kubelet";

/** The processes of a cluster. */
class Parts {
  private readonly running = new Map<Part, OwnProcess>();

  constructor(
    private readonly programs: KubernetesPrograms,
    private readonly folder: string,
    private readonly ports: number[],
    private readonly hooks: string,
  ) {}

  start(part: Part): void {
    mkdirSync(join(this.folder, part), { recursive: true });
    const own = OwnProcess.start({
      name: part,
      command: this.programs[part],
      args: this.args()[part],
      cwd: join(this.folder, part),
      env: {
        PATH: process.env.PATH ?? "",
        HOME: join(this.folder, part),
        ...(part === "kubelet" ? { HOOKS: this.hooks } : {}),
      },
      logFile: join(this.folder, `${part}.log`),
    });
    this.running.set(part, own);
  }

  async kill(part: Part): Promise<void> {
    await this.running.get(part)?.kill();
  }

  signal(part: Part, signal: NodeJS.Signals): void {
    this.running.get(part)?.signal(signal);
  }

  get all(): OwnProcess[] {
    return [...this.running.values()];
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((own) => own.kill()));
    this.running.clear();
  }

  private args(): Record<Part, string[]> {
    const [etcd, etcdPeer, api, controllers, kubelet, kwok] = this.ports;
    const file = (name: string) => join(this.folder, name);
    const loopback = (port: number | undefined) => `http://127.0.0.1:${port}`;
    return {
      etcd: [
        ...["--data-dir", file("data"), "--unsafe-no-fsync"],
        ...["--listen-client-urls", loopback(etcd), "--advertise-client-urls", loopback(etcd)],
        ...["--listen-peer-urls", loopback(etcdPeer)],
        ...["--initial-advertise-peer-urls", loopback(etcdPeer)],
        ...["--initial-cluster", `default=${loopback(etcdPeer)}`],
      ],
      apiServer: [
        `--etcd-servers=${loopback(etcd)}`,
        ...["--bind-address=127.0.0.1", `--secure-port=${api}`],
        ...[`--tls-cert-file=${file("tls.crt")}`, `--tls-private-key-file=${file("tls.key")}`],
        `--token-auth-file=${file("tokens.csv")}`,
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.190.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        `--service-account-key-file=${file("service-accounts.key")}`,
        `--service-account-signing-key-file=${file("service-accounts.key")}`,
        // Pods are created before a controller has made their service account.
        "--disable-admission-plugins=ServiceAccount",
        // Charts have init containers that set kernel parameters.
        "--allow-privileged=true",
        `--kubelet-client-certificate=${file("tls.crt")}`,
        `--kubelet-client-key=${file("tls.key")}`,
        `--kubelet-certificate-authority=${file("tls.crt")}`,
      ],
      controllerManager: [
        `--kubeconfig=${file("kubeconfig")}`,
        ...["--bind-address=127.0.0.1", `--secure-port=${controllers}`],
        "--leader-elect=false",
        `--controllers=${CONTROLLERS.join(",")}`,
      ],
      kubelet: [
        ...["-listen", `127.0.0.1:${kubelet}`],
        ...["-certificate", file("tls.crt"), "-key", file("tls.key")],
      ],
      kwok: [
        ...["--kubeconfig", file("kubeconfig"), "--config", file("kwok.yaml")],
        ...["--manage-all-nodes", "--node-ip", "127.0.0.1", "--node-port", String(kubelet)],
        ...["--server-address", `127.0.0.1:${kwok}`],
      ],
    };
  }
}

function pathOf(apiVersion: string, kind: string): string {
  const plural = kind.endsWith("y") ? `${kind.slice(0, -1)}ies` : `${kind}s`;
  return `${apiVersion.includes("/") ? "apis" : "api"}/${apiVersion}/${plural.toLowerCase()}`;
}

/** Whether something listens on a port of loopback. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

function privateKey(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs1", format: "pem" }).toString();
}
