import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { nextAttempt } from "../../../../scripts/operator/attempt";
import { npmRun } from "../../../../scripts/operator/commands";
import { EngineError } from "../../../../scripts/operator/engine";
import { here, isLeftOver, locksIn, noteRun } from "../../../../scripts/operator/locks";
import { usersWereMoved } from "../../../../scripts/operator/summary";

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

  it("tell the other stack's active region when what a failback has ended was of the active one", () => {
    const lastFailover = { loss: { kind: "active" } };
    const ends = (what: object, kind: string) =>
      usersWereMoved({
        lastFailover,
        lastDrain: { kind },
        lastFailback: { attempt: "one", ...what },
      });
    assert.equal(ends({ incident: "region1-1" }, "passive"), true);
    assert.equal(ends({ drain: "region1-2" }, "passive"), false);
    assert.equal(ends({ drain: "region1-2" }, "active"), true);
    assert.equal(usersWereMoved({}), false);
  });

  it("reads who holds a lock", () => {
    const [lock, ...others] = locksIn(message) ?? [];
    assert.deepEqual(others, []);
    assert.equal(lock?.host, "here");
    assert.equal(lock?.pid, 4711);
    assert.deepEqual(locksIn("[409] Conflict: Another update is currently in progress."), []);
    assert.equal(locksIn("error: no stack named 'region0' found"), undefined);
  });

  describe("a lock is left over", () => {
    const cache = process.env.CAMUNDA_DUAL_REGION_CACHE;
    let gone: number;

    before(() => {
      process.env.CAMUNDA_DUAL_REGION_CACHE = mkdtempSync(path.join(os.tmpdir(), "runs-"));
      gone = spawnSync(process.execPath, ["-e", ""]).pid;
    });
    after(() => {
      rmSync(String(process.env.CAMUNDA_DUAL_REGION_CACHE), { recursive: true });
      if (cache === undefined) {
        delete process.env.CAMUNDA_DUAL_REGION_CACHE;
      } else {
        process.env.CAMUNDA_DUAL_REGION_CACHE = cache;
      }
    });

    const place = () => here() ?? assert.fail("no place");
    const lockOf = (pid: number, more = {}) => ({
      host: os.hostname(),
      pid,
      at: Date.now(),
      text: "",
      ...more,
    });

    it("only of a run that was noted when it began, and is gone", () => {
      assert.equal(isLeftOver(lockOf(gone)), false, "nobody has noted it");
      const forget = noteRun(gone);
      assert.equal(isLeftOver(lockOf(gone)), true);
      assert.equal(isLeftOver(lockOf(gone, { host: "elsewhere" })), false);
      forget();
      assert.equal(isLeftOver(lockOf(gone)), false, "it has ended by itself");
    });

    it("never of a process that is not seen from here, whatever its number and the host's name", () => {
      const others = [{ namespace: "pid:[1]" }, { boot: "another" }, { host: "elsewhere" }];
      for (const other of others) {
        const forget = noteRun(gone, { ...place(), ...other });
        assert.equal(isLeftOver(lockOf(gone)), false, JSON.stringify(other));
        forget();
      }
    });

    it("not of a run of another time under the same number", () => {
      const forget = noteRun(gone);
      assert.equal(isLeftOver(lockOf(gone, { at: Date.now() - 60_000 })), false);
      assert.equal(isLeftOver(lockOf(gone, { at: Date.now() + 3_600_000 })), false);
      forget();
    });
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
