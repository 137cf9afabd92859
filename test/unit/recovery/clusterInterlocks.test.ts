import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { expectLine } from "../../support/failure";
import { readSettings } from "../../../components/settings";
import { refusalBeforehand } from "../../../components/recovery/interlocks/cluster";
import type { Shape } from "../../../components/recovery/phase";
import type { RecordedState } from "../../../components/stack/stackState";
import { EmbeddedWorld } from "../../../world/camunda/embedded";
import { useClusterBench } from "../../support/clusterBench";
import { kubernetesConfig, lookup, Raw } from "../../support/config";

const MOCKS = { call: () => ({}), newResource: () => ({ id: "", state: {} }) };

const nothing: RecordedState = { exporters: {}, installed: true, releases: {}, network: {} };
const forcedOut: RecordedState = {
  ...nothing,
  declaration: { kind: "failed-over", lost: "region1" },
};

describe("what is asked of the cluster before the fence is touched", () => {
  const bench = useClusterBench();
  const ask = (shape: Shape, recorded: RecordedState, raw: Raw = {}) =>
    refusalBeforehand(
      readSettings(lookup(kubernetesConfig({ timeouts: { request: 10, loss: 1 }, ...raw }))),
      shape,
      recorded,
    );
  const lost = { lostRegion: "region1" };

  it("refuses to fence off a region whose brokers are all seen, but for a written reason", async () => {
    await bench().start();
    await bench().startCluster(new EmbeddedWorld({ electionMs: 20 }));
    expectLine((await ask("failed-over", nothing, lost)) ?? "", [
      /^the survivors see every broker of region1 .*remove lostRegion, .*overrides.still-seen$/,
    ]);
    const overrides = { "still-seen": "they answer, and lose every message" };
    assert.equal(await ask("failed-over", nothing, { ...lost, overrides }), undefined);
    assert.equal(await ask("failed-over", forcedOut, lost), undefined, "a second run asks nothing");
  });

  it("does not wait in a preview for what up will find", async () => {
    await bench().start();
    const world = new EmbeddedWorld({ electionMs: 20 });
    await bench().startCluster(world);
    await pulumi.runtime.setMocks(MOCKS, "p", "region0", true);
    try {
      assert.equal(await ask("failed-over", nothing, lost), undefined);
      assert.deepEqual(world.requests, []);
    } finally {
      await pulumi.runtime.setMocks(MOCKS, "p", "region0", false);
    }
  });

  it("does not take a request that has failed for a broker that is missed", async () => {
    await bench().start();
    const world = new EmbeddedWorld({ electionMs: 20 });
    await bench().startCluster(world);
    const path = /^\/v2\/topology$/;
    world.inject({ path, respond: { status: 503, body: "starting" }, times: 1 });
    world.inject({ path, drop: true, times: 1 });
    expectLine((await ask("failed-over", nothing, lost)) ?? "", [/see every broker of region1/]);
  });

  it("goes on when a broker is missed, and when the cluster says nothing", async () => {
    await bench().start();
    const world = new EmbeddedWorld({ electionMs: 20, detectionMs: 50 });
    await bench().startCluster(world);
    await world.lose("region1");
    assert.equal(await ask("failed-over", nothing, lost), undefined);
    bench().store.remove("Pod", bench().namespace, "camunda-zeebe-gateway-0");
    assert.equal(await ask("failed-over", nothing, lost), undefined);
  });

  it("refuses a declaration taken back after the forced removal, and when the cluster does not answer", async () => {
    await bench().start();
    const world = new EmbeddedWorld({ electionMs: 20, detectionMs: 50 });
    await bench().startCluster(world);
    assert.equal(await ask("steady", forcedOut), undefined, "all are members: failed back by hand");
    await world.lose("region1");
    await world.forceRemove([1, 3]);
    expectLine((await ask("steady", forcedOut)) ?? "", [
      /^lostRegion is not set, but brokers 1, 3 of region1 were forced out: set lostRegion region1 again/,
    ]);
    bench().store.remove("Pod", bench().namespace, "camunda-zeebe-gateway-0");
    expectLine((await ask("steady", forcedOut)) ?? "", [/may be still/]);
    assert.equal(await ask("steady", nothing), undefined, "nothing was forced out");
  });
});
