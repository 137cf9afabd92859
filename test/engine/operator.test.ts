import assert from "node:assert/strict";
import { ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { EmbeddedWorld, ReceivedRequest } from "../../world/camunda/embedded";
import { Workspace } from "../../world/pulumi/workspace";
import { endpointsConfig } from "../../world/scenes/endpointsConfig";
import { REPOSITORY } from "../../scripts/repository";

/** How a command has ended. */
interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The commands that have not ended. */
const running = new Set<ChildProcess>();

/** A process and everything that it has started, in whatever process group. */
function family(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const line of execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).split(
    "\n",
  )) {
    const [child, parent] = line.trim().split(/\s+/).map(Number);
    if (child !== undefined && parent !== undefined) {
      children.set(parent, [...(children.get(parent) ?? []), child]);
    }
  }
  const all = [pid];
  for (const member of all) {
    all.push(...(children.get(member) ?? []));
  }
  return all;
}

/** As a power failure would: the command, the engine and the providers at once. */
function killFamily(child: ChildProcess): void {
  for (const pid of child.pid === undefined ? [] : family(child.pid)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "ESRCH");
    }
  }
}

describe("commands of an operator on stacks of their own", function () {
  this.timeout(900_000);
  let world: EmbeddedWorld;
  let workspace: Workspace;
  /** How many requests that change something the first up has sent. */
  let adopted = 0;
  /** When the region was lost, in milliseconds since the epoch. */
  let lost = 0;

  before(async () => {
    world = new EmbeddedWorld();
    await world.start();
    workspace = await Workspace.create({ config: endpointsConfig(world) });
    await (await workspace.stack("region0")).up();
    adopted = world.mutations().length;
    await world.startInstances("region0", 5);
  });

  after(async () => {
    running.forEach(killFamily);
    await world?.stop();
    await workspace?.dispose();
  });

  function start(script: string, args: string[]): { child: ChildProcess; end: Promise<Ended> } {
    const { cwd, env } = workspace.shell;
    const child = spawn(
      process.execPath,
      ["-r", "tsx/cjs", `scripts/${script}.ts`, "--dir", cwd, ...args],
      { cwd: REPOSITORY, env, detached: true, stdio: ["ignore", "pipe", "pipe"] },
    );
    running.add(child);
    const ended: Ended = { code: null, stdout: "", stderr: "" };
    child.stdout?.on("data", (data) => (ended.stdout += String(data)));
    child.stderr?.on("data", (data) => (ended.stderr += String(data)));
    const end = new Promise<Ended>((resolve) => {
      child.on("close", (code) => {
        running.delete(child);
        resolve({ ...ended, code });
      });
    });
    return { child, end };
  }

  const run = (script: string, ...args: string[]) => start(script, args).end;

  /** Runs a command and ends everything of it when the world sees a request. */
  async function runAndKill(script: string, args: string[], at: RegExp): Promise<void> {
    // The answer is late, so that the request is certainly under way when its sender dies.
    const heal = world.inject({ method: "POST", path: at, delayMs: 1_000, times: 1 });
    const { child, end } = start(script, args);
    let killed = false;
    const stopListening = world.onRequest(({ method, path: target }: ReceivedRequest) => {
      if (!killed && method === "POST" && at.test(target)) {
        killed = true;
        killFamily(child);
      }
    });
    const { stdout, stderr } = await end;
    stopListening();
    heal();
    assert.ok(killed, `never asked for ${at}: ${stdout}${stderr}`);
  }

  const file = () => path.join(workspace.shell.cwd, "Pulumi.region0.yaml");
  const configuration = () => fs.readFileSync(file(), "utf8");
  const recovery = async () =>
    (await (await workspace.stack("region0")).outputs()).recovery as Record<string, unknown>;
  const sent = (pattern: RegExp) =>
    world.mutations().filter((request) => pattern.test(request.path)).length;
  /** What a killed run was creating, by the state. */
  const pending = async () => {
    const { deployment } = await (await workspace.stack("region0")).stack.exportStack();
    const { pending_operations: operations = [] } = deployment as {
      pending_operations?: { resource: { urn: string }; type: string }[];
    };
    return operations
      .filter(({ type }) => type === "creating")
      .map(({ resource }) => resource.urn.split("::").pop());
  };
  const state = () =>
    path.join(workspace.shell.cwd, "state/.pulumi/stacks/camunda-dual-region/region0.json");
  /** Writes into the state that a killed run was creating something. Returns the state of before. */
  const wasCreating = (type: string, name: string) => {
    const before = fs.readFileSync(state(), "utf8");
    const { checkpoint, ...rest } = JSON.parse(before) as {
      checkpoint: { latest: { pending_operations?: object[] } };
    };
    const urn = `urn:pulumi:region0::camunda-dual-region::${type}::${name}`;
    (checkpoint.latest.pending_operations ??= []).push({
      resource: { urn, custom: true, type },
      type: "creating",
    });
    // Not `pulumi stack import`, which drops them.
    fs.writeFileSync(state(), JSON.stringify({ ...rest, checkpoint }));
    return before;
  };
  const succeeded = (ended: Ended) => assert.equal(ended.code, 0, ended.stdout + ended.stderr);

  const force = /\/brokers\?force=true$/;

  const refusals: [string, string, string[], RegExp][] = [
    [
      "the stack of the lost region",
      "failover",
      ["--lost", "region1", "--stack", "region1", "--yes"],
      /^error: stack region1 is the stack of region1: .*survives\n$/,
    ],
    [
      "a stack that does not exist",
      "failover",
      ["--lost", "region1", "--stack", "nosuch", "--yes"],
      /^error: there is no stack nosuch; .*region0, region1\n$/,
    ],
    [
      "to go on without asking when nobody can be asked",
      "failover",
      ["--lost", "region1"],
      /^error: there is no terminal to ask in: .*--yes\n$/,
    ],
    [
      "stacks of which one does not exist",
      "up",
      ["--stacks", "region0,nosuch", "--yes"],
      /^error: there is no stack nosuch; --stacks A,B with one of: region0, region1\n$/,
    ],
    ["a region that does not exist", "failover", ["--lost", "mars"], /^error: --lost must be /],
    ["an unknown option", "failback", ["--force"], /^error: Unknown option '--force'.*\n$/],
    [
      "a failback without a lost region",
      "failback",
      ["--yes"],
      /^error: neither stack region0 nor region1 declares a region lost or drained: .*\n$/,
    ],
  ];
  for (const [what, script, args, text] of refusals) {
    it(`refused: ${what}`, async () => {
      const before = configuration();
      const ended = await run(script, ...args);
      assert.match(ended.stderr, text);
      assert.equal(ended.code, 2);
      assert.equal(configuration(), before);
      assert.equal(world.mutations().length, adopted);
    });
  }

  for (const [who, hostname, pid] of [
    ["somebody else", "elsewhere", 1],
    // As one in a container of the same host name looks from here.
    ["a process that is not seen here", os.hostname(), 4_000_000],
  ] as const) {
    it(`refused: a failover while ${who} works on the stack, also with --yes`, async () => {
      const locks = path.join(
        workspace.shell.cwd,
        "state/.pulumi/locks/organization/camunda-dual-region/region0",
      );
      fs.mkdirSync(locks, { recursive: true });
      const lock = path.join(locks, "11111111-1111-1111-1111-111111111111.json");
      fs.writeFileSync(
        lock,
        JSON.stringify({
          pid,
          username: "colleague",
          hostname,
          timestamp: new Date().toISOString(),
        }),
      );
      const before = configuration();
      try {
        const ended = await run("failover", "--lost", "region1", "--yes");
        assert.match(
          ended.stderr,
          /^error: stack region0 is locked by colleague@\S+ \(pid \d+\).*npm run pulumi -- cancel --yes --stack region0 --cwd \S+\n$/,
        );
        assert.equal(ended.code, 1);
        assert.equal(configuration(), before);
        assert.ok(fs.existsSync(lock), "the lock of somebody else is gone");
        assert.equal(world.mutations().length, adopted);
      } finally {
        fs.rmSync(lock);
      }
    });
  }

  it("a failover that was killed with the forced removal under way is ended by the same command, also of a region that was to be drained", async () => {
    await (await workspace.stack("region0")).set("drainRegion", "region1");
    await world.lose("region1");
    lost = Date.now();
    await runAndKill("failover", ["--lost", "region1", "--yes"], force);
    const ended = await run("failover", "--lost", "region1", "--yes");
    succeeded(ended);
    assert.match(ended.stdout, /^cleared: the lock of .*\(pid \d+\).*, a run that is dead$/m);
    assert.match(ended.stdout, /^ {2}members {4}brokers 0, 2 \(region0\/0, region0\/1\)$/m);
    assert.match(ended.stdout, /^ {2}2\. npm run failback -- --dir /m);
    assert.deepEqual(world.cluster().members, [0, 2]);
    assert.equal(world.cluster().exporters["elasticsearchregion1"], "DISABLED");
    assert.ok(sent(force) <= 2);
    assert.doesNotMatch(configuration(), /drainRegion/);
    const { phase, lostRegion } = await recovery();
    assert.deepEqual({ phase, lostRegion }, { phase: "failed-over", lostRegion: "region1" });
  });

  it("the record of that failover is of this loss, not of the time before", async () => {
    const { since } = await recovery();
    assert.ok(Date.parse(String(since)) >= lost, `failed over since ${String(since)}`);
  });

  it("a second failover changes nothing", async () => {
    const before = world.mutations().length;
    const ended = await run("failover", "--lost", "region1", "--yes");
    succeeded(ended);
    assert.match(ended.stdout, /^nothing to change: this run only verifies$/m);
    assert.equal(world.mutations().length, before);
  });

  it("what a killed run was creating outside of the recovery stays in the state: it may be there, and nobody's", async () => {
    const before = wasCreating("aws:ec2/vpc:Vpc", "network");
    const ended = await run("failover", "--lost", "region1", "--yes");
    succeeded(ended);
    assert.match(
      ended.stdout,
      /^kept: a killed run was creating network: .* refresh --clear-pending-creates --exclude '\*\*' --stack region0 /m,
    );
    assert.deepEqual(await pending(), ["network"]);
    fs.writeFileSync(state(), before);
  });

  it("a failback that was killed at the pause can be abandoned, and exporting runs", async () => {
    await world.recreate("region1");
    await runAndKill("failback", ["--attempt", "first", "--yes"], /\/exporting\/pause$/);
    // Of ours too, though in no component of a recovery.
    wasCreating("pulumi-nodejs:dynamic/camunda:RepositoryTrial", "another-trial");
    const ended = await run("failback", "--abandon", "--yes");
    succeeded(ended);
    assert.match(ended.stdout, /^cleared: a killed run was creating another-trial; /m);
    assert.match(ended.stdout, /^cleared: a killed run was creating export-pause; /m);
    assert.match(ended.stdout, /^cleared: the lock of /m);
    const phases = Object.values(world.cluster().phases).flatMap((replicas) =>
      Object.values(replicas),
    );
    assert.deepEqual([...new Set(phases)], ["EXPORTING"]);
    assert.deepEqual(await pending(), []);
    assert.equal((await recovery()).phase, "failed-over");
    assert.doesNotMatch(configuration(), /failback/);
  });

  it("the name of the abandoned attempt is refused, and nothing stays declared", async () => {
    const before = configuration();
    const ended = await run("failback", "--attempt", "first", "--yes");
    assert.match(
      ended.stderr,
      /^error: refused: failback is first, the name of an earlier attempt/,
    );
    assert.equal(ended.code, 1);
    assert.equal(configuration(), before);
  });

  it("a failback restores the region, and can then only be finished", async () => {
    const failback = await run("failback", "--yes");
    succeeded(failback);
    assert.match(failback.stdout, /attempt \d{4}-\d\d-\d\d, on stack region0/);
    assert.match(failback.stdout, /pulumi -- up --stack region1 --cwd /);
    assert.match(failback.stdout, /npm run failback -- --finish --dir /);
    assert.equal((await recovery()).phase, "restored");
    assert.deepEqual(world.cluster().members, [0, 1, 2, 3]);
    const abandon = await run("failback", "--abandon", "--yes");
    assert.equal(abandon.code, 1);
    assert.match(abandon.stderr, /^error: failback \S+ has ended, .*--finish/);
  });

  it("finishing removes the declarations, and the stack is steady", async () => {
    const before = world.mutations().length;
    const ended = await run("failback", "--finish", "--yes");
    succeeded(ended);
    assert.match(ended.stdout, /^nothing more to do$/m);
    assert.equal((await recovery()).phase, "steady");
    assert.doesNotMatch(configuration(), /lostRegion|failback/);
    assert.equal(world.mutations().length, before);
    const again = await run("failback", "--finish", "--yes", "--stack", "region0");
    assert.equal(again.code, 1);
    assert.match(
      again.stderr,
      /^error: stack region0 is steady .* no failback is left to finish\n$/,
    );
  });
});
