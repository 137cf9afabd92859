import assert from "node:assert/strict";
import { previewPlan } from "../../components/recovery/preview";
import { readSettings } from "../../components/settings";
import type { RecordedState } from "../../components/stack/stackState";
import { EmbeddedWorld } from "../../world/camunda/embedded";
import { until } from "../../world/processes/until";
import { lookup, Raw, rawConfig } from "../support/config";
import { forgetMirrored, knowMirrored, MIRRORED, MIRRORED_WORLD } from "./mirrored";

const RECORDED = { exporters: {}, installed: false, releases: {}, network: {} };

describe("the preview of a generation with other ids, order and dialect", () => {
  const world = new EmbeddedWorld({ detectionMs: 300, electionMs: 200, ...MIRRORED_WORLD });

  before(knowMirrored);
  before(() => world.start());
  after(() => world.stop());
  after(forgetMirrored);

  function settingsWith(changes: Raw) {
    const raw = rawConfig({ camundaVersion: MIRRORED, endpoints: world.endpoints, ...changes });
    return readSettings(lookup(raw));
  }

  it("shows the plan of the cluster in the generation's own words", async () => {
    await world.lose("region1");
    const settings = settingsWith({ lostRegion: "region1" });
    let text = "";
    await until("the survivors to have missed the lost brokers", async () => {
      text = (await previewPlan(settings, "failed-over", RECORDED))?.text ?? "";
      // One look does not prove the loss: that `up` will look on is noted all the same.
      return !/offline|no longer see|to have no leader/.test(text) || text;
    });
    assert.match(text, /force out brokers 0, 2 of region1, keep brokers 1, 3/);
    assert.match(text, /REPLICAS_FORCED/);
    assert.match(text, /MEMBER_OUT broker 1 with brokers 0/);
    assert.match(text, /disable .*mirrorregion1/);
  });

  it("says what the recovery is about: who has declared it, and why", async () => {
    const incident = {
      id: "region1-2026-11-21T12:45:22.198Z",
      lost: "region1",
      startedAt: "2026-11-21T12:45:22.198Z",
      who: "operator@desk",
      cluster: "http://gateway",
      overrides: {},
    } as const;
    const plan = async (recorded: RecordedState) =>
      (
        await previewPlan(
          settingsWith({ lostRegion: "region1", reason: "INC-1: no route" }),
          "failed-over",
          recorded,
        )
      )?.text ?? "";
    assert.match(
      await plan(RECORDED),
      /^ {2}incident: region1 is declared lost: INC-1: no route$/m,
    );
    assert.match(
      await plan({ ...RECORDED, incident }),
      /^ {2}incident: region1-2026\S+, declared by operator@desk: INC-1: no route$/m,
    );
    assert.match(
      await plan({ ...RECORDED, incident: { ...incident, withdrawn: true } }),
      /^ {2}incident: region1 is declared lost: INC-1/m,
    );
  });

  it("says for how long exporting may be paused, and when this very attempt has paused it", async () => {
    const settings = settingsWith({ lostRegion: "region1", failback: "one" });
    const plan = async (attempt?: string) => {
      const pause = attempt === undefined ? {} : { pause: { attempt, at: "2026-11-29T07:00:00Z" } };
      const recorded = { ...RECORDED, brokers: { "region0/0": 1, "region0/1": 3 }, ...pause };
      return (await previewPlan(settings, "failing-back", recorded))?.text ?? "";
    };
    assert.match(await plan(), /pause exporting on every broker, for at most 7200 s$/m);
    assert.match(await plan("zero"), /for at most 7200 s$/m);
    assert.match(await plan("one"), /for at most 7200 s \(paused at 2026-11-29T07:00:00Z\)$/m);
  });

  it("says the steps in the generation's own order", async () => {
    const settings = settingsWith({
      lostRegion: "region1",
      failback: "one",
      webApps: { stop: "stop", start: "start" },
    });
    const plan = await previewPlan(settings, "failing-back", {
      ...RECORDED,
      brokers: { "region0/0": 1, "region0/1": 3 },
    });
    const steps = (plan?.text ?? "").match(/\d\. \w+/g) ?? [];
    assert.deepEqual(
      steps.map((step) => step.slice(3)),
      ["check", "pause", "stop", "snapshot", "restore", "start", "enable", "resume", "add"],
    );
  });
});
