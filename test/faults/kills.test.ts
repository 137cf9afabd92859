import assert from "node:assert/strict";
import { Watch } from "../../world/faults/invariants";
import { Scene, Victim } from "../engine/scene";

/** In the order of a recovery: what is killed before a request is asked for again by the next run, and killed once more. */
const FAILOVER: [Victim, "before" | "after", RegExp][] = [
  ["engine", "before", /\/brokers\?force=true$/],
  ["program", "before", /\/brokers\?force=true$/],
  ["provider", "after", /\/brokers\?force=true$/],
];
const FAILBACK: typeof FAILOVER = [
  ["engine", "after", /\/exporting\/pause$/],
  ["provider", "before", /\/_restore$/],
  ["program", "after", /\/brokers\?replicationFactor=4$/],
];

describe("a recovery whose processes are killed one after the other", function () {
  this.timeout(900_000);
  let scene: Scene;

  afterEach(() => scene?.end());

  it("comes to its end by the next up, and has done nothing twice that may be done once", async () => {
    scene = await Scene.of();
    const { world, stack } = scene;
    const site = { world, survivor: "region0", lost: "region1", survivors: [0, 2] } as const;
    await world.lose("region1");
    await stack.set("lostRegion", "region1");
    const failover = new Watch({ ...site, survivors: [0, 2] }, 1);
    for (const kill of FAILOVER) {
      await scene.killOneOfUp(...kill);
    }
    await stack.up({ refresh: true });
    assert.deepEqual(failover.end(), []);
    assert.equal((await scene.recovery()).phase, "failed-over");
    assert.deepEqual(world.cluster().members, [0, 2]);

    await world.recreate("region1");
    await stack.set("failback", "one");
    const failback = new Watch({ ...site, survivors: [0, 2] }, 0);
    for (const kill of FAILBACK) {
      await scene.killOneOfUp(...kill);
    }
    await stack.up({ refresh: true });
    assert.deepEqual(failback.end(), []);
    assert.equal((await scene.recovery()).phase, "restored");
    assert.deepEqual(world.cluster().members, [0, 1, 2, 3]);
    assert.deepEqual(await world.instanceKeys("region1"), await world.instanceKeys("region0"));
  });
});
