import assert from "node:assert/strict";
import * as net from "node:net";
import { BlackHole } from "../../world/faults/blackHole";
import type { RegionName } from "../../world/world";
import { Scene } from "./scene";

/**
 * A request of a preview waits for 2 s and no longer, in which a connection is tried twice. So a preview is at most
 * 10 s longer when it sends no more than this.
 */
const PACKETS_IN_10_S = 10;

describe("addresses that drop every packet", function () {
  this.timeout(600_000);
  let hole: BlackHole | undefined;
  let scene: Scene | undefined;

  before(async function () {
    const missing = await BlackHole.missing();
    if (missing !== undefined) {
      console.log(`skipped: ${missing}`);
      this.skip();
    }
    hole = await BlackHole.open();
  });

  afterEach(async () => {
    await scene?.end();
    scene = undefined;
  });

  after(() => hole?.close());

  /** Moves the addresses of a region into the hole, in the configuration of the stack. */
  async function hide(region: RegionName): Promise<void> {
    const { brokers, ...rest } = here().world.endpoints[region];
    const moved = [
      ...Object.entries(rest),
      ...Object.entries(brokers).map(([id, url]) => [`brokers.${id}`, url] as const),
    ];
    for (const [key, url] of moved) {
      const hidden = hole?.at(url) ?? "";
      await here().stack.set(`endpoints.${region}.${key}`, hidden, { path: true });
    }
  }

  function here(): Scene {
    assert.ok(scene);
    return scene;
  }

  async function sent(): Promise<number> {
    assert.ok(hole);
    return hole.packets();
  }

  it("are told of by the recorder: a connection waits, and is counted", async () => {
    const before = await sent();
    const socket = net.connect(80, hole?.address ?? "");
    const told = await new Promise((resolve) => {
      socket.on("connect", () => resolve("connected"));
      socket.on("error", () => resolve("refused"));
      setTimeout(() => resolve("waits"), 500);
    });
    socket.destroy();
    assert.equal(told, "waits");
    assert.ok((await sent()) > before);
  });

  for (const lost of ["region1", "region0"] as const) {
    const survivor = lost === "region1" ? "region0" : "region1";
    it(`are all that ${lost} has left: preview and failover send nothing there`, async () => {
      scene = await Scene.of({ region: survivor });
      const { stack, world } = scene;
      await world.lose(lost);
      await hide(lost);
      await stack.set("lostRegion", lost);
      const before = await sent();
      assert.match((await stack.preview()).text, /recovery plan: fail over from/);
      await stack.up();
      assert.equal((await scene.recovery()).phase, "failed-over");
      assert.equal(await sent(), before);
    });
  }

  it("of the surviving region too: a preview says that it could not ask, in time", async () => {
    scene = await Scene.of();
    const { stack, world } = scene;
    await world.lose("region1");
    await stack.set("lostRegion", "region1");
    await hide("region0");
    const before = await sent();
    assert.match((await stack.preview()).text, /recovery plan: .*offline/);
    const packets = (await sent()) - before;
    assert.ok(packets > 0 && packets <= PACKETS_IN_10_S, `${packets} packets`);
  });
});
