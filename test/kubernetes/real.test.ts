import { RealCluster } from "../../world/kubernetes/real/cluster";
import { prepareKubernetes } from "../../world/kubernetes/real/prepare";
import { giveKubeconfig } from "../support/kubeconfig";
import { leading, runHere, transportContract } from "./transport.contract";

describe("a cluster's Kubernetes API: the real one", () => {
  transportContract(async (objects, forwards) => {
    const programs = await prepareKubernetes({ log: console.log });
    const cluster = await RealCluster.start(programs, "region/0", {
      forward: leading(forwards),
      exec: (_namespace, _pod, _container, command) => runHere(command),
    });
    try {
      await cluster.create(objects);
      for (const pod of ["camunda-zeebe-0", "camunda-elasticsearch-master-0"]) {
        await cluster.untilReady("camunda", pod);
      }
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    const takeAway = giveKubeconfig(cluster.kubeconfig);
    return {
      context: cluster.context,
      breakStreams: () => cluster.breakStreams(),
      lose: async () => cluster.freeze(),
      restore: async () => cluster.thaw(),
      stop: async () => {
        takeAway();
        await cluster.stop();
      },
    };
  });
});
