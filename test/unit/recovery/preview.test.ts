import assert from "node:assert/strict";
import { previewPlan } from "../../../components/recovery/preview";
import { session } from "../../../components/recovery/session";
import type { RecordedState } from "../../../components/stack/stackState";
import { useBench } from "../../support/bench";
import { kafkaOf, TWO_EACH, TWO_EACH_TARGETS } from "../../support/exporters";
import { IDS } from "../../support/ids";

describe("the plan of a preview", () => {
  const bench = useBench();
  const nothing: RecordedState = { exporters: {}, installed: false, releases: {}, network: {} };
  const failedOver = { ...nothing, brokers: IDS.mapOf([0, 2]) };
  const plan = async (shape: "failed-over" | "failing-back", recorded: RecordedState) =>
    (await previewPlan(session().settings, shape, recorded))?.text ?? "";

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
});
