import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { measured } from "../../scripts/bench/usage";
import { Scene } from "./scene";

describe("a run that must not be", function () {
  this.timeout(900_000);
  let scene: Scene;

  afterEach(() => scene?.end());

  /** What a preview costs that ends as expected: seconds of processor time. */
  async function costOfPreview(code: number): Promise<number> {
    const args = ["preview", "--non-interactive", "--stack", scene.region];
    const usage = await measured("pulumi", args, scene.workspace.shell);
    assert.equal(usage.code, code, usage.output);
    assert.doesNotMatch(usage.output, /\bat .*\.[jt]s:\d+/);
    return usage.cpu ?? usage.wall;
  }

  /** Formatting the stack of one error once cost five times as much as all the rest. */
  function expectCheap(refused: number, nothing: number): void {
    assert.ok(refused < 2 * nothing, `refused: ${refused} s, changing nothing: ${nothing} s`);
  }

  it("names every problem of the configuration at once, without a stack trace", async () => {
    scene = await Scene.of({ up: false });
    const nothing = await costOfPreview(0);
    await scene.stack.set("lostRegion", "mars");
    await scene.stack.set("clusterSize", "5");
    await scene.stack.set("lostregion", "region1");
    await scene.stack.set("timeouts.loss", "5");
    await scene.stack.set("overrides", "yes");
    const hook = { value: "./reroute.sh --token hush", secret: true };
    await scene.stack.stack.setConfig("hooks.afterFailover", hook, true);
    const file = path.join(scene.workspace.shell.cwd, "Pulumi.region0.yaml");
    // As an editor does it, without quotes.
    const slip = '"camunda-dual-region:failback": 2026-11-28,';
    fs.writeFileSync(
      file,
      fs.readFileSync(file, "utf8").replace(/^config:\s*\{/, (start) => start + slip),
    );
    const error = await scene.stack.up().then(
      () => assert.fail("up succeeded"),
      (failure: Error) => failure.message,
    );
    assert.match(error, /lostRegion must be region0 or region1, not "mars"/);
    assert.match(error, /clusterSize must be even and from 4 to 1000, not 5/);
    assert.match(error, /lostregion is not a key of this program: did you mean lostRegion\?/);
    assert.match(
      error,
      /timeouts.loss is a part of timeouts, set without --path: pulumi config rm/,
    );
    assert.match(error, /overrides must be structured \(set it with --path/);
    assert.match(error, /failback is a date to YAML, since it has no quotes: write "2026-11-28"/);
    assert.match(error, /hooks is set as a secret, but is in the state in clear/);
    assert.doesNotMatch(error, /hush/);
    assert.doesNotMatch(error, /\bat .*\.ts:\d+/);
    expectCheap(await costOfPreview(1), nothing);
  });

  it("refuses to force out brokers that still answer, and sends nothing", async () => {
    scene = await Scene.of({ config: { timeouts: { request: 2, loss: 1, absence: 0.5 } } });
    await scene.stack.set("lostRegion", "region1");
    const preview = await scene.stack.preview();
    assert.match(preview.text, /up will wait for the survivors to no longer see brokers 1, 3/);
    const mark = scene.mark();
    await assert.rejects(scene.stack.up(), /a region that answers is not lost/);
    assert.deepEqual(scene.since(mark), []);
    assert.equal((await scene.recovery()).phase, "steady");
  });

  it("refuses when the other region's stack declares this one lost", async () => {
    scene = await Scene.of();
    const nothing = await costOfPreview(0);
    const other = await scene.workspace.stack("region1");
    await scene.world.lose("region0");
    await other.set("lostRegion", "region0");
    await other.up();
    await scene.stack.set("lostRegion", "region1");
    await assert.rejects(
      scene.stack.preview(),
      /stack region1 declares region0, the region of this stack, lost/,
    );
    expectCheap(await costOfPreview(1), nothing);
  });

  it("refuses to take lostRegion away from a cluster that is failed over, and to keep it after a failback", async () => {
    scene = await Scene.of();
    await scene.failOver();
    await scene.stack.unset("lostRegion");
    const mark = scene.mark();
    await assert.rejects(scene.stack.up(), /adding brokers is part of a failback/);
    assert.deepEqual(scene.since(mark), []);
    await scene.stack.set("lostRegion", "region1");
    await scene.world.recreate("region1");
    await scene.stack.set("failback", "one");
    await scene.stack.up();
    await scene.stack.unset("failback");
    const restored = scene.mark();
    await assert.rejects(
      scene.stack.up(),
      /still see brokers 1, 3 .*, or remove lostRegion \(waited/,
    );
    assert.deepEqual(scene.since(restored), []);
  });

  it("previews in a few requests' time, and says so, when the survivor does not answer either", async () => {
    scene = await Scene.of();
    const heal = scene.world.inject({ region: "region0", path: /.*/, hang: true });
    await scene.stack.set("lostRegion", "region1");
    const preview = await scene.stack.preview();
    heal();
    assert.match(
      preview.text,
      /recovery plan: fail over from region1 \(offline: .*no answer within 2 s\)/,
    );
    assert.match(preview.text, /force out brokers 1, 3 of region1/);
  });

  it("keeps the password of Elasticsearch out of the state and the messages", async () => {
    const password = "correct-horse-battery";
    scene = await Scene.of({
      world: { elasticsearchAuth: { user: "elastic", password } },
      config: { elasticsearchUser: "elastic", elasticsearchPassword: "wrong-but-not-secret" },
      up: false,
    });
    const error = await scene.stack.up().then(
      () => assert.fail("up succeeded"),
      (failure: Error) => failure.message,
    );
    assert.match(error, /elasticsearchPassword is set in clear: pulumi config set --secret/);
    assert.doesNotMatch(error, /wrong-but-not-secret/);
    await scene.stack.stack.setConfig("elasticsearchPassword", { value: password, secret: true });
    await scene.stack.up();
    await scene.failOver();
    await scene.world.recreate("region1");
    await scene.stack.set("failback", "one");
    const result = await scene.stack.up();
    // Not the Automation API's export, which shows secrets.
    const state = execFileSync("pulumi", ["stack", "export", "-s", "region0"], {
      ...scene.workspace.shell,
      encoding: "utf8",
    });
    assert.equal((await scene.recovery()).phase, "restored");
    assert.ok(!state.includes(password), "the state holds the password");
    assert.ok(!(result.stdout + result.stderr).includes(password), "the output holds the password");
  });
});
