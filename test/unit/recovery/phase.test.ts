import assert from "node:assert/strict";
import { IDS } from "../../support/ids";
import { readSettings } from "../../../components/settings";
import { desiredMembership, Shape, shapeOf } from "../../../components/recovery/phase";
import { runProblems } from "../../../components/recovery/interlocks/run";
import { attemptForCommands, lastAttempt } from "../../../components/recovery/declaration";
import type { PeerState, RecordedState } from "../../../components/stack/stackState";
import { lookup, Raw, rawConfig } from "../../support/config";

const settingsOf = (changes: Raw = {}) =>
  readSettings(lookup(rawConfig({ peerStack: "other", ...changes })));
const others = { installed: true, activeRegion: undefined, network: {} };
const unknown: PeerState = { known: false, why: "no such stack" };
const steadyPeer: PeerState = { known: true, lostRegion: undefined, restored: false, ...others };
const failedOverPeer: PeerState = {
  known: true,
  lostRegion: "region0",
  restored: false,
  ...others,
};
const restoredPeer: PeerState = { known: true, lostRegion: "region0", restored: true, ...others };
const lost = { lostRegion: "region1" };
const back = { lostRegion: "region1", failback: "one" };
const nothing: RecordedState = { exporters: {}, installed: false, releases: {}, network: {} };
const all = IDS.mapOf([0, 1, 2, 3]);
const survivors = IDS.mapOf([0, 2]);

describe("phase, declaration and interlocks", () => {
  const shapes: [string, Raw, PeerState, Shape][] = [
    ["nothing is declared", {}, steadyPeer, "steady"],
    ["nothing is known of the other stack", {}, unknown, "steady"],
    ["the other region is lost", lost, unknown, "failed-over"],
    ["both stacks declare each other lost", lost, failedOverPeer, "failed-over"],
    ["the other region is failed back", back, unknown, "failing-back"],
    ["the other stack has lost this region", {}, failedOverPeer, "rejoining"],
    ["the other stack has got this region back", {}, restoredPeer, "steady"],
  ];
  for (const [when, changes, peer, expected] of shapes) {
    it(`is ${expected} when ${when}`, () => {
      assert.equal(shapeOf(settingsOf(changes), peer, nothing), expected);
    });
  }

  it("wants only the survivors with two replicas while failed over, else everybody with four", () => {
    const own = { ids: [0, 2], replicationFactor: 2 };
    const everybody = { ids: [0, 1, 2, 3], replicationFactor: 4 };
    assert.deepEqual(desiredMembership(settingsOf(lost), "failed-over"), own);
    for (const shape of ["steady", "failing-back", "rejoining"] as const) {
      assert.deepEqual(desiredMembership(settingsOf(back), shape), everybody);
    }
  });

  const runs: [string, Raw, PeerState, RecordedState, RegExp | undefined][] = [
    ["a steady run", {}, steadyPeer, nothing, undefined],
    ["the first failover", lost, unknown, { ...nothing, brokers: all }, undefined],
    [
      "a failover while the other stack declares this region lost",
      lost,
      failedOverPeer,
      nothing,
      /stack other declares region0.*decide for one, remove lostRegion from the other's/,
    ],
    [
      "such a failover with a written reason",
      { ...lost, overrides: { "peer-declares-loss": "the other one is wrong" } },
      failedOverPeer,
      nothing,
      undefined,
    ],
    [
      "a failover after the other stack has got this region back",
      lost,
      restoredPeer,
      nothing,
      undefined,
    ],
    [
      "a failover that goes on after its failback was abandoned",
      lost,
      unknown,
      {
        ...nothing,
        brokers: survivors,
        gateAttempt: "one",
        lastAttempt: { attempt: "one", abandoned: false },
      },
      undefined,
    ],
    [
      "a failover that is declared after a failback has finished: the cluster decides whether the region is lost again",
      lost,
      unknown,
      {
        ...nothing,
        brokers: all,
        gateAttempt: "one",
        lastAttempt: { attempt: "one", abandoned: false },
      },
      undefined,
    ],
    [
      "an attempt named as an earlier one but for its case",
      { ...back, failback: "ONE" },
      unknown,
      { ...nothing, brokers: survivors, lastAttempt: { attempt: "one", abandoned: false } },
      /failback is ONE, the name of an earlier attempt/,
    ],
    [
      "the first attempt to fail back",
      back,
      unknown,
      { ...nothing, brokers: survivors },
      undefined,
    ],
    [
      "an attempt that goes on",
      back,
      unknown,
      {
        ...nothing,
        brokers: survivors,
        gateAttempt: "one",
        lastAttempt: { attempt: "one", abandoned: false },
      },
      undefined,
    ],
    [
      "a new attempt after an abandoned one",
      { ...back, failback: "two" },
      unknown,
      { ...nothing, brokers: survivors, lastAttempt: { attempt: "one", abandoned: true } },
      undefined,
    ],
    [
      "an attempt with the name of an abandoned one",
      back,
      unknown,
      { ...nothing, brokers: survivors, lastAttempt: { attempt: "one", abandoned: true } },
      /failback is one, the name of an earlier attempt.*choose a new name/,
    ],
    [
      "an attempt with the name of one of an earlier incident",
      back,
      unknown,
      { ...nothing, brokers: survivors, lastAttempt: { attempt: "one", abandoned: false } },
      /the name of an earlier attempt/,
    ],
    [
      "an attempt that has finished and is still declared",
      back,
      unknown,
      {
        ...nothing,
        brokers: all,
        gateAttempt: "one",
        lastAttempt: { attempt: "one", abandoned: false },
      },
      undefined,
    ],
  ];
  for (const [what, changes, peer, recorded, expected] of runs) {
    it(`${expected ? "refuses" : "accepts"} ${what}`, () => {
      const settings = settingsOf(changes);
      const problems = runProblems(settings, peer, recorded);
      assert.equal(problems.length, expected ? 1 : 0, problems.join("\n"));
      assert.ok(problems.every((line) => line.length <= 160));
      if (expected) {
        assert.match(problems[0] ?? "", expected);
      }
    });
  }

  it("carries the label of the attempt through beginning, abandoning, finishing and the next one", () => {
    const label = (changes: Raw, recorded: Partial<RecordedState>) => {
      const settings = settingsOf(changes);
      return attemptForCommands(
        lastAttempt(settings, shapeOf(settings, unknown, nothing), { ...nothing, ...recorded }),
      );
    };
    assert.equal(label({}, {}), "none");
    assert.equal(label(lost, { lastAttempt: { attempt: "none", abandoned: false } }), "none");
    assert.equal(label(back, { lastAttempt: { attempt: "none", abandoned: false } }), "one");
    const begun = { lastAttempt: { attempt: "one", abandoned: false }, gateAttempt: "one" };
    assert.equal(label(back, begun), "one");
    assert.equal(label({}, begun), "one", "finishing changes nothing");
    assert.equal(label(lost, begun), "one abandoned");
    assert.equal(
      label(lost, { lastAttempt: { attempt: "none", abandoned: false }, gateAttempt: "one" }),
      "one abandoned",
      "also when it was killed before it reached Exporting",
    );
    const unread = { unreadable: true } as const;
    assert.match(label(lost, unread), /^unknown at \d+$/, "what was before is asserted anew");
    assert.equal(label(lost, { ...unread, gateAttempt: "one" }), "one abandoned");
    const abandoned = { lastAttempt: { attempt: "one", abandoned: true } };
    assert.equal(label(lost, abandoned), "one abandoned", "the label stays");
    assert.equal(label({ ...back, failback: "two" }, abandoned), "two");
    assert.equal(label({}, { lastAttempt: { attempt: "two", abandoned: false } }), "two");
    assert.equal(
      label(lost, { lastAttempt: { attempt: "two", abandoned: false } }),
      "two",
      "the next loss changes nothing",
    );
  });
});
