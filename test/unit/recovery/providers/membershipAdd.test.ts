import assert from "node:assert/strict";
import { directions, useBench } from "../../../support/bench";
import { Body, broker, partitionOf } from "../../../support/answers";
import { begun, refusal } from "../../../support/failure";

const ADD = /\/actuator\/cluster\/brokers\?replicationFactor=4$/;
const CONFIGURATION = /^\/actuator\/cluster$/;
const TOPOLOGY = /^\/v2\/topology$/;

describe("BrokerMembership when a region is recreated", () => {
  const bench = useBench();

  /** Adds the brokers as an operator would. */
  const addByHand = (query: string) =>
    fetch(`${bench.management}/actuator/cluster/brokers${query}`, {
      method: "POST",
      body: JSON.stringify(["0", "1", "2", "3"]),
      headers: { "Content-Type": "application/json" },
    });

  for (const lost of directions) {
    it(`adds the brokers of ${lost} unforced with the replication factor, once`, async () => {
      await bench.start(lost);
      await bench.restored();
      const { outs } = await bench.run.add();
      assert.equal(outs.record.how, "done");
      assert.equal((await bench.run.add()).outs.record.how, "already true");
      const sent = bench.world.mutations();
      assert.equal(sent.length, 1);
      assert.match(sent[0]?.path ?? "", ADD);
      assert.deepEqual(sent[0]?.body, ["0", "1", "2", "3"]);
    });

    it(`does not send the add of ${lost} again when the answer to it is lost`, async () => {
      await bench.start(lost);
      await bench.restored();
      bench.world.inject({ method: "POST", path: ADD, drop: true });
      const { outs } = await bench.run.add();
      assert.equal(outs.record.changeId, undefined);
      assert.equal(outs.record.observed.replicationFactor, 4);
      assert.equal(bench.sent().length, 1);
    });

    it(`awaits an add of ${lost} that an interrupted run has sent`, async () => {
      await bench.start(lost, { joinMs: 60 });
      await bench.restored();
      assert.equal((await addByHand("?replicationFactor=4")).status, 202);
      const { outs } = await bench.run.add();
      assert.equal(outs.record.how, "awaited");
      assert.ok(Number(outs.record.changeId) > 0);
      assert.equal(bench.sent().length, 1);
    });

    it(`raises the replication factor when the brokers of ${lost} were added without it`, async () => {
      await bench.start(lost);
      await bench.restored();
      await addByHand("");
      await bench.until(
        "the brokers are members",
        () =>
          bench.world.cluster(bench.survivor).members.length === 4 &&
          bench.world.cluster(bench.survivor).pendingChange === undefined,
      );
      const { outs } = await bench.run.add();
      assert.equal(outs.record.how, "done");
      assert.equal(outs.record.observed.replicationFactor, 4);
      assert.match(bench.sent()[1] ?? "", ADD);
    });
  }

  it("never asks without the replication factor, which would move replicas", async () => {
    await bench.start();
    await bench.restored();
    await bench.run.add();
    const asked = bench.world.requests.filter((r) =>
      r.path.startsWith("/actuator/cluster/brokers"),
    );
    assert.ok(asked.length >= 2);
    assert.ok(asked.every((r) => r.path.includes("replicationFactor=4")));
    assert.ok(asked.every((r) => !r.path.includes("force")));
  });

  it("waits for a recreated broker, then refuses and names it", async () => {
    await bench.start();
    await bench.failOver();
    bench.configure({ failback: "attempt-1" }, { gate: 0.2 });
    await refusal(bench.run.add(), /brokers 1, 3 are not seen by the survivors/, /waited 0.2 s/);
    assert.deepEqual(bench.sent(), []);
  });

  it("says that a recreated broker asks for credentials, which no restart mends", async () => {
    await bench.start();
    await bench.restored();
    bench.world.inject({ brokerId: 3, path: /partitions/, respond: { status: 401 } });
    await refusal(bench.run.add(), / answered 401 to no credentials: set credentials.management$/);
    assert.deepEqual(bench.sent(), []);
  });

  it("refuses to add brokers that came back with old data and have closed their ports", async () => {
    await bench.start();
    await bench.failOver();
    await bench.world.recreate("region1", "old");
    await bench.shutDown();
    bench.configure({ failback: "attempt-1" }, { gate: 0.2 });
    bench.world.copyDocuments(bench.lost);
    await refusal(bench.run.add(), /brokers 1, 3 are listed but does not answer.*restart it/);
    assert.deepEqual(bench.sent(), []);
    bench.configure({}, { gate: 3 });
    for (const id of bench.lostBrokers) {
      await bench.world.restartBroker(id);
    }
    assert.equal((await bench.run.add()).outs.record.how, "done");
  });

  it("says what to do when a broker that hangs was added after all, and awaits the change when that was done", async () => {
    await bench.start("region1", { oldData: "hangs" });
    await bench.failOver();
    await bench.world.recreate("region1", "old");
    bench.world.copyDocuments(bench.lost);
    bench.configure({ failback: "attempt-1" }, { join: 0.3 });
    for (const brokerId of bench.lostBrokers) {
      bench.world.inject({
        brokerId,
        path: /^\/actuator\/partitions$/,
        respond: { status: 200, body: {} },
        times: 1,
      });
    }
    await begun(bench.run.add(), /PARTITION_JOIN broker 1/, /restart the one that it names/);
    for (const id of bench.lostBrokers) {
      await bench.world.restartBroker(id);
    }
    bench.configure({}, { join: 3 });
    await bench.run.add();
    assert.equal(bench.sent().length, 1);
    assert.equal(bench.world.cluster(bench.survivor).members.length, 4);
  });

  it("sends nothing when only the gateway has not learned yet how many replicas there are", async () => {
    await bench.start();
    await bench.restored();
    await bench.run.add();
    const topology = (await (
      await fetch(`${bench.world.endpoints[bench.survivor].gateway}/v2/topology`)
    ).json()) as Body;
    bench.world.inject({
      path: TOPOLOGY,
      respond: { status: 200, body: { ...topology, replicationFactor: 2 } },
      times: 1,
    });
    assert.equal((await bench.run.add()).outs.record.how, "already true");
    assert.equal(bench.sent().length, 1);
  });

  it("refuses to add brokers of a region whose Elasticsearch lacks records, as after it was recreated once more", async () => {
    await bench.start();
    await bench.recreate();
    bench.configure({}, { exporting: 0.2 });
    await refusal(bench.run.add(), /lacks records .*abandon this attempt/);
    assert.deepEqual(bench.sent(), []);
  });

  it("calls an add no success that has ended by itself in a region whose Elasticsearch lacks records", async () => {
    await bench.start();
    await bench.recreate();
    bench.configure({}, { exporting: 0.2 });
    assert.equal((await addByHand("?replicationFactor=4")).status, 202);
    await refusal(bench.run.add(), /lacks records .*abandon this attempt/);
    assert.equal(bench.sent().length, 1);
  });

  it("refuses to add brokers outside a failback", async () => {
    await bench.start();
    await bench.restored();
    bench.configure({ failback: undefined });
    await refusal(bench.run.add(), /set lostRegion or drainRegion again, and failback/);
    assert.deepEqual(bench.sent(), []);
  });

  for (const [what, path, expected, spoil] of [
    [
      "a replica is still JOINING",
      CONFIGURATION,
      /partition 1 has 3 active replicas instead of 4/,
      (body: Body) => {
        partitionOf(broker(body, 3), 1).state = "JOINING";
      },
    ],
    [
      "a follower is unhealthy",
      TOPOLOGY,
      /partition 1 has 3 healthy replicas instead of 4/,
      (body: Body) => {
        const followers = body.brokers
          .flatMap((b: Body) => b.partitions)
          .filter((p: Body) => p.partitionId === 1 && p.role === "follower");
        followers[0].health = "unhealthy";
      },
    ],
    [
      "a broker is not seen",
      TOPOLOGY,
      /broker 3 not seen by the gateway/,
      (body: Body) => {
        body.brokers = body.brokers.filter((b: Body) => b.nodeId !== 3);
      },
    ],
    [
      "the replication factor is that of the survivors",
      TOPOLOGY,
      /replication factor 2 instead of 4/,
      (body: Body) => {
        body.replicationFactor = 2;
      },
    ],
    [
      "the change was cancelled",
      CONFIGURATION,
      /ended as CANCELLED/,
      (body: Body) => {
        body.lastChange.status = "CANCELLED";
      },
    ],
  ] as const) {
    it(`fails, and is kept in the state, when ${what} after the add`, async () => {
      await bench.start();
      await bench.restored();
      bench.configure({}, { join: 0.4 });
      bench.world.onRequest(({ path: asked }) => {
        if (!ADD.test(asked)) {
          return;
        }
        bench.spoil(
          { path },
          spoil,
          ({ brokers, pendingChange }) =>
            brokers.length === 4 &&
            pendingChange === undefined &&
            brokers.every((b: Body) => b.partitions.length === 2),
        );
      });
      await begun(bench.run.add(), expected);
      assert.equal(bench.sent().length, 1);
    });
  }

  it("refuses beside a foreign change that pends", async () => {
    await bench.start();
    await bench.restored();
    await fetch(`${bench.management}/actuator/exporters/unknown/enable`, { method: "POST" });
    const id = bench.world.cluster().pendingChange?.id;
    await refusal(
      bench.run.add(),
      /PARTITION_ENABLE_EXPORTER/,
      new RegExp(`curl -X DELETE ${bench.management}/actuator/cluster/changes/${id}$`),
    );
    assert.doesNotMatch(bench.lines.join("\n"), /awaiting/);
    assert.equal(bench.sent().length, 1);
  });
});
