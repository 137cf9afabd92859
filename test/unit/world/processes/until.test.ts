import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OwnProcess } from "../../../../world/processes/processes";
import { until } from "../../../../world/processes/until";

describe("waiting for what the world does by itself", () => {
  const never = (holds: () => boolean | string | Promise<boolean>) =>
    until("dawn", holds, { seconds: 0 });

  it("ends when the condition holds, however it failed before", async () => {
    const answers: (() => boolean | string)[] = [
      () => false,
      () => "dark",
      () => {
        throw new Error("nobody answers");
      },
      () => true,
    ];
    await until("dawn", () => answers.shift()?.() ?? assert.fail("asked again"));
    assert.equal(answers.length, 0);
  });

  it("says at the deadline what was missing last", async () => {
    await assert.rejects(
      never(() => "it is dark"),
      { message: "dawn: not within 0 s; it is dark" },
    );
    await assert.rejects(
      never(() => false),
      { message: "dawn: not within 0 s" },
    );
    await assert.rejects(
      never(async () => Promise.reject(new Error("fetch failed", { cause: new Error("refused") }))),
      { message: "dawn: not within 0 s; refused" },
    );
  });

  it("ends when nothing can bring it about any more", async () => {
    await assert.rejects(
      until("dawn", () => false, { stopped: () => true }),
      { message: "dawn: what it needs was stopped" },
    );
    const folder = mkdtempSync(join(tmpdir(), "until-"));
    try {
      const own = OwnProcess.start({
        name: "cock",
        command: "sh",
        args: ["-c", "echo crowed; exit 3"],
        cwd: folder,
        env: { PATH: process.env.PATH ?? "" },
        logFile: join(folder, "out.log"),
      });
      await assert.rejects(
        until("dawn", () => false, { processes: [own] }),
        /^Error: dawn: cock ended \(.*3.*\)\n {2}last lines of cock:\n {4}crowed$/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
