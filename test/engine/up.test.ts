import assert from "node:assert/strict";
import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { EmbeddedWorld } from "../../world/camunda/embedded";
import { Workspace } from "../../world/pulumi/workspace";
import { endpointsConfig } from "../../world/scenes/endpointsConfig";
import { REPOSITORY } from "../../scripts/repository";

/** How a command has ended. */
interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

describe("npm run up", function () {
  this.timeout(900_000);
  let world: EmbeddedWorld;
  let workspace: Workspace;
  let running: ChildProcess | undefined;

  before(async () => {
    world = new EmbeddedWorld();
    await world.start();
    workspace = await Workspace.create({ config: endpointsConfig(world) });
  });

  after(async () => {
    running?.kill("SIGKILL");
    await world?.stop();
    await workspace?.dispose();
  });

  async function up(...args: string[]): Promise<Ended> {
    const { cwd, env } = workspace.shell;
    const child = spawn(
      process.execPath,
      ["-r", "tsx/cjs", "scripts/up.ts", "--dir", cwd, ...args],
      { cwd: REPOSITORY, env, stdio: ["ignore", "pipe", "pipe"] },
    );
    running = child;
    const ended: Ended = { code: null, stdout: "", stderr: "" };
    child.stdout?.on("data", (data) => (ended.stdout += String(data)));
    child.stderr?.on("data", (data) => (ended.stderr += String(data)));
    const [code] = (await once(child, "close")) as [number | null];
    running = undefined;
    return { ...ended, code };
  }

  it("asks nobody when there is nobody, and changes nothing then", async () => {
    const { code, stderr } = await up();
    assert.equal(code, 2);
    assert.match(stderr, /^error: there is no terminal to ask in/);
  });

  it("refuses stacks that are not one of each region", async () => {
    const { code, stderr } = await up("--yes", "--stacks", "region0,region0");
    assert.equal(code, 2);
    assert.match(stderr, /^error: stacks region0 and region0 are both of region0/);
  });

  it("runs both in turn until neither has anything to change", async () => {
    const { code, stdout, stderr } = await up("--yes", "--stacks", "region1,region0");
    assert.equal(code, 0, stdout + stderr);
    assert.deepEqual(
      stdout.match(/^round \d: stack region\d$/gm),
      [1, 2].flatMap((round) => [`round ${round}: stack region0`, `round ${round}: stack region1`]),
    );
    assert.match(
      stdout,
      /neither stack has anything to change\n {2}region0: steady, active region region0\n/,
    );
  });

  it("leaves the stack of a lost region alone, and says how it is recreated", async () => {
    const survivor = await workspace.stack("region0");
    await world.lose("region1");
    await survivor.set("lostRegion", "region1");
    await survivor.up();
    const { code, stdout, stderr } = await up("--yes");
    assert.equal(code, 0, stdout + stderr);
    assert.doesNotMatch(stdout, /round \d: stack region1/);
    assert.match(
      stdout,
      /stack region1: region1 is declared lost by stack region0: left alone; to recreate/,
    );
    assert.match(stdout, /region0: failed-over, active region region0/);
  });

  it("takes a lost region's stack along again when it was made anew", async () => {
    await workspace.recreate("region1");
    const { code, stdout, stderr } = await up("--yes");
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /region1: rejoining, active region region0/);
  });
});
