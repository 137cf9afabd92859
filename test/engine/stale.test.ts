import assert from "node:assert/strict";
import { Scene } from "./scene";

describe("a state of before a failover", function () {
  this.timeout(900_000);
  let scene: Scene;

  afterEach(() => scene?.end());

  it("calls no cluster steady that has half of its members; declared lost, the failover is adopted", async () => {
    scene = await Scene.of();
    const before = await scene.stack.stack.exportStack();
    await scene.failOver();
    await scene.stack.stack.importStack(before);
    await scene.stack.unset("lostRegion");
    const mark = scene.mark();
    await assert.rejects(
      scene.stack.preview(),
      /brokers 1, 3 are no members: this state is older than a failover/,
    );
    await assert.rejects(scene.stack.up(), /set lostRegion or drainRegion region1, and up$/);
    await scene.stack.set("lostRegion", "region1");
    await scene.stack.up();
    assert.deepEqual(scene.since(mark), []);
    assert.equal((await scene.recovery()).phase, "failed-over");
  });
});
