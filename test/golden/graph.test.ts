import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { CASES, graphOf } from "./graph";

describe("the resource graph", () => {
  for (const golden of CASES) {
    it(`of ${golden.name} is the expected one (npm run golden:update after a wanted change)`, async () => {
      const file = path.join(__dirname, "expected", `${golden.name}.json`);
      assert.deepEqual(await graphOf(golden), JSON.parse(readFileSync(file, "utf8")));
    });
  }
});
