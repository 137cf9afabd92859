import assert from "node:assert/strict";
import { provider } from "../../../../components/recovery/providers/exporting";
import { directions, useBench } from "../../../support/bench";
import { Body } from "../../../support/answers";
import { begun, refusal } from "../../../support/failure";

const RESUME = /\/exporting\/resume$/;
const PARTITIONS = /^\/actuator\/partitions$/;
const RESUME_SENT = "POST /actuator/exporting/resume";
const envelope = { status: 200, body: { body: { message: "not complete" }, status: 500 } };

describe("Exporting", () => {
  const bench = useBench();

  for (const lost of directions) {
    it(`undoes a pause that a failback to ${lost} has left, and sends nothing when it runs`, async () => {
      await bench.start(lost);
      await bench.pause();
      const { id, outs } = await bench.run.exporting("attempt-1");
      assert.equal(outs.record.how, "done");
      const next = await provider.update(id, outs, bench.inputs.exporting("attempt-1", true));
      assert.equal(next.outs.record.how, "already true");
      assert.deepEqual(bench.sent(), [RESUME_SENT]);
    });
  }

  it("does not resume again when the answer is lost", async () => {
    await bench.start();
    await bench.pause();
    bench.world.inject({ method: "POST", path: RESUME, drop: true });
    assert.equal((await bench.run.exporting()).outs.record.how, "done");
    assert.deepEqual(bench.sent(), [RESUME_SENT]);
  });

  it("asks nobody again a moment after the resume, and everybody when the members have changed", async () => {
    await bench.start();
    await bench.restored();
    await bench.world.pauseExporting();
    await bench.run.enable();
    await bench.run.resume();
    const since = async (step: () => Promise<unknown>) => {
      const before = bench.world.requests.length;
      await step();
      return bench.world.requests.slice(before);
    };
    assert.deepEqual(await since(() => bench.run.exporting()), []);
    // That the recreated Elasticsearch lacks no record was proved a moment ago, too.
    const added = await since(() => bench.run.add());
    assert.deepEqual(
      added.filter(({ path }) => path.includes("_search")),
      [],
    );
    const asked = (await since(() => bench.run.exporting("after"))).filter(({ path }) =>
      PARTITIONS.test(path),
    );
    assert.deepEqual([...new Set(asked.map(({ brokerId }) => brokerId))].sort(), [0, 1, 2, 3]);
  });

  it("repeats a resume that was answered 200 with an error inside", async () => {
    await bench.start();
    await bench.pause();
    bench.world.inject({ method: "POST", path: RESUME, respond: envelope, times: 1 });
    assert.equal((await bench.run.exporting()).outs.record.how, "done");
    assert.deepEqual(bench.sent(), [RESUME_SENT, RESUME_SENT]);
  });

  it("fails, and is kept in the state, when the cluster never accepts the resume", async () => {
    await bench.start();
    await bench.pause();
    bench.configure({}, { exporting: 0.2 });
    bench.world.inject({ method: "POST", path: RESUME, respond: envelope });
    await begun(bench.run.exporting(), /accept the resume; last seen: .*500: not complete/);
  });

  it("fails, and is kept in the state, when one broker stays paused", async () => {
    await bench.start();
    await bench.pause();
    bench.configure({}, { exporting: 0.2 });
    bench.world.inject({
      path: PARTITIONS,
      brokerId: 0,
      transform: (body: Body) => {
        body["2"].exporterPhase = "PAUSED";
        return body;
      },
    });
    await begun(bench.run.exporting(), /last seen: broker 0 partition 2 PAUSED/);
  });

  it("reads a pause as a difference, from the brokers of its own region alone", async () => {
    await bench.start();
    const inputs = bench.inputs.exporting("none");
    assert.equal((await provider.read("exporting", inputs)).inputs.exporting, "running");
    await bench.pause();
    await bench.world.lose("region1");
    assert.equal((await provider.read("exporting", inputs)).inputs.exporting, "paused");
  });

  it("does not take half an answer for a running exporter", async () => {
    await bench.start();
    bench.configure({}, { exporting: 0.2 });
    bench.world.inject({ path: PARTITIONS, transform: () => ({ "1": { role: "LEADER" } }) });
    await refusal(bench.run.exporting(), /partition 1 has no exporterPhase/);
  });

  for (const silent of [0, 2]) {
    it(`does not take broker ${silent}, which says nothing, for one that exports`, async () => {
      await bench.start();
      await bench.recreate();
      bench.configure({}, { exporting: 0.2 });
      bench.world.inject({ path: PARTITIONS, brokerId: silent, transform: () => ({}) });
      await refusal(
        bench.run.exporting(),
        new RegExp(`last seen: broker ${silent} partition 1 not reported`),
      );
    });
  }

  it("resumes when the broker that was silent at first turns out to be paused", async () => {
    await bench.start();
    await bench.recreate();
    bench.world.inject({ path: PARTITIONS, brokerId: 2, times: 2, transform: () => ({}) });
    bench.world.inject({
      path: PARTITIONS,
      brokerId: 2,
      skip: 2,
      times: 1,
      transform: (body: Body) => ({ ...body, "1": { ...body["1"], exporterPhase: "PAUSED" } }),
    });
    assert.equal((await bench.run.exporting()).outs.record.how, "done");
    assert.deepEqual(bench.sent(), [RESUME_SENT]);
  });

  for (const silent of [[0, 2], [2]]) {
    it(`does not read an answer without partitions of brokers ${silent.join()} as running`, async () => {
      await bench.start();
      for (const brokerId of silent) {
        bench.world.inject({ path: PARTITIONS, brokerId, transform: () => ({}) });
      }
      const inputs = bench.inputs.exporting("none");
      assert.equal((await provider.read("exporting", inputs)).inputs.exporting, "unknown");
    });
  }
});
