import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubernetesClient } from "../../../components/clients/kubernetes";
import { KubeApiServer, StreamHooks } from "../../../world/kubernetes/played/apiServer";
import { podStatus } from "../../../world/kubernetes/played/controllers";
import { KubeObject, ObjectStore } from "../../../world/kubernetes/played/objects";

/** The stand-in of a cluster for the tests of a suite, new for each, with a kubeconfig that knows it. */
export class TestCluster {
  store = new ObjectStore();
  hooks: StreamHooks = {};
  folder = "";
  private running: KubeApiServer | undefined;

  get server(): KubeApiServer {
    if (this.running === undefined) {
      throw new Error("the cluster was not started");
    }
    return this.running;
  }

  get client(): KubernetesClient {
    return KubernetesClient.of(this.url("pod/none/1"), 5_000);
  }

  url(rest: string): string {
    return `kubernetes://here/camunda/${rest}`;
  }

  async start(): Promise<void> {
    this.store = new ObjectStore();
    this.hooks = {};
    this.folder = mkdtempSync(join(tmpdir(), "cluster-"));
    this.running = await KubeApiServer.start(this.store, {
      forward: (...args) => this.hooks.forward?.(...args),
      exec: async (...args) => {
        if (this.hooks.exec === undefined) {
          throw new Error("no command is expected");
        }
        return this.hooks.exec(...args);
      },
    });
    process.env.KUBECONFIG = join(this.folder, "config");
    writeFileSync(process.env.KUBECONFIG, this.server.kubeconfig("here"));
  }

  async stop(): Promise<void> {
    await this.running?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Adds a pod with the label `app: zeebe`. */
  addPod(name: string, ready: boolean, more: Partial<KubeObject["metadata"]> = {}): void {
    this.store.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: "camunda", labels: { app: "zeebe" }, ...more },
      spec: { containers: [{ name: "zeebe", ports: [{ name: "http", containerPort: 9600 }] }] },
      status: podStatus(ready),
    });
  }
}

/** A cluster for the tests of a suite. */
export function useCluster(): TestCluster {
  const cluster = new TestCluster();
  const inherited = { ...process.env };
  beforeEach(() => cluster.start());
  afterEach(async () => {
    for (const key of ["KUBECONFIG", "PATH", "FAKE_AWS_FILE", "HOME"]) {
      if (inherited[key] === undefined) {
        delete process.env[key];
      } else {
        process.env[key] = inherited[key];
      }
    }
    await cluster.stop();
  });
  return cluster;
}
