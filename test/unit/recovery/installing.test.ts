import assert from "node:assert/strict";
import { IDS } from "../../support/ids";
import { readSettings } from "../../../components/settings";
import { activeRegionOf, shapeOf } from "../../../components/recovery/phase";
import { runProblems } from "../../../components/recovery/interlocks/run";
import { kindOfDrain, lossOf } from "../../../components/recovery/loss";
import type {
  PeerState,
  RecordedNetwork,
  RecordedState,
} from "../../../components/stack/stackState";
import { expectRefusal } from "../../support/failure";
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
    runProblems(settingsOf(raw), peer, recorded, "org/project/own");
  const gone: PeerState = { known: false, why: "unknown stack", absent: true };
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
      "a first installation whose peer is no stack: a recreated region would take itself for a new one",
      problems(eksConfig(), gone, nothing),
      /^stack other of region1 does not exist: correct peerStack, or make it: pulumi stack init other/,
    ],
    [
      "a member whose peer never was a stack",
      problems(eksConfig(), gone, member),
      /^stack other of region1 does not exist/,
    ],
    [
      "nothing when the peer was there once, and is made anew just now",
      problems(eksConfig(), gone, { ...member, knownPeer: "other" }),
      undefined,
    ],
    [
      "a name that was changed to that of no stack",
      problems(eksConfig({ peerStack: "othr" }), gone, { ...member, knownPeer: "other" }),
      /^stack othr of region1 does not exist/,
    ],
    [
      "no peer at all",
      runProblems(readSettings(lookup(eksConfig())), gone, member, "org/project/own"),
      /^peerStack is not set, and this stack's name does not hold its region: pulumi config set/,
    ],
    [
      "nothing of the peer on the day",
      problems(eksConfig({ lostRegion: "region1" }), gone, member),
      undefined,
    ],
    [
      "itself as its peer",
      problems(eksConfig({ peerStack: "own" }), peerWith(true), member),
      /^peerStack is own, this stack itself: set it to the stack of region1/,
    ],
    [
      "itself as its peer by its whole name",
      problems(eksConfig({ peerStack: "org/project/own" }), peerWith(true), member),
      /^peerStack is org\/project\/own, this stack itself/,
    ],
    [
      "nothing of a stack of the same name in another project",
      problems(eksConfig({ peerStack: "org/other/own" }), peerWith(true), member),
      undefined,
    ],
    [
      "the other region's configuration, also on the day",
      problems(eksConfig({ lostRegion: "region1" }), peerWith(true), {
        ...member,
        region: "region1",
      }),
      /^region is region0, but stack own is recorded as that of region1: .*correct its file/,
    ],
    [
      "it on a stack that never ran, by its name",
      runProblems(settingsOf(eksConfig()), peerWith(true), nothing, "org/project/prod-region1"),
      /^region is region0, but stack prod-region1 is by its name that of region1/,
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
        expectRefusal(found[0] ?? "", [expected]);
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

  it("is of a drain as of a loss, and stays what it was recorded as", () => {
    const drained = (activeRegion: string) =>
      settingsOf(eksConfig({ drainRegion: "region1", activeRegion }));
    const active = kindOfDrain(drained("region1"), nothing);
    assert.equal(active.kind, "active");
    assert.match(active.follows.join("; "), /^route the users to region0.*batch.*assign/);
    assert.equal(kindOfDrain(drained("region0"), nothing).kind, "passive");
    const recovery = { lastDrain: { drain: { id: "one" }, ...active } };
    const since = (id: string) => kindOfDrain(drained("region0"), { ...nothing, recovery }, id);
    assert.deepEqual(since("one"), active);
    assert.equal(since("two").kind, "passive");
  });

  const restored: RecordedState = {
    ...nothing,
    brokers: IDS.mapOf([0, 1, 2, 3]),
    recovery: { phase: "restored" },
    activeRegion: "region0",
  };

  it("is not moved back to the recreated region by the end of a failback", () => {
    const back = (raw: Raw) =>
      runProblems(settingsOf(eksConfig(raw)), unknown, restored, "org/project/own");
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
      runProblems(
        settingsOf(eksConfig({ activeRegion: "region1" })),
        unknown,
        recorded,
        "org/project/own",
      ),
      [],
    );
  });
});
