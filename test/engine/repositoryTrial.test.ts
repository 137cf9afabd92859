import assert from "node:assert/strict";
import { Scene } from "./scene";

const TRIED = ["PUT", "DELETE"].map((method) => `${method} /_snapshot/camunda_backup-trial`);
const UNUSABLE =
  /repository camunda_backup in region0 cannot be used \(no_such_bucket: .*: mend its/;

describe("the snapshot repository in normal operation", function () {
  this.timeout(900_000);
  let scene: Scene;

  afterEach(() => scene?.end());

  const configure = (settings: Record<string, string>) =>
    scene.stack.set(
      "snapshotRepository",
      JSON.stringify({ name: "camunda_backup", type: "s3", settings }),
    );
  const names = async () => {
    const { deployment } = await scene.stack.stack.exportStack();
    const { resources = [] } = deployment as { resources?: { urn: string }[] };
    return resources.map(({ urn }) => urn.split("::").at(-1));
  };

  it("is tried last of the first up, whose failure keeps nothing else from being done, and once more when it has another configuration", async () => {
    scene = await Scene.of({ up: false, world: { buckets: ["another"] } });
    await configure({ bucket: "missing" });
    await assert.rejects(scene.stack.up(), UNUSABLE);
    assert.deepEqual(scene.since(0), TRIED);
    const done = await names();
    assert.ok(done.includes("broker-membership") && done.includes("exporting"), done.join());
    assert.ok(!done.includes("repository-trial"));
    assert.equal((await scene.recovery()).phase, "steady");

    for (const settings of [scene.world.repository.settings, { bucket: "another" }]) {
      await configure(settings as Record<string, string>);
      const mark = scene.mark();
      const { changed } = await scene.stack.up();
      assert.deepEqual(
        changed.map(({ name }) => name),
        ["repository-trial"],
      );
      assert.deepEqual(scene.since(mark), TRIED);
      assert.deepEqual((await scene.stack.up()).changed, []);
      assert.deepEqual(scene.since(mark), TRIED);
    }
    const mark = scene.mark();
    await scene.stack.stack.up({ replace: ["**::repository-trial"] });
    assert.deepEqual(scene.since(mark), TRIED);
  });

  it("is not asked while a region is out, nor in the run that ends it, whatever is configured meanwhile: then it is", async () => {
    scene = await Scene.of();
    const { settings } = scene.world.repository;
    await scene.world.lose("region1");
    await scene.stack.set("lostRegion", "region1");
    await configure({ bucket: "missing" });
    const mark = scene.mark();
    assert.doesNotMatch((await scene.stack.preview()).text, /repository-trial/);
    await scene.stack.up();
    assert.ok(!scene.since(mark).some((sent) => sent.includes("_snapshot")));
    assert.equal((await scene.recovery()).phase, "failed-over");

    await scene.world.recreate("region1");
    await configure(settings as Record<string, string>);
    await scene.stack.set("failback", "one");
    await scene.stack.up();
    await scene.stack.unset("failback");
    await scene.stack.unset("lostRegion");
    await configure({ bucket: "missing" });
    const finish = scene.mark();
    await scene.stack.up();
    assert.deepEqual(scene.since(finish), []);
    assert.equal((await scene.recovery()).phase, "steady");
    const left = await names();
    assert.ok(!left.includes("incident") && left.includes("repository-trial"), left.join());
    await assert.rejects(
      scene.stack.up(),
      /repository camunda_backup in region0 has other settings/,
    );
  });
});
