import { KubeApiServer } from "../../world/kubernetes/played/apiServer";
import { Controllers, podStatus } from "../../world/kubernetes/played/controllers";
import { ObjectStore } from "../../world/kubernetes/played/objects";
import { giveKubeconfig } from "../support/kubeconfig";
import { leading, runHere, transportContract } from "../kubernetes/transport.contract";

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
      forward: leading(forwards),
      exec: (_namespace, _pod, _container, command) => runHere(command),
    });
    const takeAway = giveKubeconfig(server.kubeconfig("region/0"));
    return {
      context: "region/0",
      breakStreams: async () => {
        server.breakStreams();
      },
      lose: async () => server.lose(2_000),
      restore: async () => server.restore(),
      stop: async () => {
        takeAway();
        controllers.close();
        await server.close();
      },
    };
  });
});
