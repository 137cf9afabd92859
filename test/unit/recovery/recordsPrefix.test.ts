import assert from "node:assert/strict";
import { attempt, useBench } from "../../support/bench";
import type { Body } from "../../support/answers";

/** How the indices of this installation begin, and those of another one in the same Elasticsearch. */
const OWN = "prod.records-1";
const OTHER = "zeebe-record_job_8.6.0_2026-11-29";

describe("the prefix of the records", () => {
  const bench = useBench();

  const isThere = async (region: "region0" | "region1", index: string) =>
    (await fetch(`${bench.world.endpoints[region].elasticsearch}/${index}`)).status === 200;

  /** Another installation that has records, and goes on writing while this one is paused. */
  const beside = async () => {
    const url = `${bench.world.endpoints.region0.elasticsearch}/${OTHER}/_doc`;
    const body = JSON.stringify({ partitionId: 1, position: 1_000_000 });
    const headers = { "Content-Type": "application/json" };
    assert.equal((await fetch(url, { method: "POST", body, headers })).status, 201);
  };

  it("decides what a failback counts, snapshots, restores and compares, beside another installation", async () => {
    await bench.start("region1", { recordsPrefix: OWN });
    bench.configure({ recordsPrefix: OWN });
    await beside();
    await bench.failOver();
    await bench.world.recreate("region1");
    bench.configure({ failback: attempt });
    await bench.run.gate();
    const writing = bench.world.onRequest(({ path }) => {
      if (path.startsWith(`/${OWN}*/_refresh`)) {
        void beside();
      }
    });
    await bench.run.pause();
    await bench.run.repository("region0");
    await bench.run.snapshot();
    await bench.run.repository("region1");
    writing();
    const { outs } = await bench.run.restore();
    await bench.run.enable();
    const resumed = await bench.run.resume();
    const documents = await bench.world.documents("region0");
    assert.ok(Object.keys(documents).every((name) => name.startsWith(OWN)));
    assert.equal(outs.record.observed["indices"], Object.keys(documents).length);
    assert.equal(resumed.outs.record.observed["partitions"], 2);
    assert.deepEqual(
      [await isThere("region0", OTHER), await isThere("region1", OTHER)],
      [true, false],
    );
    const patterns = bench.world.requests
      .filter(({ server, path }) => server === "elasticsearch" && /_search|_refresh/.test(path))
      .map(({ path }) => path.split("/")[1]);
    assert.deepEqual([...new Set(patterns)].sort(), [`${OWN}*`, `${OWN}*,operate*,tasklist*`]);
    const taken = bench.world.requests.find(
      ({ method, path }) => method === "PUT" && /failback-/.test(path),
    );
    assert.equal((taken?.body as Body).indices, `${OWN}*,operate*,tasklist*`);
  });
});
