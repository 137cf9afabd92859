import assert from "node:assert/strict";
import { directions, useBench } from "../../../support/bench";
import { Body } from "../../../support/answers";
import { kafkaOf, TWO_EACH, TWO_EACH_TARGETS } from "../../../support/exporters";
import { begun } from "../../../support/failure";

/** What a search answers where no index matches. */
const noIndex = {
  timed_out: false,
  _shards: { total: 0, successful: 0, skipped: 0, failed: 0 },
  hits: { total: { value: 0, relation: "eq" }, max_score: 0, hits: [] },
};

/** Answers of a search from which something is missing, and which read as 0 records if one lets them. */
const parts: [string, (body: Body) => Body][] = [
  ["ran out of time", (body) => ({ ...body, timed_out: true })],
  ["has a failed shard", (body) => ({ ...body, _shards: { ...body._shards, failed: 1 } })],
  ["lacks a shard", (body) => ({ ...body, _shards: { ...body._shards, successful: 1 } })],
  ["has no groups", (body) => ({ ...body, aggregations: undefined })],
  ["left groups out", grouped({ sum_other_doc_count: 1 })],
];

function grouped(changes: object): (body: Body) => Body {
  return (body) => ({
    ...body,
    aggregations: { partitions: { ...body.aggregations.partitions, ...changes } },
  });
}

const PARTITIONS = /^\/actuator\/partitions$/;
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
      const documents = Object.values(await bench.world.documents(bench.survivor));
      assert.equal(
        outs.record.observed["records"],
        documents.reduce((sum, n) => sum + n, 0),
      );
      assert.equal(outs.record.observed["partitions"], 2);
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
        /lacks records of the survivor's \(partition \d: \d+ of \d+ records.*abandon this attempt$/,
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
    await begun(bench.run.resume(), /lacks records of the survivor's/);
  });

  for (const [what, exporters, expected] of [
    ["", undefined, /: see the brokers' logs, then pulumi up again$/],
    [
      ", and names one that nobody has declared",
      { ...TWO_EACH_TARGETS, other: kafkaOf("region1") },
      /: other, not in exporters, may hold it up; declare or disable it$/,
    ],
  ] as const) {
    it(`says how far the exporters are when they do not write${what}`, async () => {
      await bench.start("region1", { exporters });
      if (exporters !== undefined) {
        bench.configure({ exporters: TWO_EACH });
      }
      await restored();
      await bench.run.enable();
      bench.configure({}, { catchUp: 0.2 });
      bench.misreport(2, { exportedPosition: 3 });
      await begun(
        bench.run.resume(),
        /^not all that was processed is exported \(partition 2 at 3 of \d+, after 0.2 s\)/,
        expected,
      );
    });
  }

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
    bench.misreport(1, { exporterPhase: "PAUSED" }, { brokerId: 2 });
    await begun(bench.run.resume(), /last seen: broker 2 partition 1 PAUSED/);
  });

  it("does not take no record at all for caught up", async () => {
    await bench.start();
    await restored();
    await bench.run.enable();
    bench.world.inject({
      region: "region0",
      path: /\/_search/,
      transform: () => noIndex,
    });
    await begun(bench.run.resume(), /region0 has no record \(zeebe-record\*\): nothing could show/);
  });

  it("waits while the recreated region catches up", async () => {
    await bench.start();
    await restored();
    await bench.run.enable();
    bench.world.inject({
      region: "region1",
      path: /\/_search/,
      times: 3,
      transform: () => noIndex,
    });
    assert.equal((await bench.run.resume()).outs.record.how, "done");
  });

  for (const region of directions) {
    const asked = () =>
      bench.world.requests.filter((r) => r.region === region && r.path.includes("/_search"));
    for (const [what, transform] of parts) {
      it(`asks again when the answer of ${region} ${what}`, async () => {
        await bench.start();
        await restored();
        await bench.run.enable();
        bench.world.inject({ region, path: /\/_search/, times: 2, transform });
        assert.equal((await bench.run.resume()).outs.record.how, "done");
        assert.ok(asked().length >= 3);
      });

      it(`does not take both for equal when the answers of ${region} stay so: ${what}`, async () => {
        await bench.start();
        await restored();
        await bench.run.enable();
        bench.configure({}, { catchUp: 0.3 });
        bench.world.inject({ region, path: /\/_search/, transform });
        await begun(
          bench.run.resume(),
          /whether the recreated Elasticsearch lacks records is not known \(not the whole answer: .*: pulumi up again$/,
        );
      });
    }
  }

  it("says of many partitions the first that lacks records, and how many more", async () => {
    await bench.start("region1", { shape: { partitionCount: 12 } });
    await restored();
    await bench.run.enable();
    bench.configure({}, { catchUp: 0.3 });
    bench.world.inject({ region: "region1", path: /\/_search/, transform: () => noIndex });
    await begun(bench.run.resume(), /\(partition 1: 0 of \d+ records; and 11 more, after/);
  });

  it("waits for a partition that has no leader when exporting is resumed", async () => {
    await bench.start();
    await restored();
    await bench.run.enable();
    bench.configure({}, { catchUp: 0.3 });
    bench.misreport(2, { role: "FOLLOWER" });
    await begun(bench.run.resume(), /is exported \(partition 2 without a leader, after/);
  });

  it("asks a leader again that has said nothing once", async () => {
    await bench.start();
    await restored();
    await bench.run.enable();
    bench.configure({}, { catchUp: 5 });
    for (const brokerId of [0, 2]) {
      // Once each when exporting is found paused, if it is asked then, and when it has been resumed.
      bench.world.inject({
        path: PARTITIONS,
        brokerId,
        skip: 2,
        times: 2,
        transform: () => ({}),
      });
    }
    bench.misreport(1, { exportedPosition: 1 }, { times: 4 });
    assert.equal((await bench.run.resume()).outs.record.how, "done");
  });

  it("takes of two brokers that both lead the one that is behind", async () => {
    await bench.start();
    await restored();
    await bench.run.enable();
    bench.configure({}, { catchUp: 0.3 });
    const leads = (brokerId: number, exportedPosition?: number) =>
      bench.misreport(
        2,
        { role: "LEADER", ...(exportedPosition && { exportedPosition }) },
        { brokerId },
      );
    leads(0, 3);
    leads(2, 999);
    await begun(bench.run.resume(), /is exported \(partition 2 at 3 of \d+, after/);
  });
});
