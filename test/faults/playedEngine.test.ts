import assert from "node:assert/strict";
import { EngineProcess, STACK_TYPE } from "../../world/faults/engine";
import { FaultScene } from "../../world/faults/scene";
import type { EmbeddedWorld } from "../../world/camunda/embedded";
import { Scene } from "../engine/scene";

/** What a world was asked that changes something, and what it has truly answered. */
function changes(world: EmbeddedWorld, from: number): string[] {
  return world
    .mutations()
    .slice(from)
    .map(
      ({ method, path, region, server, truth }) => `${method} ${region} ${server} ${path} ${truth}`,
    );
}

/** The resources of the real engine's state, without what it keeps for itself. */
async function kept({ stack }: Scene) {
  const { deployment } = (await stack.stack.exportStack()) as {
    deployment: { resources: { type: string; inputs: object; outputs: object; urn: string }[] };
  };
  return deployment.resources
    .filter(({ type }) => type === STACK_TYPE || type.startsWith("pulumi-nodejs:dynamic/"))
    .map(({ urn, ...resource }) => ({ ...resource, name: urn.split("::").at(-1) ?? "" }));
}

/** What is kept of each resource, but of its stack's name, times and places. */
function recordedOf(resources: readonly { type: string; name: string; inputs: object }[]) {
  return resources
    .map(({ type, name, inputs }) =>
      type === STACK_TYPE ? { type } : { type, name, inputs: { ...inputs } },
    )
    .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}

describe("the played engine", function () {
  this.timeout(600_000);
  const engine = new EngineProcess();
  let real: Scene | undefined;
  let played: FaultScene | undefined;

  after(async () => {
    engine.kill();
    await Promise.all([real?.end(), played?.end()]);
  });

  it("does in a failover, a failback and its end what the real engine does", async () => {
    real = await Scene.of();
    const realFrom = real.mark();
    await real.failOver();
    await real.world.recreate("region1");
    await real.stack.set("failback", "one");
    await real.stack.up();
    await real.stack.unset("failback");
    await real.stack.unset("lostRegion");
    await real.stack.up();

    played = await FaultScene.of("region1", engine);
    const playedFrom = played.world.mutations().length;
    await played.world.lose("region1");
    played.set({ lostRegion: "region1" });
    await played.expectUp();
    await played.world.recreate("region1");
    played.set({ failback: "one" });
    await played.expectUp();
    played.unset(["lostRegion", "failback"]);
    await played.expectUp();

    const done = changes(real.world, realFrom);
    assert.ok(done.length >= 10);
    assert.deepEqual(changes(played.world, playedFrom), done);
    assert.deepEqual(recordedOf(played.states.region0 ?? []), recordedOf(await kept(real)));
  });
});
