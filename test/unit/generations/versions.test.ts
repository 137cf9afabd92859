import assert from "node:assert/strict";
import { fits, generationOf, GENERATIONS } from "../../../components/generations";
import { DIALECTS } from "../../../world/camunda/embedded/dialect";

describe("the versions of a generation", () => {
  const of87 = (version: string) => fits(generationOf("8.7"), version);

  for (const [version, expected] of [
    ["8.7.30", "yes"],
    ["8.7.37", "yes"],
    ["8.7.100", "yes"],
    ["8.7.31-SNAPSHOT", "yes"],
    ["8.7.29", "old"],
    ["8.7.0-alpha3", "old"],
    ["8.6.39", "no"],
    ["8.70.30", "no"],
    ["18.7.30", "no"],
    ["8.7", "no"],
    ["development", "no"],
    ["", "no"],
  ] as const) {
    it(`8.7 has ${JSON.stringify(version)}: ${expected}`, () => {
      assert.equal(of87(version), expected);
    });
  }

  it("have a world each, whose version is one of them", () => {
    assert.deepEqual(Object.keys(DIALECTS), Object.keys(GENERATIONS));
    for (const [name, { version }] of Object.entries(DIALECTS)) {
      assert.equal(fits(generationOf(name), version), "yes", version);
    }
  });
});
