import assert from "node:assert/strict";
import { IDS } from "../../support/ids";
import { readSettings } from "../../../components/settings";
import { activeRegionOf, shapeOf } from "../../../components/recovery/phase";
import { runProblems } from "../../../components/recovery/interlocks/run";
import { lossOf } from "../../../components/recovery/loss";
import type {
  PeerState,
  RecordedNetwork,
  RecordedState,
} from "../../../components/stack/stackState";
import { eksConfig, kubernetesConfig, lookup, Raw, rawConfig } from "../../support/config";

const settingsOf = (raw: Raw) => readSettings(lookup({ peerStack: "other", ...raw }));
const unknown: PeerState = { known: false, why: "no such stack" };
const nothing: RecordedState = { exporters: {}, installed: false, releases: {}, network: {} };

function peerWith(installed: boolean, network: RecordedNetwork = {}): PeerState {
  return {
    known: true,
    lostRegion: undefined,
    forced: false,
    restored: false,
    installed,
    activeRegion: undefined,
    network,
  };
}

describe("a first installation", () => {
  const cases: [string, Raw, PeerState, Partial<RecordedState>, string][] = [
    ["nothing is known of the other stack", eksConfig(), unknown, {}, "installing"],
    ["the other region is not installed", eksConfig(), peerWith(false), {}, "installing"],
    ["no peering was requested yet", eksConfig(), peerWith(true), {}, "installing"],
    [
      "region0 can accept the peering in this run",
      eksConfig(),
      peerWith(true, { requestedPeering: "pcx-1" }),
      {},
      "steady",
    ],
    [
      "region1 has requested a peering that is not accepted",
      eksConfig({ region: "region1" }),
      peerWith(true),
      { network: { requestedPeering: "pcx-1" } },
      "installing",
    ],
    [
      "another peering than region1's was accepted",
      eksConfig({ region: "region1" }),
      peerWith(true, { acceptedPeering: "pcx-0" }),
      { network: { requestedPeering: "pcx-1" } },
      "installing",
    ],
    [
      "region1's peering was accepted",
      eksConfig({ region: "region1" }),
      peerWith(true, { acceptedPeering: "pcx-1" }),
      { network: { requestedPeering: "pcx-1" } },
      "steady",
    ],
    ["both clusters are given and installed", kubernetesConfig(), peerWith(true), {}, "steady"],
    [
      "the other stack cannot be read any more",
      eksConfig(),
      unknown,
      { brokers: IDS.mapOf([0, 1, 2, 3]) },
      "steady",
    ],
    ["its own state cannot be read", eksConfig(), unknown, { unreadable: true }, "steady"],
    ["Camunda is installed by others", rawConfig(), unknown, {}, "steady"],
  ];
  for (const [when, raw, peer, recorded, expected] of cases) {
    it(`is ${expected} when ${when}`, () => {
      assert.equal(shapeOf(settingsOf(raw), peer, { ...nothing, ...recorded }), expected);
    });
  }

  it("never keeps a loss from being declared", () => {
    const settings = settingsOf(eksConfig({ lostRegion: "region1" }));
    assert.equal(shapeOf(settings, unknown, nothing), "failed-over");
  });
});

describe("what a stack that owns network and releases refuses to conclude", () => {
  const member = { ...nothing, brokers: IDS.mapOf([0, 1, 2, 3]) };
  const failedOver: PeerState = {
    ...peerWith(true),
    lostRegion: "region0",
    forced: true,
  } as PeerState;
  const problems = (raw: Raw, peer: PeerState, recorded: RecordedState) =>
    runProblems(settingsOf(raw), peer, recorded);
  const slow: PeerState = { known: false, why: "no answer within 5 s" };
  const cases: [string, readonly string[], RegExp | undefined][] = [
    [
      "its own state, which cannot be read: the network would be taken for not made",
      problems(eksConfig(), peerWith(true), { ...nothing, unreadable: true }),
      /^the recorded state of this stack cannot be read.*run it again/,
    ],
    [
      "nothing of it in a failover",
      problems(eksConfig({ lostRegion: "region1" }), slow, { ...nothing, unreadable: true }),
      undefined,
    ],
    [
      "a first installation from a peer that cannot be read",
      problems(eksConfig(), slow, nothing),
      /^stack other cannot be read \(no answer within 5 s\).*new or recreated; run it again/,
    ],
    [
      "nothing when there is no such stack",
      problems(eksConfig(), { known: false, why: "unknown stack", absent: true }, nothing),
      undefined,
    ],
    [
      "nothing when a full member's peer cannot be read",
      problems(eksConfig(), slow, member),
      undefined,
    ],
    [
      "that a full member is to rejoin, on the other stack's word alone",
      problems(eksConfig(), failedOver, member),
      /^stack other declares region0 lost, and this stack is a full member's: recreated, make it anew/,
    ],
    [
      "nothing when a recreated region rejoins",
      problems(eksConfig(), failedOver, nothing),
      undefined,
    ],
    [
      "to become active while the other one is",
      problems(eksConfig(), { ...peerWith(true), activeRegion: "region1" } as PeerState, member),
      /^activeRegion is region0 here, stack other says that region1 serves the users/,
    ],
    [
      "nothing when it has been active all the time",
      problems(eksConfig(), { ...peerWith(true), activeRegion: "region1" } as PeerState, {
        ...member,
        activeRegion: "region0",
      }),
      undefined,
    ],
  ];
  for (const [what, found, expected] of cases) {
    it(`refuses ${what}`, () => {
      assert.equal(found.length, expected ? 1 : 0, found.join("\n"));
      if (expected) {
        assert.match(found[0] ?? "", expected);
      }
    });
  }

  it("lets a recreated region stay one while the survivor's stack cannot be read", () => {
    const recorded = { ...nothing, recovery: { phase: "rejoining" as const } };
    assert.equal(shapeOf(settingsOf(eksConfig()), slow, recorded), "rejoining");
  });
});

describe("the active region", () => {
  const lost = (activeRegion: string) =>
    settingsOf(eksConfig({ lostRegion: "region1", activeRegion }));

  it("is the survivor while a region is lost, the other one for a region that rejoins", () => {
    assert.equal(activeRegionOf(lost("region1"), "failed-over"), "region0");
    assert.equal(activeRegionOf(lost("region1"), "failing-back"), "region0");
    assert.equal(
      activeRegionOf(settingsOf(eksConfig({ region: "region1" })), "rejoining"),
      "region0",
    );
    assert.equal(
      activeRegionOf(settingsOf(eksConfig({ activeRegion: "region1" })), "steady"),
      "region1",
    );
  });

  it("decides the kind of the loss, and what follows from it", () => {
    const active = lossOf(lost("region1"), nothing);
    assert.equal(active.kind, "active");
    assert.match(
      active.follows.join("; "),
      /reroute the users to region0.*batch operations.*assign/,
    );
    const passive = lossOf(lost("region0"), nothing);
    assert.equal(passive.kind, "passive");
    assert.deepEqual(passive.follows, [
      "the users stay with region0: nothing to reroute, nothing is lost",
    ]);
  });

  it("stays what it was recorded as for the incident, whatever is configured since", () => {
    const recovery = {
      lastFailover: { incident: { id: "one" }, loss: { kind: "active", follows: [] } },
    };
    assert.equal(lossOf(lost("region0"), { ...nothing, recovery }, "one").kind, "active");
    assert.equal(lossOf(lost("region0"), { ...nothing, recovery }, "two").kind, "passive");
  });

  const restored: RecordedState = {
    ...nothing,
    brokers: IDS.mapOf([0, 1, 2, 3]),
    recovery: { phase: "restored" },
    activeRegion: "region0",
  };

  it("is not moved back to the recreated region by the end of a failback", () => {
    const back = (raw: Raw) => runProblems(settingsOf(eksConfig(raw)), unknown, restored);
    const [problem, ...others] = back({ activeRegion: "region1" });
    assert.deepEqual(others, []);
    assert.match(
      problem ?? "",
      /^activeRegion is region1, but the users are with region0 .*set activeRegion region0 on both stacks/,
    );
    assert.deepEqual(back({ activeRegion: "region0" }), []);
    const overrides = { "switch-back": "planned, tested with the users" };
    assert.deepEqual(back({ activeRegion: "region1", overrides }), []);
  });

  it("may be changed at any other time", () => {
    const recorded = { ...restored, recovery: { phase: "steady" as const } };
    assert.deepEqual(
      runProblems(settingsOf(eksConfig({ activeRegion: "region1" })), unknown, recorded),
      [],
    );
  });
});
