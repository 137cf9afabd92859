import assert from "node:assert/strict";
import { distinct, readPhases } from "../../components/recovery/checks/phases";
import { Session } from "../../components/recovery/session";
import { readSettings } from "../../components/settings";
import { lookup, rawConfig } from "../support/config";
import { Scene } from "./scene";

describe("a failover of a cluster that does not export", function () {
  this.timeout(900_000);
  let scene: Scene;

  afterEach(() => scene?.end());

  const phases = async () => {
    const { endpoints } = scene.world;
    const session = new Session(readSettings(lookup(rawConfig({ endpoints }))), () => undefined);
    return distinct(await readPhases(session, [0, 2]));
  };

  it("resumes exporting that was paused softly when the region was lost, and says failed-over only of the whole", async () => {
    scene = await Scene.of();
    await scene.world.pauseExporting({ soft: true });
    await scene.world.lose("region1");
    await scene.stack.set("lostRegion", "region1");
    await assert.rejects(
      scene.stack.up({ targets: ["**::broker-membership"] }),
      /incident.* was not specified in --target list|lost.*incident/i,
    );
    assert.deepEqual(scene.since(1), []);
    await scene.stack.up({ targets: ["**::incident", "**::broker-membership"] });
    assert.equal((await scene.recovery()).phase, "steady");
    assert.notDeepEqual(await phases(), ["EXPORTING"]);
    await scene.stack.up();
    assert.deepEqual(await phases(), ["EXPORTING"]);
    assert.equal((await scene.recovery()).phase, "failed-over");
  });

  it("is refused while the survivor's own exporter is disabled, and says so", async () => {
    scene = await Scene.of();
    await scene.world.disableExporter("elasticsearchregion0");
    await scene.world.lose("region1");
    await scene.stack.set("lostRegion", "region1");
    await assert.rejects(
      scene.stack.up(),
      /exporter elasticsearchregion0 is disabled: enabling it outside a failback leaves a gap/,
    );
    assert.equal((await scene.recovery()).phase, "steady");
    await scene.stack.set("overrides.export-gap", "nobody has these records: accepted", {
      path: true,
    });
    await scene.stack.up();
    assert.equal((await scene.recovery()).phase, "failed-over");
    assert.deepEqual((await scene.stack.outputs()).exporters, {
      elasticsearchregion0: "ENABLED",
      elasticsearchregion1: "DISABLED",
    });
  });
});
