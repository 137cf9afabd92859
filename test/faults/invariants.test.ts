import assert from "node:assert/strict";
import { EngineProcess } from "../../world/faults/engine";
import { untruths, Watch } from "../../world/faults/invariants";
import { FaultScene } from "../../world/faults/scene";
import { WORKS } from "../../world/faults/works";

/** Sends a request as a program could. */
async function send(url: string, method: string, body?: object): Promise<number> {
  const { status } = await fetch(url, {
    method,
    headers: { "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return status;
}

describe("what may never be", function () {
  this.timeout(300_000);
  const engine = new EngineProcess();
  let scene: FaultScene;

  beforeEach(async () => {
    scene = await FaultScene.of("region1", engine);
  });
  afterEach(() => scene.end());
  after(() => engine.kill());

  /** Brings the scene to the beginning of a run of that work. */
  async function begin(name: string): Promise<Watch> {
    const work = WORKS.find((one) => one.name === name);
    assert.ok(work, name);
    await work.prepare(scene);
    return new Watch(scene, work.forces);
  }

  it("is not in clean runs, whose successes are true", async () => {
    for (const work of WORKS.filter(({ name }) => name !== "mistaken")) {
      const one = await FaultScene.of("region0", engine);
      try {
        await work.prepare(one);
        const watch = new Watch(one, work.forces);
        const { ended } = await one.up();
        assert.deepEqual(ended, { ok: true, errors: [], warnings: [] }, work.name);
        assert.notEqual(work.truth, "refused");
        assert.deepEqual(work.truth !== "refused" && (await untruths(one, work.truth)), []);
        assert.deepEqual(watch.end(), [], work.name);
      } finally {
        await one.end();
      }
    }
  });

  it("is a force on a region that lives", async () => {
    const watch = await begin("mistaken");
    await scene.world.forceRemove([1, 3]);
    assert.deepEqual(watch.end(), [
      "1 forced changes, where 0 may be",
      "forced out brokers that live and are connected: 1, 3",
    ]);
  });

  it("is a second force of one incident", async () => {
    const watch = await begin("failover");
    await scene.world.forceRemove([1, 3]);
    await scene.world.forceRemove([]);
    assert.deepEqual(watch.end(), ["2 forced changes, where 1 may be"]);
  });

  it("is a force that takes a survivor out", async () => {
    const watch = await begin("failover");
    await scene.world.forceRemove([1, 2, 3]);
    assert.ok(watch.end().includes("forced out survivors: 1, 2, 3"));
  });

  it("is a snapshot while records are exported", async () => {
    const watch = await begin("failback");
    const { elasticsearch } = scene.world.endpoints.region0;
    await send(`${elasticsearch}/_snapshot/camunda_backup/any`, "PUT", {});
    assert.deepEqual(watch.end(), ["a snapshot is taken while exporting is EXPORTING"]);
  });

  it("is a deletion of what the survivor holds, and a restore of it", async () => {
    const watch = await begin("failback");
    const { elasticsearch } = scene.world.endpoints.region0;
    await send(`${elasticsearch}/operate-import-1`, "DELETE");
    await send(`${elasticsearch}/_snapshot/camunda_backup/any/_restore`, "POST", {});
    assert.deepEqual(watch.end(), [
      "deleted of the survivor: /operate-import-1",
      "the survivor's Elasticsearch is restored",
    ]);
  });

  it("is a restore over what is there", async () => {
    const watch = await begin("failback");
    scene.world.copyDocuments("region1");
    const { elasticsearch } = scene.world.endpoints.region1;
    const heal = scene.world.inject({
      path: /_restore/,
      tell: (_truth, request) => {
        request.truth = 200;
        return { status: 200 };
      },
    });
    await send(`${elasticsearch}/_snapshot/camunda_backup/any/_restore`, "POST", {});
    heal();
    assert.deepEqual(watch.end(), ["restored over data: /_snapshot/camunda_backup/any/_restore"]);
  });

  it("is a success that the world does not know", async () => {
    const truth = { members: "survivors", lostExporter: "DISABLED" } as const;
    assert.deepEqual(await untruths(scene, truth), [
      "the members are 0, 1, 2, 3",
      "partition 1 has 4 replicas",
      "partition 2 has 4 replicas",
      "exporter elasticsearchregion1 is ENABLED",
    ]);
  });

  it("is a drain that leaves nothing alive of the region, or cuts it off", async () => {
    await begin("drain");
    await scene.expectUp();
    const truth = { members: "survivors", lostExporter: "DISABLED", otherLives: true } as const;
    assert.deepEqual(await untruths(scene, truth), []);
    scene.world.partition();
    assert.deepEqual(await untruths(scene, truth), ["region1, which is to live, is not connected"]);
    scene.world.heal();
    await scene.world.stopBroker(3);
    assert.deepEqual(await untruths(scene, truth), ["of region1, which is to live, is gone: 3"]);
  });

  it("is a force in a drain, even when the region is lost meanwhile and may be forced out then", async () => {
    const watch = await begin("drain");
    await scene.world.lose("region1");
    await scene.world.forceRemove([1, 3]);
    assert.deepEqual(watch.end(), ["1 forced changes, where 0 may be"]);
  });

  it("is a pause that a success has left", async () => {
    await scene.world.pauseExporting();
    const truth = { members: "all", lostExporter: "ENABLED" } as const;
    assert.deepEqual(await untruths(scene, truth), ["exporting is PAUSED"]);
  });

  it("is an Elasticsearch that lacks what the other one has", async () => {
    await scene.world.disableExporter("elasticsearchregion1");
    await scene.work(["region0"]);
    const truth = { members: "all", lostExporter: "DISABLED" } as const;
    assert.deepEqual(await untruths(scene, truth), []);
    const wrong = await untruths(scene, { ...truth, lostExporter: "ENABLED" });
    assert.deepEqual(wrong, ["exporter elasticsearchregion1 is DISABLED"]);
  });
});
