import assert from "node:assert/strict";
import * as fc from "fast-check";
import { AbsenceWindow } from "../../../../components/recovery/checks/absence";
import { planMembership } from "../../../../components/recovery/planner";
import { IDS } from "../../../support/ids";
import { directions, useBench } from "../../../support/bench";
import { refusal } from "../../../support/failure";
import { Body } from "../../../support/answers";

const TOPOLOGY = /^\/v2\/topology$/;
const PARTITIONS = /^\/actuator\/partitions$/;
const FORCED = /\?force=true$/;

/** How long the region must be missed, in the looks that are made up. */
const SECONDS = 12;

/** Who was listed in a look, if it came about, and how long after the one before it. */
const looks = fc.array(
  fc.record({
    seen: fc.oneof(
      { weight: 6, arbitrary: fc.constant([0, 2]) },
      { weight: 1, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.subarray([0, 1, 2, 3]) },
    ),
    after: fc.integer({ min: 0, max: 6 }),
  }),
  { maxLength: 12 },
);

describe("the absence of a region", () => {
  const bench = useBench();

  it("lets nobody be forced out without a full window, whatever the looks show", () => {
    let forced = 0;
    let kept = 0;
    fc.assert(
      fc.property(looks, (sequence) => {
        const window = new AbsenceWindow([0, 2], [1, 3], SECONDS);
        let at = 0;
        let unbroken: number[] = [];
        for (const { seen, after } of sequence) {
          at += after * 1000;
          if (seen === undefined) {
            continue;
          }
          window.look(seen, at);
          const absent = seen.length === 2 && seen[0] === 0 && seen[1] === 2;
          unbroken = absent ? [...unbroken, at] : [];
          const plan = planMembership(
            {
              members: [0, 1, 2, 3],
              seen,
              replicationFactor: 4,
              partitionsLost: [],
              absence: { proved: window.full, led: [] },
            },
            {
              brokers: [0, 2],
              replicationFactor: 2,
              region: "region0",
              regions: IDS.byRegion(4),
              lostRegion: "region1",
              drainRegion: undefined,
              failback: undefined,
            },
          );
          const proved = unbroken.length >= 3 && at - (unbroken[0] ?? at) >= SECONDS * 1000;
          assert.equal(plan.kind === "force-remove", proved);
          forced += proved ? 1 : 0;
          kept += absent && !proved ? 1 : 0;
        }
      }),
      { numRuns: 2_000 },
    );
    assert.ok(forced > 50 && kept > 50, `${forced} forced, ${kept} kept`);
  });

  for (const lost of directions) {
    it(`forces nobody out because one look misses ${lost}, as of a gateway that has just started`, async () => {
      await bench.start(lost);
      bench.configure({ lostRegion: lost }, { loss: 0.6, absence: 0.2 });
      bench.world.inject({
        path: TOPOLOGY,
        times: 1,
        transform: (body) => ({
          ...body,
          brokers: body.brokers.filter((b: Body) => bench.survivors.includes(b.nodeId)),
        }),
      });
      await refusal(bench.run.remove(), /still see brokers/, /waited 0.6 s/);
      assert.deepEqual(bench.sent(), []);
    });

    it(`refuses while the gateways miss ${lost} for good, but a survivor leads what it could not lead alone`, async () => {
      await bench.start(lost);
      bench.configure({ lostRegion: lost }, { loss: 0.6, absence: 0.1 });
      bench.world.restartGateways(bench.survivor, 60_000);
      await refusal(
        bench.run.remove(),
        new RegExp(`${lost} is not seen, but partition [12].* has a leader here`),
        /mend the gateway's network, or remove lostRegion \(waited 0.6 s\)$/,
      );
      assert.deepEqual(bench.sent(), []);
    });
  }

  it("takes the gateway's word for who leads when a survivor says nothing of itself", async () => {
    await bench.start();
    bench.configure({ lostRegion: "region1" }, { loss: 0.4, absence: 0.1 });
    bench.world.restartGateways("region0", 60_000);
    bench.world.inject({ path: PARTITIONS, brokerId: 0, respond: { status: 200, body: {} } });
    bench.world.inject({ path: PARTITIONS, brokerId: 2, respond: { status: 503 } });
    await refusal(bench.run.remove(), /has a leader here/);
    assert.deepEqual(bench.sent(), []);
  });

  it("takes a survivor's own word for what it leads, not what a gateway has heard last", async () => {
    await bench.start();
    await bench.loseRegion();
    bench.world.inject({
      path: TOPOLOGY,
      times: 8,
      transform: (body) => {
        body.brokers.forEach((b: Body) => b.partitions.forEach((p: Body) => (p.role = "leader")));
        return body;
      },
    });
    assert.equal((await bench.run.remove()).outs.record.how, "done");
  });

  it("is not broken by looks that fail, which count for nothing", async () => {
    await bench.start();
    await bench.loseRegion();
    for (const [skip, status] of [
      [0, 503],
      [2, 404],
      [4, 401],
      [5, 200],
    ] as const) {
      bench.world.inject({ path: TOPOLOGY, times: 1, skip, respond: { status, body: "starting" } });
    }
    bench.world.inject({ path: TOPOLOGY, times: 1, skip: 1, drop: true });
    assert.equal((await bench.run.remove()).outs.record.how, "done");
    assert.equal(bench.sent().filter((line) => FORCED.test(line)).length, 1);
  });

  it("begins anew when a broker of the lost region is seen again", async () => {
    await bench.start();
    await bench.loseRegion();
    bench.configure({}, { loss: 0.5, absence: 0.25 });
    bench.world.inject({
      path: TOPOLOGY,
      transform: (body) => {
        again += 1;
        return again % 3 === 0
          ? { ...body, brokers: [...body.brokers, { nodeId: 3, version: "8.6.0", partitions: [] }] }
          : body;
      },
    });
    let again = 0;
    await refusal(bench.run.remove(), /still see broker 3|was not missed for timeouts.absence/);
    assert.deepEqual(bench.sent(), []);
  });

  it("does not hold what an earlier look has shown against a cluster that answers no more", async () => {
    await bench.start();
    bench.configure({ lostRegion: "region1" }, { loss: 0.4 });
    bench.world.inject({ path: TOPOLOGY, skip: 2, respond: { status: 503, body: "busy" } });
    await refusal(bench.run.remove(), /waited 0.4 s for the brokers .*last seen: GET .*503: busy/);
  });
});
