import assert from "node:assert/strict";
import { isUnfinished, PHASES, recoveryOf } from "../../../components/stack/contract";
import { peerStateOf, recordedOf } from "../../../components/stack/stackState";

const own = (type: string, outputs: unknown, more = {}) => ({
  type: `pulumi-nodejs:dynamic/camunda:${type}`,
  outputs,
  ...more,
});

describe("what a stack has recorded", () => {
  it("is read of its resources, whoever asks", () => {
    const recorded = recordedOf([
      {
        type: "pulumi:pulumi:Stack",
        outputs: {
          activeRegion: "region0",
          recovery: { phase: "failed-over", lostRegion: "region1" },
        },
      },
      own("BrokerMembership", {
        brokers: { "region0/0": 0 },
        declaration: { kind: "failed-over", lost: "region1" },
      }),
      own("Exporting", { attempt: "one", abandoned: true, earlier: ["zero"] }),
      own("FailbackGate", { attempt: "two", earlier: ["zero", "one"] }),
    ]);
    assert.deepEqual(recorded.recovery, { phase: "failed-over", lostRegion: "region1" });
    assert.deepEqual(recorded.declaration, { kind: "failed-over", lost: "region1" });
    assert.deepEqual(recorded.lastAttempt, { attempt: "one", abandoned: true });
    assert.equal(recorded.gateAttempt, "two");
    assert.deepEqual(recorded.usedAttempts, ["zero", "one", "two"]);
    assert.equal(recorded.activeRegion, "region0");
  });

  it("is a pause as long as the attempt has no resume, in whichever order they come", () => {
    const at = "2026-11-29T07:00:00.000Z";
    const pause = own("ExportPause", { attempt: "two", record: { startedAt: at } });
    const resume = own("ExportResume", { attempt: "two", record: {} });
    const failed = own("ExportResume", { attempt: "two" });
    const earlier = own("ExportResume", { attempt: "one", record: {} });
    for (const resources of [[pause], [pause, failed], [pause, earlier]]) {
      assert.deepEqual(recordedOf(resources).pause, { attempt: "two", at });
    }
    for (const resources of [
      [],
      [own("ExportPause", { attempt: "two" })],
      [pause, resume],
      [resume, pause],
    ]) {
      assert.equal(recordedOf(resources).pause, undefined);
    }
  });

  it("is not what is left of a replacement, to be deleted", () => {
    const gate = own("FailbackGate", { attempt: "two" }, { delete: true });
    assert.equal(
      recordedOf([own("FailbackGate", { attempt: "three" }), gate]).gateAttempt,
      "three",
    );
  });

  it("is nothing in what is no resource", () => {
    const { recovery, lastAttempt, gateAttempt } = recordedOf([
      undefined,
      "text",
      own("Exporting", null),
    ]);
    assert.deepEqual([recovery, lastAttempt, gateAttempt], [undefined, undefined, undefined]);
  });
});

describe("what another stack says", () => {
  const drained = { kind: "drained", drained: "region1" };
  const stateOf = (declaration: object, recovery: object, more: object = { record: {} }) =>
    peerStateOf(
      recordedOf([
        { type: "pulumi:pulumi:Stack", outputs: { recovery } },
        own("BrokerMembership", { declaration, ...more }),
      ]),
    );

  it("is that it has drained a region once its members were verified, and not before", () => {
    const { drainedRegion, lostRegion, forced, restored } = stateOf(drained, { phase: "drained" });
    assert.deepEqual(
      [drainedRegion, lostRegion, forced, restored],
      ["region1", undefined, false, false],
    );
    assert.equal(stateOf(drained, { phase: "steady" }, {}).drainedRegion, undefined);
  });

  it("is that the region is drained until a failback has made its brokers members, however it stands half way", () => {
    const back = { kind: "failing-back", drained: "region1", attempt: "one" };
    const { drainedRegion, restored } = stateOf(back, { phase: "drained" }, {});
    assert.deepEqual([drainedRegion, restored], ["region1", false]);
    assert.equal(stateOf(drained, { phase: "restored" }, {}).drainedRegion, undefined);
  });

  it("is that it has brought a drained region back, until it drains it once more", () => {
    const back = { kind: "failing-back", drained: "region1", attempt: "one" };
    assert.equal(stateOf(back, { phase: "restored" }).restored, true);
    assert.equal(stateOf(drained, { phase: "restored" }).restored, false);
    assert.equal(stateOf({ kind: "steady" }, { phase: "steady" }).drainedRegion, undefined);
  });
});

describe("what another stack drains", () => {
  const drain = (id: string) =>
    own("Drain", { drained: "region1", record: { startedAt: "now", observed: { id } } });
  const drains = (recovery: object, declaration: object, ...more: object[]) =>
    peerStateOf(
      recordedOf([
        { type: "pulumi:pulumi:Stack", outputs: { recovery } },
        own("BrokerMembership", { declaration, record: {} }),
        ...more,
      ]),
    ).drains;
  const back = { kind: "failing-back", drained: "region1", attempt: "one" };

  it("is said from the declaration on, until a failback has ended that drain", () => {
    const steady = { kind: "steady" };
    assert.equal(drains({ phase: "steady" }, steady), undefined);
    assert.equal(drains({ phase: "steady" }, steady, drain("a")), "region1");
    assert.equal(drains({ phase: "drained", drain: { id: "a" } }, back, drain("a")), "region1");
    const restored = { phase: "restored", drain: { id: "a" } };
    assert.equal(drains(restored, back, drain("a")), undefined);
    assert.equal(drains(restored, back, drain("b")), "region1");
  });
});

describe("the output recovery", () => {
  it("has no phase that is none of the contract's, and keeps the rest", () => {
    assert.deepEqual(recoveryOf({ recovery: { phase: "unknown", since: "today" } }), {
      since: "today",
    });
    assert.deepEqual(recoveryOf({ recovery: "steady" }), {});
    assert.deepEqual(recoveryOf(undefined), {});
  });

  it("is unfinished from a failover until its failback is finished", () => {
    const unfinished = PHASES.filter((phase) => isUnfinished({ phase }));
    assert.deepEqual(unfinished, ["failed-over", "drained", "restored"]);
    assert.equal(isUnfinished({}), false);
  });
});
