import assert from "node:assert/strict";
import { DrainInputs, readDrain } from "../../../../components/base/declaration";
import { provider } from "../../../../components/recovery/providers/drain";
import { lookup, rawConfig } from "../../../support/config";

describe("Drain", () => {
  const inputs: DrainInputs = { drained: "region1", reason: "CHG-1: new nodes" };

  before(() => {
    const get = lookup(rawConfig());
    provider.configure({ config: { get: (key) => get(key as never) } });
  });

  it("says what is drained since when, who has declared it, of which cluster, and why, and asks nobody", async () => {
    const { outs } = await provider.create(inputs);
    const drain = readDrain(outs);
    assert.equal(drain?.id, `region1-${drain?.startedAt}`);
    assert.equal(drain?.cluster, "http://region0.test:8080");
    assert.equal(drain?.reason, "CHG-1: new nodes");
    assert.match(String(drain?.who), /@/);
  });

  it("stays one through its runs, whatever reason is given meanwhile", async () => {
    const { id, outs } = await provider.create(inputs);
    const told = await provider.update(id, outs, { drained: "region1", reason: "CHG-2" });
    assert.deepEqual(readDrain(told.outs), { ...readDrain(outs), reason: "CHG-2" });
  });

  it("is another one after a failback that was not finished, and that one through its runs", async () => {
    const { id, outs } = await provider.create(inputs);
    const again = { ...inputs, after: "one" };
    await new Promise((resolve) => setTimeout(resolve, 2));
    const { outs: other } = await provider.update(id, outs, again);
    const [first, second] = [readDrain(outs), readDrain(other)];
    assert.notEqual(second?.id, first?.id);
    assert.equal(second?.after, "one");
    const kept = await provider.update(id, other, { ...again, reason: "CHG-2" });
    assert.equal(readDrain(kept.outs)?.id, second?.id);
    // What was not read of the state is no sign of another one.
    const unread = await provider.update(id, other, inputs);
    assert.equal(readDrain(unread.outs)?.id, second?.id);
  });

  it("is nothing in a state without a record", () => {
    assert.equal(readDrain({ drained: "region1" }), undefined);
    assert.equal(readDrain(undefined), undefined);
  });
});
