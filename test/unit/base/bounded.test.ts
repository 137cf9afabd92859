import assert from "node:assert/strict";
import { firstOf, listed } from "../../../components/base/bounded";

describe("a bounded list", () => {
  const items = (count: number) => Array.from({ length: count }, (_, index) => String(index + 1));

  it("says all of a few", () => {
    assert.equal(listed([]), "");
    assert.equal(listed(items(4)), "1, 2, 3, 4");
    assert.equal(listed(items(5)), "1, 2, 3, 4, 5");
  });

  it("says the first of many, and how many more", () => {
    assert.equal(listed(items(6)), "1, 2, 3, 4, and 2 more");
    assert.equal(listed(items(512), "; "), "1; 2; 3; 4; and 508 more");
    assert.deepEqual(firstOf(items(512), 2), ["1", "2", "and 510 more"]);
  });
});
