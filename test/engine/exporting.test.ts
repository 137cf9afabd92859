import assert from "node:assert/strict";
import { distinct, readPhases } from "../../components/recovery/checks/phases";
import { Session } from "../../components/recovery/session";
import { readSettings } from "../../components/settings";
import { lookup, rawConfig } from "../support/config";
import { TWO_EACH, TWO_EACH_TARGETS } from "../support/exporters";
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
    const mark = scene.mark();
    await assert.rejects(
      scene.stack.up({ targets: ["**::broker-membership"] }),
      /incident.* was not specified in --target list|lost.*incident/i,
    );
    assert.deepEqual(scene.since(mark), []);
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

describe("a failover of a cluster with an exporter that nobody has declared", function () {
  this.timeout(900_000);
  let scene: Scene;

  afterEach(() => scene?.end());

  it("names it in the preview and in every up, until it is declared: then it is disabled with the other one", async () => {
    scene = await Scene.of({ world: { exporters: TWO_EACH_TARGETS } });
    await scene.world.lose("region1");
    await scene.stack.set("lostRegion", "region1");
    const said = /exporter kafkaregion1 is enabled, but not in exporters: .*kafkaregion1\/disable/;
    const { text } = await scene.stack.preview();
    assert.match(text, new RegExp(`note: ${said.source}`));
    assert.match((await scene.stack.up()).stdout, new RegExp(`warning: ${said.source}`));
    assert.equal((await scene.recovery()).phase, "failed-over");
    const again = await scene.stack.up();
    assert.match(again.stdout, new RegExp(`warning: ${said.source}`));
    assert.deepEqual(again.changed, []);

    await scene.stack.set("exporters", JSON.stringify(TWO_EACH));
    const mark = scene.mark();
    assert.doesNotMatch((await scene.stack.up()).stdout, /not in exporters/);
    assert.deepEqual(scene.since(mark), ["POST /actuator/exporters/kafkaregion1/disable"]);
    assert.deepEqual((await scene.stack.outputs()).exporters, {
      elasticsearchregion0: "ENABLED",
      kafkaregion0: "ENABLED",
      elasticsearchregion1: "DISABLED",
      kafkaregion1: "DISABLED",
    });
  });
});
