import assert from "node:assert/strict";
import { implement, omit, Outcome, Run } from "../../../../components/recovery/providers/behaviour";
import { lookup, rawConfig } from "../../../support/config";
import { begun, failureOf, refusal } from "../../../support/failure";

interface Inputs {
  name: string;
}

const outcome: Outcome = { how: "done", observed: { fact: 1 } };

/** A step with this logic, on a session that nothing uses. */
function step(converge: (inputs: Inputs, run: Run<Inputs>) => Promise<Outcome>) {
  const provider = implement<Inputs>({
    id: (inputs) => `step-${inputs.name}`,
    attempt: (inputs) => inputs.name,
    converge,
  });
  const get = lookup(rawConfig());
  provider.configure({ config: { get: (key) => get(key as "region") } });
  return provider;
}

describe("behaviour", () => {
  it("returns the inputs with a record of what was done, when and how long", async () => {
    const { id, outs } = await step(async () => outcome).create({ name: "a" });
    assert.equal(id, "step-a");
    const { startedAt, seconds, ...rest } = outs.record;
    assert.deepEqual(rest, outcome);
    assert.ok(Math.abs(Date.parse(startedAt) - Date.now()) < 2_000);
    assert.ok(seconds >= 0 && seconds < 2);
    assert.deepEqual(omit(outs, ["record"]), { name: "a", schema: 1 });
  });

  it("fails as one line without a stack before anything has begun", async () => {
    const provider = step(async () => {
      throw new Error("first\n   second");
    });
    assert.equal(await refusal(provider.create({ name: "a" })), "first second");
  });

  it("fails in the form that keeps the resource once it has begun", async () => {
    const provider = step(async (_inputs, { begin }) => {
      begin();
      throw new Error("broken\noff");
    });
    assert.deepEqual(await begun(provider.create({ name: "a" })), {
      message: "broken off",
      id: "step-a",
      properties: { name: "a", schema: 1 },
      reasons: ["broken off"],
    });
  });

  it("goes on with a resource that is kept without a record", async () => {
    let runs = 0;
    const provider = step(async () => {
      runs += 1;
      return outcome;
    });
    const kept = { name: "a", schema: 1 };
    const { outs } = await provider.update("step-a", kept, { name: "a" });
    assert.equal(runs, 1);
    await provider.update("step-a", outs, { name: "a" });
    assert.equal(runs, 1);
    await provider.update("step-a", outs, { name: "b" });
    assert.equal(runs, 2);
  });

  it("runs one operation at a time, also after one that failed", async () => {
    const events: string[] = [];
    const provider = step(async ({ name }) => {
      events.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${name} ends`);
      if (name === "a") {
        throw new Error("a fails");
      }
      return outcome;
    });
    const runs = ["a", "b", "c"].map((name) => provider.create({ name }));
    await failureOf(Promise.all(runs));
    await Promise.all(runs.slice(1));
    assert.deepEqual(
      events,
      ["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]),
    );
  });

  it("does not give the provider's own code or the record back as inputs", async () => {
    const provider = step(async () => outcome);
    const props = { name: "a", schema: 1, __provider: "exports.handler = ..." };
    const { inputs } = await provider.read("step-a", props);
    assert.deepEqual(inputs, { name: "a" });
  });
});
