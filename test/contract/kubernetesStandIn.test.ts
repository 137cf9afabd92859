import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandResult, KubeApiServer } from "../../scripts/world/kubernetes/apiServer";
import { Controllers, podStatus } from "../../scripts/world/kubernetes/controllers";
import { ObjectStore } from "../../scripts/world/kubernetes/objects";
import { transportContract } from "../kubernetes/transport.contract";

describe("a cluster's Kubernetes API: the stand-in", () => {
  transportContract(async (objects, forwards) => {
    const store = new ObjectStore();
    const controllers = new Controllers(store);
    for (const object of objects) {
      const { nodeName } = (object.spec ?? {}) as { nodeName?: string };
      const status =
        object.kind !== "Pod"
          ? undefined
          : nodeName === "here"
            ? podStatus(true)
            : { phase: "Pending" };
      store.apply(status === undefined ? object : { ...object, status });
    }
    const server = await KubeApiServer.start(store, {
      forward: (namespace, pod, port) =>
        forwards.find((one) => one.namespace === namespace && one.pod === pod && one.port === port)
          ?.localPort,
      exec: (_namespace, _pod, _container, command) => local(command),
    });
    const folder = mkdtempSync(join(tmpdir(), "stand-in-"));
    const inherited = process.env.KUBECONFIG;
    process.env.KUBECONFIG = join(folder, "config");
    writeFileSync(process.env.KUBECONFIG, server.kubeconfig("region/0"));
    return {
      context: "region/0",
      breakStreams: async () => {
        server.breakStreams();
      },
      lose: async () => server.lose(2_000),
      restore: async () => server.restore(),
      stop: async () => {
        if (inherited === undefined) delete process.env.KUBECONFIG;
        else process.env.KUBECONFIG = inherited;
        rmSync(folder, { recursive: true, force: true });
        controllers.close();
        await server.close();
      },
    };
  });
});

function local([file = "", ...args]: string[]): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { timeout: 10_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === "number") resolve({ stdout, stderr, exitCode: code });
      else reject(new Error(error?.message));
    });
  });
}
