import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { expectRefusal, failureOf } from "../../support/failure";
import { session } from "../../../components/recovery/session";
import { readSettings } from "../../../components/settings";
import { refusalBeforehand } from "../../../components/recovery/interlocks/cluster";
import { lookAtCluster } from "../../../components/recovery/look";
import type { Shape } from "../../../components/recovery/phase";
import type { RecordedState } from "../../../components/stack/stackState";
import { EmbeddedWorld } from "../../../world/camunda/embedded";
import { Body } from "../../support/answers";
import { useClusterBench } from "../../support/clusterBench";
import { kubernetesConfig, lookup, Raw } from "../../support/config";
import { IDS } from "../../support/ids";

const MOCKS = { call: () => ({}), newResource: () => ({ id: "", state: {} }) };

const nothing: RecordedState = { exporters: {}, installed: true, releases: {}, network: {} };
const forcedOut: RecordedState = {
  ...nothing,
  declaration: { kind: "failed-over", lost: "region1" },
};

const TOPOLOGY = /^\/v2\/topology$/;

/** A gateway's answer as if it did not know some brokers. */
const without = (ids: readonly number[]) => (body: Body) => ({
  ...body,
  brokers: body.brokers.filter((b: Body) => !ids.includes(b.nodeId)),
});

describe("what is asked of the cluster before the fence is touched", () => {
  const bench = useClusterBench();
  const ask = (shape: Shape, recorded: RecordedState, raw: Raw = {}) =>
    refusalBeforehand(
      readSettings(
        lookup(kubernetesConfig({ timeouts: { request: 10, loss: 1, absence: 0.1 }, ...raw })),
      ),
      shape,
      recorded,
    );
  const lost = { lostRegion: "region1" };

  it("refuses to fence off a region whose brokers are all seen, but for a written reason", async () => {
    await bench().start();
    await bench().startCluster(new EmbeddedWorld({ electionMs: 20 }));
    expectRefusal((await ask("failed-over", nothing, lost)) ?? "", [
      /^the survivors still see brokers 1, 3 of region1: .*remove lostRegion, or set overrides.still-seen$/,
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

  for (const [what, fault] of [
    ["a 503", { respond: { status: 503, body: "starting" } }],
    ["a 401 of a token that is just exchanged", { respond: { status: 401, body: "who" } }],
    ["an answer that breaks off", { drop: true }],
    ["an answer that is no JSON", { respond: { status: 200, body: "<html>" } }],
    ["one look that misses them", { transform: without([1, 3]) }],
  ] as const) {
    it(`does not take ${what} for brokers that are missed`, async () => {
      await bench().start();
      const world = new EmbeddedWorld({ electionMs: 20 });
      await bench().startCluster(world);
      world.inject({ path: TOPOLOGY, times: 1, ...fault });
      expectRefusal((await ask("failed-over", nothing, lost)) ?? "", [/still see brokers 1, 3/]);
    });
  }

  it("does not take one broker that restarts for a region that is lost", async () => {
    await bench().start();
    const world = new EmbeddedWorld({ electionMs: 20 });
    await bench().startCluster(world);
    world.inject({ path: TOPOLOGY, transform: without([3]) });
    expectRefusal((await ask("failed-over", nothing, lost)) ?? "", [
      /still see broker 1 of region1/,
    ]);
  });

  it("refuses when the gateway misses a region that a survivor's leader needs", async () => {
    await bench().start();
    const world = new EmbeddedWorld({ electionMs: 20 });
    await bench().startCluster(world);
    world.restartGateways("region0", 60_000);
    expectRefusal((await ask("failed-over", nothing, lost)) ?? "", [
      /region1 is not seen, but partition [12].* has a leader here/,
      /overrides.still-seen$/,
    ]);
  });

  it("goes on when every broker is missed for long enough", async () => {
    await bench().start();
    const world = new EmbeddedWorld({ electionMs: 20, detectionMs: 50 });
    await bench().startCluster(world);
    await world.lose("region1");
    assert.equal(await ask("failed-over", nothing, lost), undefined);
  });

  it("refuses when the cluster says nothing, or asks for other credentials: then nothing is known", async () => {
    await bench().start();
    const world = new EmbeddedWorld({ electionMs: 20, detectionMs: 50 });
    await bench().startCluster(world);
    await world.lose("region1");
    const stop = world.inject({ path: TOPOLOGY, respond: { status: 401, body: "who" } });
    expectRefusal((await ask("failed-over", nothing, lost)) ?? "", [/is not known .*401/]);
    stop();
    bench().store.remove("Pod", bench().namespace, "camunda-zeebe-gateway-0");
    expectRefusal((await ask("failed-over", nothing, lost)) ?? "", [
      /^whether region1 is lost is not known \(.*\): bring the survivors' gateway up, or set overrides.still-seen$/,
    ]);
  });

  it("refuses a declaration taken back after the forced removal, and when the cluster does not answer", async () => {
    await bench().start();
    const world = new EmbeddedWorld({ electionMs: 20, detectionMs: 50 });
    await bench().startCluster(world);
    assert.equal(await ask("steady", forcedOut), undefined, "all are members: failed back by hand");
    await world.lose("region1");
    await world.forceRemove([1, 3]);
    expectRefusal((await ask("steady", forcedOut)) ?? "", [
      /^lostRegion is not set, but brokers 1, 3 of region1 were forced out: set lostRegion region1 again/,
    ]);
    bench().store.remove("Pod", bench().namespace, "camunda-zeebe-gateway-0");
    expectRefusal((await ask("steady", forcedOut)) ?? "", [/may be still/]);
    assert.equal(await ask("steady", nothing), undefined, "nothing was forced out");
  });

  it("refuses a drain taken back after its brokers were removed, which is no loss", async () => {
    const drained: RecordedState = {
      ...nothing,
      declaration: { kind: "drained", drained: "region1" },
    };
    await bench().start();
    const world = new EmbeddedWorld({ electionMs: 20, detectionMs: 50 });
    await bench().startCluster(world);
    assert.equal(await ask("steady", drained), undefined, "all are members: failed back by hand");
    await world.lose("region1");
    await world.forceRemove([1, 3]);
    expectRefusal((await ask("steady", drained)) ?? "", [
      /^drainRegion is not set, but brokers 1, 3 of region1 are drained: set drainRegion region1 again/,
    ]);
    bench().store.remove("Pod", bench().namespace, "camunda-zeebe-gateway-0");
    expectRefusal((await ask("steady", drained)) ?? "", [/was drained, and may be still/]);
  });

  describe("by an upgrade", () => {
    const of86 = { ...nothing, camunda: { applied: "8.6", verified: "8.6" } };
    const to87 = { camundaVersion: "8.7" };

    it("looks at a cluster that is still of the generation before", async () => {
      await bench().start();
      await bench().startCluster(new EmbeddedWorld({ electionMs: 20 }));
      assert.equal(await ask("steady", of86, to87), undefined);
    });

    it("refuses while a broker is missing, or a partition has no leader", async () => {
      await bench().start();
      const world = new EmbeddedWorld({ electionMs: 20 });
      await bench().startCluster(world);
      world.inject({ path: TOPOLOGY, transform: without([3]) });
      expectRefusal((await ask("steady", of86, to87)) ?? "", [
        /^no upgrade to 8.7 while the cluster is not healthy \(broker 3 not seen by the gateway.*\): mend it, then up$/,
      ]);
      assert.equal(await ask("steady", of86), undefined, "no upgrade asks nothing");
    });

    it("does not stop a failover by a gateway that is not of it yet, and says to others where to look", async () => {
      await bench().start();
      const world = new EmbeddedWorld({ electionMs: 20, detectionMs: 50 });
      await bench().startCluster(world);
      bench().configure(to87);
      const error = await failureOf(session().observe());
      assert.ok(error instanceof Error);
      expectRefusal(error.message, [
        /^the gateway is of version 8.6.\d+, camundaVersion is 8.7: set what runs, of 8.6, 8.7; in an upgrade: look at the gateways' pods$/,
      ]);
      await world.lose("region1");
      const halfWay = { ...nothing, camunda: { applied: "8.7", verified: "8.6" } };
      assert.equal(await ask("failed-over", halfWay, { ...lost, ...to87 }), undefined);
    });

    describe("of a run that was killed before it could record it", () => {
      const of87 = (ids: readonly number[]) => (body: Body) => ({
        ...body,
        brokers: body.brokers.map((b: Body) =>
          ids.includes(b.nodeId) ? { ...b, version: "8.7.37" } : b,
        ),
      });
      const look = (raw: Raw, shape: Shape = "steady") =>
        lookAtCluster(
          readSettings(lookup(kubernetesConfig({ timeouts: { request: 10 }, ...raw }))),
          shape,
          { ...of86, verified: true, brokers: IDS.mapOf([0, 1, 2, 3]) },
        );

      it("goes on with it, whatever is away", async () => {
        await bench().start();
        const world = new EmbeddedWorld({ electionMs: 20 });
        await bench().startCluster(world);
        for (const change of [
          (body: Body) => ({ ...without([2])(body), gatewayVersion: "8.7.37" }),
          (body: Body) => of87([0])(without([2])(body)),
        ]) {
          const stop = world.inject({ path: TOPOLOGY, transform: change });
          assert.equal(await ask("steady", of86, to87), undefined);
          stop();
        }
        // Those of the other region are no upgrade of this one.
        world.inject({ path: TOPOLOGY, transform: (body) => of87([1])(without([2])(body)) });
        expectRefusal((await ask("steady", of86, to87)) ?? "", [/broker 2 not seen/]);
      });

      it("is not taken back by the version of before, whatever else the run does", async () => {
        await bench().start();
        const world = new EmbeddedWorld({ electionMs: 20 });
        await bench().startCluster(world);
        assert.equal((await look({})).refusal, undefined);
        const stop = world.inject({ path: TOPOLOGY, transform: of87([1]) });
        assert.equal((await look({})).refusal, undefined, "the other region's may be ahead");
        stop();
        world.inject({ path: TOPOLOGY, transform: of87([2]) });
        expectRefusal((await look({})).refusal ?? "", [
          /^broker 2 of region0 is of version 8.7.37, camundaVersion is 8.6: none goes back; set 8.7$/,
        ]);
        expectRefusal((await look({ ...lost, failback: "one" }, "failing-back")).refusal ?? "", [
          /none goes back; set 8.7, and pulumi up --refresh$/,
        ]);
        assert.equal((await look(lost, "failed-over")).refusal, undefined, "it touches no release");
      });
    });

    it("refuses when nobody answers", async () => {
      await bench().start();
      expectRefusal((await ask("steady", of86, to87)) ?? "", [
        /^no upgrade to 8.7: whether the cluster is healthy is not known \(.*\): mend that, then up$/,
      ]);
    });
  });
});
