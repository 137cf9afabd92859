import assert from "node:assert/strict";
import { directions, useBench } from "../../support/bench";
import { Body } from "../../support/answers";
import { begun } from "../../support/failure";

const RESUME_SENT = "POST /actuator/exporting/resume";

describe("ExportResume", () => {
  const bench = useBench();

  /** Everything before the resume; work goes on while exporting is paused. */
  const restored = async () => {
    await bench.takeSnapshot();
    await bench.run.restore();
    await bench.work(3, []);
  };
  const resumes = () => bench.sent().filter((line) => line === RESUME_SENT).length;

  for (const lost of directions) {
    it(`resumes and proves that ${lost} lacks no record, once`, async () => {
      await bench.start(lost);
      await restored();
      await bench.run.enable();
      const { outs } = await bench.run.resume();
      assert.equal(outs.record.how, "done");
      const records = outs.record.observed["records"] as Record<string, number>;
      assert.deepEqual(Object.keys(records).sort(), ["partition 1", "partition 2"]);
      assert.equal((await bench.run.resume()).outs.record.how, "already true");
      assert.equal(resumes(), 1);
    });

    it(`finds that ${lost} lacks records when its exporter was enabled without a source`, async () => {
      await bench.start(lost);
      await restored();
      const url = `${bench.management}/actuator/exporters/${bench.lostExporter}/enable`;
      assert.equal((await fetch(url, { method: "POST" })).status, 202);
      assert.notEqual((await bench.run.enable()).outs.record.how, "done");
      bench.configure({}, { catchUp: 0.3 });
      const failed = await begun(
        bench.run.resume(),
        /lacks records that the survivor's has \(partition \d: \d+ of \d+ records/,
        /was not initialised from the survivor's, or it was recreated once more; abandon this attempt/,
      );
      assert.equal(failed.id, "export-resume-attempt-1");
      assert.equal(resumes(), 1);
    });
  }

  it("finds missing records also when the exporters write some time after the resume", async () => {
    await bench.start("region1", { bulkDelayMs: 120 });
    await restored();
    const url = `${bench.management}/actuator/exporters/elasticsearchregion1/enable`;
    await fetch(url, { method: "POST" });
    await bench.run.enable();
    bench.configure({}, { catchUp: 0.4 });
    await begun(bench.run.resume(), /lacks records that the survivor's has/);
  });

  it("says how far the exporters are when they do not write", async () => {
    await bench.start();
    await restored();
    await bench.run.enable();
    bench.configure({}, { catchUp: 0.2 });
    bench.world.inject({
      path: /^\/actuator\/partitions$/,
      transform: (body: Body) => ({ ...body, "2": { ...body["2"], exportedPosition: 3 } }),
    });
    await begun(bench.run.resume(), /to write what was processed .*: partition 2 at 3 of \d+$/);
  });

  it("does not resume again when the answer is lost", async () => {
    await bench.start();
    await restored();
    await bench.run.enable();
    bench.world.inject({ method: "POST", path: /\/exporting\/resume$/, drop: true });
    assert.equal((await bench.run.resume()).outs.record.how, "done");
    assert.equal(resumes(), 1);
  });

  it("fails, and is kept in the state, when one broker stays paused", async () => {
    await bench.start();
    await restored();
    await bench.run.enable();
    bench.configure({}, { exporting: 0.2 });
    bench.world.inject({
      path: /^\/actuator\/partitions$/,
      brokerId: 2,
      transform: (body: Body) => ({ ...body, "1": { ...body["1"], exporterPhase: "PAUSED" } }),
    });
    await begun(bench.run.resume(), /last seen: broker 2 partition 1 PAUSED/);
  });

  it("does not take no record at all for caught up", async () => {
    await bench.start();
    await restored();
    await bench.run.enable();
    bench.world.inject({
      region: "region0",
      path: /\/_search/,
      transform: (body: Body) => {
        delete body.aggregations;
        return body;
      },
    });
    await begun(bench.run.resume(), /region0 has no record \(zeebe-record\*\): nothing could show/);
  });

  it("waits while the recreated region catches up", async () => {
    await bench.start();
    await restored();
    await bench.run.enable();
    bench.world.inject({
      region: "region1",
      path: /\/_count/,
      times: 3,
      transform: (body: Body) => ({ ...body, count: 1 }),
    });
    assert.equal((await bench.run.resume()).outs.record.how, "done");
  });
});
