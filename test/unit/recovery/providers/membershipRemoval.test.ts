import assert from "node:assert/strict";
import { provider } from "../../../../components/recovery/providers/membership";
import { session } from "../../../../components/recovery/session";
import { attempt, directions, useBench } from "../../../support/bench";
import { begun, refusal } from "../../../support/failure";
import { broker, Body, partitionOf } from "../../../support/answers";

const FORCED = /\/actuator\/cluster\/brokers\?force=true$/;
const DRY_RUN = /\/actuator\/cluster\/brokers\?force=true&dryRun=true$/;
const CONFIGURATION = /^\/actuator\/cluster$/;
const TOPOLOGY = /^\/v2\/topology$/;

describe("BrokerMembership when a region is lost", () => {
  const bench = useBench();

  for (const lost of directions) {
    it(`takes a removal of ${lost} by hand for its own, and sends nothing`, async () => {
      await bench.start(lost);
      await bench.loseRegion();
      await bench.world.forceRemove(bench.lostBrokers);
      const { outs } = await bench.run.remove();
      assert.equal(outs.record.how, "already true");
      const again = await provider.update("broker-membership", outs, outs);
      assert.equal(again.outs.record.how, "already true");
      assert.deepEqual(bench.sent(), []);
    });

    it(`does not send the removal of ${lost} again when the answer to it is lost`, async () => {
      await bench.start(lost);
      await bench.loseRegion();
      bench.world.inject({ method: "POST", path: FORCED, drop: true });
      const { outs } = await bench.run.remove();
      assert.equal(outs.record.how, "done");
      assert.equal(outs.record.changeId, undefined);
      assert.deepEqual(outs.record.observed.members, bench.survivors);
      assert.equal(bench.sent().length, 1);
    });

    it(`reads the members and exporters by a dry run or a GET while ${lost} is lost`, async () => {
      await bench.start(lost);
      await bench.loseRegion();
      const props = { ...bench.inputs.membership(bench.survivors, 2), schema: 1 };
      const read = await provider.read("broker-membership", props);
      assert.deepEqual(read.inputs, bench.inputs.membership([0, 1, 2, 3], 4));
      const asked = bench.world.requests.filter((r) => CONFIGURATION.test(r.path));
      assert.deepEqual(
        new Set(asked.map((r) => r.status)),
        new Set([lost === "region0" ? 502 : 200]),
      );
      assert.deepEqual(bench.sent(), []);
    });
  }

  it("keeps the record of the removal when a later run finds nothing to do", async () => {
    await bench.start();
    await bench.loseRegion();
    const { id, outs } = await bench.run.remove();
    const { record } = (await provider.update(id, outs, bench.inputs.membership([0, 2], 2))).outs;
    assert.equal(record.changeId, outs.record.changeId);
    assert.equal(record.startedAt, outs.record.startedAt);
    assert.equal(bench.sent().length, 1);
  });

  it("awaits its own change that an interrupted run has sent", async () => {
    await bench.start();
    await bench.loseRegion();
    await bench.world.forceRemove(bench.lostBrokers);
    const pending = {
      operation: "PARTITION_FORCE_RECONFIGURE",
      brokerId: 0,
      partitionId: 1,
      brokers: [0, 2],
    };
    const removal = { operation: "BROKER_REMOVE", brokerId: 0, brokers: [1] };
    bench.showPending(77, [pending, removal], 3);
    const { outs } = await bench.run.remove();
    assert.equal(outs.record.how, "awaited");
    assert.equal(outs.record.changeId, 77);
    assert.match(bench.lines.join("\n"), /awaiting change 77 \(0 of 2 done/);
    assert.deepEqual(bench.sent(), []);
  });

  for (const [what, removal, shown] of [
    [
      "the removal of a survivor",
      { operation: "BROKER_REMOVE", brokerId: 2, brokers: [0] },
      /change 78 .*BROKER_REMOVE broker 2 with brokers 0/,
    ],
    [
      "a forced removal that keeps the lost brokers",
      { operation: "PARTITION_FORCE_RECONFIGURE", brokerId: 1, partitionId: 1, brokers: [1, 3] },
      /change 78 .*PARTITION_FORCE_RECONFIGURE broker 1 partition 1 with brokers 1, 3/,
    ],
  ] as const) {
    it(`does not take ${what} for its own change`, async () => {
      await bench.start();
      await bench.loseRegion();
      bench.showPending(78, [removal], 3);
      await refusal(bench.run.remove(), shown);
      assert.deepEqual(bench.sent(), []);
    });
  }

  it("waits while the survivors still see the lost brokers, then refuses and names them", async () => {
    await bench.start();
    bench.configure({ lostRegion: "region1" }, { loss: 0.2 });
    await refusal(
      bench.run.remove(),
      /still see brokers 1, 3 of region1: a region that answers is not lost/,
      /waited 0.2 s/,
    );
    assert.deepEqual(bench.sent(), []);
  });

  it("goes on by itself when the lost brokers are no longer seen", async () => {
    await bench.start("region1", { detectionMs: 300 });
    bench.configure({ lostRegion: "region1" });
    await bench.world.lose("region1");
    await bench.run.remove();
    assert.match(bench.lines.join("\n"), /waiting for the survivors to no longer see brokers 1, 3/);
  });

  it("refuses while a broker of its own region is missing", async () => {
    await bench.start();
    await bench.loseRegion();
    await bench.world.stopBroker(2);
    await bench.until("that is seen", async () => !(await bench.seen()).includes(2));
    bench.configure({}, { loss: 0.2 });
    await refusal(bench.run.remove(), /broker 2 of the surviving region is not seen/);
    assert.deepEqual(bench.sent(), []);
  });

  it("takes a leader whose partition a lost broker was joining for no sign that its region lives", async () => {
    await bench.start("region1", { joinMs: 400 });
    await bench.restored();
    const change = `${bench.management}/actuator/cluster`;
    await fetch(`${change}/brokers?replicationFactor=4`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(["0", "1", "2", "3"]),
    });
    const seen = async () => (await (await fetch(change)).json()) as Body;
    await bench.until("a third replica has joined and a fourth is joining", async () => {
      const states = (await seen()).brokers.flatMap(({ partitions }: Body) =>
        partitions.filter(({ id }: Body) => id === 1).map(({ state }: Body) => state),
      );
      return states.length === 4 && states.includes("JOINING");
    });
    await fetch(`${change}/changes/${(await seen()).pendingChange.id}`, { method: "DELETE" });
    bench.configure({ failback: undefined });
    await bench.loseRegion();
    const { outs } = await bench.run.remove();
    assert.deepEqual(outs.record.observed.members, [0, 2]);
  });

  it("refuses to remove anybody when no region is declared lost", async () => {
    await bench.start();
    await bench.loseRegion();
    bench.configure({ lostRegion: undefined });
    await refusal(bench.run.remove(), /no region is declared lost/);
    assert.deepEqual(bench.sent(), []);
  });

  it("treats a cut network like a loss", async () => {
    await bench.start();
    bench.world.partition();
    bench.configure({ lostRegion: "region1" });
    const { outs } = await bench.run.remove();
    assert.deepEqual(outs.record.observed.members, [0, 2]);
  });

  for (const [what, path, expected, spoil] of [
    [
      "a lost broker is still a member",
      CONFIGURATION,
      /broker 1 still a member/,
      (body: Body) => body.brokers.push({ id: 1, state: "ACTIVE", partitions: [] }),
    ],
    [
      "a partition has no leader",
      TOPOLOGY,
      /partition 1 has no leader/,
      (body: Body) => {
        for (const one of body.brokers) {
          const found = one.partitions.find((p: Body) => p.partitionId === 1);
          if (found) {
            found.role = "follower";
          }
        }
      },
    ],
    [
      "the replication factor is that of before",
      TOPOLOGY,
      /replication factor 4 instead of 2/,
      (body: Body) => {
        body.replicationFactor = 4;
      },
    ],
    [
      "a replica is not active",
      CONFIGURATION,
      /partition 2 has 1 active replicas instead of 2/,
      (body: Body) => {
        partitionOf(broker(body, 0), 2).state = "LEAVING";
      },
    ],
    [
      "a lost broker is still listed with partitions",
      TOPOLOGY,
      /broker 3 still seen with partitions/,
      (body: Body) =>
        body.brokers.push({
          nodeId: 3,
          version: "8.6.0",
          partitions: [{ partitionId: 1, role: "follower", health: "healthy" }],
        }),
    ],
    [
      "the change was cancelled",
      CONFIGURATION,
      /ended as CANCELLED, not COMPLETED/,
      (body: Body) => {
        if (body.lastChange) {
          body.lastChange.status = "CANCELLED";
        }
      },
    ],
  ] as const) {
    it(`fails, and is kept in the state, when ${what} after the removal`, async () => {
      await bench.start();
      await bench.loseRegion();
      bench.configure({}, { failover: 0.3 });
      bench.world.onRequest(({ path: asked }) => {
        if (!FORCED.test(asked)) {
          return;
        }
        bench.spoil(
          { path },
          spoil,
          ({ brokers, pendingChange }) => brokers !== undefined && pendingChange === undefined,
        );
      });
      const failed = await begun(bench.run.remove(), expected);
      assert.equal(failed.id, "broker-membership");
      assert.deepEqual(failed.properties["brokers"], bench.inputs.membership([0, 2], 2).brokers);
      assert.equal(bench.sent().length, 1);
    });
  }

  it("keeps the record of the removal when an attempt to fail back is abandoned, and looks at the cluster anew", async () => {
    await bench.start();
    await bench.loseRegion();
    const declared = bench.inputs.membership([0, 2], 2);
    assert.deepEqual(declared.declaration, { kind: "failed-over", lost: "region1" });
    const { outs } = await provider.create(declared);
    const abandoned = {
      ...declared,
      declaration: { ...declared.declaration, abandoned: "one" },
    };
    const kept = await provider.update("broker-membership", outs, abandoned);
    const { startedAt, changeId, operations } = outs.record;
    assert.deepEqual(
      { startedAt, changeId, operations },
      {
        startedAt: kept.outs.record.startedAt,
        changeId: kept.outs.record.changeId,
        operations: kept.outs.record.operations,
      },
    );
    // Another loss is another removal.
    const other = { ...declared, declaration: { kind: "failed-over", lost: "region0" } as const };
    const anew = await provider.update("broker-membership", kept.outs, other);
    assert.equal(anew.outs.record.changeId, undefined);
  });

  it("refuses beside a foreign change that pends, and says how to cancel it", async () => {
    await bench.start();
    await fetch(`${bench.management}/actuator/exporters/unknown/enable`, { method: "POST" });
    const id = bench.world.cluster(bench.survivor).pendingChange?.id;
    await bench.loseRegion();
    const line = await refusal(
      bench.run.remove(),
      /another change is pending/,
      new RegExp(`curl -X DELETE ${bench.management}/actuator/cluster/changes/${id}$`),
    );
    assert.match(line, /PARTITION_ENABLE_EXPORTER broker \d partition \d/);
    assert.equal(bench.sent().length, 1);
  });

  it("says how to cancel a change that has come since it looked", async () => {
    await bench.start();
    await bench.loseRegion();
    const message = "Another configuration change [ClusterChangePlan[id=78, version=1]]";
    bench.world.inject({ path: DRY_RUN, respond: { status: 409, body: { message } } });
    await refusal(
      bench.run.remove(),
      /^another change is pending \(change 78\): let it end, or cancel it: curl -X DELETE .*\/78$/,
    );
    assert.deepEqual(bench.sent(), []);
  });

  it("awaits its own removal that a killed run has sent while the coordinator is lost", async () => {
    await bench.start("region0", { forceMs: 500 });
    await bench.loseRegion();
    await fetch(`${bench.management}/actuator/cluster/brokers?force=true`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(bench.survivors),
    });
    const id = bench.world.cluster(bench.survivor).pendingChange?.id;
    const { outs } = await bench.run.remove();
    assert.equal(outs.record.how, "awaited");
    assert.equal(outs.record.changeId, id);
    assert.equal(bench.sent().length, 1);
  });

  it("says of a change that nobody shows that it may be its own, and claims nothing of a broker", async () => {
    await bench.start("region0");
    await fetch(`${bench.management}/actuator/exporters/unknown/enable`, { method: "POST" });
    const id = bench.world.cluster(bench.survivor).pendingChange?.id;
    await bench.loseRegion();
    bench.configure({}, { failover: 0.3 });
    const line = await refusal(
      bench.run.remove(),
      new RegExp(`^change ${id} is pending, maybe an own one, and`),
      /pulumi up; docs\/errors.md#pending-unseen$/,
    );
    assert.doesNotMatch(line, /broker 0|DELETE/);
    assert.equal(bench.sent().length, 1);
  });

  for (const lost of directions) {
    it(`does not remove ${lost} again when an answer shows the members of before, and records no removal`, async () => {
      // Without a leader nothing yet speaks against a loss.
      await bench.start(lost, { electionMs: 1_500 });
      await bench.loseRegion();
      const { configuration } = await session().observe();
      assert.equal(configuration.members.length, 4);
      let stale: Body;
      const healthy = bench.world.inject({
        path: DRY_RUN,
        times: 1,
        transform: (body) => (stale = body),
      });
      await session().zeebe.setBrokers(bench.survivors, { force: true, dryRun: true });
      healthy();
      await bench.world.forceRemove(bench.lostBrokers);
      const fresh = bench.world.inject({
        path: CONFIGURATION,
        transform: (body) => ({ ...body, brokers: stale.currentTopology }),
      });
      bench.world.onRequest(({ path }) => DRY_RUN.test(path) && fresh());
      const { outs } = await bench.run.remove();
      assert.equal(outs.record.how, "already true");
      assert.equal(outs.record.observed.removed, undefined);
      assert.deepEqual(bench.sent(), []);
    });
  }

  for (const [what, fault, hits] of [
    ["an error of the server's", { respond: { status: 500, body: "oops" } }, true],
    ["that it is busy", { respond: { status: 503 } }, true],
    ["that there were too many requests", { respond: { status: 429 } }, true],
    ["an answer that cannot be read", { transform: () => "<html>" }, false],
  ] as const) {
    it(`sends the removal once when it took effect and the answer is ${what}`, async () => {
      await bench.start("region0");
      await bench.loseRegion();
      bench.world.inject({ method: "POST", path: FORCED, times: 1, ...fault });
      bench.world.onRequest(({ path }) => {
        if (hits && FORCED.test(path)) {
          void bench.world.forceRemove(bench.lostBrokers);
        }
      });
      const { outs } = await bench.run.remove();
      assert.equal(outs.record.how, "done");
      assert.deepEqual(outs.record.observed.removed, bench.lostBrokers);
      assert.equal(bench.sent().length, 1);
    });
  }

  it("sends the removal again when the cluster shows that it took no effect, and gives up after a few times", async function () {
    this.timeout(60_000);
    await bench.start("region0");
    await bench.loseRegion();
    const respond = { status: 502, body: "no route" };
    const stop = bench.world.inject({ method: "POST", path: FORCED, respond });
    await begun(bench.run.remove(), /answered 502: no route/);
    assert.equal(bench.sent().length, 3);
    stop();
    bench.world.inject({ method: "POST", path: FORCED, times: 1, respond });
    assert.equal((await bench.run.remove()).outs.record.how, "done");
    assert.equal(bench.sent().length, 5);
  });

  for (const status of [400, 401, 403, 404]) {
    it(`takes an answer of ${status} to the removal for what it is`, async () => {
      await bench.start();
      await bench.loseRegion();
      bench.world.inject({ method: "POST", path: FORCED, respond: { status, body: "no" } });
      await begun(bench.run.remove(), new RegExp(`answered ${status}(: no| to no credentials)`));
      assert.equal(bench.sent().length, 1);
    });
  }

  it("repeats a dry run that fails for a moment", async () => {
    await bench.start();
    await bench.loseRegion();
    bench.world.inject({ path: DRY_RUN, times: 2, respond: { status: 503, body: "busy" } });
    assert.equal((await bench.run.remove()).outs.record.how, "done");
    assert.equal(bench.sent().length, 1);
  });

  it("does not hold the name of the attempt against a removal", async () => {
    await bench.start();
    await bench.loseRegion();
    await bench.run.remove();
    bench.configure({ failback: attempt });
    assert.equal((await bench.run.remove()).outs.record.how, "already true");
  });
});
