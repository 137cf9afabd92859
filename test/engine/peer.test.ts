import assert from "node:assert/strict";
import { Scene } from "./scene";

describe("the other region's stack", function () {
  this.timeout(900_000);
  let scene: Scene;

  afterEach(() => scene?.end());

  it("is one that exists, and not this one; one that was there once may be away, and on the day nobody asks for it", async () => {
    scene = await Scene.of({ up: false });
    await scene.stack.set("peerStack", "regoin1");
    await assert.rejects(
      scene.stack.preview(),
      /stack regoin1 of region1 does not exist: correct peerStack, or make it: pulumi stack init/,
    );
    await scene.stack.set("peerStack", "region0");
    await assert.rejects(scene.stack.preview(), /peerStack is region0, this stack itself/);
    await scene.stack.unset("peerStack");
    await scene.stack.up();
    const { peer } = await scene.stack.outputs();
    assert.deepEqual(peer, { region: "region1", stack: "region1", known: true });
    await scene.stack.stack.workspace.removeStack("region1", { force: true, preserveConfig: true });
    const { text } = await scene.stack.preview();
    assert.match(text, /there is no stack of region1 .*: nobody sees what its operator declares/);
    await scene.stack.set("region", "region1");
    await assert.rejects(scene.stack.preview(), /it has the other stack's configuration/);
    await scene.stack.set("region", "region0");
    await scene.stack.set("peerStack", "regoin1");
    await scene.failOver();
    assert.equal((await scene.recovery()).phase, "failed-over");
  });
});
