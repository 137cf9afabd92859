import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { REPOSITORY } from "../../../scripts/repository";
import { cacheFolder } from "../../../scripts/setup/cache.mjs";
import { until } from "../../../world/processes/until";

const PATIENT = { seconds: 60 };

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** The modules are plain JavaScript, which setup can run before npm's packages exist. */
async function load(name: string) {
  return (await import(pathToFileURL(path.join(REPOSITORY, "scripts/setup", name)).href)) as Record<
    string,
    (...args: never[]) => unknown
  >;
}

function end(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (chunk) => (stdout += chunk));
    child.stderr?.on("data", (chunk) => (stderr += chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

const HOST_SOURCE = `one
	responseChannel := make(chan *pulumirpc.RunResponse)
	defer close(responseChannel)
two
`;

/** A checkout with nothing but the setup scripts, and stand-ins for the programs they call. */
class World {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), "setup-test-"));
  readonly root = path.join(this.folder, "repo");
  readonly bin = path.join(this.folder, "bin");
  readonly cache = path.join(this.folder, "cache");
  readonly languageHost = path.join(this.folder, "language-host");
  private readonly callsFile = path.join(this.folder, "calls");

  constructor() {
    for (const file of ["setup.mjs", "run.mjs", "setup"]) {
      const target = path.join(this.root, "scripts", file);
      cpSync(path.join(REPOSITORY, "scripts", file), target, { recursive: true });
    }
    writeFileSync(path.join(this.root, "package.json"), "{}");
    this.lockfile("1.0.0");
    writeFileSync(this.callsFile, "");
    this.program(
      "npm",
      `const sdk = "node_modules/@pulumi/pulumi";
      fs.mkdirSync(sdk + "/automation", { recursive: true });
      fs.writeFileSync(sdk + "/package.json", JSON.stringify({ version: "3.248.0" }));
      fs.writeFileSync(sdk + "/pulumi-resource-pulumi-nodejs", "#!/bin/sh\\n", { mode: 0o755 });
      fs.writeFileSync(sdk + "/automation/index.js", process.env.INSTALLER ??
        "exports.PulumiCommand = { install: async () => { throw new Error('refused') } };");
      fs.copyFileSync("package-lock.json", "node_modules/.package-lock.json");`,
    );
  }

  /** Puts a program on PATH; `body` is JavaScript. */
  program(name: string, body: string, folder = this.bin) {
    const file = path.join(folder, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      file,
      `#!${process.execPath}
      const fs = require("node:fs");
      fs.appendFileSync(${JSON.stringify(this.callsFile)}, ["${name}", process.argv[2]].join(" ") + "\\n");
      ${body}`,
    );
    chmodSync(file, 0o755);
  }

  go(buildMs = 0) {
    this.program(
      "go",
      `const [, , verb, ...args] = process.argv;
      if (verb === "version") console.log("go version go1.26.0 linux/amd64");
      const host = ${JSON.stringify(this.languageHost)};
      if (verb === "list") {
        fs.mkdirSync(host, { recursive: true });
        fs.writeFileSync(host + "/main.go", process.env.HOST_SOURCE ?? ${JSON.stringify(HOST_SOURCE)});
        console.log(host);
      }
      if (verb === "build" && fs.existsSync("main.go")) fs.copyFileSync("main.go", host + "/built.go");
      if (verb === "build") setTimeout(() => {
        const body = "#!/bin/sh\\necho v3.230.0\\n";
        fs.writeFileSync(args[args.indexOf("-o") + 1], body, { mode: 0o755 });
      }, ${buildMs});`,
    );
  }

  lockfile(version: string) {
    const packages = { "": {}, "node_modules/@pulumi/pulumi": { version } };
    writeFileSync(path.join(this.root, "package-lock.json"), JSON.stringify({ packages }));
  }

  start(args: string[], env: NodeJS.ProcessEnv = {}) {
    return spawn(process.execPath, args, {
      cwd: this.root,
      env: { PATH: this.bin, CAMUNDA_DUAL_REGION_CACHE: this.cache, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  setup(env?: NodeJS.ProcessEnv) {
    return end(this.start(["scripts/setup.mjs"], env));
  }

  calls() {
    return readFileSync(this.callsFile, "utf8").split("\n").slice(0, -1);
  }

  count(call: string) {
    return this.calls().filter((line) => line === call).length;
  }

  made() {
    const base = path.join(this.cache, "pulumi");
    return existsSync(base) ? readdirSync(base) : [];
  }
}

const FROM_GO = "3.230.0-go-nodejs-3.68.0-mended";

describe("setup", function () {
  this.timeout(120_000);
  let world: World;

  beforeEach(() => {
    world = new World();
  });
  afterEach(() => {
    rmSync(world.folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it("installs packages and builds the CLI once, and again only what has changed", async () => {
    world.go();
    const first = await world.setup();
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^packages {2}installed now$/m);
    assert.match(first.stdout, /^pulumi {4}3\.230\.0 \(.*built from Go modules\)$/m);
    assert.deepEqual(world.made(), [FROM_GO]);
    assert.deepEqual(readdirSync(path.join(world.cache, "pulumi", FROM_GO, "bin")).sort(), [
      "pulumi",
      "pulumi-language-nodejs",
      "pulumi-resource-pulumi-nodejs",
    ]);

    const calls = world.calls();
    const second = await world.setup();
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stdout, /^packages {2}as in package-lock\.json$/m);
    assert.equal(second.stderr, "");
    assert.deepEqual(world.calls(), calls);

    world.lockfile("1.0.1");
    assert.equal((await world.setup()).code, 0);
    assert.deepEqual(world.calls(), [...calls, "npm ci"]);
  });

  it("mends the language host that it builds, and builds none in which it does not find the fault", async () => {
    world.go();
    const other = await world.setup({ HOST_SOURCE: "package main\n" });
    assert.equal(other.code, 1);
    assert.match(other.stderr, /^setup: .*; Go: .*main\.go has 0 times what is to be mended/m);
    assert.deepEqual(world.made(), []);
    const { code, stderr } = await world.setup();
    assert.equal(code, 0, stderr);
    assert.equal(
      readFileSync(path.join(world.languageHost, "built.go"), "utf8"),
      "one\n\tresponseChannel := make(chan *pulumirpc.RunResponse, 3)\ntwo\n",
    );
  });

  it("takes packages that somebody has installed by hand", async () => {
    world.go();
    await world.setup();
    rmSync(path.join(world.root, "node_modules/.camunda-dual-region.json"));
    assert.equal((await world.setup()).code, 0);
    assert.equal(world.count("npm ci"), 1);
  });

  it("shows npm's output when it fails, and makes nothing", async () => {
    world.program("npm", `console.error("npm error code ENOTFOUND"); process.exitCode = 7;`);
    const { code, stdout, stderr } = await world.setup();
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /npm error code ENOTFOUND/);
    assert.match(stderr, /^setup: npm failed with exit code 7/m);
    assert.deepEqual(world.made(), []);
  });

  it("builds once when two run at the same time", async () => {
    world.go(500);
    const both = await Promise.all([world.setup(), world.setup()]);
    for (const { code, stderr } of both) {
      assert.equal(code, 0, stderr);
    }
    assert.equal(world.count("npm ci"), 1);
    assert.equal(world.count("go build"), 2); // the CLI and its language host
    assert.deepEqual(world.made(), [FROM_GO]);
  });

  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    it(`recovers after ${signal} in the middle of a build`, async () => {
      world.go(3000);
      const child = world.start(["scripts/setup.mjs"]);
      const ended = end(child);
      await until("two builds", () => world.count("go build") === 2, PATIENT);
      child.kill(signal);
      const { code, signal: by } = await ended;
      if (signal === "SIGTERM") {
        assert.equal(code, 143);
        assert.deepEqual(world.made(), []);
      } else {
        assert.equal(by, "SIGKILL");
      }
      world.go();
      const again = await world.setup();
      assert.equal(again.code, 0, again.stderr);
      assert.deepEqual(world.made(), [FROM_GO]);
    });
  }

  it("builds while npm installs, and stops when that fails", async () => {
    world.go(60_000);
    world.program(
      "npm",
      `setInterval(() => {
        const calls = fs.readFileSync(${JSON.stringify(path.join(world.folder, "calls"))}, "utf8");
        if (calls.includes("go build")) process.exit(7);
      }, 20);`,
    );
    const { code, stderr } = await world.setup();
    assert.equal(code, 1);
    assert.match(stderr, /^setup: npm failed with exit code 7/m);
    assert.deepEqual(world.made(), []);
  });

  it("says in one line what was tried when there is no way to a CLI", async () => {
    const { code, stderr } = await world.setup();
    assert.equal(code, 1);
    const line = stderr.trim().split("\n").at(-1) ?? "";
    assert.match(
      line,
      /^setup: no Pulumi CLI\. PATH: no pulumi; Pulumi's own installer: .*refused/,
    );
    assert.match(line, /; Go: not on PATH\. The way out: install Pulumi 3\.200 .* or Go /);
    assert.deepEqual(world.made(), []);
  });

  it("takes what Pulumi's own installer brings, and ends the build that has begun", async () => {
    world.go(60_000);
    const result = await world.setup({
      INSTALLER: `const fs = require("node:fs");
        exports.PulumiCommand = { install: async ({ root }) => {
          fs.mkdirSync(root + "/bin", { recursive: true });
          for (const name of ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"])
            fs.writeFileSync(root + "/bin/" + name, "#!/bin/sh\\n", { mode: 0o755 });
        } };`,
    });
    assert.match(result.stdout, /^pulumi {4}3\.248\.0 \(.*Pulumi's own installer\)$/m);
    assert.deepEqual(world.made(), ["3.248.0"]);
    assert.match(result.stderr, /building the Pulumi CLI from Go modules: not needed any more$/m);
  });

  it("uses the pulumi on PATH as it is", async () => {
    for (const name of ["pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"]) {
      world.program(name, "");
    }
    world.program("pulumi", `console.log("v3.210.0");`);
    const { stdout, stderr } = await world.setup();
    assert.match(stdout, /^pulumi {4}3\.210\.0 \(.*\/bin\/pulumi, from PATH\)$/m, stderr);
    const shown = await end(
      world.start(["scripts/run.mjs", process.execPath, "-p", "process.env.PATH"]),
    );
    assert.ok(shown.stdout.startsWith(world.bin), shown.stderr);
  });

  it("says why a pulumi on PATH is not used, and goes on", async () => {
    world.go();
    world.program("pulumi", `console.error("damaged"); process.exitCode = 3;`);
    const broken = await world.setup();
    assert.equal(broken.code, 0, broken.stderr);
    assert.match(broken.stderr, /^not used: PATH: .*pulumi failed with exit code 3: damaged$/m);

    world.program("pulumi", `console.log("v3.210.0");`);
    const alone = await world.setup();
    assert.match(alone.stderr, /^not used: PATH: .* has no pulumi-language-nodejs and /m);
    assert.match(alone.stdout, /built from Go modules/);
  });

  describe("the launcher", () => {
    beforeEach(async () => {
      world.go();
      assert.equal((await world.setup()).code, 0);
    });

    it("keeps the engine's own sockets out of a proxy, also where a blank is in the list", async () => {
      const list = async (env: NodeJS.ProcessEnv) => {
        const program = "process.env.NO_PROXY + ' ' + process.env.no_proxy";
        const args = ["scripts/run.mjs", process.execPath, "-p", program];
        return (await end(world.start(args, env))).stdout.trim();
      };
      const local = "127.0.0.1,localhost";
      assert.equal(await list({}), "undefined undefined");
      assert.equal(await list({ HTTPS_PROXY: "http://proxy.test" }), `${local} ${local}`);
      const given = `a.test,.b.test,${local}`;
      assert.equal(await list({ NO_PROXY: "a.test, .b.test" }), `${given} ${given}`);
      assert.equal(
        await list({ https_proxy: "http://p", no_proxy: "localhost" }),
        "localhost,127.0.0.1 localhost,127.0.0.1",
      );
    });

    it("passes arguments, output, exit code and the CLI's folder", async () => {
      const program = `console.log(JSON.stringify([process.argv.slice(1), process.cwd(),
        process.env.PATH, process.env.PULUMI_SKIP_UPDATE_CHECK])); process.exitCode = 5;`;
      const args = ["scripts/run.mjs", process.execPath, "-e", program, "--", "--lose", "a b"];
      const { code, stdout, stderr } = await end(world.start(args));
      assert.equal(code, 5);
      assert.equal(stderr, "");
      const [argv, cwd, searchPath, skip] = JSON.parse(stdout) as [
        string[],
        string,
        string,
        string,
      ];
      assert.deepEqual(argv, ["--lose", "a b"]);
      assert.equal(path.basename(cwd), "repo");
      assert.ok(searchPath.startsWith(path.join(world.cache, "pulumi", FROM_GO, "bin")));
      assert.equal(skip, "true");
    });

    it("passes SIGTERM on once, and ends as the command does", async () => {
      const program = `let n = 0; process.on("SIGTERM", () => { n++; setTimeout(() => {
        console.log("got " + n); process.exit(9); }, 300); });
        setInterval(() => {}, 1000); console.log("ready");`;
      const child = world.start(["scripts/run.mjs", process.execPath, "-e", program]);
      const ended = end(child);
      await new Promise((resolve) => child.stdout?.once("data", resolve));
      child.kill("SIGTERM");
      await sleep(50);
      child.kill("SIGTERM");
      const { code, stdout } = await ended;
      assert.deepEqual([code, stdout], [9, "ready\ngot 1\n"]);
    });

    it("dies of the signal that the command died of", async () => {
      const program = `process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000);`;
      const child = world.start(["scripts/run.mjs", process.execPath, "-e", program]);
      assert.equal((await end(child)).signal, "SIGTERM");
    });

    it("reports a command that does not exist", async () => {
      const { code, stderr } = await end(world.start(["scripts/run.mjs", "no-such-command"]));
      assert.equal(code, 127);
      assert.match(stderr, /no-such-command could not be started/);
    });
  });

  it("ends a command at its deadline together with what it has started", async () => {
    const { run } = await load("process.mjs");
    const pidFile = path.join(world.folder, "pid");
    const script = `sleep 60 & echo $! > ${pidFile}; wait`;
    const options = { deadlineMs: 500, name: "it" };
    await assert.rejects(
      async () => (run as (...args: unknown[]) => unknown)("/bin/sh", ["-c", script], options),
      /it was not done within/,
    );
    const pid = Number(readFileSync(pidFile, "utf8"));
    await until("its process is gone", () => !isRunning(pid), PATIENT);
  });

  it("keeps its cache where it is told to", async () => {
    const env = { HOME: "/h", XDG_CACHE_HOME: "/x", CAMUNDA_DUAL_REGION_CACHE: "/c" };
    assert.equal(cacheFolder(env), "/c");
    assert.equal(cacheFolder({ ...env, CAMUNDA_DUAL_REGION_CACHE: "" }), "/x/camunda-dual-region");
    assert.equal(cacheFolder({ HOME: "/h", XDG_CACHE_HOME: "/x" }), "/x/camunda-dual-region");
    assert.equal(
      cacheFolder({ HOME: "/h", XDG_CACHE_HOME: "rel" }),
      "/h/.cache/camunda-dual-region",
    );
  });

  it("compares the installed tree with the lockfile", async () => {
    const { sameTree } = await load("packages.mjs");
    const same = sameTree as (lock: unknown, installed: unknown) => boolean;
    const tree = (packages: object) => ({ packages });
    const lock = tree({
      "": {},
      a: { version: "1.0.0" },
      other: { version: "1.0.0", optional: true, os: ["none"], cpu: [process.arch] },
      native: { version: "1.0.0", optional: true, os: [process.platform], cpu: [process.arch] },
      musl: {
        ...{ version: "1.0.0", optional: true, os: [process.platform], cpu: [process.arch] },
        libc: ["musl"],
      },
    });
    const native = { version: "1.0.0" };
    assert.equal(same(lock, tree({ a: { version: "1.0.0" }, native })), true);
    assert.equal(same(lock, tree({ a: { version: "1.0.1" }, native })), false);
    assert.equal(same(lock, tree({ native })), false);
    assert.equal(same(lock, tree({ a: { version: "1.0.0" } })), false);
    assert.equal(same(lock, undefined), false);
  });

  it("refuses an old Node.js in one line", async () => {
    const { checkNode } = await load("setup.mjs");
    const check = checkNode as (version: string, platform: string) => void;
    assert.throws(() => check("20.18.3", "linux"), /^SetupError: Node\.js 20\.18\.3 is too old/);
    assert.throws(() => check("18.20.0", "linux"), /too old/);
    for (const version of ["20.19.0", "22.1.0", "24.0.0"]) {
      check(version, "linux");
    }
  });

  it("compares versions", async () => {
    const { isOlder } = await load("pulumi.mjs");
    const older = isOlder as (version: string, other: string) => boolean;
    assert.equal(older("3.99.0", "3.200.0"), true);
    assert.equal(older("3.200.0", "3.200.0"), false);
    assert.equal(older("4.0.0", "3.200.0"), false);
    assert.equal(older("unknown", "3.200.0"), false);
  });
});

function isRunning(pid: number) {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // Where nobody collects orphans, an ended process stays on as a zombie.
  const status = `/proc/${pid}/stat`;
  return !existsSync(status) || !/\) Z /.test(readFileSync(status, "utf8"));
}
