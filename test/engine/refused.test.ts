import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { measured } from "../../scripts/bench/usage";
import { REPOSITORY } from "../../scripts/repository";
import { Scene } from "./scene";

/** Lets a project be the repository, as a user has it, instead of one that names a program elsewhere. */
function asProject(folder: string): void {
  for (const name of [
    ...["index.ts", "package.json", "tsconfig.json", "Pulumi.README.md"],
    ...["components", "node_modules"],
  ]) {
    fs.symlinkSync(path.join(REPOSITORY, name), path.join(folder, name));
  }
  const file = path.join(folder, "Pulumi.yaml");
  fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(/^main: .*\n/m, ""));
}

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

  it("keeps every secret out of the state and the messages, where all APIs ask for one of their own", async () => {
    const secrets = {
      "gateway.region0.password": "correct-horse-0",
      "gateway.region1.token": "correct-horse-1",
      "management.region0.token": "correct-horse-2",
      "management.region1.password": "correct-horse-3",
      "elasticsearch.region0.apiKey": "correct-horse-4",
      "elasticsearch.region1.password": "correct-horse-5",
    };
    scene = await Scene.of({
      world: {
        demands: {
          region0: {
            gateway: { user: "camunda", password: secrets["gateway.region0.password"] },
            management: { token: secrets["management.region0.token"] },
            elasticsearch: { apiKey: secrets["elasticsearch.region0.apiKey"] },
          },
          region1: {
            gateway: { token: secrets["gateway.region1.token"] },
            management: { user: "ops", password: secrets["management.region1.password"] },
            elasticsearch: { user: "elastic", password: secrets["elasticsearch.region1.password"] },
          },
        },
      },
      config: {
        credentials: {
          gateway: { region0: { user: "camunda" } },
          management: { region1: { user: "ops" } },
          elasticsearch: { region0: { apiKey: "in-clear" }, region1: { user: "elastic" } },
        },
      },
      up: false,
    });
    const { cwd } = scene.workspace.shell;
    asProject(cwd);
    const peer = await scene.workspace.stack("region1");
    const said: string[] = [];
    const refused = async () => {
      const error = await scene.stack.up().then(
        () => assert.fail("up succeeded"),
        (failure: Error) => failure.message,
      );
      said.push(error);
      return error;
    };
    const setAll = (values: Record<string, string>) =>
      Promise.all(
        [scene.stack, peer].map(({ stack }) =>
          stack.setAllConfig(
            Object.fromEntries(
              Object.entries(values).map(([part, value]) => [
                `credentials.${part}`,
                { value, secret: true },
              ]),
            ),
            true,
          ),
        ),
      );

    const clear =
      /credentials.elasticsearch.region0.apiKey is set in clear: change it, then pulumi config set --path --secret credentials.elasticsearch.region0.apiKey/;
    assert.match(await refused(), clear);
    // The others are encrypted: of an object Pulumi tells only that something in it is.
    const { "elasticsearch.region0.apiKey": last, ...others } = secrets;
    await setAll(others);
    assert.match(await refused(), clear);
    assert.doesNotMatch(said.join(), /in-clear/);
    await setAll({
      "elasticsearch.region0.apiKey": last,
      "management.region0.token": "wrong-horse",
    });
    assert.match(
      await refused(),
      /answered 401 to a token: correct credentials.management.region0/,
    );
    await setAll({ "management.region0.token": secrets["management.region0.token"] });

    const keep = (run: { stdout: string; stderr: string }) => said.push(run.stdout, run.stderr);
    keep(await scene.stack.up());
    keep(await peer.up());
    await scene.failOver();
    await scene.world.recreate("region1");
    await scene.stack.set("failback", "one");
    said.push((await scene.stack.preview()).text);
    keep(await scene.stack.up());
    assert.equal((await scene.recovery()).phase, "restored");

    // Not the Automation API's export, which shows secrets.
    for (const region of ["region0", "region1"]) {
      for (const args of [["export"], ["output", "--json", "--show-secrets"]]) {
        // Not awaited in this process's stead: it has the key by which secrets are read.
        const run = promisify(execFile)("pulumi", ["stack", ...args, "-s", region], {
          ...scene.workspace.shell,
        });
        said.push((await run).stdout);
      }
    }
    const files = fs
      .readdirSync(cwd, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => fs.readFileSync(path.join(file.parentPath, file.name), "latin1"));
    assert.ok(files.some((text) => text.includes("credentials")));
    for (const [part, secret] of Object.entries({ ...secrets, wrong: "wrong-horse" })) {
      const basic = ["camunda", "ops", "elastic"].map((user) =>
        Buffer.from(`${user}:${secret}`).toString("base64"),
      );
      for (const text of [secret, ...basic]) {
        assert.ok(!said.some((one) => one.includes(text)), `${part} was said`);
        assert.ok(!files.some((one) => one.includes(text)), `${part} is in a file`);
      }
    }
  });
});
