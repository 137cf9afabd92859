import assert from "node:assert/strict";
import {
  Declaration,
  readDeclaration,
  readLastAttempt,
  sameDeclaration,
} from "../../../components/base/declaration";

const failedOver: Declaration = { kind: "failed-over", lost: "region1" };
const failingBack: Declaration = { kind: "failing-back", lost: "region1", attempt: "one" };

describe("a declaration in a state", () => {
  for (const declaration of [
    { kind: "steady" },
    { ...failedOver, abandoned: "one" },
    failingBack,
  ] as Declaration[]) {
    it(`is read as it was written: ${JSON.stringify(declaration)}`, () => {
      assert.deepEqual(readDeclaration(JSON.parse(JSON.stringify(declaration))), declaration);
    });
  }

  for (const other of [
    undefined,
    "failed over from region1",
    { kind: "failed-over" },
    { kind: "failing-back", lost: "region2" },
    { kind: "lost", lost: "region1" },
  ]) {
    it(`is none: ${JSON.stringify(other)}`, () => {
      assert.equal(readDeclaration(other), undefined);
    });
  }

  it("is the same but for an attempt that was abandoned meanwhile", () => {
    assert.ok(sameDeclaration(failedOver, { ...failedOver, abandoned: "one" }));
    for (const other of [
      undefined,
      failingBack,
      { ...failedOver, lost: "region0" } as const,
      { ...failedOver, attempt: "one" },
    ]) {
      assert.ok(!sameDeclaration(failedOver, other), JSON.stringify(other));
    }
    assert.ok(!sameDeclaration(failingBack, { ...failingBack, attempt: "two" }));
  });

  it("has the last attempt beside it, when it was carried", () => {
    assert.deepEqual(readLastAttempt({ attempt: "one", abandoned: true }), {
      attempt: "one",
      abandoned: true,
    });
    assert.deepEqual(readLastAttempt({ attempt: "one" }), { attempt: "one", abandoned: false });
    assert.equal(readLastAttempt({ abandoned: true }), undefined);
  });
});
