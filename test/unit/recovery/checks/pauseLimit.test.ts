import assert from "node:assert/strict";
import { provider as exporter } from "../../../../components/recovery/providers/exporter";
import { provider as exportPause } from "../../../../components/recovery/providers/exportPause";
import { provider as resume } from "../../../../components/recovery/providers/exportResume";
import { provider as snapshot } from "../../../../components/recovery/providers/snapshot";
import { provider as repository } from "../../../../components/recovery/providers/snapshotRepository";
import { provider as restore } from "../../../../components/recovery/providers/snapshotRestore";
import { directions, useBench } from "../../../support/bench";
import { Body } from "../../../support/answers";
import { begun, failureOf, refusal } from "../../../support/failure";

const LIMIT = 100;
const SPENT = [
  /^attempt attempt-1 is past exportPauseLimit \(\d+ s\), exporting runs again: /,
  /remove failback, or set a new name and a larger limit$/,
];
const PAUSE = "POST /actuator/exporting/pause";
const RESUME = "POST /actuator/exporting/resume";
const PARTITIONS = /^\/actuator\/partitions$/;

/** When a pause began that has so many seconds left. */
const left = (seconds: number) => ({
  pausedAt: new Date(Date.now() - (LIMIT - seconds) * 1000).toISOString(),
});

describe("exportPauseLimit", () => {
  const bench = useBench();

  const phases = () =>
    new Set(Object.values(bench.world.cluster(bench.survivor).phases).flatMap(Object.values));
  const exports = () => assert.deepEqual(phases(), new Set(["EXPORTING"]));
  const limited = () => bench.configure({ exportPauseLimit: LIMIT });

  /** Fails past the limit, in the form of a step that has begun or has not, long before any timeout of its own. */
  async function spent(operation: Promise<unknown>, form: typeof refusal | typeof begun) {
    const started = Date.now();
    await form(operation, ...SPENT);
    assert.ok(Date.now() - started < 5_000, "it is the timeout of the step that has ended it");
    exports();
  }

  for (const lost of directions) {
    it(`ends a snapshot of the survivor of ${lost} that takes longer`, async () => {
      await bench.start(lost, { snapshotMs: 15_000 });
      await bench.pause();
      await bench.run.repository(bench.survivor);
      limited();
      await spent(snapshot.create({ ...bench.inputs.snapshot(), ...left(0.5) }), begun);
      assert.match(bench.lines.join("\n"), /past exportPauseLimit \(100 s\): .* snapshot failback/);
    });

    it(`resumes while the restore in ${lost} goes on, whose exporter stays disabled`, async () => {
      await bench.start(lost, { restoreMs: 15_000 });
      await bench.takeSnapshot();
      limited();
      await spent(restore.create({ ...bench.inputs.snapshot(), ...left(0.5) }), begun);
      assert.equal(bench.sent().at(-1), RESUME);
    });
  }

  it("ends the wait for the exporters to have written all", async () => {
    await bench.start();
    await bench.recreate();
    bench.configure({ exportPauseLimit: 1 }, { settle: 0.9 });
    let count = 0;
    bench.world.inject({
      path: /_stats/,
      transform: (body: Body) => {
        for (const index of Object.values(body.indices as Record<string, Body>)) {
          index.primaries.docs.count += count++;
        }
        return body;
      },
    });
    await spent(exportPause.create(bench.inputs.pause()), begun);
    assert.deepEqual(bench.sent(), [PAUSE, RESUME]);
  });

  it("ends a change of the exporter half way", async () => {
    await bench.start("region1", { exporterMs: 500 });
    await bench.pause();
    limited();
    const inputs = { ...bench.inputs.exporter("region1", "ENABLED"), ...left(0.7) };
    await spent(exporter.create(inputs), begun);
    // The change ends by itself, and is no success of this attempt: the survivor's exporter has gone on meanwhile.
    await bench.until(
      "the change is ended",
      () => bench.world.cluster().pendingChange === undefined,
    );
    const before = bench.sent().length;
    await spent(exporter.create(inputs), refusal);
    assert.equal(bench.sent().length, before);
  });

  it("goes on when the exporter is enabled and all that is left is to resume", async () => {
    await bench.start();
    await bench.takeSnapshot();
    await bench.run.restore();
    await bench.run.enable();
    limited();
    const { outs } = await exporter.create({
      ...bench.inputs.exporter("region1", "ENABLED"),
      ...left(-5),
    });
    assert.equal(outs.record.how, "already true");
    assert.deepEqual(phases(), new Set(["PAUSED"]));
    assert.equal((await resume.create({ attempt: "attempt-1" })).outs.record.how, "done");
    exports();
  });

  it("resumes when it cannot be seen whether the exporter is enabled", async () => {
    await bench.start();
    await bench.pause();
    await bench.run.enable();
    limited();
    bench.world.inject({ path: /^\/actuator\/cluster$/, times: 1, respond: { status: 400 } });
    const inputs = { ...bench.inputs.exporter("region1", "ENABLED"), ...left(-5) };
    await spent(exporter.create(inputs), refusal);
  });

  it("resumes and refuses at once in every step that begins after it, and again in the next run", async () => {
    await bench.start();
    await bench.takeSnapshot();
    limited();
    const over = left(-5);
    const steps = {
      repository: () => repository.create({ ...bench.inputs.repository(bench.survivor), ...over }),
      snapshot: () => snapshot.create({ ...bench.inputs.snapshot(), ...over }),
      restore: () => restore.create({ ...bench.inputs.snapshot(), ...over }),
      exporter: () => exporter.create({ ...bench.inputs.exporter("region1", "ENABLED"), ...over }),
    };
    for (const [name, step] of Object.entries(steps)) {
      await bench.world.pauseExporting();
      const before = bench.sent().length;
      await spent(step(), refusal);
      assert.deepEqual(bench.sent().slice(before), [RESUME], name);
      await spent(step(), refusal);
      assert.equal(bench.sent().length, before + 1, name);
    }
  });

  it("does not revive an attempt by a larger limit: its pause is undone", async () => {
    await bench.start();
    await bench.takeSnapshot();
    bench.configure({ exportPauseLimit: LIMIT });
    const { pausedAt } = left(-5);
    await spent(restore.create({ ...bench.inputs.snapshot(), pausedAt }), refusal);
    bench.configure({ exportPauseLimit: 2 * LIMIT });
    const before = bench.sent().length;
    for (const step of [
      () => snapshot.create({ ...bench.inputs.snapshot(), pausedAt }),
      () => restore.create({ ...bench.inputs.snapshot(), pausedAt }),
      () => exporter.create({ ...bench.inputs.exporter("region1", "ENABLED"), pausedAt }),
    ]) {
      await refusal(step(), /exporting is EXPORTING, not PAUSED, .*set failback to a new name$/);
    }
    assert.equal(bench.sent().length, before);
  });

  it("counts a pause that a killed run has left without a record from the gate on", async () => {
    await bench.start();
    await bench.pause();
    limited();
    const { pausedAt: gateAt } = left(50);
    const { outs } = await exportPause.create({ attempt: "attempt-1", gateAt });
    assert.equal(outs.record.how, "already true");
    assert.equal(outs.record.startedAt, gateAt);
    assert.ok(outs.record.seconds >= 50);
    // Of the same attempt the record is kept: the next run counts from the same moment.
    const again = { attempt: "attempt-1", gateAt: new Date().toISOString() };
    assert.deepEqual((await exportPause.update("id", outs, again)).outs.record, outs.record);
    const late = { attempt: "attempt-1", gateAt: left(-5).pausedAt };
    await spent(exportPause.create(late), refusal);
  });

  it("counts half a pause from the gate on too, and a new one from now", async () => {
    await bench.start();
    await bench.pause();
    limited();
    const late = { attempt: "attempt-1", gateAt: left(-5).pausedAt };
    bench.world.inject({
      path: PARTITIONS,
      times: 1,
      transform: (body: Body) => ({ ...body, "1": { ...body["1"], exporterPhase: "EXPORTING" } }),
    });
    await spent(exportPause.create(late), refusal);
    const started = Date.now();
    const { outs } = await exportPause.create(late);
    assert.equal(outs.record.how, "done");
    assert.ok(Date.parse(outs.record.startedAt) >= started);
  });

  it("says both when exporting cannot be resumed", async () => {
    await bench.start();
    await bench.takeSnapshot();
    bench.configure({ exportPauseLimit: LIMIT }, { exporting: 0.3 });
    bench.world.inject({ method: "POST", path: /resume$/, respond: { status: 500, body: {} } });
    await refusal(
      restore.create({ ...bench.inputs.snapshot(), ...left(-5) }),
      /^exportPauseLimit has passed, and resuming exporting failed \(waited 0.3 s .*\); resume it by hand /,
      new RegExp(
        ` \\(exporting stays paused\\): curl -X POST ${bench.management}/actuator/exporting/resume$`,
      ),
    );
    assert.deepEqual(phases(), new Set(["PAUSED"]));
  });

  it("is not met by a failure of another kind: exporting stays paused for the next run", async () => {
    await bench.start();
    await bench.takeSnapshot();
    limited();
    bench.world.inject({ method: "POST", path: /_restore/, respond: { status: 400, body: {} } });
    const failed = await failureOf(restore.create({ ...bench.inputs.snapshot(), ...left(60) }));
    assert.match(String((failed as Error).message), /answered 400.*\(exporting stays paused\)$/);
    assert.deepEqual(phases(), new Set(["PAUSED"]));
  });
});
