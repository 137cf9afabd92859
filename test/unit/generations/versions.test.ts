import assert from "node:assert/strict";
import { fits, generationOf, GENERATIONS, isAskedAlike } from "../../../components/generations";
import { forgetMirrored, knowMirrored } from "../../generation/mirrored";
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

  it("are asked alike where cluster, exporting and numbers are the same, and not otherwise", () => {
    knowMirrored();
    try {
      const of86 = generationOf("8.6");
      assert.equal(isAskedAlike(of86, "8.6.1"), true);
      assert.equal(isAskedAlike(of86, "8.7.37"), true);
      assert.equal(isAskedAlike(of86, "6.8.0"), false, "another dialect");
      assert.equal(isAskedAlike(of86, "8.5.3"), false, "none that is known");
    } finally {
      forgetMirrored();
    }
  });
});
