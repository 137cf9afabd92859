import assert from "node:assert/strict";
import { expectRefusal } from "../../support/failure";
import { IDS } from "../../support/ids";
import { readSettings } from "../../../components/settings";
import { desiredMembership, Shape, shapeOf } from "../../../components/recovery/phase";
import { runProblems } from "../../../components/recovery/interlocks/run";
import {
  attemptForCommands,
  drainOf,
  incidentOf,
  lastAttempt,
} from "../../../components/recovery/declaration";
import type { PeerState, RecordedState } from "../../../components/stack/stackState";
import { lookup, Raw, rawConfig } from "../../support/config";

const settingsOf = (changes: Raw = {}) =>
  readSettings(lookup(rawConfig({ peerStack: "other", ...changes })));
const others = { forced: true, installed: true, activeRegion: undefined, network: {} };
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
const drainedPeer: PeerState = { ...steadyPeer, drainedRegion: "region0" };
const drain = { drainRegion: "region1" };
const back = { lostRegion: "region1", failback: "one" };
const nothing: RecordedState = { exporters: {}, installed: false, releases: {}, network: {} };
/** What a stack has recorded while a region is drained. */
const drainDeclared: RecordedState = {
  ...nothing,
  brokers: IDS.mapOf([0, 2]),
  declaration: { kind: "drained", drained: "region1" },
  drain: {
    id: "region1-2",
    drained: "region1",
    startedAt: "2026-11-21T12:45:22.198Z",
    who: "me@here",
    cluster: "http://gateway",
  },
};
/** What a stack has recorded while a loss is declared. */
const declared: RecordedState = {
  ...nothing,
  incident: {
    id: "region1-1",
    lost: "region1",
    startedAt: "2026-11-21T12:45:22.198Z",
    who: "me@here",
    cluster: "http://gateway",
    overrides: {},
  },
};
const reasons = { "still-seen": "the gateway lies, the region is dark" };
const withReasons = (more: Partial<RecordedState>): RecordedState => ({
  ...declared,
  ...more,
  ...(declared.incident && { incident: { ...declared.incident, overrides: reasons } }),
});
const restoredBy = { kind: "failing-back", lost: "region1", attempt: "one" } as const;
const all = IDS.mapOf([0, 1, 2, 3]);
const survivors = IDS.mapOf([0, 2]);

describe("phase, declaration and interlocks", () => {
  const shapes: [string, Raw, PeerState, Shape][] = [
    ["nothing is declared", {}, steadyPeer, "steady"],
    ["nothing is known of the other stack", {}, unknown, "steady"],
    ["the other region is lost", lost, unknown, "failed-over"],
    ["both stacks declare each other lost", lost, failedOverPeer, "failed-over"],
    ["the other region is failed back", back, unknown, "failing-back"],
    ["the other region is drained", drain, unknown, "drained"],
    ["the drained region is failed back", { ...drain, failback: "one" }, unknown, "failing-back"],
    ["the other stack has drained this region", {}, drainedPeer, "rejoining"],
    [
      "the other stack has got the drained one back",
      {},
      { ...drainedPeer, restored: true },
      "steady",
    ],
    ["the other stack has lost this region", {}, failedOverPeer, "rejoining"],
    ["the other stack has got this region back", {}, restoredPeer, "steady"],
  ];
  for (const [when, changes, peer, expected] of shapes) {
    it(`is ${expected} when ${when}`, () => {
      assert.equal(shapeOf(settingsOf(changes), peer, nothing), expected);
    });
  }

  it("is steady on a member that another stack declares lost but has not forced out: it must be able to stay one", () => {
    const declaredOnly: PeerState = { ...failedOverPeer, forced: false };
    const member = { ...nothing, brokers: all };
    assert.equal(shapeOf(settingsOf(), declaredOnly, member), "steady");
    assert.equal(shapeOf(settingsOf(), declaredOnly, nothing), "rejoining", "but not on a new one");
    assert.equal(shapeOf(settingsOf(), failedOverPeer, member), "rejoining");
  });

  it("declares an incident from the loss to its end, another one when the region is lost once more, and takes it back first", () => {
    const incident = (changes: Raw, recorded: Partial<RecordedState>) => {
      const settings = settingsOf(changes);
      const known = { ...nothing, ...recorded };
      return incidentOf(settings, shapeOf(settings, unknown, known), known);
    };
    const { incident: before } = declared;
    const plain = { lost: "region1", overrides: {} };
    const failedOver = { kind: "failed-over", lost: "region1" } as const;
    assert.equal(incident({}, {}), undefined);
    assert.deepEqual(incident({ ...lost, reason: "dark" }, {}), { ...plain, reason: "dark" });
    assert.deepEqual(incident(back, { incident: before, declaration: failedOver }), plain);
    const again = incident(lost, { incident: before, brokers: all, declaration: restoredBy });
    assert.deepEqual(again, { ...plain, after: "one" });
    assert.deepEqual(
      incident(lost, { incident: before, brokers: survivors, declaration: restoredBy }),
      plain,
      "an abandoned attempt is of the same incident",
    );
    const taken = { ...plain, withdrawn: true };
    assert.deepEqual(incident({}, { incident: before, declaration: { kind: "steady" } }), taken);
    const withdrawn = before && { ...before, withdrawn: true as const };
    assert.equal(incident({}, { incident: withdrawn, declaration: { kind: "steady" } }), undefined);
    assert.equal(incident({}, { incident: before, declaration: restoredBy }), undefined);
  });

  it("declares one drain from its beginning to its end, and another one when a failback was not finished", () => {
    const drained = (changes: Raw, recorded: Partial<RecordedState>) => {
      const settings = settingsOf(changes);
      const known = { ...drainDeclared, ...recorded };
      return drainOf(settings, shapeOf(settings, unknown, known), known);
    };
    const backByOne = { kind: "failing-back", drained: "region1", attempt: "one" } as const;
    const plain = { drained: "region1" };
    assert.equal(drained({}, {}), undefined);
    assert.deepEqual(drained({ ...drain, reason: "CHG-1" }, {}), { ...plain, reason: "CHG-1" });
    const failingBack = { ...drain, failback: "one" };
    assert.deepEqual(drained(failingBack, { brokers: all, declaration: backByOne }), plain);
    assert.deepEqual(drained(drain, { declaration: backByOne }), plain, "it was abandoned");
    const again = { ...plain, after: "one" };
    assert.deepEqual(drained(drain, { brokers: all, declaration: backByOne }), again);
    const noted = { ...drainDeclared.drain!, after: "one" };
    assert.deepEqual(drained(drain, { drain: noted }), again);
    assert.deepEqual(drained({ ...drain, failback: "two" }, { drain: noted }), again);
  });

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
    ["a drain", drain, steadyPeer, { ...nothing, brokers: all }, undefined],
    [
      "a drain while the other stack declares this region lost",
      drain,
      failedOverPeer,
      nothing,
      /stack other declares region0.*decide for one, remove lostRegion from the other's/,
    ],
    [
      "a drain of a region that was forced out",
      drain,
      unknown,
      { ...declared, declaration: { kind: "failed-over", lost: "region1" } },
      /drainRegion is set, but region1 is declared lost by incident region1-1: set lostRegion again/,
    ],
    [
      "a drain of a region whose loss is declared and nothing done",
      drain,
      unknown,
      declared,
      /drainRegion is set, but region1 is declared lost by .*: remove drainRegion, up \(takes that back\), then set it$/,
    ],
    [
      "a drain of a region that is failed back, which is not finished",
      drain,
      unknown,
      {
        ...declared,
        declaration: { kind: "failing-back", lost: "region1", attempt: "one" },
        recovery: { phase: "restored" },
      },
      /drainRegion is set, but region1 is declared lost by .*: remove drainRegion, up \(finishes that\), then set it$/,
    ],
    [
      "a drain of a region whose failback has not ended",
      drain,
      unknown,
      {
        ...declared,
        declaration: { kind: "failing-back", lost: "region1", attempt: "one" },
        recovery: { phase: "failed-over" },
      },
      /: set lostRegion again, and fail back$/,
    ],
    [
      "a drain of a drained region whose loss was declared meanwhile",
      drain,
      unknown,
      { ...declared, declaration: { kind: "drained", drained: "region1" } },
      /drainRegion is set, but region1 is declared lost by .*: set lostRegion again/,
    ],
    [
      "a drain while the other stack drains this region",
      drain,
      { ...steadyPeer, drains: "region0" },
      nothing,
      /^stack other drains region0, the region of this stack: one must stay; remove drainRegion from one stack, and up there$/,
    ],
    [
      "a drain by the stack of a region that is drained",
      drain,
      { ...drainedPeer, drains: "region0" },
      nothing,
      /^stack other has drained region0, the region of this stack, which holds nothing: remove drainRegion here, and fail back there$/,
    ],
    // Whether anything is left to go on with, the cluster says: on the day nothing is refused for a plan.
    [
      "a loss while the other stack drains this region",
      lost,
      { ...drainedPeer, drains: "region0" },
      nothing,
      undefined,
    ],
    ["a loss of a drained region", lost, unknown, drainDeclared, undefined],
    ["a failback from a drain", { ...drain, failback: "one" }, unknown, drainDeclared, undefined],
    [
      "a failback from a drain of which only an incident is recorded",
      { ...drain, failback: "one" },
      unknown,
      { ...declared, incident: { ...declared.incident!, withdrawn: true } },
      /no incident or drain is recorded here/,
    ],
    [
      "a failback from a loss of which only a drain is recorded",
      back,
      unknown,
      drainDeclared,
      /no incident or drain is recorded here/,
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
      { ...declared, brokers: survivors, lastAttempt: { attempt: "one", abandoned: false } },
      /failback is ONE, the name of an earlier attempt/,
    ],
    [
      "the first attempt to fail back",
      back,
      unknown,
      { ...declared, brokers: survivors },
      undefined,
    ],
    [
      "an attempt that goes on",
      back,
      unknown,
      {
        ...declared,
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
      { ...declared, brokers: survivors, lastAttempt: { attempt: "one", abandoned: true } },
      undefined,
    ],
    [
      "an attempt with the name of an abandoned one",
      back,
      unknown,
      { ...declared, brokers: survivors, lastAttempt: { attempt: "one", abandoned: true } },
      /failback is one, the name of an earlier attempt.*choose a new name/,
    ],
    [
      "an attempt with the name of one that was abandoned before the last one",
      back,
      unknown,
      {
        ...declared,
        brokers: survivors,
        lastAttempt: { attempt: "two", abandoned: true },
        usedAttempts: ["one", "two"],
      },
      /failback is one, the name of an earlier attempt.*choose a new name/,
    ],
    [
      "an attempt whose name was given up for another, which was then killed early",
      back,
      unknown,
      {
        ...declared,
        brokers: survivors,
        gateAttempt: "two",
        usedAttempts: ["one", "two"],
      },
      /failback is one, the name of an earlier attempt/,
    ],
    [
      "an attempt with the name of one of an earlier incident",
      back,
      unknown,
      { ...declared, brokers: survivors, lastAttempt: { attempt: "one", abandoned: false } },
      /the name of an earlier attempt/,
    ],
    [
      "an attempt that has finished and is still declared",
      back,
      unknown,
      {
        ...declared,
        brokers: all,
        gateAttempt: "one",
        lastAttempt: { attempt: "one", abandoned: false },
      },
      undefined,
    ],
  ];
  runs.push(
    [
      "a failback of which no incident is recorded",
      back,
      unknown,
      { ...nothing, brokers: survivors },
      /no incident or drain is recorded here: remove failback, up .*, then set it again/,
    ],
    [
      "a failback of a state that cannot be read",
      back,
      unknown,
      { ...nothing, unreadable: true },
      /the recorded state of this stack cannot be read/,
    ],
    [
      "a steady run with the written reason of an incident left",
      { overrides: reasons },
      steadyPeer,
      { ...nothing, brokers: all },
      /overrides\.still-seen is of an incident that is over: .*written anew/,
    ],
    [
      "the incident that it was written for",
      { ...lost, overrides: reasons },
      steadyPeer,
      { ...nothing, brokers: all },
      undefined,
    ],
    [
      "the next run of that incident",
      { ...lost, overrides: reasons },
      steadyPeer,
      withReasons({ brokers: survivors, declaration: { kind: "failed-over", lost: "region1" } }),
      undefined,
    ],
    [
      "the reason of one incident in the next, when the region is lost once more",
      { ...lost, overrides: reasons },
      steadyPeer,
      withReasons({ brokers: all, declaration: restoredBy }),
      /overrides\.still-seen is of an incident that is over/,
    ],
    [
      "another reason then",
      { ...lost, overrides: { "still-seen": "the gateway lies, seen on the consoles" } },
      steadyPeer,
      withReasons({ brokers: all, declaration: restoredBy }),
      undefined,
    ],
  );
  for (const [what, changes, peer, recorded, expected] of runs) {
    it(`${expected ? "refuses" : "accepts"} ${what}`, () => {
      const settings = settingsOf(changes);
      const problems = runProblems(settings, peer, recorded, "org/project/own");
      assert.equal(problems.length, expected ? 1 : 0, problems.join("\n"));
      problems.forEach((line) => expectRefusal(line, expected ? [expected] : []));
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
