import assert from "node:assert/strict";
import { upgradeOf, upgradePlan } from "../../../components/recovery/upgrade";
import { runProblems } from "../../../components/recovery/interlocks/run";
import { readSettings } from "../../../components/settings";
import { PeerState, RecordedCamunda, recordedOf } from "../../../components/stack/stackState";
import type { RecordedState } from "../../../components/stack/stackState";
import { kubernetesConfig, lookup, Raw, rawConfig } from "../../support/config";
import { expectRefusal } from "../../support/failure";
import { IDS } from "../../support/ids";

const is = (version: string): RecordedCamunda => ({ applied: version, verified: version });
const halfWay: RecordedCamunda = { applied: "8.7", verified: "8.6" };

const settingsOf = (raw: Raw) =>
  readSettings(lookup(kubernetesConfig({ peerStack: "other", ...raw })));
const member: RecordedState = {
  brokers: IDS.mapOf([0, 1, 2, 3]),
  exporters: {},
  installed: true,
  releases: {},
  network: {},
};

function peerOf(camunda?: RecordedCamunda): PeerState {
  return {
    known: true,
    lostRegion: undefined,
    forced: false,
    restored: false,
    installed: camunda !== undefined,
    ...(camunda === undefined ? {} : { camunda }),
    activeRegion: undefined,
    network: {},
  };
}

describe("an upgrade of a region", () => {
  const problems = (raw: Raw, camunda: RecordedCamunda | undefined, peer: PeerState) =>
    runProblems(
      settingsOf(raw),
      peer,
      camunda === undefined
        ? { ...member, brokers: undefined, installed: false }
        : { ...member, camunda },
      "here",
    );
  const to87 = { camundaVersion: "8.7" };

  it("is what the release is not yet, where this program installs", () => {
    const upgrade = upgradeOf(settingsOf(to87), { ...member, camunda: is("8.6") });
    assert.deepEqual(upgrade, { from: "8.6", to: "8.7" });
    assert.equal(upgradeOf(settingsOf(to87), { ...member, camunda: halfWay }), undefined);
    assert.equal(upgradeOf(settingsOf(to87), member), undefined);
    const there = readSettings(lookup(rawConfig(to87)));
    assert.equal(upgradeOf(there, { ...member, camunda: is("8.6") }), undefined);
  });

  for (const [when, raw, camunda, peer] of [
    ["region0 goes first", to87, is("8.6"), peerOf(is("8.6"))],
    ["region1 follows", { ...to87, region: "region1" }, is("8.6"), peerOf(is("8.7"))],
    ["region0 goes on where it failed", to87, halfWay, peerOf(is("8.6"))],
    ["nothing is upgraded, the other region is ahead", {}, is("8.6"), peerOf(is("8.7"))],
    ["both are installed for the first time", to87, undefined, peerOf()],
    ["the second region is installed as the first", to87, undefined, peerOf(is("8.7"))],
    [
      "a region fails over that is half way",
      { ...to87, lostRegion: "region1" },
      halfWay,
      peerOf(is("8.6")),
    ],
  ] as [string, Raw, RecordedCamunda | undefined, PeerState][]) {
    it(`is not refused when ${when}`, () => {
      assert.deepEqual(problems(raw, camunda, peer), []);
    });
  }

  it("is not found in a region that fails over while its own state cannot be read", () => {
    const lost = settingsOf({ ...to87, lostRegion: "region1" });
    const unreadable = { ...recordedOf([]), unreadable: true } as const;
    assert.deepEqual(runProblems(lost, peerOf(is("8.6")), unreadable, "here"), []);
  });

  for (const [when, expected, raw, camunda, peer] of [
    [
      "it goes back",
      /^camundaVersion is 8.6, but region0 is of 8.7: one minor at a time, and none back; set 8.7$/,
      {},
      is("8.7"),
      peerOf(is("8.7")),
    ],
    [
      "a region is lost",
      /^camundaVersion is 8.7, but region0 is of 8.6: no upgrade while a region is out; set 8.6 until both are back$/,
      { ...to87, lostRegion: "region1" },
      is("8.6"),
      peerOf(is("8.6")),
    ],
    [
      "a region is drained",
      /no upgrade while a region is out/,
      { ...to87, drainRegion: "region1" },
      is("8.6"),
      peerOf(is("8.6")),
    ],
    [
      "region1 goes first",
      /^camundaVersion is 8.7: region0 goes first, and is not whole on it yet; npm run up does one after the other$/,
      { ...to87, region: "region1" },
      is("8.6"),
      peerOf(is("8.6")),
    ],
    [
      "region0 is not whole on it yet",
      /region0 goes first, and is not whole on it yet/,
      { ...to87, region: "region1" },
      is("8.6"),
      peerOf(halfWay),
    ],
    [
      "the other region is ahead",
      /^camundaVersion is 8.7, but region1 is of 8.7: bring it to 8.6 first, by stack other$/,
      to87,
      is("8.6"),
      peerOf(is("8.7")),
    ],
    [
      "the other stack cannot be read",
      /^camundaVersion is 8.7, but whether region1 is of it is not known \(no answer\): upgrade when stack other can be read$/,
      to87,
      is("8.6"),
      { known: false, why: "no answer" },
    ],
    [
      "a recreated region is to be of another one",
      /^camundaVersion is 8.7, but region1 is of 8.6: a region is installed as the other one is; set 8.6$/,
      to87,
      undefined,
      peerOf(is("8.6")),
    ],
  ] as [string, RegExp, Raw, RecordedCamunda | undefined, PeerState][]) {
    it(`is refused when ${when}`, () => {
      const all = problems(raw, camunda, peer).filter((line) => line.startsWith("camundaVersion"));
      assert.equal(all.length, 1, all.join("\n"));
      expectRefusal(all[0] ?? "", [expected]);
    });
  }

  it("is read from the chart of the release, or what was verified where the chart is the user's own", () => {
    const of = (version?: string, verified?: string) =>
      recordedOf([
        {
          type: "kubernetes:helm.sh/v3:Release",
          outputs: { name: "camunda", status: { revision: 1, version } },
        },
        ...(verified === undefined
          ? []
          : [
              {
                type: "pulumi-nodejs:dynamic/camunda:ClusterHealth",
                outputs: { camundaVersion: verified },
              },
            ]),
      ]).camunda;
    assert.deepEqual(of("12.13.3", "8.6"), { applied: "8.7", verified: "8.6" });
    assert.deepEqual(of("11.0.1", "8.6"), { applied: "8.6", verified: "8.6" });
    assert.deepEqual(of("1.0.0", "8.6"), { applied: "8.6", verified: "8.6" });
    assert.deepEqual(of("11.12.3"), { applied: "8.6", verified: undefined });
    assert.equal(recordedOf([]).camunda, undefined);
  });

  it("says what it does and costs", () => {
    const text = upgradePlan(settingsOf(to87), { from: "8.6", to: "8.7" });
    assert.match(text, /^upgrade plan: region0 from Camunda 8.6 to 8.7$/m);
    assert.match(text, /then region1, by its own stack/);
    const second = upgradePlan(settingsOf({ ...to87, region: "region1" }), {
      from: "8.6",
      to: "8.7",
    });
    assert.match(second, /region0 is of 8.7 already$/);
  });
});
