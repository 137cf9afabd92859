import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { waitFor } from "../../../components/clients/poll";
import { Preparation } from "../../../scripts/test/preparation";
import { Processes, StartOptions } from "../../../scripts/test/processes";
import { testFiles, TIERS } from "../../../scripts/test/tiers";
import { REPOSITORY } from "../../../scripts/repository";

describe("npm test", function () {
  this.timeout(240_000);
  /** Runs the tests' command to its end. */
  const command = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["-r", "tsx/cjs", "scripts/test.ts", ...args],
      { cwd: REPOSITORY, encoding: "utf8" },
    );
    return { status, stdout, stderr };
  };

  it("refuses in one line what is no tier, and options that the tier does not have", () => {
    const names = TIERS.map(({ name }) => name).join(", ");
    assert.deepEqual(command("unit", "nosuch"), {
      status: 2,
      stdout: "",
      stderr: `error: no tier nosuch; the tiers are ${names}, all\n`,
    });
    assert.deepEqual(command("unit", "--camunda", "/opt/camunda"), {
      status: 2,
      stdout: "",
      stderr: "error: --camunda is for tier camunda\n",
    });
    const { status, stderr } = command("unit", "--fast");
    assert.equal(status, 2);
    assert.match(stderr, /^error: Unknown option '--fast'.*; see --help\n$/);
  });

  it("runs by itself what a contributor waits for, and what needs a machine of its own when it is asked to", () => {
    const of = (runs: string) => TIERS.filter((tier) => tier.runs === runs).map(({ name }) => name);
    assert.deepEqual(of("always"), ["types", "unit", "contract", "engine", "faults"]);
    for (const name of ["drills", "node24", "kubernetes"]) {
      assert.ok(of("all").includes(name), name);
    }
  });

  it("has a tier for each test file", () => {
    const run = new Set(TIERS.flatMap(({ tests }) => testFiles(tests ?? [])));
    assert.deepEqual(
      testFiles(["test"]).filter((file) => !run.has(file)),
      [],
    );
  });

  describe("what a tier needs", () => {
    const cache = process.env.CAMUNDA_DUAL_REGION_CACHE;
    let processes: Processes;

    /** Processes of which each is a script for the shell. */
    class Scripted extends Processes {
      constructor(private readonly script: string) {
        super();
        process.env.CAMUNDA_DUAL_REGION_CACHE = this.folder;
      }

      override start(_file: string, _args: string[], options: StartOptions) {
        return super.start("sh", ["-c", this.script], options);
      }
    }

    afterEach(() => {
      processes.end();
      if (cache === undefined) {
        delete process.env.CAMUNDA_DUAL_REGION_CACHE;
      } else {
        process.env.CAMUNDA_DUAL_REGION_CACHE = cache;
      }
    });

    it("is made behind the tests, with its words in a log", async () => {
      // The priority is given to a process that runs already. Linux shows it in field 19.
      const lowered =
        process.platform === "linux"
          ? 'until [ "$(cut -d " " -f 19 /proc/$$/stat)" = 19 ]; do sleep 0.01; done'
          : ":";
      processes = new Scripted(`echo building; ${lowered}; echo built`);
      await new Preparation("kubernetes", processes).done(() => assert.fail("said something"));
      const log = readFileSync(path.join(processes.folder, "logs/kubernetes.log"), "utf8");
      assert.equal(log, "building\nbuilt\n");
    });

    it("fails the tier with the end of the log when it cannot be made", async () => {
      processes = new Scripted("seq 30; echo error: no space left >&2; exit 1");
      const failed = new Preparation("kubernetes", processes).done(() => undefined);
      await assert.rejects(
        failed,
        /^Error: what tier kubernetes needs could not be made: 17\n.*\nerror: no space left$/s,
      );
    });
  });

  it("ends whatever a test has started, also what has lost its parent, with its temporary files", async function () {
    if (process.platform !== "linux") {
      return;
    }
    const processes = new Processes();
    const file = path.join(processes.folder, "pid");
    // The middle one ends at once.
    const middle = `require("node:child_process").spawn("sh", ["-c", "echo $$ > ${file}; exec sleep 600"],
      { detached: true, stdio: "ignore" }).unref()`;
    const child = processes.start(process.execPath, [
      "-e",
      `require("node:child_process").spawnSync(process.execPath, ["-e", ${JSON.stringify(middle)}]);
      setInterval(() => {}, 1000)`,
    ]);
    const orphan = await waitFor("the orphan", 30, console.log, async () => {
      const pid = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
      return pid > 0 ? { done: true, value: pid } : { done: false, seen: "no file" };
    });
    assert.ok(runs(orphan));
    const ended = once(child, "exit");
    processes.end();
    await ended;
    assert.ok(!runs(orphan), "the orphan still runs");
    assert.ok(!existsSync(processes.folder));
  });
});

/** Whether a process is there and is no zombie, which an orphan is where nobody collects it. */
function runs(pid: number): boolean {
  const status = `/proc/${pid}/stat`;
  return existsSync(status) && !/\) Z /.test(readFileSync(status, "utf8"));
}
