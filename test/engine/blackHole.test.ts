import assert from "node:assert/strict";
import * as net from "node:net";
import { BlackHole } from "../../world/faults/blackHole";
import type { RegionName } from "../../world/world";
import { Scene } from "./scene";

/** How much longer a preview may take than one of a cluster that answers. */
const LONGER_MS = 10_000;

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

  async function timed<T>(run: () => Promise<T>): Promise<{ value: T; ms: number }> {
    const start = performance.now();
    return { value: await run(), ms: performance.now() - start };
  }

  it("are told of by the recorder: a connection waits, and is counted", async () => {
    const before = await hole?.packets();
    const socket = net.connect(80, hole?.address ?? "");
    const told = await new Promise((resolve) => {
      socket.on("connect", () => resolve("connected"));
      socket.on("error", () => resolve("refused"));
      setTimeout(() => resolve("waits"), 500);
    });
    socket.destroy();
    assert.equal(told, "waits");
    assert.ok(((await hole?.packets()) ?? 0) > (before ?? 0));
  });

  for (const lost of ["region1", "region0"] as const) {
    const survivor = lost === "region1" ? "region0" : "region1";
    it(`are all that ${lost} has left: preview and failover send nothing there`, async () => {
      scene = await Scene.of({ region: survivor });
      const { stack, world } = scene;
      const steady = await timed(() => stack.preview());
      await world.lose(lost);
      await hide(lost);
      await stack.set("lostRegion", lost);
      const before = await hole?.packets();
      const preview = await timed(() => stack.preview());
      assert.match(preview.value.text, /recovery plan: fail over from/);
      assert.ok(preview.ms < steady.ms + LONGER_MS, `${preview.ms} ms, steady ${steady.ms} ms`);
      await stack.up();
      assert.equal((await scene.recovery()).phase, "failed-over");
      assert.equal((await hole?.packets()) ?? -1, before);
    });
  }

  it("of the surviving region too: a preview says that it could not ask, in time", async () => {
    scene = await Scene.of();
    const { stack, world } = scene;
    const steady = await timed(() => stack.preview());
    await world.lose("region1");
    await stack.set("lostRegion", "region1");
    await hide("region0");
    const preview = await timed(() => stack.preview());
    assert.match(preview.value.text, /recovery plan: .*offline/);
    assert.ok(preview.ms < steady.ms + LONGER_MS, `${preview.ms} ms, steady ${steady.ms} ms`);
  });
});
