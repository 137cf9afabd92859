import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as os from "node:os";
import { nextAttempt } from "../../../../scripts/operator/attempt";
import { npmRun } from "../../../../scripts/operator/commands";
import { EngineError } from "../../../../scripts/operator/engine";
import { isLeftOver, locksIn } from "../../../../scripts/operator/locks";

const message = `error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  file:///state/.pulumi/locks/organization/camunda-dual-region/region0/1.json: created by operator@here (pid 4711) at 2026-11-21T03:00:00Z`;

describe("commands of an operator", () => {
  describe("name of an attempt to fail back", () => {
    const today = new Date(2026, 10, 21, 3);
    const cases: [string | undefined, unknown, string, boolean?][] = [
      [undefined, undefined, "2026-11-21"],
      ["none", undefined, "2026-11-21"],
      ["2026-11-20", { attempt: "2026-11-20" }, "2026-11-21"],
      ["2026-11-21", { attempt: "2026-11-21" }, "2026-11-21-2"],
      ["2026-11-21", undefined, "2026-11-21-2", true],
      ["2026-11-21-2", { attempt: "2026-11-21" }, "2026-11-21-3", true],
      ["2026-11-21-10", undefined, "2026-11-21-11"],
      ["INC-7", { attempt: "2026-11-21-2" }, "2026-11-21-3", true],
    ];
    for (const [attempt, lastFailback, name, abandoned = false] of cases) {
      it(`is ${name} after ${attempt ?? "nothing"}${abandoned ? ", abandoned," : ""} and ${JSON.stringify(lastFailback)}`, () => {
        const lastAttempt = attempt === undefined ? undefined : { attempt, abandoned };
        const recorded = { lastAttempt, recovery: { lastFailback } };
        assert.equal(nextAttempt(today, recorded), name);
      });
    }
  });

  it("reads who holds a lock", () => {
    const [lock, ...others] = locksIn(message) ?? [];
    assert.deepEqual(others, []);
    assert.equal(lock?.host, "here");
    assert.equal(lock?.pid, 4711);
    assert.deepEqual(locksIn("[409] Conflict: Another update is currently in progress."), []);
    assert.equal(locksIn("error: no stack named 'region0' found"), undefined);
  });

  it("takes a lock for left over only when its process was here and is gone", () => {
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    const text = "";
    assert.equal(isLeftOver({ host: os.hostname(), pid: gone, text }), true);
    assert.equal(isLeftOver({ host: "elsewhere", pid: gone, text }), false);
  });

  it("says of which stack an error is, when Pulumi does not", () => {
    const error = (line: string) =>
      new EngineError(["config", "--stack", "prod"], 255, "", `error: ${line}`).message;
    assert.equal(error("incorrect passphrase"), "stack prod: incorrect passphrase");
    assert.equal(error("no stack named 'prod' found"), "no stack named 'prod' found");
    assert.equal(new EngineError(["stack", "ls"], 255, "", "error: no login").message, "no login");
  });

  it("prints commands as they can be typed", () => {
    assert.equal(npmRun("failback", [], { dir: undefined, stack: undefined }), "npm run failback");
    assert.equal(
      npmRun("failback", ["--finish"], { dir: "my stacks", stack: "prod" }),
      "npm run failback -- --finish --stack prod --dir 'my stacks'",
    );
    assert.equal(
      npmRun("up", [], { dir: undefined, stack: undefined, stacks: "a,b" }),
      "npm run up -- --stacks a,b",
    );
  });
});
