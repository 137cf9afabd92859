import type * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import type { RegionOutputs } from "../../components/region";
import { Contract, judge } from "../../examples/platform-pipeline/contract";

/** Fails the type check when the program exports something that the example could not read. */
const readable = (outputs: pulumi.Unwrap<RegionOutputs>): Contract => outputs;

function of(region: Contract["region"], changes: Partial<Contract> = {}): Contract {
  return {
    contractVersion: 1,
    region,
    activeRegion: "region0",
    camunda: { gateway: `http://${region}` },
    recovery: { phase: "steady", fenced: false },
    ...changes,
  };
}

const failedOver = { phase: "failed-over", lostRegion: "region0", fenced: true };
const survivor = of("region1", { activeRegion: "region1", recovery: failedOver });

describe("the verdict of the platform pipeline", () => {
  it("is about the outputs that the program has", () => {
    assert.equal(typeof readable, "function");
  });

  it("is an all-clear only when both regions say steady", () => {
    assert.deepEqual(judge([of("region0"), of("region1")]), {
      activeRegion: "region0",
      activeGateway: "http://region0",
      degraded: false,
      maySchedule: true,
      why: "both regions are steady",
    });
    const one = judge([of("region0")]);
    assert.equal(one.degraded, false);
    assert.equal(one.maySchedule, false);
    assert.match(one.why, /the other stack was not asked: it may call region0 lost/);
  });

  it("names the gateway of the active region, whichever stack is asked first", () => {
    const passive = [
      of("region0", { activeRegion: "region1" }),
      of("region1", { activeRegion: "region1" }),
    ];
    assert.equal(judge(passive).activeGateway, "http://region1");
    assert.equal(judge(passive.reverse()).activeGateway, "http://region1");
  });

  it("believes the survivor, and not the lost region that still says steady", () => {
    for (const contracts of [[of("region0"), survivor], [survivor, of("region0")], [survivor]]) {
      const verdict = judge(contracts);
      assert.equal(verdict.activeRegion, "region1");
      assert.equal(verdict.activeGateway, "http://region1");
      assert.equal(verdict.degraded, true);
      assert.equal(verdict.maySchedule, false);
      assert.match(verdict.why, /region1 says failed-over, lost: region0/);
    }
  });

  it("believes the one that has drained the other, which says steady until it runs", () => {
    const recovery = { phase: "drained", drainRegion: "region0", fenced: false };
    const stays = of("region1", { activeRegion: "region1", recovery });
    const verdict = judge([of("region0"), stays]);
    assert.equal(verdict.activeGateway, "http://region1");
    assert.equal(verdict.maySchedule, false);
    assert.match(verdict.why, /^region1 says drained, drained: region0$/);
  });

  for (const phase of ["installing", "restored", "rejoining", "unknown"]) {
    it(`lets no planned work begin while a region says ${phase}`, () => {
      const verdict = judge([of("region0"), of("region1", { recovery: { phase } })]);
      assert.equal(verdict.degraded, true);
      assert.equal(verdict.maySchedule, false);
      assert.match(verdict.why, new RegExp(`region1 says ${phase}`));
    });
  }

  it("takes a region that calls itself lost for no survivor", () => {
    const rejoining = of("region0", { recovery: { phase: "rejoining", lostRegion: "region0" } });
    assert.equal(judge([rejoining, survivor]).activeRegion, "region1");
  });

  it("lets no planned work begin behind a fence that was left closed", () => {
    const verdict = judge([
      of("region0"),
      of("region1", { recovery: { phase: "steady", fenced: true } }),
    ]);
    assert.equal(verdict.maySchedule, false);
    assert.match(verdict.why, /network between the regions is cut/);
  });

  const refused: [string, Contract[], RegExp][] = [
    [
      "an unknown version",
      [of("region0"), of("region1", { contractVersion: 2 })],
      /the stack of region1 has contractVersion 2/,
    ],
    [
      "no version",
      [of("region0", { contractVersion: undefined as never })],
      /has contractVersion not set/,
    ],
    [
      "two survivors",
      [survivor, of("region0", { recovery: { phase: "failed-over", lostRegion: "region1" } })],
      /both stacks call the other region lost/,
    ],
    [
      "an active region whose stack is not asked",
      [of("region1")],
      /the active region is region0, and its stack is not asked/,
    ],
    ["the same region twice", [of("region0"), of("region0")], /it names region0, region0/],
    ["no stack", [], /it names none/],
  ];
  for (const [what, contracts, message] of refused) {
    it(`is refused for ${what}`, () => {
      assert.throws(
        () => judge(contracts),
        (error: Error) => {
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /\n/);
          return true;
        },
      );
    });
  }
});
