import assert from "node:assert/strict";
import { attempt, useBench } from "../../../support/bench";

/** A cluster that has done what it is asked when it is looked at: no request is a wait's second look. */
const INSTANT = {
  detectionMs: 0,
  electionMs: 0,
  forceMs: 0,
  joinMs: 0,
  exporterMs: 0,
  appearMs: 0,
  topologyLagMs: 0,
  shutdownMs: 0,
  snapshotMs: 0,
  restoreMs: 0,
};

const PATIENT = {
  request: 30,
  loss: 60,
  failover: 60,
  exporter: 60,
  exporting: 60,
  gate: 60,
  snapshot: 60,
  restore: 60,
  catchUp: 60,
  join: 60,
};

/** What a busy machine may add: looks that come before the cluster had its turn. */
const LATE_LOOKS = 12;

describe("the requests of a recovery", () => {
  const bench = useBench();

  /** How many requests a whole failover and a whole failback take, and the longest record of their steps. */
  async function counted(clusterSize: number, partitionCount: number) {
    await bench.start("region1", { ...INSTANT, shape: { clusterSize, partitionCount } });
    bench.configure({}, PATIENT);
    const records: unknown[] = [];
    const taken = async (steps: (() => Promise<{ outs: { record: unknown } }>)[]) => {
      const before = bench.world.requests.length;
      for (const step of steps) {
        records.push((await step()).outs.record);
      }
      return bench.world.requests.length - before;
    };
    const { run, world } = bench;
    await world.lose("region1");
    bench.configure({ lostRegion: "region1" });
    const failover = await taken([run.remove, run.disable]);
    await world.recreate("region1");
    bench.configure({ failback: attempt });
    const failback = await taken([
      run.gate,
      run.pause,
      () => run.repository("region0"),
      run.snapshot,
      () => run.repository("region1"),
      run.restore,
      run.enable,
      run.resume,
      run.exporting,
      run.add,
    ]);
    const longest = Math.max(...records.map((record) => JSON.stringify(record).length));
    await bench.stop();
    return { failover, failback, longest };
  }

  it("do not grow with the partitions, and by a few looks with each broker", async function () {
    this.timeout(240_000);
    const small = await counted(4, 2);
    const brokers = await counted(64, 2);
    const large = await counted(64, 512);
    const seen = JSON.stringify({ small, brokers, large });

    // The looks of an absence, and once each of 32 survivors is asked what it leads.
    assert.ok(small.failover <= 20 + LATE_LOOKS, seen);
    assert.ok(large.failover <= small.failover + 30 + LATE_LOOKS, seen);

    assert.ok(small.failback <= 110 + LATE_LOOKS, seen);
    // Each of 32 recreated brokers is asked twice whether it runs, and runs nothing: by the gate, and before it is
    // added; and once by the gate whom it knows as members. Each of 32 survivors is asked by the gate for its disk.
    assert.ok(brokers.failback <= small.failback + 4 * 30 + LATE_LOOKS, seen);
    // Each of 32 survivors that has a replica is asked five times whether it exports or is paused, which nothing
    // else shows: by the gate, before the pause, after it, after the snapshot and after the resume. Records are counted
    // once, 200 partitions at once.
    assert.ok(large.failback <= brokers.failback + 5 * 30 + 2 + LATE_LOOKS, seen);
    assert.ok(large.failback <= 390 + LATE_LOOKS, seen);

    assert.ok(large.longest <= 1_200, seen);
  });
});
