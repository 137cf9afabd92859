import assert from "node:assert/strict";
import { provider } from "../../../../components/recovery/providers/exportPause";
import { attempt, directions, useBench } from "../../../support/bench";
import { Body } from "../../../support/answers";
import { begun, refusal } from "../../../support/failure";

const PAUSE = /\/exporting\/pause$/;
const RESUME = /\/exporting\/resume$/;
const PARTITIONS = /^\/actuator\/partitions$/;
const PAUSE_SENT = "POST /actuator/exporting/pause";
const RESUME_SENT = "POST /actuator/exporting/resume";

/** What 8.6.0 answers with status 200 when the pause failed. */
const envelope = {
  status: 200,
  body: { body: { message: "Leader -2 of partition 1 is not known" }, status: 500 },
};

describe("ExportPause", () => {
  const bench = useBench();

  const phases = () =>
    new Set(Object.values(bench.world.cluster(bench.survivor).phases).flatMap(Object.values));

  for (const lost of directions) {
    for (const pauseAnswer of ["200-envelope", "204"] as const) {
      it(`pauses every replica when ${lost} is lost, by an answer of the form ${pauseAnswer}`, async () => {
        await bench.start(lost, { pauseAnswer });
        await bench.recreate();
        const { outs } = await bench.run.pause();
        assert.equal(outs.record.how, "done");
        assert.match(
          String(outs.record.observed["exported"]),
          /^partition 1 at \d+, partition 2 at \d+$/,
        );
        assert.deepEqual(phases(), new Set(["PAUSED"]));
        assert.equal((await bench.run.pause()).outs.record.how, "already true");
        assert.deepEqual(bench.sent(), [PAUSE_SENT]);
      });
    }
  }

  it("takes a pause by hand for its own", async () => {
    await bench.start();
    await bench.pause();
    assert.equal((await bench.run.pause()).outs.record.how, "already true");
    assert.deepEqual(bench.sent(), []);
  });

  it("does not pause again when the answer is lost", async () => {
    await bench.start();
    await bench.recreate();
    bench.world.inject({ method: "POST", path: PAUSE, drop: true });
    assert.equal((await bench.run.pause()).outs.record.how, "done");
    assert.deepEqual(bench.sent(), [PAUSE_SENT]);
  });

  it("does not pause again for an attempt that is recorded as paused", async () => {
    await bench.start();
    await bench.recreate();
    const { id, outs } = await bench.run.pause();
    await bench.run.exporting();
    const before = bench.world.requests.length;
    const later = await provider.update(id, outs, bench.inputs.pause());
    assert.deepEqual(later.outs, outs);
    assert.equal(bench.world.requests.length, before);
    assert.deepEqual(phases(), new Set(["EXPORTING"]));
  });

  it("repeats a pause that was answered 200 with an error inside", async () => {
    await bench.start();
    await bench.recreate();
    bench.world.inject({ method: "POST", path: PAUSE, respond: envelope, times: 1 });
    assert.equal((await bench.run.pause()).outs.record.how, "done");
    assert.deepEqual(bench.sent(), [PAUSE_SENT, PAUSE_SENT]);
  });

  it("fails with the error inside when the cluster never accepts the pause", async () => {
    await bench.start();
    await bench.recreate();
    bench.configure({}, { exporting: 0.2 });
    bench.world.inject({ method: "POST", path: PAUSE, respond: envelope });
    const failed = await begun(bench.run.pause(), /last seen: 500: Leader -2 of partition 1/);
    assert.equal(failed.id, `export-pause-${attempt}`);
    assert.deepEqual(phases(), new Set(["EXPORTING"]));
  });

  it("undoes the pause and fails when one broker goes on exporting", async () => {
    await bench.start();
    await bench.recreate();
    bench.configure({}, { exporting: 0.3 });
    bench.misreport(1, { exporterPhase: "EXPORTING" }, { brokerId: 2 });
    await begun(
      bench.run.pause(),
      /PAUSED on every replica; last seen: broker 2 partition 1 EXPORTING/,
    );
    assert.deepEqual(bench.sent(), [PAUSE_SENT, RESUME_SENT]);
    assert.deepEqual(phases(), new Set(["EXPORTING"]));
    assert.match(
      bench.lines.join("\n"),
      /the pause failed \(.*broker 2 partition 1 EXPORTING\): resuming exporting/,
    );
  });

  it("asks no broker again that has said that it is paused", async () => {
    await bench.start();
    await bench.recreate();
    bench.misreport(1, { exporterPhase: "EXPORTING" }, { brokerId: 2, skip: 1, times: 3 });
    const asked = (id: number) =>
      bench.world.requests.filter((r) => r.brokerId === id && PARTITIONS.test(r.path)).length;
    const before = [0, 2].map(asked);
    await bench.run.pause();
    // Before the pause, and after it.
    assert.deepEqual(
      [0, 2].map((id, index) => asked(id) - Number(before[index])),
      [2, 5],
    );
  });

  it("asks all brokers again when a partition was on none of them", async () => {
    await bench.start();
    await bench.recreate();
    bench.configure({}, { exporting: 5 });
    for (const brokerId of [0, 2]) {
      bench.misreport(2, undefined, { brokerId, skip: 1, times: 1 });
    }
    assert.equal((await bench.run.pause()).outs.record.how, "done");
  });

  it("looks at the records once, and again when it has waited for them to settle", async () => {
    await bench.start();
    await bench.recreate();
    bench.configure({}, { settle: 1 });
    const counted = () => bench.world.requests.filter(({ path }) => /_stats/.test(path)).length;
    const before = counted();
    await bench.run.pause();
    assert.equal(counted() - before, 2);
  });

  it("says how to resume by hand when the pause cannot be undone", async () => {
    await bench.start();
    await bench.recreate();
    bench.configure({}, { exporting: 0.2 });
    bench.world.inject({ method: "POST", path: RESUME, respond: envelope });
    bench.misreport(1, { exporterPhase: "EXPORTING" }, { brokerId: 2 });
    await begun(
      bench.run.pause(),
      /^the pause failed, and resuming exporting too \(/,
      new RegExp(
        `by hand \\(exporting stays paused\\): curl -X POST ${bench.management}/actuator/exporting/resume$`,
      ),
    );
  });

  it("counts a replica that its broker does not report as not paused", async () => {
    await bench.start();
    await bench.pause();
    bench.configure({}, { exporting: 0.2 });
    bench.misreport(2, undefined, { brokerId: 2 });
    await refusal(
      bench.run.pause(),
      /last seen: broker 2 partition 2 not reported \(exporting stays paused\)$/,
    );
  });

  it("undoes the pause and fails when a broker says nothing after it", async () => {
    await bench.start();
    await bench.recreate();
    bench.configure({}, { exporting: 0.3 });
    bench.world.inject({ path: PARTITIONS, brokerId: 2, skip: 1, transform: () => ({}) });
    await begun(
      bench.run.pause(),
      /the pause failed, and resuming exporting too .* \(exporting may stay paused\): curl /,
    );
    assert.deepEqual(bench.sent(), [PAUSE_SENT, RESUME_SENT]);
    assert.deepEqual(phases(), new Set(["EXPORTING"]));
  });

  it("does not take a pause for its own while a broker says nothing", async () => {
    await bench.start();
    await bench.pause();
    bench.world.inject({ path: PARTITIONS, brokerId: 2, times: 3, transform: () => ({}) });
    const before = bench.world.requests.length;
    assert.equal((await bench.run.pause()).outs.record.how, "already true");
    const asked = bench.world.requests
      .slice(before)
      .filter(({ brokerId, path }) => brokerId === 2 && PARTITIONS.test(path));
    assert.equal(asked.length, 4);
  });

  it("does not take a pause for sent when a broker says nothing after an error", async () => {
    await bench.start();
    await bench.recreate();
    bench.world.inject({ method: "POST", path: PAUSE, times: 1, drop: true });
    // Nothing before the pause; then the look after the lost answer.
    bench.world.inject({ path: PARTITIONS, brokerId: 2, skip: 1, times: 1, transform: () => ({}) });
    assert.equal((await bench.run.pause()).outs.record.how, "done");
    assert.deepEqual(bench.sent(), [PAUSE_SENT, PAUSE_SENT]);
  });

  for (const [what, transform] of [
    ["a server error", () => ({ body: { message: "closed" }, status: 500 })],
    ["no JSON", () => "<html>"],
  ] as const) {
    it(`does not pause again when the pause took effect and was answered with ${what}`, async () => {
      await bench.start();
      await bench.recreate();
      bench.world.inject({ method: "POST", path: PAUSE, transform });
      assert.equal((await bench.run.pause()).outs.record.how, "done");
      assert.deepEqual(bench.sent(), [PAUSE_SENT]);
    });
  }

  it("does not ask a configuration that lists no replicas who is paused", async () => {
    await bench.start();
    await bench.pause();
    bench.configure({}, { exporting: 0.3 });
    bench.world.inject({
      path: /^\/actuator\/cluster$/,
      transform: (body: Body) => ({
        ...body,
        brokers: body.brokers.map((broker: Body) => ({
          ...broker,
          partitions: broker.id === 2 ? [] : broker.partitions,
        })),
      }),
    });
    bench.world.inject({ path: PARTITIONS, brokerId: 2, transform: () => ({}) });
    await refusal(bench.run.pause(), /last seen: partition 1 listed with 1 replicas; partition 2/);
  });

  it("knows that a broker without replicas has nothing to report", async () => {
    await bench.start("region1", { shape: { clusterSize: 8, partitionCount: 1 } });
    await bench.recreate();
    assert.equal((await bench.run.pause()).outs.record.how, "done");
  });

  it("resumes a soft pause before the hard one, which would damage the brokers", async () => {
    await bench.start();
    await bench.recreate();
    await bench.world.pauseExporting({ soft: true });
    assert.equal((await bench.run.pause()).outs.record.how, "done");
    assert.deepEqual(bench.sent(), [RESUME_SENT, PAUSE_SENT]);
    assert.deepEqual(bench.world.corruptedBrokers, []);
    assert.ok(bench.world.requests.every(({ path }) => !path.includes("soft")));
  });

  it("resumes exporting when it is deleted, and sends nothing when exporting runs", async () => {
    await bench.start();
    await bench.recreate();
    const { id, outs } = await bench.run.pause();
    await provider.delete(id, outs);
    assert.deepEqual(phases(), new Set(["EXPORTING"]));
    await provider.delete(id, outs);
    assert.deepEqual(bench.sent(), [PAUSE_SENT, RESUME_SENT]);
  });

  it("is deleted also when nothing answers any more, and says so", async () => {
    await bench.start();
    await bench.recreate();
    const { id, outs } = await bench.run.pause();
    await bench.world.stop();
    await provider.delete(id, outs);
    assert.match(
      bench.lines.join("\n"),
      /export-pause-attempt-1 is removed from the state, but could not be undone: .*does not answer/,
    );
  });
});
