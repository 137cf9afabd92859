import assert from "node:assert/strict";
import { CASES, GoldenCase, graphOf } from "./graph";

const takenBack = CASES.find(({ name }) => name === "kubernetes-taken-back") as GoldenCase;

describe("the program, before its first resource", () => {
  it("refuses a declaration that was taken back after the forced removal", async () => {
    const recorded = { brokers: [0, 2], phase: "failed over from region1" };
    await assert.rejects(
      graphOf({ ...takenBack, recorded }),
      /^Error: refused: lostRegion is not set, region1 was forced out, and the cluster does not say/,
    );
  });

  it("reads its own state once more when that failed, and refuses when it fails again", async () => {
    assert.deepEqual(await graphOf({ ...takenBack, failingReads: 1 }), await graphOf(takenBack));
    await assert.rejects(
      graphOf({ ...takenBack, failingReads: 2 }),
      /^Error: refused: the recorded state of this stack cannot be read/,
    );
  });
});
