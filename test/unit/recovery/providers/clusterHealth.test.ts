import assert from "node:assert/strict";
import { IDS } from "../../../support/ids";
import { provider } from "../../../../components/recovery/providers/clusterHealth";
import { EmbeddedWorld } from "../../../../world/camunda/embedded";
import { RECORDED } from "../../../../world/camunda/embedded/dialect";
import type { Body } from "../../../support/answers";
import { useClusterBench } from "../../../support/clusterBench";
import { refusal } from "../../../support/failure";

const TOPOLOGY = /^\/v2\/topology$/;

const healthy = (camundaVersion = "8.6") =>
  provider.create({ brokers: IDS.mapOf([0, 1, 2, 3]), replicationFactor: 4, camundaVersion });

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

  it("is there after an upgrade when every broker of the region is of the new generation", async () => {
    await bench().start();
    bench().configure({ camundaVersion: "8.7" });
    const world = new EmbeddedWorld({ electionMs: 20 });
    await bench().startCluster(world);
    const waits = /^the cluster is not healthy \(waited 1 s\): the gateway is of version 8.6.0; /;
    await refusal(healthy("8.7"), waits);
    const upgraded = (ids: readonly number[]) => (body: Body) => ({
      ...body,
      gatewayVersion: "8.7.37",
      brokers: body.brokers.map((broker: Body) =>
        ids.includes(broker.nodeId) ? { ...broker, version: "8.7.37" } : broker,
      ),
    });
    const stop = world.inject({ path: TOPOLOGY, transform: upgraded([0]) });
    await refusal(healthy("8.7"), /: broker 2 is of version 8.6.0; /);
    stop();
    // Those of the other region follow later.
    world.inject({ path: TOPOLOGY, transform: upgraded([0, 2]) });
    assert.equal((await healthy("8.7")).outs.record.observed.healthy, true);
  });

  it("does not wait for a version that is no upgrade", async () => {
    await bench().start();
    bench().configure({ camundaVersion: "8.7" });
    await bench().startCluster(new EmbeddedWorld({ dialect: { ...RECORDED, version: "8.5.3" } }));
    await refusal(healthy("8.7"), /^the gateway is of version 8.5.3, camundaVersion is 8.7: /);
  });

  it("is not there while no gateway answers", async () => {
    await bench().start();
    await refusal(healthy(), /^the cluster is not healthy .*camunda-zeebe-gateway/);
  });
});
