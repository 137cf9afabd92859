import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { RegionStack } from "../../scripts/operator/stack";
import { Scene } from "./scene";

describe("two operators who declare each other's region lost at once, with the network cut", function () {
  this.timeout(900_000);
  let scene: Scene;

  afterEach(() => scene?.end());

  const phaseOf = async (stack: RegionStack) =>
    ((await stack.outputs()).recovery as Record<string, unknown>).phase;

  /** Both stacks are made, and the regions do not see each other any more. */
  async function cut(): Promise<[RegionStack, RegionStack]> {
    scene = await Scene.of({ commands: true });
    const other = await scene.workspace.stack("region1");
    await other.up();
    scene.world.partition();
    return [scene.stack, other];
  }

  it("stop both when each is declared before either has forced anybody out; who takes it back lets the other go on", async () => {
    const [one, other] = await cut();
    const folder = scene.workspace.shell.cwd;
    // Each waits, after its own declaration, for the other's: the worst moment that there is.
    for (const [stack, own, peers] of [
      [one, "0", "1"],
      [other, "1", "0"],
    ] as const) {
      const flag = (name: string) => path.join(folder, `declared-${name}`);
      await stack.set(
        "hooks.beforeFailover",
        `touch ${flag(own)}; for i in $(seq 600); do test -e ${flag(peers)} && exit 0; sleep 0.2; done; exit 1`,
        { path: true },
      );
    }
    await one.set("lostRegion", "region1");
    await other.set("lostRegion", "region0");
    const mark = scene.mark();
    const ended = await Promise.allSettled([one.up(), other.up()]);
    assert.deepEqual(scene.since(mark), []);
    for (const [index, { status, ...end }] of ended.entries()) {
      assert.equal(status, "rejected");
      const [peer, own] = index === 0 ? ["region1", "region0"] : ["region0", "region1"];
      assert.match(
        String((end as { reason: Error }).reason.message),
        new RegExp(`refused: stack ${peer} declares ${own}, the region of this stack, lost`),
      );
    }

    // Neither goes on as long as the other's declaration stands; one is taken back.
    await assert.rejects(one.up(), /stack region1 declares region0/);
    await other.unset("lostRegion");
    await other.up();
    assert.equal(await phaseOf(other), "steady");
    await one.set("reason", "INC-1: no route");
    await one.up();
    assert.equal(await phaseOf(one), "failed-over");
    const incident = (await one.outputs()).recovery as { incident: Record<string, unknown> };
    const { id, startedAt, who, ...rest } = incident.incident;
    assert.equal(id, `region1-${String(startedAt)}`);
    assert.match(String(who), /.@./);
    assert.deepEqual(
      { ...rest, changeId: typeof rest.changeId, configurationVersion: typeof rest.changeId },
      {
        lost: "region1",
        reason: "INC-1: no route",
        cluster: scene.world.endpoints.region0.gateway,
        overrides: {},
        changeId: "number",
        configurationVersion: "number",
        removed: [1, 3],
        kept: [0, 2],
        exporters: { elasticsearchregion0: "ENABLED", elasticsearchregion1: "DISABLED" },
      },
    );
    const sent = scene.since(mark).filter((request) => request.includes("force=true"));
    assert.deepEqual(sent, ["POST /actuator/cluster/brokers?force=true"]);
    await fs.access(path.join(folder, "declared-0"));
  });
});
