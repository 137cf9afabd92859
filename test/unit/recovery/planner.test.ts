import assert from "node:assert/strict";
import * as fc from "fast-check";
import { peerOf, REGIONS, sameIds, without } from "../../../components/base/brokers";
import { GENERATION } from "../../generation/mirrored";
import { IDS } from "../../support/ids";
import {
  MembershipFacts,
  MembershipIntent,
  MembershipPlan,
  planMembership,
} from "../../../components/recovery/planner";

const cluster = fc.record({
  size: fc.constantFrom(4, 6, 8),
  numbered: fc.constantFrom(IDS, GENERATION.ids),
});

const PROVED = { proved: true, led: [] };

/** What can be seen of a cluster and declared for it, sensible or not. */
const anything: fc.Arbitrary<[MembershipFacts, MembershipIntent]> = cluster.chain(
  ({ size, numbered }) => {
    const { region0, region1 } = numbered.byRegion(size);
    const likely = fc.constantFrom(numbered.all(size), region0, region1);
    const ids = fc.oneof(likely, fc.subarray(numbered.all(size + 2)));
    return fc.tuple(
      fc.record({
        members: ids,
        seen: ids,
        replicationFactor: fc.constantFrom(1, 2, 3, 4),
        partitionsLost: fc.subarray([1, 2]),
        absence: fc.record({ proved: fc.boolean(), led: fc.subarray([1, 2]) }),
      }),
      fc.record({
        brokers: ids,
        replicationFactor: fc.constantFrom(2, 4),
        region: fc.constantFrom(...REGIONS),
        regions: fc.constant({ region0, region1 }),
        lostRegion: fc.constantFrom(undefined, ...REGIONS),
        drainRegion: fc.constantFrom(undefined, ...REGIONS),
        failback: fc.constantFrom(undefined, "attempt"),
      }),
    );
  },
);

/** A step of a recovery or a drain in which only some facts and declarations are not as they should be. */
const almostRight = fc
  .tuple(
    anything,
    fc.constantFrom("failing-over", "draining", "failing-back"),
    fc.subarray(["members", "seen", "replicationFactor", "partitionsLost", "absence"], {
      maxLength: 1,
    }),
    fc.subarray(
      ["brokers", "replicationFactor", "region", "lostRegion", "drainRegion", "failback"],
      { maxLength: 1 },
    ),
  )
  .map(([[facts, intent], kind, ...wrong]): [MembershipFacts, MembershipIntent] => {
    const { region, regions } = intent;
    const own = [...regions[region]];
    const all = [...regions.region0, ...regions.region1];
    const members = kind === "failing-back" ? own : all;
    const desired = kind === "failing-back" ? all : own;
    const factor = (ids: number[]) => (ids === own ? 2 : 4);
    return [
      {
        members,
        seen: kind === "failing-over" ? own : all,
        replicationFactor: factor(members),
        partitionsLost: [],
        absence: PROVED,
        ...only(facts, wrong[0]),
      },
      {
        brokers: desired,
        replicationFactor: factor(desired),
        region,
        regions,
        lostRegion: kind === "draining" ? undefined : peerOf(region),
        drainRegion: kind === "draining" ? peerOf(region) : undefined,
        failback: kind === "failing-back" ? "attempt" : undefined,
        ...only(intent, wrong[1]),
      },
    ];
  });

const cases = fc.oneof(anything, almostRight);

function only<T extends object>(value: T, keys: readonly string[]): Partial<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([key]) => keys.includes(key)),
  ) as Partial<T>;
}

/** Checks a property of the plan for many cases, and that some of them have the plan in question. */
function everyPlan(
  check: (plan: MembershipPlan, facts: MembershipFacts, intent: MembershipIntent) => void,
  kind?: MembershipPlan["kind"],
): void {
  let met = 0;
  fc.assert(
    fc.property(cases, ([facts, intent]) => {
      const plan = planMembership(facts, intent);
      if (plan.kind === kind) {
        met += 1;
      }
      check(plan, facts, intent);
    }),
    { numRuns: 3_000 },
  );
  assert.ok(kind === undefined || met > 10, `only ${met} plans to ${kind}`);
}

const steady: MembershipIntent = {
  brokers: [0, 1, 2, 3],
  replicationFactor: 4,
  region: "region0",
  regions: IDS.byRegion(4),
  lostRegion: undefined,
  drainRegion: undefined,
  failback: undefined,
};
const drain: MembershipIntent = {
  ...steady,
  brokers: [0, 2],
  replicationFactor: 2,
  drainRegion: "region1",
};
const lost: MembershipIntent = {
  ...steady,
  brokers: [0, 2],
  replicationFactor: 2,
  lostRegion: "region1",
};
const back: MembershipIntent = { ...steady, lostRegion: "region1", failback: "attempt" };
const whole: MembershipFacts = {
  members: [0, 1, 2, 3],
  seen: [0, 1, 2, 3],
  replicationFactor: 4,
  partitionsLost: [],
  absence: PROVED,
};

describe("planner", () => {
  it("never forces an add, for any state of the cluster and any configuration", () => {
    everyPlan((plan, facts) => {
      if (plan.kind !== "force-remove") {
        return;
      }
      assert.deepEqual(without(plan.retain, facts.members), []);
    }, "force-remove");
  });

  it("never removes a survivor or a broker of its own region", () => {
    everyPlan((plan, facts, intent) => {
      if (plan.kind === "add") {
        assert.deepEqual(without(facts.members, plan.brokers), []);
      }
      if (plan.kind !== "force-remove") {
        return;
      }
      const own = intent.regions[intent.region];
      assert.deepEqual(plan.retain, own);
      assert.deepEqual(
        plan.remove.filter((id) => own.includes(id)),
        [],
      );
      assert.deepEqual(without(plan.remove, intent.regions[peerOf(intent.region)]), []);
      assert.ok(sameIds([...plan.retain, ...plan.remove], facts.members));
    }, "force-remove");
  });

  it("never removes anybody when the other region is not declared lost", () => {
    everyPlan((plan, _facts, intent) => {
      if (plan.kind !== "force-remove") {
        return;
      }
      assert.equal(intent.lostRegion, peerOf(intent.region));
    }, "force-remove");
  });

  it("removes only when the absence is proved, no broker of the lost region is seen, all others are, and no partition is lost", () => {
    everyPlan((plan, facts, intent) => {
      if (plan.kind !== "force-remove") {
        return;
      }
      assert.deepEqual({ ...facts.absence }, PROVED);
      assert.deepEqual(
        intent.regions[peerOf(intent.region)].filter((id) => facts.seen.includes(id)),
        [],
      );
      assert.deepEqual(without(plan.retain, facts.seen), []);
      assert.deepEqual(facts.partitionsLost, []);
    }, "force-remove");
  });

  it("drains only a region that is declared so and not lost, when every member is seen and no partition is lost", () => {
    everyPlan((plan, facts, intent) => {
      if (plan.kind !== "remove" || plan.remove.length === 0) {
        return;
      }
      const { regions } = intent;
      assert.equal(intent.drainRegion, peerOf(intent.region));
      assert.notEqual(intent.lostRegion, peerOf(intent.region));
      assert.deepEqual(plan.brokers, intent.brokers);
      assert.ok(sameIds(plan.brokers, regions[intent.region]));
      assert.ok(sameIds([...plan.brokers, ...plan.remove], facts.members));
      assert.deepEqual(without(facts.members, facts.seen), []);
      assert.deepEqual(facts.partitionsLost, []);
    }, "remove");
  });

  it("does nothing exactly when nothing differs", () => {
    everyPlan((plan, facts, intent) => {
      const same =
        sameIds(facts.members, intent.brokers) &&
        facts.replicationFactor === intent.replicationFactor;
      assert.equal(plan.kind === "nothing", same);
    }, "nothing");
  });

  it("adds only when all that are to be members are seen, and with what is declared", () => {
    everyPlan((plan, facts, intent) => {
      if (plan.kind !== "add") {
        return;
      }
      assert.deepEqual(without(plan.brokers, facts.seen), []);
      assert.deepEqual(plan.brokers, intent.brokers);
      assert.equal(plan.replicationFactor, intent.replicationFactor);
      assert.deepEqual(plan.add, without(intent.brokers, facts.members));
    }, "add");
  });

  it("adds brokers only as part of a failback", () => {
    everyPlan((plan, _facts, intent) => {
      if (plan.kind !== "add" || plan.add.length === 0) {
        return;
      }
      assert.notEqual(intent.failback, undefined);
    }, "add");
  });

  it("gives a reason whenever it waits or refuses", () => {
    everyPlan((plan) => {
      if (plan.kind === "refuse") {
        assert.match(plan.why, /\S/);
      }
      if (plan.kind === "wait") {
        assert.match(`${plan.for} ${plan.refusal}`, /broker|leader/);
      }
    }, "wait");
  });

  it("plans the two steps of the procedure", () => {
    assert.deepEqual(planMembership({ ...whole, seen: [0, 2] }, lost), {
      kind: "force-remove",
      retain: [0, 2],
      remove: [1, 3],
    });
    const recreated = { ...whole, members: [0, 2], replicationFactor: 2 };
    assert.deepEqual(planMembership(recreated, back), {
      kind: "add",
      brokers: [0, 1, 2, 3],
      add: [1, 3],
      replicationFactor: 4,
    });
    assert.deepEqual(planMembership(whole, steady), { kind: "nothing" });
  });

  for (const [what, facts, intent, kind, expected] of [
    [
      "a lost region that is still seen",
      whole,
      lost,
      "wait",
      /brokers 1, 3 of region1: a region that answers is not lost/,
    ],
    [
      "one lost broker that is still seen",
      { ...whole, seen: [0, 2, 3] },
      lost,
      "wait",
      /still see broker 3/,
    ],
    [
      "a lost broker that is seen though it is no member any more",
      { ...whole, members: [0, 1, 2], seen: [0, 2, 3] },
      lost,
      "wait",
      /still see broker 3/,
    ],
    [
      "an absence that is not proved",
      { ...whole, seen: [0, 2], absence: { proved: false, led: [] } },
      lost,
      "wait",
      /the survivors to miss brokers 1, 3 in every look/,
    ],
    [
      "a leader that survivors alone could not have",
      { ...whole, seen: [0, 2], absence: { proved: false, led: [2] } },
      lost,
      "wait",
      /region1 is not seen, but partition 2 has a leader here, which needs it/,
    ],
    [
      "a survivor that is not seen",
      { ...whole, seen: [2] },
      lost,
      "wait",
      /broker 0 of the surviving region is not seen/,
    ],
    [
      "a partition without a survivor",
      { ...whole, seen: [0, 2], partitionsLost: [2] },
      lost,
      "refuse",
      /partition 2 has no replica in region0.*keep region1, or bring it back/,
    ],
    [
      "a removal while no region is lost",
      { ...whole, seen: [0, 2] },
      { ...lost, lostRegion: undefined },
      "refuse",
      /no region is declared lost or drained; set lostRegion if region1 is gone/,
    ],
    [
      "a removal of its own region",
      { ...whole, seen: [1, 3] },
      { ...lost, brokers: [1, 3] },
      "refuse",
      /the survivors must be exactly the brokers of region0/,
    ],
    [
      "a drain by the stack of the region that was drained",
      { ...whole, members: [1, 3] },
      { ...lost, lostRegion: undefined, drainRegion: "region1" },
      "refuse",
      /brokers 0, 2 of region0 itself are no members: region1 alone holds the data; remove drainRegion, and fail back from its stack"/,
    ],
    [
      "a failover by the stack of the region that was drained or forced out",
      { ...whole, members: [1, 3], seen: [0, 2] },
      { ...lost },
      "refuse",
      /region1 alone holds the data; remove lostRegion, and bring it back"/,
    ],
    [
      "an add and a removal at once",
      { ...whole, members: [0, 1] },
      { ...lost },
      "refuse",
      /adding and removing at once is no step/,
    ],
    [
      "an add outside a failback",
      { ...whole, members: [0, 2] },
      steady,
      "refuse",
      /set lostRegion or drainRegion again, and failback/,
    ],
    [
      "an add of a broker that does not run",
      { ...whole, members: [0, 2], seen: [0, 1, 2] },
      back,
      "wait",
      /broker 3 is not seen by the survivors/,
    ],
    [
      "a drain of a whole cluster",
      whole,
      drain,
      "remove",
      /"remove":\[1,3\],"replicationFactor":2/,
    ],
    [
      "a drain of a region of which a broker is not seen",
      { ...whole, seen: [0, 1, 2] },
      drain,
      "wait",
      /broker 3 is not seen: a drain needs every broker/,
    ],
    [
      "a drain of which a broker has left already, and is away",
      { ...whole, members: [0, 1, 2], seen: [0, 1, 2] },
      drain,
      "remove",
      /"remove":\[1\]/,
    ],
    [
      "a drain without a replica of a partition here",
      { ...whole, partitionsLost: [1] },
      drain,
      "refuse",
      /partition 1 has no replica in region0: without region1 its data would be lost/,
    ],
    [
      "a drain whose replicas the gateway has not counted yet",
      { ...whole, members: [0, 2] },
      drain,
      "remove",
      /"remove":\[\]/,
    ],
    [
      "a replication factor that is too high",
      { ...whole, members: [0, 2] },
      lost,
      "refuse",
      /lowering it is no step/,
    ],
    [
      "survivors with too few replicas",
      { ...whole, members: [0, 2], replicationFactor: 1 },
      lost,
      "refuse",
      /look at the cluster by hand/,
    ],
    [
      "members with too few replicas, and a partition without one here",
      { ...whole, replicationFactor: 2, partitionsLost: [2] },
      back,
      "refuse",
      /partition 2 has no replica in region0: the replication factor is not raised/,
    ],
    ["members with too few replicas", { ...whole, replicationFactor: 2 }, back, "add", /./],
    [
      "members with too few replicas of which one is not seen",
      { ...whole, seen: [0, 1, 2], replicationFactor: 2 },
      back,
      "wait",
      /broker 3 is among the members but not seen/,
    ],
  ] as const) {
    it(`answers ${what} with: ${kind}`, () => {
      const plan = planMembership(facts, intent);
      assert.equal(plan.kind, kind);
      assert.match(JSON.stringify(plan), expected);
    });
  }
});
