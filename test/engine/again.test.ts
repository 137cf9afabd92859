import assert from "node:assert/strict";
import { Scene } from "./scene";

describe("a region that is lost again", function () {
  this.timeout(900_000);
  let scene: Scene;

  afterEach(() => scene?.end());

  /** Fails back as far as it comes. */
  const failBack = async (attempt: string) => {
    await scene.world.recreate("region1");
    await scene.stack.set("failback", attempt);
    return scene.stack.up();
  };

  it("right after a failback, before the declarations were removed, is failed over by removing failback alone", async () => {
    scene = await Scene.of();
    await scene.failOver();
    await failBack("one");
    await scene.world.lose("region1");
    await scene.stack.unset("failback");
    await scene.stack.up();
    assert.equal((await scene.recovery()).phase, "failed-over");
    assert.deepEqual(scene.world.cluster().members, [0, 2]);
  });

  it("after the declarations were removed too, but not yet applied, can be declared lost again", async () => {
    scene = await Scene.of({
      config: { timeouts: { request: 2, failover: 2, loss: 5, absence: 0.5, gate: 5 } },
    });
    await scene.failOver();
    await failBack("one");
    await scene.world.lose("region1");
    await scene.stack.unset("failback");
    await scene.stack.unset("lostRegion");
    await assert.rejects(scene.stack.up(), /waited 2 s for brokers 0, 1, 2, 3 to be healthy/);
    await scene.stack.set("lostRegion", "region1");
    await scene.stack.up();
    assert.equal((await scene.recovery()).phase, "failed-over");
  });

  it("in the middle of a failback is not taken for restored when it was recreated once more, empty", async () => {
    scene = await Scene.of();
    await scene.failOver();
    const heal = scene.world.inject({
      method: "POST",
      path: /brokers\?replicationFactor=4$/,
      respond: { status: 500, body: { message: "not now" } },
    });
    await assert.rejects(failBack("one"), /not now/);
    heal();
    await scene.world.lose("region1");
    await scene.world.recreate("region1");
    const mark = scene.mark();
    await assert.rejects(
      scene.stack.up(),
      /lacks records of the survivor.s .*: abandon this attempt/,
    );
    assert.deepEqual(scene.since(mark), []);
    assert.equal((await scene.recovery()).phase, "failed-over");
  });

  it("and whose stack is asked to force this one out, after a failover here has failed half way, refuses", async () => {
    scene = await Scene.of();
    const other = await scene.workspace.stack("region1");
    await other.up();
    scene.world.partition();
    scene.world.inject({
      region: "region0",
      method: "POST",
      path: /exporters\/elasticsearchregion1\/disable/,
      respond: { status: 500, body: { message: "not now" } },
    });
    await scene.stack.set("lostRegion", "region1");
    await assert.rejects(scene.stack.up(), /not now/);
    assert.deepEqual(scene.world.cluster("region0").members, [0, 2]);
    await other.set("lostRegion", "region0");
    await assert.rejects(
      other.up(),
      /stack region0 declares region1, the region of this stack, lost/,
    );
    assert.deepEqual(scene.world.cluster("region1").members, [0, 1, 2, 3]);
  });

  it("leaves no false record when a killed enable is abandoned", async () => {
    scene = await Scene.of();
    await scene.failOver();
    await scene.world.recreate("region1");
    await scene.stack.set("failback", "one");
    await scene.killUpAt("POST", /exporters\/elasticsearchregion1\/enable/);
    await scene.until(
      "the orphaned enable has come true",
      () => scene.world.cluster().exporters.elasticsearchregion1 === "ENABLED",
    );
    await scene.stack.unset("failback");
    await scene.stack.up();
    assert.equal(scene.world.cluster().exporters.elasticsearchregion1, "DISABLED");
    assert.equal((await scene.recovery()).phase, "failed-over");
  });
});
