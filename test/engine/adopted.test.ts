import assert from "node:assert/strict";
import { Scene } from "./scene";

describe("what somebody did by hand", function () {
  this.timeout(900_000);
  let scene: Scene;

  afterEach(() => scene?.end());

  for (const region of ["region0", "region1"] as const) {
    const lost = region === "region0" ? "region1" : "region0";

    it(`is adopted: a failover from ${lost} by curl`, async () => {
      scene = await Scene.of({ region });
      await scene.world.lose(lost);
      await scene.world.forceRemove(lost === "region0" ? [0, 2] : [1, 3]);
      await scene.world.disableExporter(`elasticsearch${lost}`);
      await scene.stack.set("lostRegion", lost);
      const mark = scene.mark();
      await scene.stack.up();
      assert.deepEqual(scene.since(mark), []);
      assert.equal((await scene.recovery()).phase, "failed-over");
    });
  }

  it("is shown as drift by preview --refresh, and never as something to create", async () => {
    scene = await Scene.of();
    await scene.world.disableExporter("elasticsearchregion1");
    const preview = await scene.stack.preview({ refresh: true });
    assert.match(preview.text, /elasticsearchregion1: "DISABLED" => "ENABLED"/);
    assert.equal(preview.changes.create, undefined);
    await assert.rejects(
      scene.stack.up({ refresh: true }),
      /enabling it outside a failback leaves a gap/,
    );
  });

  it("is left alone when the cluster cannot be reached: an error with advice, and the state as it was", async () => {
    scene = await Scene.of();
    const before = await scene.stack.stack.exportStack();
    await scene.world.lose("region0");
    await scene.world.lose("region1");
    await assert.rejects(
      scene.stack.up({ refresh: true }),
      /does not answer \(ECONNREFUSED\); bring it back, or run without --refresh/,
    );
    const after = await scene.stack.stack.exportStack();
    const urns = (state: { deployment: { resources: { urn: string }[] } }) =>
      state.deployment.resources.map((resource) => resource.urn);
    assert.deepEqual(urns(after), urns(before));
  });
});
