import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { RegionName } from "../../../../components/base/brokers";
import { provider } from "../../../../components/recovery/providers/exporter";
import { session } from "../../../../components/recovery/session";
import { attempt, directions, useBench } from "../../../support/bench";
import { Body, broker, exporterOf, partitionOf } from "../../../support/answers";
import { TWO_EACH, TWO_EACH_TARGETS } from "../../../support/exporters";
import { begun, refusal } from "../../../support/failure";

const CONFIGURATION = /^\/actuator\/cluster$/;
const AGGREGATE = /^\/actuator\/exporters$/;
const DISABLE = /\/disable$/;

describe("Exporter", () => {
  const bench = useBench();

  const removeLost = async () => {
    await bench.loseRegion();
    await bench.world.forceRemove(bench.lostBrokers);
    await bench.healthy();
  };
  const exporterIn = (body: Body, partition: number): Body =>
    exporterOf(partitionOf(broker(body, 0), partition), "elasticsearchregion1");

  for (const lost of directions) {
    it(`disables the exporter to ${lost} once, and takes it as done the second time`, async () => {
      await bench.start(lost);
      await removeLost();
      const { outs } = await bench.run.disable();
      assert.equal(outs.record.how, "done");
      assert.deepEqual(outs.record.observed.exporters, { [bench.lostExporter]: "DISABLED" });
      assert.ok(Number(outs.record.observed.configurationVersion) > 0);
      assert.equal((await bench.run.disable()).outs.record.how, "already true");
      assert.deepEqual(bench.sent(), [`POST /actuator/exporters/${bench.lostExporter}/disable`]);
    });

    it(`does not disable the exporter to ${lost} again when the answer is lost`, async () => {
      await bench.start(lost);
      await removeLost();
      bench.world.inject({ method: "POST", path: DISABLE, drop: true });
      const { outs } = await bench.run.disable();
      assert.equal(outs.record.how, "done");
      assert.equal(outs.record.changeId, undefined);
      assert.equal(bench.sent().length, 1);
    });

    it(`enables the exporter to ${lost} from the position of the survivor's`, async () => {
      await bench.start(lost);
      await bench.recreate();
      const { outs } = await bench.run.enable();
      assert.equal(outs.record.how, "done");
      assert.equal((await bench.run.enable()).outs.record.how, "already true");
      const [sent, ...others] = bench.world.mutations();
      assert.equal(others.length, 0);
      assert.deepEqual(sent?.body, { initializeFrom: `elasticsearch${bench.survivor}` });
    });

    it(`refuses to send anything while the dead brokers of ${lost} are members`, async () => {
      await bench.start(lost);
      await bench.loseRegion();
      await refusal(
        bench.run.disable(),
        new RegExp(`brokers ${bench.lostBrokers.join(", ")} are among the members but not seen`),
        /a change of exporter \S+ would never end/,
      );
      assert.deepEqual(bench.sent(), []);
    });

    it(`reads the state in every partition while ${lost} is lost`, async () => {
      await bench.start(lost);
      await bench.loseRegion();
      const inputs = bench.inputs.exporter(lost, "DISABLED");
      const { props } = await provider.read(`exporter-${lost}`, inputs);
      assert.deepEqual(props.exporters, { [bench.lostExporter]: "ENABLED" });
    });
  }

  it("awaits its own change that an interrupted run has sent", async () => {
    await bench.start();
    await bench.failOver();
    const operation = {
      operation: "PARTITION_DISABLE_EXPORTER",
      brokerId: 2,
      partitionId: 1,
      brokers: [],
      exporterId: "elasticsearchregion1",
    };
    bench.showPending(91, [operation], 2);
    const { outs } = await bench.run.disable();
    assert.equal(outs.record.how, "awaited");
    assert.equal(outs.record.changeId, 91);
    assert.deepEqual(bench.sent(), []);
  });

  it("refuses beside a change of another exporter, and says how to cancel it", async () => {
    await bench.start();
    await removeLost();
    await fetch(`${bench.management}/actuator/exporters/unknown/enable`, { method: "POST" });
    const id = bench.world.cluster().pendingChange?.id;
    await refusal(
      bench.run.disable(),
      /PARTITION_ENABLE_EXPORTER .*exporter unknown/,
      new RegExp(`curl -X DELETE ${bench.management}/actuator/cluster/changes/${id}$`),
    );
    assert.doesNotMatch(bench.lines.join("\n"), /awaiting/);
    assert.equal(bench.sent().length, 1);
  });

  it("says that exporting is paused when it fails while it is, and only then", async () => {
    await bench.start();
    await bench.recreate();
    await fetch(`${bench.management}/actuator/exporters/unknown/enable`, { method: "POST" });
    const running = await refusal(bench.run.enable(), /exporter unknown/);
    assert.doesNotMatch(running, /paused/);
    await bench.world.pauseExporting();
    await refusal(bench.run.enable(), /let it end, or cancel it \(exporting stays paused\): curl /);
    bench.world.inject({ path: /^\/actuator\/partitions$/, respond: { status: 500 } });
    await refusal(bench.run.enable(), /\(exporting may stay paused\): curl /);
  });

  it("gives up on its own change that never ends, and says how to cancel it", async () => {
    await bench.start();
    await bench.recreate();
    await fetch(`${bench.management}/actuator/exporters/elasticsearchregion1/enable`, {
      method: "POST",
    });
    const operation = {
      operation: "PARTITION_ENABLE_EXPORTER",
      brokerId: 2,
      partitionId: 1,
      brokers: [],
      exporterId: "elasticsearchregion1",
    };
    bench.showPending(92, [operation]);
    bench.configure({}, { exporter: 0.2 });
    await refusal(bench.run.enable(), /change 92 .*curl -X DELETE .*\/changes\/92$/);
  });

  for (const [which, inputs] of [
    [
      "exporter",
      { exporters: { unknown: "DISABLED" }, initializeFrom: { unknown: "elasticsearchregion0" } },
    ],
    [
      "exporter to initialise from",
      {
        exporters: { elasticsearchregion1: "DISABLED" },
        initializeFrom: { elasticsearchregion1: "unknown" },
      },
    ],
  ] as const) {
    it(`sends nothing when the brokers do not know the ${which}`, async () => {
      await bench.start();
      await removeLost();
      await refusal(
        provider.create({ ...bench.inputs.exporter("region1", "DISABLED"), ...inputs }),
        /no exporter unknown, they have elasticsearchregion0, elasticsearchregion1/,
      );
      assert.deepEqual(bench.sent(), []);
    });
  }

  it("refuses to enable outside a failback, unless a reason is written", async () => {
    await bench.start();
    await bench.failOver();
    await refusal(bench.run.enable(), /outside a failback leaves a gap/, /overrides.export-gap/);
    assert.deepEqual(bench.sent(), []);
    bench.configure({ overrides: { "export-gap": "rehearsal, the data is not needed" } });
    assert.equal((await bench.run.enable()).outs.record.how, "done");
  });

  it("names the command when the one that it would go on from is disabled too: from where is not ours to say", async () => {
    await bench.start();
    await bench.failOver();
    await bench.world.disableExporter("elasticsearchregion0");
    bench.configure({ overrides: { "export-gap": "nobody has these records" } });
    await refusal(
      bench.run.exporter("region0", "ENABLED"),
      /cannot go on where elasticsearchregion1 is, .*: curl -X POST .*elasticsearchregion0\/enable$/,
    );
    assert.deepEqual(bench.sent(), []);
  });

  it("refuses to enable the survivor's own in a failback, which restores nothing there", async () => {
    await bench.start();
    await bench.recreate();
    await bench.world.disableExporter("elasticsearchregion0");
    await refusal(bench.run.exporter("region0", "ENABLED"), /outside a failback leaves a gap/);
    assert.deepEqual(bench.sent(), []);
  });

  for (const [what, path, expected, spoil] of [
    [
      "one partition is still ENABLED while the aggregate says DISABLED",
      CONFIGURATION,
      /elasticsearchregion1 ENABLED on broker 0 partition 1/,
      (body: Body) => {
        exporterIn(body, 1).state = "ENABLED";
      },
    ],
    [
      "the aggregate says ENABLED while every partition says DISABLED",
      AGGREGATE,
      /DISABLED by partition, ENABLED altogether/,
      (body: Body) => {
        body.find((e: Body) => e.exporterId === "elasticsearchregion1").status = "ENABLED";
      },
    ],
    [
      "the aggregate does not list it",
      AGGREGATE,
      /DISABLED by partition, unknown altogether/,
      (body: Body) => body.splice(0, 2),
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
    it(`fails, and is kept in the state, when ${what} after it was disabled`, async () => {
      await bench.start();
      await removeLost();
      bench.configure({}, { exporter: 0.25 });
      bench.spoil(
        { path },
        spoil,
        ({ pendingChange }) => bench.sent().length > 0 && pendingChange === undefined,
      );
      const failed = await begun(bench.run.disable(), expected);
      assert.equal(failed.id, "exporter-region1");
      assert.equal(bench.sent().length, 1);
    });
  }

  it("does not adopt what only one of the two answers says", async () => {
    await bench.start();
    await bench.failOver();
    bench.configure({ failback: attempt }, { exporter: 0.2 });
    bench.world.inject({
      path: AGGREGATE,
      transform: (body) => body.map((e: Body) => ({ ...e, status: "ENABLED" })),
    });
    await refusal(bench.run.disable(), /DISABLED by partition, ENABLED altogether/);
    assert.deepEqual(bench.sent(), []);
  });

  it("sends nothing when the cluster's own plan would leave out a replica, or change another exporter", async () => {
    await bench.start();
    await removeLost();
    for (const [expected, spoil] of [
      [/it omits broker \d partition \d/, (body: Body) => body.plannedChanges.pop()],
      [
        /PARTITION_DISABLE_EXPORTER broker/,
        (body: Body) => (body.plannedChanges[0].exporterId = "other"),
      ],
    ] as const) {
      bench.spoil({ path: /\/disable\?dryRun=true$/, times: 1 }, spoil);
      await refusal(bench.run.disable(), expected, /is not what is meant .*nothing was sent/);
    }
    assert.deepEqual(bench.sent(), []);
  });

  it("says how to cancel a change that has come since it looked", async () => {
    await bench.start();
    await removeLost();
    const message = "Another configuration change [ClusterChangePlan[id=78, version=1]]";
    const path = /\/disable\?dryRun=true$/;
    bench.world.inject({ path, respond: { status: 409, body: { message } } });
    await refusal(
      bench.run.disable(),
      /^another change is pending \(change 78\): let it end, or cancel it: curl -X DELETE .*\/78$/,
    );
    assert.deepEqual(bench.sent(), []);
  });

  it("does not enable again what an answer shows as it was before", async () => {
    await bench.start();
    await bench.recreate();
    let before: Body;
    bench.world.inject({
      path: CONFIGURATION,
      times: 1,
      transform: (body) => (before = structuredClone(body)),
    });
    await session().zeebe.configuration();
    await bench.run.enable();
    bench.world.inject({ path: CONFIGURATION, times: 1, transform: () => before });
    assert.equal((await bench.run.enable()).outs.record.how, "already true");
    assert.equal(bench.sent().length, 1);
  });

  for (const [what, fault] of [
    ["an answer that cannot be read", { transform: () => "<html>" }],
    ["a lost one", { drop: true }],
  ] as const) {
    it(`enables once when the answer is ${what}`, async () => {
      await bench.start();
      await bench.recreate();
      bench.world.inject({ method: "POST", path: /\/enable$/, times: 1, ...fault });
      assert.equal((await bench.run.enable()).outs.record.how, "done");
      assert.equal(bench.sent().length, 1);
    });
  }

  it("disables again after an error that took no effect", async () => {
    await bench.start();
    await removeLost();
    bench.world.inject({ method: "POST", path: DISABLE, times: 1, respond: { status: 503 } });
    assert.equal((await bench.run.disable()).outs.record.how, "done");
    assert.equal(bench.sent().length, 2);
  });

  it("keeps the resource when the cluster refuses the request itself", async () => {
    await bench.start();
    await removeLost();
    bench.world.inject({
      method: "POST",
      path: DISABLE,
      respond: { status: 400, body: { message: "not now\nwith a trace" } },
    });
    await begun(bench.run.disable(), /disable answered 400: not now$/);
  });

  describe("of a region that has two", () => {
    const start = async () => {
      await bench.start("region1", { exporters: TWO_EACH_TARGETS });
      bench.configure({ exporters: TWO_EACH });
    };
    const both = ["elasticsearchregion1", "kafkaregion1"];
    const sentTo = (ids: string[], what: string) =>
      ids.map((id) => `POST /actuator/exporters/${id}/${what}`);

    it("disables both, one after the other, and takes them as done the second time", async () => {
      await start();
      await removeLost();
      const { record } = (await bench.run.disable()).outs;
      assert.equal(record.how, "done");
      assert.deepEqual(
        record.observed.exporters,
        Object.fromEntries(both.map((id) => [id, "DISABLED"])),
      );
      // Eight replicas at most are listed of each.
      assert.match(JSON.stringify(record.operations), /elasticsearchregion1.*kafkaregion1/);
      assert.equal((await bench.run.disable()).outs.record.how, "already true");
      assert.deepEqual(bench.sent(), sentTo(both, "disable"));
    });

    it("goes on with the second when it was interrupted between the two", async () => {
      await start();
      await removeLost();
      const heal = bench.world.inject({
        method: "POST",
        path: /kafkaregion1\/disable$/,
        respond: { status: 400, body: { message: "not now" } },
      });
      await begun(bench.run.disable(), /kafkaregion1\/disable answered 400: not now$/);
      heal();
      assert.equal((await bench.run.disable()).outs.record.how, "done");
      assert.deepEqual(bench.sent(), sentTo([...both, "kafkaregion1"], "disable"));
    });

    it("enables each from where the survivor's at its place is, and no record is between", async () => {
      await start();
      await bench.recreate();
      const before = {
        region0: bench.world.exportedElsewhere("kafkaregion0").length,
        region1: bench.world.exportedElsewhere("kafkaregion1").length,
      };
      const { outs } = await bench.run.enable();
      assert.equal(outs.record.how, "done");
      assert.deepEqual(
        bench.world.mutations().map(({ path, body }) => [path, body]),
        both.map((id) => [
          `/actuator/exporters/${id}/enable`,
          { initializeFrom: id.replace("region1", "region0") },
        ]),
      );
      await bench.work(2, ["region0"]);
      const since = (region: RegionName) =>
        bench.world.exportedElsewhere(`kafka${region}`).slice(before[region]).sort();
      await bench.until("both Kafkas to have the same", () =>
        isDeepStrictEqual(since("region0"), since("region1")),
      );
      assert.ok(since("region1").length > 0);
    });

    it("sends nothing when anything is against one of the two", async () => {
      await start();
      await removeLost();
      const { exporters, initializeFrom, ...others } = bench.inputs.exporter("region1", "DISABLED");
      await refusal(
        provider.create({
          ...others,
          exporters: { ...exporters, other: "DISABLED" },
          initializeFrom,
        }),
        /no exporter other/,
      );
      bench.world.inject({
        path: /kafkaregion1\/disable\?dryRun=true$/,
        times: 1,
        transform: (body: Body) => {
          body.plannedChanges.pop();
          return body;
        },
      });
      await refusal(bench.run.disable(), /plan for exporter kafkaregion1 .*it omits broker/);
      assert.deepEqual(bench.sent(), []);
    });

    it("enables none when the second has nothing to go on from", async () => {
      await start();
      await bench.recreate();
      await bench.world.disableExporter("kafkaregion0");
      await refusal(bench.run.enable(), /exporter kafkaregion1 cannot go on where kafkaregion0 is/);
      assert.deepEqual(bench.sent(), []);
    });

    it("names the exporter, the broker and the partition that hold a change up", async () => {
      await bench.start("region1", { exporters: TWO_EACH_TARGETS, exporterMs: 150 });
      bench.configure({ exporters: TWO_EACH });
      await removeLost();
      bench.configure({}, { exporter: 0.2 });
      await begun(
        bench.run.disable(),
        /^exporter elasticsearchregion1 held up for 0.2 s \(change \d+ \(\d of 4 done, at PARTITION_DISABLE_EXPORTER broker \d partition \d/,
        /\): see that broker's log$/,
      );
    });

    it("names the one that is not in its state, and where", async () => {
      await start();
      await removeLost();
      bench.configure({}, { exporter: 0.3 });
      bench.world.inject({
        path: CONFIGURATION,
        transform: (body) => {
          if (bench.sent().length > 1 && body.pendingChange === undefined) {
            exporterOf(partitionOf(broker(body, 2), 1), "kafkaregion1").state = "ENABLED";
          }
          return body;
        },
      });
      await begun(bench.run.disable(), /last seen: kafkaregion1 ENABLED on broker 2 partition 1$/);
    });
  });
});
