import assert from "node:assert/strict";
import { activeReplicas } from "../../../../components/clients/topology";
import { session } from "../../../../components/recovery/session";
import { attempt, directions, useBench } from "../../../support/bench";
import { begun, refusal } from "../../../support/failure";
import { broker, Body, exporterOf, partitionOf } from "../../../support/answers";

const SENT = "POST /actuator/cluster/brokers?replicationFactor=2";
const REMOVAL = /\/actuator\/cluster\/brokers\?replicationFactor=2$/;
const CONFIGURATION = /^\/actuator\/cluster$/;
const TOPOLOGY = /^\/v2\/topology$/;

describe("BrokerMembership when a region is drained", () => {
  const bench = useBench();

  for (const drained of directions) {
    it(`removes the brokers of ${drained} by an ordinary change, once`, async () => {
      await bench.start(drained);
      bench.configure({ drainRegion: drained });
      const { outs } = await bench.run.remove();
      assert.equal(outs.record.how, "done");
      assert.deepEqual(outs.record.observed.members, bench.survivors);
      assert.deepEqual(outs.record.observed.removed, bench.lostBrokers);
      assert.equal((await bench.run.remove()).outs.record.how, "already true");
      assert.deepEqual(bench.sent(), [SENT]);
    });
  }

  it("is not sent again when the answer to it is lost", async () => {
    await bench.start();
    bench.configure({ drainRegion: "region1" });
    bench.world.inject({ method: "POST", path: REMOVAL, drop: true });
    const { outs } = await bench.run.remove();
    assert.deepEqual(outs.record.observed.members, [0, 2]);
    assert.deepEqual(bench.sent(), [SENT]);
  });

  it("names the broker that holds it up", async () => {
    await bench.start();
    bench.configure({ drainRegion: "region1" }, { failover: 0.5 });
    bench.world.hold(({ brokerId }) => brokerId === 3);
    await begun(
      bench.run.remove(),
      /^not every broker has left \(waited 0.5 s\): change 2 \(\d of 9 done, at PARTITION_LEAVE broker 3 .*restart the one that it names$/,
    );
  });

  it("names none that holds it up when the cluster does not show it any more", async () => {
    await bench.start();
    bench.configure({ drainRegion: "region1" }, { failover: 0.5 });
    bench.world.hold(() => true);
    bench.world.inject({
      method: "POST",
      path: REMOVAL,
      tell(truth) {
        bench.world.inject({ path: CONFIGURATION, respond: { status: 502 } });
        return truth();
      },
    });
    await begun(
      bench.run.remove(),
      /^waited 0.5 s for the brokers to leave every partition; last seen: .*answered 502/,
    );
  });

  it("awaits its own change that an interrupted run has sent", async () => {
    await bench.start("region1", { joinMs: 60 });
    bench.configure({ drainRegion: "region1" });
    await fetch(`${bench.management}/actuator/cluster/brokers?replicationFactor=2`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(["0", "2"]),
    });
    const { outs } = await bench.run.remove();
    assert.equal(outs.record.how, "awaited");
    assert.deepEqual(outs.record.observed.members, [0, 2]);
    assert.equal(bench.sent().length, 1);
  });

  for (const leaves of [1, 2]) {
    it(`goes on with its own change that was cancelled when ${leaves} of its parts had begun`, async () => {
      await bench.start("region1", { joinMs: 60 });
      bench.configure({ drainRegion: "region1" });
      await fetch(`${bench.management}/actuator/cluster/brokers?replicationFactor=2`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(["0", "2"]),
      });
      const pending = async () =>
        ((await (await fetch(`${bench.management}/actuator/cluster`)).json()) as Body)
          .pendingChange;
      await bench.until(
        "it is half done",
        async () => (await pending()).completed.length >= leaves,
      );
      const { id } = await pending();
      await fetch(`${bench.management}/actuator/cluster/changes/${id}`, { method: "DELETE" });
      const { outs } = await bench.run.remove();
      assert.equal(outs.record.how, "done");
      assert.deepEqual(outs.record.observed.members, [0, 2]);
    });
  }

  for (const [what, pending] of [
    ["that takes a broker of its own region out", { operation: "BROKER_REMOVE", brokerId: 2 }],
    [
      "that takes one replica here away",
      { operation: "PARTITION_LEAVE", brokerId: 0, partitionId: 1 },
    ],
    ["that forces", { operation: "BROKER_REMOVE", brokerId: 0, brokers: [1] }],
  ] as const) {
    it(`refuses beside a pending change ${what}`, async () => {
      await bench.start();
      bench.configure({ drainRegion: "region1" });
      bench.showPending(77, [{ brokers: [], ...pending }]);
      await refusal(bench.run.remove(), /another change is pending \(change 77 .*cancel it/);
      assert.ok(
        !bench.lines.some((line) => line.includes("awaiting")),
        "it is not taken for its own",
      );
      assert.deepEqual(bench.sent(), []);
    });
  }

  it("waits for a broker that is not seen, then refuses and says what it may be", async () => {
    await bench.start();
    await bench.world.stopBroker(3);
    bench.configure({ drainRegion: "region1" }, { loss: 0.3 });
    await bench.until("it is missed", async () => !(await bench.seen()).includes(3));
    await refusal(
      bench.run.remove(),
      /broker 3 is not seen: a drain needs every broker; .*set lostRegion instead of drainRegion/,
    );
    assert.deepEqual(bench.sent(), []);
  });

  for (const [what, path, spoil, expected] of [
    [
      "a partition has an unhealthy replica",
      TOPOLOGY,
      (body: Body) => {
        body.brokers[0].partitions[0].health = "unhealthy";
      },
      /not whole \(partition \d has 3 healthy replicas/,
    ],
    [
      "a partition has no leader",
      TOPOLOGY,
      (body: Body) => {
        for (const one of body.brokers) {
          one.partitions[0].role = "follower";
        }
      },
      /not whole \(partition \d has no leader/,
    ],
    [
      "a replica of the region that stays is leaving",
      CONFIGURATION,
      (body: Body) => {
        partitionOf(broker(body, 2), 1).state = "LEAVING";
      },
      /not whole \(partition 1 has 3 active replicas/,
    ],
    [
      "a replica that has not left is not seen",
      TOPOLOGY,
      (body: Body) => {
        const of = body.brokers.find(({ nodeId }: Body) => nodeId === 3);
        of.partitions = of.partitions.filter(({ partitionId }: Body) => partitionId !== 1);
      },
      /not whole \(partition 1 has 3 healthy replicas/,
    ],
    [
      "a replica is joining",
      CONFIGURATION,
      (body: Body) => {
        partitionOf(broker(body, 3), 1).state = "JOINING";
      },
      /not whole \(partition 1 has 3 active replicas/,
    ],
    [
      "the exporter of the region that stays is disabled in one partition",
      CONFIGURATION,
      (body: Body) => {
        exporterOf(partitionOf(broker(body, 0), 1), "elasticsearchregion0").state = "DISABLED";
      },
      /not whole \(exporter elasticsearchregion0 is DISABLED and ENABLED\)/,
    ],
    [
      "Elasticsearch of the region that stays is red",
      /_cluster\/health/,
      (body: Body) => {
        body.status = "red";
      },
      /not whole \(Elasticsearch of region0 is red\)/,
    ],
  ] as const) {
    it(`sends nothing while ${what}`, async () => {
      await bench.start();
      bench.configure({ drainRegion: "region1" }, { loss: 0.3 });
      bench.spoil({ path }, spoil);
      await refusal(bench.run.remove(), expected);
      assert.deepEqual(bench.sent(), []);
    });
  }

  it("sends nothing while Elasticsearch of the region that stays does not answer, whatever that of the other one does", async () => {
    await bench.start();
    bench.configure({ drainRegion: "region1" }, { loss: 0.3 });
    bench.world.inject({ region: "region1", path: /_cluster\/health/, drop: true });
    const heal = bench.world.inject({ region: "region0", path: /_cluster\/health/, drop: true });
    const { elasticsearch } = bench.world.endpoints.region0;
    await assert.rejects(bench.run.remove(), (error: { message: string }) =>
      error.message.includes(`${elasticsearch}/_cluster/health does not answer`),
    );
    assert.deepEqual(bench.sent(), []);
    heal();
    assert.deepEqual((await bench.run.remove()).outs.record.observed.members, [0, 2]);
  });

  it("drains more brokers too, among which the cluster distributes the replicas anew, and a failback puts them back", async () => {
    const shape = { clusterSize: 8, partitionCount: 3 };
    await bench.start("region1", { shape });
    bench.configure({ drainRegion: "region1" });
    const replicas = async () =>
      [...activeReplicas(await session().zeebe.configuration())].map(([id, held]) => [
        id,
        [...held].sort(),
      ]);
    const before = await replicas();
    const { outs } = await bench.run.remove();
    assert.deepEqual(outs.record.observed.removed, [1, 3, 5, 7]);
    assert.ok(
      outs.record.operations?.some((one: string) => /^PARTITION_JOIN broker [0246]/.test(one)),
      "a replica moves",
    );
    await bench.run.disable();
    await bench.world.recreate("region1");
    bench.configure({ failback: attempt });
    await bench.until("they are seen", async () => (await bench.seen()).length === 8);
    await bench.run.gate();
    await bench.run.enable();
    bench.world.copyDocuments("region1");
    const added = await bench.run.add();
    assert.ok(
      added.outs.record.operations?.some((one: string) =>
        /^PARTITION_LEAVE broker [0246]/.test(one),
      ),
      "it moves back",
    );
    assert.deepEqual(await replicas(), before);
    assert.ok(!bench.sent().some((sent) => sent.includes("force")));
  });

  it("of more brokers, lost after it, is failed back as well", async () => {
    await bench.start("region1", { shape: { clusterSize: 8, partitionCount: 3 } });
    bench.configure({ drainRegion: "region1" });
    await bench.run.remove();
    await bench.run.disable();
    await bench.world.recreate("region1");
    bench.configure({ drainRegion: undefined, lostRegion: "region1", failback: attempt });
    await bench.until("they are seen", async () => (await bench.seen()).length === 8);
    await bench.run.enable();
    bench.world.copyDocuments("region1");
    const { outs } = await bench.run.add();
    assert.deepEqual(outs.record.observed.members, [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("is no success as long as a removed broker is still seen with partitions", async () => {
    await bench.start();
    bench.configure({ drainRegion: "region1" }, { failover: 0.5 });
    const topology = (await (
      await fetch(`${bench.world.endpoints.region0.gateway}/v2/topology`)
    ).json()) as Body;
    const before = topology.brokers.find(({ nodeId }: Body) => nodeId === 3);
    bench.world.inject({
      path: TOPOLOGY,
      transform: (body) => ({
        ...body,
        brokers: [...body.brokers.filter(({ nodeId }: Body) => nodeId !== 3), before],
      }),
    });
    await assert.rejects(bench.run.remove(), (error: { message: string }) =>
      /broker 3 still seen with partitions/.test(error.message),
    );
  });

  it("adds the brokers again as part of a failback", async () => {
    await bench.start();
    bench.configure({ drainRegion: "region1" });
    await bench.run.remove();
    await bench.run.disable();
    await bench.world.recreate("region1");
    bench.configure({ failback: attempt });
    await bench.until("they are seen", async () => (await bench.seen()).length === 4);
    await bench.run.gate();
    await bench.run.enable();
    bench.world.copyDocuments("region1");
    const { outs } = await bench.run.add();
    assert.deepEqual(outs.record.observed.members, [0, 1, 2, 3]);
    assert.ok(!bench.sent().some((sent) => sent.includes("force")));
  });
});
