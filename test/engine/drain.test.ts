import assert from "node:assert/strict";
import * as path from "node:path";
import { peerOf, REGIONS } from "../../components/base/brokers";
import { IDS } from "../support/ids";
import { Scene } from "./scene";

/** Path of each changing request, without the host. */
const paths = (sent: string[]) => sent.map((request) => request.split(" ")[1]);

describe("a drained region", function () {
  this.timeout(900_000);
  let scene: Scene;

  afterEach(() => scene?.end());

  for (const drained of REGIONS) {
    it(`${drained} is taken out without force and comes back by a failback, and nothing calls it lost`, async () => {
      const stays = peerOf(drained);
      const members = IDS.of(stays, 4);
      scene = await Scene.of({ region: stays, config: { activeRegion: drained } });
      await scene.stack.set("drainRegion", drained);
      await scene.stack.set("reason", "CHG-12: new nodes");
      const { text } = await scene.stack.preview();
      assert.match(text, new RegExp(`recovery plan: drain ${drained}, which is alive`));
      assert.match(text, /PARTITION_LEAVE/);
      assert.match(text, /drain: of region\d, no loss: CHG-12: new nodes/);
      assert.doesNotMatch(text, /force|lost/i);

      let mark = scene.mark();
      await scene.stack.up();
      assert.deepEqual(scene.since(mark), [
        "POST /actuator/cluster/brokers?replicationFactor=2",
        `POST /actuator/exporters/elasticsearch${drained}/disable`,
      ]);
      const recovery = await scene.recovery();
      const { phase, drainRegion, activeRegion, lostRegion, incident, lastFailover } = recovery;
      assert.deepEqual(
        { phase, drainRegion, activeRegion, lostRegion, incident, lastFailover },
        {
          phase: "drained",
          drainRegion: drained,
          activeRegion: stays,
          lostRegion: undefined,
          incident: undefined,
          lastFailover: undefined,
        },
      );
      const drain = recovery.drain as Record<string, unknown>;
      assert.equal(drain.reason, "CHG-12: new nodes");
      assert.deepEqual(drain.removed, IDS.of(drained, 4));
      assert.deepEqual(drain.kept, members);
      const { follows } = recovery.lastDrain as { follows: string[] };
      assert.match(String(follows[0]), new RegExp(`route the users to ${stays}`));
      await scene.world.startInstances(stays, 2);

      // The stack of the drained region gives its part in the recovery back, and asks the cluster for nothing.
      const other = await scene.workspace.stack(drained);
      mark = scene.mark();
      await other.up();
      const own = (await other.outputs()).recovery as Record<string, unknown>;
      assert.deepEqual(own, { phase: "rejoining", activeRegion: stays, drainRegion: drained });
      assert.deepEqual(scene.since(mark), []);

      // The maintenance: it is away, and comes back empty.
      await scene.world.lose(drained);
      mark = scene.mark();
      await scene.stack.up();
      assert.equal((await scene.recovery()).phase, "drained");
      assert.deepEqual(scene.since(mark), []);
      await scene.world.recreate(drained);

      await scene.stack.set("failback", "back");
      await scene.stack.up();
      const back = await scene.recovery();
      assert.equal(back.phase, "restored");
      assert.equal(back.lostRegion, undefined);
      assert.equal((back.lastFailback as Record<string, unknown>).drain, drain.id);
      assert.deepEqual(
        paths(scene.since(mark)).at(-1),
        "/actuator/cluster/brokers?replicationFactor=4",
      );
      assert.ok(!scene.since(0).some((sent) => sent.includes("force=true")), "nothing was forced");

      await scene.stack.unset("failback");
      await scene.stack.unset("drainRegion");
      await scene.stack.unset("reason");
      await scene.stack.set("activeRegion", stays);
      mark = scene.mark();
      await scene.stack.up();
      const after = await scene.recovery();
      assert.deepEqual(
        [after.phase, after.drain, after.drainRegion],
        ["steady", undefined, undefined],
      );
      assert.deepEqual(scene.since(mark), []);
      await other.set("activeRegion", stays);
      await other.up();
      assert.deepEqual(((await other.outputs()).recovery as { phase: string }).phase, "steady");
      // It is steady for the first time, and nothing but the snapshot repository is tried.
      const trial = "/_snapshot/camunda_backup-trial";
      assert.deepEqual(scene.since(mark), [`PUT ${trial}`, `DELETE ${trial}`]);
    });
  }

  it("is refused while the region is not whole, and taken back before anybody is removed", async () => {
    scene = await Scene.of({ config: { timeouts: { loss: 1, absence: 0.5, request: 2 } } });
    await scene.world.lose("region1");
    await scene.stack.set("drainRegion", "region1");
    const mark = scene.mark();
    await assert.rejects(
      scene.stack.up(),
      /brokers 1, 3 are not seen: a drain needs every broker; bring it up, or set lostRegion instead of drainRegion/,
    );
    assert.equal((await scene.recovery()).phase, "steady");
    await scene.stack.unset("drainRegion");
    await scene.world.recreate("region1", "old");
    await scene.stack.up();
    assert.deepEqual(scene.since(mark), []);
    assert.equal((await scene.recovery()).drain, undefined);
  });

  it("is drained by one stack alone: of two that drain each other's at once both stop, and who takes it back lets the other go on", async () => {
    scene = await Scene.of({ commands: true });
    const one = scene.stack;
    const other = await scene.workspace.stack("region1");
    await other.up();
    const { cwd } = scene.workspace.shell;
    // Each waits, after its own declaration, for the other's: the worst moment that there is.
    for (const [stack, own, peers] of [
      [one, "0", "1"],
      [other, "1", "0"],
    ] as const) {
      const flag = (name: string) => path.join(cwd, `declared-${name}`);
      await stack.set(
        "hooks.beforeDrain",
        `touch ${flag(own)}; for i in $(seq 600); do test -e ${flag(peers)} && exit 0; sleep 0.2; done; exit 1`,
        { path: true },
      );
    }
    await one.set("drainRegion", "region1");
    await other.set("drainRegion", "region0");
    const mark = scene.mark();
    const ended = await Promise.allSettled([one.up(), other.up()]);
    assert.deepEqual(scene.since(mark), []);
    for (const [index, end] of ended.entries()) {
      const [peer, own] = index === 0 ? ["region1", "region0"] : ["region0", "region1"];
      assert.match(
        String((end as { reason?: Error }).reason?.message),
        new RegExp(`refused: stack ${peer} drains ${own}, the region of this stack: one must stay`),
      );
    }
    await assert.rejects(one.up(), /stack region1 drains region0, .*remove drainRegion from one/);
    await other.unset("drainRegion");
    await other.up();
    await one.up();
    assert.equal((await scene.recovery()).phase, "drained");
    await other.set("drainRegion", "region0");
    await assert.rejects(
      other.up(),
      /stack region0 has drained region1, the region of this stack, .*remove drainRegion here/,
    );
    assert.deepEqual(scene.since(mark), [
      "POST /actuator/cluster/brokers?replicationFactor=2",
      "POST /actuator/exporters/elasticsearchregion1/disable",
    ]);
  });

  it("that is lost meanwhile is declared so, and no drain is taken for a loss or a loss for a drain", async () => {
    scene = await Scene.of();
    await scene.stack.set("drainRegion", "region1");
    await scene.stack.up();
    await scene.stack.unset("drainRegion");
    await assert.rejects(scene.stack.up(), /set lostRegion or drainRegion again, and failback/);
    await scene.world.lose("region1");
    await scene.stack.set("lostRegion", "region1");
    const mark = scene.mark();
    await scene.stack.up();
    assert.deepEqual(scene.since(mark), []);
    const recovery = await scene.recovery();
    assert.deepEqual(
      [recovery.phase, recovery.lostRegion, recovery.drainRegion, recovery.drain],
      ["failed-over", "region1", undefined, undefined],
    );
    await scene.stack.unset("lostRegion");
    await scene.stack.set("drainRegion", "region1");
    await assert.rejects(
      scene.stack.up(),
      /drainRegion is set, but region1 is declared lost by incident region1-.*: set lostRegion again, and fail back/,
    );
  });
});
