import assert from "node:assert/strict";
import { Workspace } from "../../world/pulumi/workspace";

describe("the configuration of a stack, as the operator's commands change it", function () {
  this.timeout(300_000);
  let workspace: Workspace;

  afterEach(() => workspace?.dispose());

  it("loses a part of a key, as a failback's end takes the reasons of its incident, and gets it back", async () => {
    const overrides = { "still-seen": "the region is dark", "export-gap": "accepted by us" };
    workspace = await Workspace.create({ config: { overrides } });
    const stack = await workspace.stack("region0");
    const written = async () => JSON.parse(String((await stack.config()).overrides)) as unknown;
    const putBack = await stack.configure({
      "overrides.still-seen": undefined,
      "overrides.fence-unproved": undefined,
    });
    assert.deepEqual(await written(), { "export-gap": "accepted by us" });
    await putBack();
    assert.deepEqual(await written(), overrides);
  });
});
