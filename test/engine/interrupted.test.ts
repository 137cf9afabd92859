import assert from "node:assert/strict";
import { Scene } from "./scene";

describe("an interrupted recovery", function () {
  this.timeout(900_000);
  let scene: Scene;

  afterEach(() => scene?.end());

  it("of a failover killed at the forced removal is finished by the next up, without a second removal", async () => {
    scene = await Scene.of();
    await scene.world.lose("region1");
    await scene.stack.set("lostRegion", "region1");
    const mark = scene.mark();
    await scene.killUpAt("POST", /brokers\?force=true$/);
    await scene.stack.up({ refresh: true });
    const forced = scene.since(mark).filter((request) => request.includes("force=true"));
    assert.equal(forced.length, 1);
    assert.equal((await scene.recovery()).phase, "failed-over");
    assert.deepEqual(scene.world.cluster().members, [0, 2]);
    assert.equal(scene.world.cluster().exporters.elasticsearchregion1, "DISABLED");
  });

  it("killed in the middle of the pause is undone by removing failback, also without --refresh", async () => {
    scene = await Scene.of();
    await scene.failOver();
    await scene.world.recreate("region1");
    await scene.stack.set("failback", "one");
    await scene.killUpAt("POST", /exporting\/pause/);
    const phases = () => [
      ...new Set(Object.values(scene.world.cluster().phases).flatMap((p) => Object.values(p))),
    ];
    await scene.world.pauseExporting();
    assert.deepEqual(phases(), ["PAUSED"]);
    await scene.stack.unset("failback");
    await scene.stack.up();
    assert.deepEqual(phases(), ["EXPORTING"]);
    assert.equal((await scene.recovery()).phase, "failed-over");
    const mark = scene.mark();
    const again = await scene.stack.up();
    assert.deepEqual(Object.keys(again.summary.resourceChanges ?? {}), ["same"]);
    assert.deepEqual(scene.since(mark), []);
  });

  it("killed while the brokers join is continued, and the join is awaited, not sent again", async () => {
    scene = await Scene.of({ world: { joinMs: 800 } });
    await scene.failOver();
    await scene.world.recreate("region1");
    await scene.stack.set("failback", "one");
    const mark = scene.mark();
    await scene.killUpAt("POST", /brokers\?replicationFactor=4$/);
    await scene.stack.up({ refresh: true });
    const sent = scene.since(mark);
    assert.equal(sent.filter((request) => request.includes("replicationFactor=4")).length, 1);
    assert.equal(sent.filter((request) => request.endsWith("/exporting/pause")).length, 1);
    assert.equal((await scene.recovery()).phase, "restored");
    assert.deepEqual(scene.world.cluster().members, [0, 1, 2, 3]);
  });
});
