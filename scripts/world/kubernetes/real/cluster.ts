import { generateKeyPairSync } from "node:crypto";
import { connect } from "node:net";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KubeConfig, KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import { freePorts, returnPorts } from "../../real/ports";
import { OwnProcess, removeAtExit, removedAlready } from "../../real/processes";
import { loopbackCertificate } from "../certificate";
import { kubeconfig } from "../kubeconfig";
import { KubeObject } from "../objects";
import type { KubernetesPrograms } from "./prepare";

/** Name of the only node. Pods that name it run at once; there is no scheduler. */
export const NODE = "here";

const TOKEN = "admin-of-this-cluster";
const START_MS = 120_000;

/** Where a port of a pod leads to on this machine. */
export interface Forward {
  namespace: string;
  pod: string;
  port: number;
  localPort: number;
}

/**
 * A real Kubernetes API server with its etcd, and with the controllers of Deployments and StatefulSets, on
 * loopback. Its one node is played by kwok: pods run as far as the API can tell, their ports lead to ports
 * of this machine, and commands in their containers run on it.
 */
export class RealCluster {
  private breaking = Promise.resolve();

  private constructor(
    /** Name of its context, in {@link kubeconfig} and for `kubernetes:` addresses. */
    readonly context: string,
    private readonly folder: string,
    private readonly ports: number[],
    private readonly parts: Parts,
    private readonly ca: string,
  ) {}

  /** Starts a cluster; ready when its node is, some ten seconds later. */
  static async start(programs: KubernetesPrograms, context: string): Promise<RealCluster> {
    const folder = mkdtempSync(join(tmpdir(), "cluster-"));
    removeAtExit(folder);
    const ports = freePorts(6);
    const certificate = await loopbackCertificate();
    const parts = new Parts(programs, folder, ports);
    const cluster = new RealCluster(context, folder, ports, parts, certificate.cert);
    try {
      writeFileSync(join(folder, "tls.crt"), certificate.cert);
      writeFileSync(join(folder, "tls.key"), certificate.key);
      writeFileSync(join(folder, "tokens.csv"), `${TOKEN},admin,admin,system:masters\n`);
      writeFileSync(join(folder, "kubeconfig"), cluster.kubeconfig);
      writeFileSync(join(folder, "kwok.yaml"), "");
      writeFileSync(join(folder, "service-accounts.key"), privateKey());
      cluster.lead([]);
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
      await cluster.until("the node", async () => {
        const node = await cluster.read("v1", "Node", undefined, NODE);
        const { conditions = [] } = (node?.status ?? {}) as {
          conditions?: { type: string; status: string }[];
        };
        return conditions.some((one) => one.type === "Ready" && one.status === "True");
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

  private get url(): string {
    return `https://127.0.0.1:${this.ports[2]}`;
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
      if ((error as { code?: number }).code === 404) return undefined;
      throw error;
    }
  }

  /** Removes an object; resolves when it is gone. */
  async remove(apiVersion: string, kind: string, namespace: string, name: string): Promise<void> {
    const api = KubernetesObjectApi.makeApiClient(this.config());
    await api.delete({ apiVersion, kind, metadata: { name, namespace } });
    await this.until(`${kind} ${name} to go`, async () => {
      return (await this.read(apiVersion, kind, namespace, name)) === undefined;
    });
  }

  /** Leads ports of pods to ports of this machine, these and no others. */
  lead(forwards: readonly Forward[]): void {
    const file = join(this.folder, "forwards.json");
    const lines = forwards.map(({ namespace, pod, port, localPort }) => [
      `${namespace}/${pod}:${port}`,
      localPort,
    ]);
    // A stream that opens in between must not read half of it.
    writeFileSync(`${file}.new`, JSON.stringify(Object.fromEntries(lines)));
    renameSync(`${file}.new`, file);
  }

  /** Waits until a pod is ready. */
  async untilReady(namespace: string, pod: string): Promise<void> {
    await this.until(`pod ${pod}`, async () => {
      const found = await this.read("v1", "Pod", namespace, pod);
      const { conditions = [] } = (found?.status ?? {}) as {
        conditions?: { type: string; status: string }[];
      };
      return conditions.some((one) => one.type === "Ready" && one.status === "True");
    });
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
    this.parts.signal("apiServer", "SIGSTOP");
  }

  /** Ends {@link freeze}. */
  thaw(): void {
    this.parts.signal("apiServer", "SIGCONT");
  }

  /** Ends all of it and removes what it has written. */
  async stop(): Promise<void> {
    await this.parts.stop();
    rmSync(this.folder, { recursive: true, force: true });
    removedAlready(this.folder);
    returnPorts(this.ports);
  }

  private config(): KubeConfig {
    const config = new KubeConfig();
    config.loadFromString(this.kubeconfig);
    config.setCurrentContext(this.context);
    return config;
  }

  private async ask(path: string): Promise<boolean> {
    const { default: axios } = await import("axios");
    const { Agent } = await import("node:https");
    const answer = await axios.get(`${this.url}/${path}`, {
      httpsAgent: new Agent({ ca: this.ca }),
      headers: { Authorization: `Bearer ${TOKEN}` },
      validateStatus: () => true,
      proxy: false,
      timeout: 5_000,
    });
    return answer.status === 200;
  }

  private async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + START_MS;
    let last = "";
    for (;;) {
      const done = await holds().catch((error: Error) => {
        last = error.message.split("\n")[0] ?? "";
        return false;
      });
      if (done) return;
      this.parts.expectAlive();
      if (Date.now() > deadline) {
        throw new Error(
          `${this.context}: ${what} was not ready within ${START_MS / 1000} s ${last}`,
        );
      }
      await sleep(100);
    }
  }
}

type Part = keyof KubernetesPrograms;

/** The processes of a cluster. */
class Parts {
  private readonly running = new Map<Part, OwnProcess>();

  constructor(
    private readonly programs: KubernetesPrograms,
    private readonly folder: string,
    private readonly ports: number[],
  ) {}

  start(part: Part): void {
    mkdirSync(join(this.folder, part), { recursive: true });
    const own = OwnProcess.start({
      name: part,
      command: this.programs[part],
      args: this.args()[part],
      cwd: join(this.folder, part),
      env: { PATH: process.env.PATH ?? "", HOME: join(this.folder, part) },
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

  expectAlive(): void {
    for (const own of this.running.values()) {
      if (!own.alive) {
        throw new Error(`${own.name} ended (${own.ending}); it printed last:\n${own.tail()}`);
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.running.values()].map((own) => own.kill()));
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
        `--kubelet-client-certificate=${file("tls.crt")}`,
        `--kubelet-client-key=${file("tls.key")}`,
        `--kubelet-certificate-authority=${file("tls.crt")}`,
      ],
      controllerManager: [
        `--kubeconfig=${file("kubeconfig")}`,
        ...["--bind-address=127.0.0.1", `--secure-port=${controllers}`],
        "--leader-elect=false",
        "--controllers=deployment-controller,replicaset-controller,statefulset-controller,garbage-collector-controller",
      ],
      kubelet: [
        ...["-listen", `127.0.0.1:${kubelet}`, "-forwards", file("forwards.json")],
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
