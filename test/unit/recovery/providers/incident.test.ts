import assert from "node:assert/strict";
import * as os from "node:os";
import type { IncidentInputs } from "../../../../components/base/declaration";
import { readIncident } from "../../../../components/base/declaration";
import { provider } from "../../../../components/recovery/providers/incident";
import { lookup, rawConfig } from "../../../support/config";

describe("Incident", () => {
  const inputs: IncidentInputs = { lost: "region1", reason: "INC-1: dark", overrides: {} };

  before(() => {
    const get = lookup(rawConfig());
    provider.configure({ config: { get: (key) => get(key as never) } });
  });

  it("says what is lost since when, who has declared it, of which cluster, and why, and asks nobody", async () => {
    const { outs } = await provider.create(inputs);
    const incident = readIncident(outs);
    assert.match(String(incident?.id), /^region1-\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.equal(incident?.id, `region1-${incident?.startedAt}`);
    assert.equal(incident?.cluster, "http://region0.test:8080");
    assert.equal(incident?.reason, "INC-1: dark");
    assert.ok(incident?.who.endsWith(`@${os.hostname()}`.slice(-20)), incident?.who);
    assert.ok((incident?.who.length ?? 0) <= 60);
  });

  it("stays one through its runs, and is another one when the region is lost once more or the loss was taken back", async () => {
    const { id, outs } = await provider.create(inputs);
    const update = async (before: object, now: IncidentInputs) =>
      (await provider.update(id, before as never, now)).outs;
    const first = readIncident(outs);
    const told = await update(outs, { ...inputs, reason: "INC-2" });
    assert.deepEqual(readIncident(told), { ...first, reason: "INC-2" });
    await new Promise((resolve) => setTimeout(resolve, 2));
    const again = await update(told, { ...inputs, after: "one" });
    assert.notEqual(readIncident(again)?.id, first?.id);
    assert.deepEqual(readIncident(await update(again, inputs))?.id, readIncident(again)?.id);
    const withdrawn = await update(outs, { ...inputs, withdrawn: true });
    assert.deepEqual(readIncident(withdrawn), { ...first, withdrawn: true });
    await new Promise((resolve) => setTimeout(resolve, 2));
    assert.notEqual(readIncident(await update(withdrawn, inputs))?.id, first?.id);
  });

  it("is nothing in a state without a record", () => {
    assert.equal(readIncident({ lost: "region1", overrides: {} }), undefined);
    assert.equal(readIncident(undefined), undefined);
  });
});
