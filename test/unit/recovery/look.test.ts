import assert from "node:assert/strict";
import type { Declaration } from "../../../components/base/declaration";
import { previewPlan } from "../../../components/recovery/preview";
import { lookAtCluster } from "../../../components/recovery/look";
import { Shape, shapeOf } from "../../../components/recovery/phase";
import { session } from "../../../components/recovery/session";
import type { RecordedState } from "../../../components/stack/stackState";
import { RECORDED } from "../../../world/camunda/embedded/dialect";
import type { Body } from "../../support/answers";
import { useBench } from "../../support/bench";
import { kafkaOf, TWO_EACH, TWO_EACH_TARGETS } from "../../support/exporters";
import { expectLine, expectRefusal } from "../../support/failure";
import { IDS } from "../../support/ids";

describe("the look at the cluster in a run that changes nothing", () => {
  const bench = useBench();
  const nothing: RecordedState = { exporters: {}, installed: false, releases: {}, network: {} };
  const steady: RecordedState = {
    ...nothing,
    brokers: IDS.mapOf([0, 1, 2, 3]),
    verified: true,
    declaration: { kind: "steady" },
    exporters: { elasticsearchregion0: "ENABLED", elasticsearchregion1: "ENABLED" },
  };
  const lost: Declaration = { kind: "failed-over", lost: "region1" };
  const failedOver: RecordedState = {
    ...steady,
    brokers: IDS.mapOf([0, 2]),
    declaration: lost,
    exporters: { elasticsearchregion0: "ENABLED", elasticsearchregion1: "DISABLED" },
  };
  const look = (recorded: RecordedState, shape?: Shape) => {
    const { settings } = session();
    const peer = { known: false, why: "no such stack" } as const;
    return lookAtCluster(settings, shape ?? shapeOf(settings, peer, recorded), recorded);
  };
  const asked = () => bench.world.requests.length;

  it("finds nothing where all is as recorded, steady and failed over", async () => {
    await bench.start();
    assert.deepEqual(await look(steady), { warnings: [] });
    await bench.failOver();
    assert.deepEqual(await look(failedOver), { warnings: [] });
  });

  it("refuses to call a cluster steady that has half of its members", async () => {
    await bench.start();
    await bench.failOver();
    bench.configure({ lostRegion: undefined });
    const { refusal } = await look(steady);
    expectRefusal(refusal ?? "", [
      /^brokers 1, 3 are no members: this state is older than a failover or a drain; .* set lostRegion or drainRegion region1, and up$/,
    ]);
    bench.configure({ lostRegion: "region1", failback: "one" });
    const restored = {
      ...steady,
      declaration: { kind: "failing-back", lost: "region1", attempt: "one" },
    } as const;
    expectRefusal((await look(restored)).refusal ?? "", [/or remove failback, and up$/]);
  });

  it("says on the stack of a region that was forced out that it was", async () => {
    await bench.start();
    bench.world.inject({
      path: /actuator\/cluster$/,
      transform: (body: Body) => ({
        ...body,
        brokers: body.brokers.filter(({ id }: Body) => id % 2 === 1),
      }),
    });
    const { refusal } = await look(steady);
    expectRefusal(refusal ?? "", [
      /^brokers 0, 2 of region0 are no members any more: forced out or drained; up of the other/,
    ]);
  });

  it("says what else differs, and refuses nothing for it", async () => {
    await bench.start();
    await bench.world.disableExporter("elasticsearchregion1");
    const { refusal, warnings } = await look(steady);
    assert.equal(refusal, undefined);
    assert.deepEqual(warnings, [
      "exporter elasticsearchregion1 is DISABLED, recorded is ENABLED: pulumi up --refresh looks at it",
    ]);
    bench.configure({ lostRegion: "region1" });
    const back = await look(failedOver);
    const moved = (key: string) =>
      new RegExp(`^brokers 1, 3 are members, recorded are brokers 0, 2: .* then remove ${key};`);
    assert.match(back.warnings.join(), moved("lostRegion"));
    assert.equal(back.refusal, undefined);
    bench.configure({ lostRegion: undefined, drainRegion: "region1" });
    const drained = { kind: "drained", drained: "region1" } as const;
    const other = await look({ ...failedOver, declaration: drained });
    assert.match(other.warnings.join(), moved("drainRegion"));
  });

  it("says that exporting is paused though nothing recorded has paused it, and when that is not known", async () => {
    await bench.start();
    await bench.world.pauseExporting();
    assert.deepEqual(await look(steady), {
      warnings: ["exporting is PAUSED, the brokers' disks fill: pulumi up --refresh resumes it"],
    });
    bench.world.inject({ path: /actuator\/partitions/, brokerId: 2, respond: { status: 500 } });
    const { warnings } = await look(steady);
    assert.match(warnings.join(), /^whether exporting runs is not known: GET .* answered 500/);
  });

  it("says the address that does not answer, and goes on, as with one that hangs", async () => {
    await bench.start();
    const { gateway } = bench.world.endpoints.region0;
    const heal = bench.world.inject({ region: "region0", path: /topology/, hang: true });
    const hanging = await look(steady);
    heal();
    assert.match(hanging.warnings.join(), /^looked at the cluster in vain: .*no answer within 2 s/);
    await bench.world.lose("region0");
    const { refusal, warnings } = await look(steady);
    assert.equal(refusal, undefined);
    assert.equal(warnings.length, 1);
    assert.ok(warnings[0]?.includes(gateway), warnings[0]);
  });

  it("asks nobody while installing or rejoining, nor in a run that looks by itself", async () => {
    await bench.start();
    const before = asked();
    await look(nothing, "installing");
    await look(nothing, "rejoining");
    await look({ ...steady, verified: false });
    await look(failedOver);
    assert.equal(asked(), before);
  });

  it("warns of an exporter that nobody has declared in every up while a region is lost, until it is disabled", async () => {
    const exporters = { ...TWO_EACH_TARGETS, other: kafkaOf("region1") };
    await bench.start("region1", { exporters });
    bench.configure({ exporters: TWO_EACH });
    assert.deepEqual(await look(steady), { warnings: [] });
    await bench.failOver();
    // Of runs that fail over, that go on with it, and that change nothing.
    for (const recorded of [steady, { ...failedOver, verified: false }, failedOver]) {
      const { refusal, warnings } = await look(recorded);
      assert.equal(refusal, undefined);
      assert.equal(warnings.length, 1, warnings.join("\n"));
      expectLine(warnings[0] ?? "", [
        /^exporter other is enabled, but not in exporters: if it writes to region1, the brokers' disks fill; /,
        new RegExp(`declare it, or disable it: curl -X POST ${bench.management}/.*/other/disable$`),
      ]);
    }
    bench.configure({ failback: "one" });
    assert.match((await look(failedOver)).warnings.join(), /^exporter other is enabled, but/);
    await bench.world.disableExporter("other");
    assert.deepEqual((await look(failedOver)).warnings, []);
  });

  it("warns of old patches while a region is lost, in the preview too", async () => {
    await bench.start("region1", { dialect: { ...RECORDED, version: "8.7.29" } });
    bench.configure({ camundaVersion: "8.7", lostRegion: "region1" });
    const warning =
      /the gateway is of version 8.7.29: below 8.7.30 a restart enables a disabled exporter again; pulumi up --refresh after each one$/;
    const { warnings } = await look(steady);
    assert.equal(warnings.length, 1);
    expectLine(warnings[0] ?? "", [warning]);
    bench.configure({ camundaVersion: "8.6" });
    const inUpgrade = await look(steady);
    assert.equal(inUpgrade.warnings.length, 2, inUpgrade.warnings.join("\n"));
    expectLine(inUpgrade.warnings[1] ?? "", [warning]);
    const plan = await previewPlan(session().settings, "failed-over", steady);
    assert.match(plan?.text ?? "", new RegExp(`^  note: ${warning.source}`, "m"));
  });

  it("warns of a gateway of another minor while a region is lost", async () => {
    await bench.start();
    bench.configure({ camundaVersion: "8.7", lostRegion: "region1" });
    const { warnings } = await look(steady);
    assert.equal(warnings.length, 1);
    expectLine(warnings[0] ?? "", [
      /^the gateway is of version 8.6.\d+, camundaVersion is 8.7: a failover goes on with it, a failback will not$/,
    ]);
  });

  it("says nothing of a run that fails over when nobody answers: that is for its first step", async () => {
    await bench.start();
    bench.configure({ lostRegion: "region1" });
    await bench.world.lose("region0");
    assert.deepEqual(await look(steady), { warnings: [] });
  });
});
