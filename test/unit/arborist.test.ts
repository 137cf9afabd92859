import "@pulumi/pulumi";
import assert from "node:assert/strict";
import { createRequire } from "node:module";

/** As the SDK does it. */
const load = createRequire(require.resolve("@pulumi/pulumi"));

describe("npm's resolver", () => {
  it("is not loaded with the SDK, nor any package of it", () => {
    const packages = Object.keys(require.cache)
      .map((file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1])
      .filter((name) => name !== undefined);
    assert.ok(packages.includes("@pulumi/pulumi"));
    assert.deepEqual(
      packages.filter((name) => name.startsWith("@npmcli/") || name === "pacote"),
      [],
    );
  });

  it("says how it comes back, where somebody has a use for it", () => {
    const { Arborist } = load("@npmcli/arborist") as { Arborist: new (options: object) => unknown };
    assert.throws(() => new Arborist({ path: "." }), {
      message: /^functions with packages .* take @npmcli\/arborist out of .* package\.json$/,
    });
  });
});
