import assert from "node:assert/strict";
import { Scene } from "./scene";

const RESUME = "POST /actuator/exporting/resume";

describe("a failback whose pause takes longer than exportPauseLimit", function () {
  this.timeout(900_000);
  let scene: Scene;

  afterEach(() => scene?.end());

  const phases = () =>
    new Set(Object.values(scene.world.cluster("region0").phases).flatMap(Object.values));
  const spent = (seconds: number) =>
    new RegExp(`attempt one is past exportPauseLimit \\(${seconds} s\\), exporting runs again: `);

  async function start(exportPauseLimit: number): Promise<void> {
    scene = await Scene.of({ world: { restoreMs: 12_000 }, config: { exportPauseLimit } });
    await scene.failOver();
    await scene.world.recreate("region1");
    await scene.stack.set("failback", "one");
  }

  /** Another attempt, with a limit that is long enough. */
  async function another(): Promise<void> {
    await scene.stack.set("exportPauseLimit", "600");
    await scene.stack.set("failback", "two");
    await scene.stack.up();
    assert.equal((await scene.recovery()).phase, "restored");
    assert.deepEqual(
      await scene.world.instanceKeys("region1"),
      await scene.world.instanceKeys("region0"),
    );
  }

  it("ends with exporting resumed, and stays spent; an attempt of another name recovers", async () => {
    await start(4);
    await assert.rejects(scene.stack.up(), spent(4));
    assert.equal(scene.since(0).at(-1), RESUME);
    assert.deepEqual(phases(), new Set(["EXPORTING"]));
    assert.equal((await scene.recovery()).phase, "failed-over");
    assert.equal(scene.world.cluster("region0").exporters["elasticsearchregion1"], "DISABLED");
    const mark = scene.mark();
    await assert.rejects(scene.stack.up(), spent(4));
    assert.deepEqual(scene.since(mark), []);
    await another();
  });

  it("counts the time in which nothing ran after a kill, and resumes in the next run", async () => {
    await start(10);
    await scene.killUpAt("POST", /_restore/);
    scene.endOrphans();
    const killed = Date.now();
    assert.deepEqual(phases(), new Set(["PAUSED"]));
    const preview = await scene.stack.preview();
    assert.match(preview.text, /for at most 10 s \(paused at 20\S+Z\)/);
    await scene.until("the limit has passed", () => Date.now() - killed > 10_000);
    const mark = scene.mark();
    await assert.rejects(scene.stack.up({ refresh: true }), spent(10));
    assert.deepEqual(scene.since(mark), [RESUME]);
    assert.deepEqual(phases(), new Set(["EXPORTING"]));
    await another();
  });
});
