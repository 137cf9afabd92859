import assert from "node:assert/strict";
import { applied, differenceOf } from "./difference";
import { fileOf, goldenFile, goldenGraph, goldenNames } from "./expected";
import { forgetMirrored, knowMirrored } from "../generation/mirrored";
import { CASES, graphOf } from "./graph";

describe("the resource graph", () => {
  before(knowMirrored);
  after(forgetMirrored);

  for (const golden of CASES) {
    it(`of ${golden.name} is the expected one (npm run golden:update after a wanted change)`, async () => {
      assert.deepEqual(fileOf(golden.base, await graphOf(golden)), goldenFile(golden.name));
    });
  }

  it("is kept of these cases, and of no others", () => {
    assert.deepEqual(goldenNames(), CASES.map(({ name }) => name).sort());
  });

  it("is whole in what is kept: of any two, the difference makes the one of the other", () => {
    const graphs = goldenNames().map(goldenGraph);
    const whole = CASES.filter(({ base }) => base === undefined).map(({ name }) =>
      goldenGraph(name),
    );
    for (const base of whole) {
      for (const graph of graphs) {
        const kept = JSON.stringify(differenceOf(base, graph));
        assert.deepEqual(applied(base, JSON.parse(kept)), graph);
      }
    }
  });
});
