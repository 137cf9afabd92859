import assert from "node:assert/strict";
import { IDS } from "../../../support/ids";
import { provider } from "../../../../components/recovery/providers/clusterHealth";
import { EmbeddedWorld } from "../../../../world/camunda/embedded";
import { useClusterBench } from "../../../support/clusterBench";
import { refusal } from "../../../support/failure";

const healthy = () => provider.create({ brokers: IDS.mapOf([0, 1, 2, 3]), replicationFactor: 4 });

describe("ClusterHealth", () => {
  const bench = useClusterBench();

  it("is seen on members, replicas and leaders, through the Kubernetes API", async () => {
    await bench().start();
    await bench().startCluster(new EmbeddedWorld({ electionMs: 20 }));
    const { outs } = await healthy();
    assert.deepEqual(outs.record.observed, { brokers: 4, healthy: true });
  });

  it("is not there while the other region is not, whatever Kubernetes says of the pods", async () => {
    await bench().start();
    await bench().startCluster(new EmbeddedWorld({ startRegions: ["region0"] }));
    await refusal(
      healthy(),
      /^the cluster is not healthy \(waited 1 s\): .*; look at the pods of both regions, then pulumi up$/,
    );
  });

  it("is not there while no gateway answers", async () => {
    await bench().start();
    await refusal(healthy(), /^the cluster is not healthy .*camunda-zeebe-gateway/);
  });
});
