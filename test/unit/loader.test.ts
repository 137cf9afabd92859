import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { REPOSITORY } from "../../scripts/repository";

describe("what loads the program", () => {
  it("leaves stack traces that lead to the line in the file", () => {
    // As Pulumi's process for dynamic resources begins.
    const script = `
      const sdk = require("node:module").createRequire(require.resolve("@pulumi/pulumi"));
      sdk("source-map-support/register");
      require("./components/loader.js");
      try {
        require("./components/recovery/planner.ts").planMembership();
      } catch ({ stack }) {
        console.log(stack);
      }`;
    const trace = execFileSync(process.execPath, ["-e", script], {
      cwd: REPOSITORY,
      encoding: "utf8",
    });
    const [message, frame] = trace.split("\n");
    assert.match(message ?? "", /^TypeError: .*'members'/);
    const [, file = "", line, column] =
      /^ {4}at Object\.planMembership \((.+):(\d+):(\d+)\)$/.exec(frame ?? "") ?? [];
    assert.equal(path.relative(REPOSITORY, file), "components/recovery/planner.ts");
    const text = readFileSync(file, "utf8").split("\n")[Number(line) - 1];
    assert.match(text?.slice(Number(column) - 1) ?? "", /^members\b/);
  }).timeout(60_000);
});
