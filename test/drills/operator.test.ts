import assert from "node:assert/strict";
import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { until } from "../../world/processes/until";
import { Workspace } from "../../world/pulumi/workspace";
import { REGIONS } from "../../components/base/brokers";
import { REPOSITORY } from "../../scripts/repository";
import { ownCharts } from "../../world/scenes/charts";
import { KubernetesWorld } from "../../world/scenes/kubernetesWorld";

describe("the commands of an operator where the program has installed Camunda", function () {
  this.timeout(900_000);
  const installed = new KubernetesWorld({});
  let workspace: Workspace;
  let running: ChildProcess | undefined;

  before(async () => {
    await installed.start();
    workspace = await Workspace.create({
      config: {
        ...installed.config,
        clusterSize: 4,
        partitionCount: 2,
        timeouts: { settle: 2, absence: 2, gate: 60, formation: 60 },
      },
      environment: installed.environment,
    });
  });

  after(async () => {
    running?.kill("SIGKILL");
    await installed.stop();
    await workspace?.dispose();
  });

  /** Runs a command as a person would, and expects that it succeeds. */
  async function run(script: string, ...args: string[]): Promise<string> {
    const { cwd, env } = workspace.shell;
    const child = spawn(
      process.execPath,
      ["-r", "tsx/cjs", `scripts/${script}.ts`, "--dir", cwd, "--yes", ...args],
      { cwd: REPOSITORY, env, stdio: ["ignore", "pipe", "pipe"] },
    );
    running = child;
    let said = "";
    child.stdout?.on("data", (data) => (said += String(data)));
    child.stderr?.on("data", (data) => (said += String(data)));
    const [code] = (await once(child, "close")) as [number | null];
    running = undefined;
    assert.equal(code, 0, said);
    return said;
  }

  /** Of what version the brokers are, by id. */
  const versions = async () => {
    const response = await fetch(`${installed.world.endpoints.region0.gateway}/v2/topology`);
    const { brokers } = (await response.json()) as {
      brokers: { nodeId: number; version: string }[];
    };
    return Object.fromEntries(brokers.map(({ nodeId, version }) => [nodeId, version]));
  };

  const recovery = async (region: "region0" | "region1") =>
    (await (await workspace.stack(region)).outputs()).recovery as Record<string, unknown>;

  it("up installs both regions, in rounds", async () => {
    const said = await run("up");
    assert.match(said, /neither stack has anything to change/);
    assert.deepEqual(installed.world.obstacles(), []);
    assert.equal((await recovery("region0")).phase, "steady");
    await installed.world.startInstances("region0", 3);
  });

  it("up upgrades one region after the other, each when the other one is whole", async () => {
    const charts = ownCharts("8.7");
    for (const region of REGIONS) {
      const stack = await workspace.stack(region);
      await stack.set("camundaVersion", "8.7");
      await stack.set("charts", JSON.stringify(charts));
    }
    await assert.rejects(
      (await workspace.stack("region1")).up(),
      /camundaVersion is 8.7: region0 goes first, and is not whole on it yet/,
    );
    assert.deepEqual(await versions(), { 0: "8.6.39", 1: "8.6.39", 2: "8.6.39", 3: "8.6.39" });
    const said = await run("up");
    assert.match(said, /upgrade plan: region0 from Camunda 8.6 to 8.7/);
    assert.match(said, /upgrade plan: region1 from Camunda 8.6 to 8.7/);
    assert.deepEqual(await versions(), { 0: "8.7.37", 1: "8.7.37", 2: "8.7.37", 3: "8.7.37" });
    // What was begun is not taken back: brokers do not start on the data of a later minor.
    const stack = await workspace.stack("region0");
    await stack.set("camundaVersion", "8.6");
    await stack.set("charts", JSON.stringify(ownCharts()));
    await assert.rejects(
      stack.up(),
      /camundaVersion is 8.6, but region0 is of 8.7: one minor at a time, and none back; set 8.7/,
    );
    await stack.set("camundaVersion", "8.7");
    await stack.set("charts", JSON.stringify(charts));
  });

  it("failover fences, forces out, and lets the names of the lost region fail in a run of its own", async () => {
    await installed.lose("region1");
    const said = await run("failover", "--lost", "region1");
    const { phase, fenced, activeRegion } = await recovery("region0");
    assert.deepEqual([phase, fenced, activeRegion], ["failed-over", true, "region0"]);
    assert.doesNotMatch(said, /warning/);
    // Nothing of the whole stack is left to do: the names were not forgotten.
    const { changes } = await (await workspace.stack("region0")).preview();
    assert.deepEqual(
      Object.keys(changes).filter((kind) => kind !== "same"),
      [],
    );
    assert.match(said, /loss of the passive region/);
  });

  it("up brings the recreated region to where it waits, and leaves the fence closed", async () => {
    await installed.recreate("region1");
    await workspace.recreate("region1");
    await run("up");
    assert.equal((await recovery("region1")).phase, "rejoining");
    assert.equal((await recovery("region0")).fenced, true);
    assert.equal(installed.world.isRunning(1), false);
  });

  it("failback opens it and brings everything back, and its end is a word", async () => {
    await run("failback");
    assert.equal((await recovery("region0")).phase, "restored");
    await run("failback", "--finish");
    await run("up");
    assert.equal((await recovery("region1")).phase, "steady");
    assert.equal((await recovery("region0")).fenced, false);
    assert.deepEqual(installed.world.obstacles(), []);
    assert.deepEqual(installed.webApps("region1"), { "camunda-operate": 1, "camunda-tasklist": 1 });
  });

  it("up takes a region out that is to be maintained, without force and fence, and its web applications with it", async () => {
    const stack = await workspace.stack("region0");
    const mark = installed.world.mutations().length;
    await stack.set("drainRegion", "region1");
    await run("up");
    const { phase, fenced, drainRegion, lostRegion } = await recovery("region0");
    assert.deepEqual(
      [phase, fenced, drainRegion, lostRegion],
      ["drained", false, "region1", undefined],
    );
    assert.equal((await recovery("region1")).phase, "rejoining");
    assert.deepEqual(installed.webApps("region1"), {});
    const sent = installed.world
      .mutations()
      .slice(mark)
      .map(({ path }) => path);
    assert.ok(sent.includes("/actuator/cluster/brokers?replicationFactor=2"), sent.join("; "));
    assert.ok(!sent.some((path) => path.includes("force")), sent.join("; "));
  });

  it("a failback of it is given up while it is away, without a look at it", async () => {
    const { world } = installed;
    const indices = Object.keys(await world.documents("region1"));
    const { elasticsearch } = world.endpoints.region1;
    const { ok } = await fetch(`${elasticsearch}/${indices.join(",")}`, { method: "DELETE" });
    assert.ok(ok);
    const heal = world.inject({
      method: "POST",
      path: /_restore/,
      respond: { status: 400, body: { message: "not now" } },
    });
    const stack = await workspace.stack("region0");
    await stack.set("failback", "early");
    await assert.rejects(stack.up(), /not now/);
    heal();
    assert.deepEqual(installed.webApps("region0"), { "camunda-operate": 0, "camunda-tasklist": 0 });
    await installed.lose("region1");
    const arrived = installed.reached("region1").length;
    await run("failback", "--abandon");
    const { phase, failback, drainRegion } = await recovery("region0");
    assert.deepEqual([phase, failback, drainRegion], ["drained", undefined, "region1"]);
    assert.deepEqual(installed.webApps("region0"), { "camunda-operate": 1, "camunda-tasklist": 1 });
    assert.deepEqual(installed.reached("region1").slice(arrived), []);
    const keys = await world.startInstances("region0", 2);
    await until("exporting runs again", async () => {
      const known = await world.instanceKeys("region0");
      return keys.every((key) => known.has(key));
    });
  });

  it("the stack that stays needs nothing of it while it is away", async () => {
    const stack = await workspace.stack("region0");
    await stack.set("reason", "CHG-12: new nodes");
    await stack.up();
    assert.equal((await recovery("region0")).phase, "drained");
    await stack.unset("reason");
  });

  it("failback brings the drained region back, and its end is the same word", async () => {
    await installed.recreate("region1");
    await workspace.recreate("region1");
    await run("up");
    assert.equal((await recovery("region1")).drainRegion, "region1");
    const said = await run("failback");
    assert.match(said, /failback: to the drained region1/);
    assert.equal((await recovery("region0")).phase, "restored");
    await run("failback", "--finish");
    await run("up");
    const both = [await recovery("region0"), await recovery("region1")];
    assert.deepEqual(
      both.map(({ phase, drainRegion }) => [phase, drainRegion]),
      [
        ["steady", undefined],
        ["steady", undefined],
      ],
    );
    assert.deepEqual(installed.webApps("region1"), { "camunda-operate": 1, "camunda-tasklist": 1 });
  });
});
