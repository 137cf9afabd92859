import assert from "node:assert/strict";
import { previewPlan } from "../../../components/recovery/preview";
import { session } from "../../../components/recovery/session";
import type { RecordedState } from "../../../components/stack/stackState";
import { attempt, useBench } from "../../support/bench";
import { kafkaOf, TWO_EACH, TWO_EACH_TARGETS } from "../../support/exporters";
import { IDS } from "../../support/ids";

const HEALTH = /_cluster\/health/;

/** What the stand-in says of a node's disks. */
interface Node {
  fs: { total: { available_in_bytes: number } };
}

describe("the plan of a preview", () => {
  const bench = useBench();
  const nothing: RecordedState = { exporters: {}, installed: false, releases: {}, network: {} };
  const failedOver = { ...nothing, brokers: IDS.mapOf([0, 2]) };
  const ask = (shape: "failed-over" | "drained" | "failing-back", recorded = nothing) =>
    previewPlan(session().settings, shape, recorded);
  const plan = async (...of: Parameters<typeof ask>) => (await ask(...of))?.text ?? "";

  it("names every exporter of the lost region, and of which it takes over the position", async () => {
    await bench.start("region1", { exporters: TWO_EACH_TARGETS });
    bench.configure({ exporters: TWO_EACH });
    await bench.loseRegion();
    assert.match(
      await plan("failed-over", nothing),
      /^ {2}2\. disable exporters elasticsearchregion1, kafkaregion1 in every partition$/m,
    );
    await bench.world.forceRemove(bench.lostBrokers);
    bench.configure({ failback: "one" });
    const text = await plan("failing-back", failedOver);
    assert.match(
      text,
      /^ {2}\d\. enable exporter elasticsearchregion1, initialised from elasticsearchregion0; enable exporter kafkaregion1, initialised from kafkaregion0$/m,
    );
    assert.doesNotMatch(text, /not in exporters/);
  });

  for (const lost of ["region0", "region1"] as const) {
    it(`notes an exporter that nobody has declared when ${lost} is lost`, async () => {
      const exporters = { ...TWO_EACH_TARGETS, other: kafkaOf(lost) };
      await bench.start(lost, { exporters });
      bench.configure({ exporters: TWO_EACH });
      await bench.loseRegion();
      const note = /^ {2}note: exporter other is enabled, but not in exporters: .*other\/disable$/m;
      assert.match(await plan("failed-over", nothing), note);
      await bench.world.forceRemove(bench.lostBrokers);
      await bench.healthy();
      bench.configure({ failback: "one" });
      const recorded = { ...nothing, brokers: IDS.mapOf(bench.survivors) };
      assert.match(await plan("failing-back", recorded), note);
      await bench.world.disableExporter("other");
      assert.doesNotMatch(await plan("failing-back", recorded), note);
    });
  }

  describe("of a drain", () => {
    beforeEach(async () => {
      await bench.start();
      bench.configure({ drainRegion: "region1" });
    });

    it("is what the cluster itself would do, and waits for nothing", async () => {
      const text = await plan("drained");
      assert.match(text, /dryRun=true/);
      assert.match(text, /^ {7}PARTITION_LEAVE/m);
      assert.doesNotMatch(text, /note:/);
      assert.deepEqual(bench.sent(), []);
    });

    it("names the drain that goes on, and no other one", async () => {
      const drain = { id: "region1-1", startedAt: "", who: "me@here", cluster: "" };
      const recorded: RecordedState = { ...nothing, drain: { ...drain, drained: "region1" } };
      assert.match(await plan("drained", recorded), /^ {2}drain: region1-1, declared by me@here$/m);
      const restored = {
        ...recorded,
        brokers: IDS.mapOf(IDS.all(4)),
        declaration: { kind: "failing-back", drained: "region1", attempt: "one" } as const,
      };
      assert.match(await plan("drained", restored), /^ {2}drain: of region1, no loss$/m);
    });

    it("says what the cluster lacks to be whole, as up would wait for it", async () => {
      await bench.world.disableExporter("elasticsearchregion0");
      bench.world.inject({
        path: HEALTH,
        transform: (body) => ({ ...(body as object), status: "red" }),
      });
      assert.match(
        await plan("drained"),
        /^ {2}note: up will wait for the cluster to be whole: exporter elasticsearchregion0 is DISABLED; Elasticsearch of region0 is red$/m,
      );
    });

    it("says that Elasticsearch does not answer", async () => {
      bench.world.inject({ path: HEALTH, drop: true });
      assert.match(await plan("drained"), /to be whole: \S+_cluster\/health\S* does not answer/);
    });

    it("is refused beside somebody else's change, and waits for an own one", async () => {
      const operations: object[] = [];
      bench.world.inject({
        path: /^\/actuator\/cluster$/,
        transform: (body) => ({
          ...(body as object),
          pendingChange: { id: 77, status: "IN_PROGRESS", completed: [], pending: operations },
        }),
      });
      operations.push({ operation: "BROKER_REMOVE", brokerId: 2, brokers: [] });
      assert.match(
        (await ask("drained"))?.refusal ?? "",
        /^another change is pending \(change 77 .*: let it end, or cancel it: curl -X DELETE/,
      );
      operations.splice(0, 1, { operation: "BROKER_REMOVE", brokerId: 3, brokers: [] });
      const own = await ask("drained");
      assert.equal(own?.refusal, undefined);
      assert.match(own?.text ?? "", /^ {2}note: up will wait for change 77 .* to end$/m);
    });

    it("is refused beside a change that has come since the cluster was looked at", async () => {
      bench.world.inject({
        path: /dryRun=true$/,
        respond: { status: 409, body: { message: "ClusterChangePlan[id=78, version=1]" } },
      });
      assert.match(
        (await ask("drained"))?.refusal ?? "",
        /^another change is pending \(change 78\): let it end, or cancel it: curl -X DELETE/,
      );
    });
  });

  for (const [shape, change, declared] of [
    ["drained", "drain", { drainRegion: "region1" }],
    ["failed-over", "forced removal", { lostRegion: "region1" }],
  ] as const) {
    it(`is refused where the cluster's own plan for the ${change} is not what is meant`, async () => {
      await bench.start();
      bench.configure(declared);
      bench.world.inject({
        path: /dryRun=true$/,
        transform: (body) => {
          const { plannedChanges } = body as { plannedChanges: object[] };
          plannedChanges.push({ operation: "BROKER_REMOVE", brokerId: 2, brokers: [2] });
          return body;
        },
      });
      const line = `^the cluster's own plan for the ${change} is not what is meant`;
      assert.match((await ask(shape))?.refusal ?? "", new RegExp(line));
    });
  }

  it("is refused where the cluster is another one than configured", async () => {
    await bench.start();
    bench.configure({ lostRegion: "region1", partitionCount: 3 });
    assert.match((await ask("failed-over"))?.refusal ?? "", /^the cluster has 2 partitions/);
  });

  describe("of a failback", () => {
    const disks = (bytes: number) =>
      bench.world.inject({
        region: "region1",
        path: /^\/_nodes\/stats\/fs$/,
        transform: (body) => {
          for (const { fs } of Object.values((body as { nodes: Record<string, Node> }).nodes)) {
            fs.total.available_in_bytes = bytes;
          }
          return body;
        },
      });

    it("says how much room the disks have, and is refused where they have not enough", async () => {
      await bench.start();
      await bench.recreate();
      const text = await plan("failing-back", failedOver);
      assert.match(text, /^ {2}disks of the brokers, .*: not said by brokers 0, 2$/m);
      assert.match(
        text,
        /^ {2}disks of Elasticsearch of region1: 100\.0 GB free for .* to restore$/m,
      );
      disks(10);
      assert.match(
        (await ask("failing-back", failedOver))?.refusal ?? "",
        /^Elasticsearch of region1 has 10 B free for the survivor's .*: enlarge its disks$/,
      );
      // The gate has passed: nothing refuses for it any more.
      const passed = await ask("failing-back", { ...failedOver, gateAttempt: attempt });
      assert.equal(passed?.refusal, undefined);
      assert.doesNotMatch(passed?.text ?? "", /disks/);
    });
  });
});
