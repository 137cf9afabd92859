import assert from "node:assert/strict";
import { provider } from "../../../../components/recovery/providers/snapshotRestore";
import { session } from "../../../../components/recovery/session";
import { directions, useBench } from "../../../support/bench";
import { Body } from "../../../support/answers";
import { begun, refusal } from "../../../support/failure";

const RESTORE = /_restore$/;
const RECOVERY = /\/_recovery/;
const HEALTH = /^\/_cluster\/health/;

describe("SnapshotRestore", () => {
  const bench = useBench();

  const restores = () => bench.sent().filter((line) => line.endsWith("/_restore")).length;

  for (const lost of directions) {
    it(`restores ${lost} to what the survivor has, once`, async () => {
      await bench.start(lost);
      await bench.takeSnapshot();
      const { outs } = await bench.run.restore();
      assert.equal(outs.record.how, "done");
      assert.deepEqual(
        await bench.world.documents("region0"),
        await bench.world.documents("region1"),
      );
      assert.equal((await bench.run.restore()).outs.record.how, "awaited");
      assert.equal(restores(), 1);
    });

    it(`does not restore ${lost} again when the answer is lost, even before a shard is listed`, async () => {
      await bench.start(lost);
      await bench.takeSnapshot();
      bench.world.inject({ method: "POST", path: RESTORE, drop: true });
      const failed = await begun(bench.run.restore(), /does not answer/);
      assert.equal(failed.id, `restore-${bench.snapshotName}`);
      const nothing = { status: 200, body: {} };
      bench.world.inject({ region: lost, path: RECOVERY, times: 2, respond: nothing });
      assert.equal((await bench.run.restore()).outs.record.how, "awaited");
      assert.equal(restores(), 1);
    });
  }

  it("deletes what an abandoned attempt has restored, and only that", async () => {
    await bench.start();
    await bench.pause();
    await bench.run.repository("region0");
    const [survivor, recreated] = directions.map((region) => session().elasticsearch(region));
    await survivor?.repositories.createSnapshot(
      "camunda_backup",
      "failback-region1-old",
      ["zeebe*"],
      {},
    );
    await bench.until(
      "the old snapshot is there",
      async () =>
        (await survivor?.repositories.snapshot("camunda_backup", "failback-region1-old"))?.state ===
        "SUCCESS",
    );
    await bench.run.snapshot();
    await bench.run.repository("region1");
    await recreated?.repositories.restoreSnapshot("camunda_backup", "failback-region1-old", [
      "zeebe*",
    ]);
    const { outs } = await bench.run.restore();
    assert.equal(outs.record.how, "done");
    assert.match(bench.lines.join("\n"), /deleting \d+ indices that an abandoned attempt restored/);
    const recoveries = (await recreated?.indices.recoveries(["*"])) ?? [];
    assert.deepEqual(new Set(recoveries.map((r) => r.snapshot)), new Set([bench.snapshotName]));
  });

  it("refuses to touch indices that somebody else has written", async () => {
    await bench.start();
    await bench.takeSnapshot();
    const { elasticsearch } = bench.world.endpoints.region1;
    await fetch(`${elasticsearch}/operate-list-view-8.3.0_/_doc/1`, {
      method: "PUT",
      body: "{}",
      headers: { "Content-Type": "application/json" },
    });
    const before = bench.sent();
    await refusal(bench.run.restore(), /has 1 of Camunda's indices \(operate-list-view-8.3.0_\)/);
    assert.deepEqual(bench.sent(), before);
  });

  it("refuses while exporting is not paused", async () => {
    await bench.start();
    await bench.takeSnapshot();
    await bench.run.exporting();
    await refusal(bench.run.restore(), /not PAUSED/);
    assert.equal(restores(), 0);
  });

  for (const [state, respond] of [
    ["missing", { status: 404, body: {} }],
    [
      "PARTIAL",
      {
        status: 200,
        body: { snapshots: [{ snapshot: "failback-region1-attempt-1", state: "PARTIAL" }] },
      },
    ],
  ] as const) {
    it(`refuses when the recreated region sees the snapshot as ${state}`, async () => {
      await bench.start();
      await bench.takeSnapshot();
      bench.world.inject({ region: "region1", method: "GET", path: /failback-/, respond });
      await refusal(bench.run.restore(), new RegExp(`as ${state}, not SUCCESS`));
      assert.equal(restores(), 0);
    });
  }

  for (const [what, path, expected, spoil] of [
    [
      "a primary shard is not active",
      HEALTH,
      /the restore of failback-region1-atte…: (\d+) of (?!\1)\d+ primary shards active/,
      (body: Body) => {
        const [index]: Body[] = Object.values(body.indices);
        index.shards["0"].primary_active = false;
      },
    ],
    [
      "the indices are red",
      HEALTH,
      /shards active, red, the survivor's green/,
      (body: Body) => {
        body.status = "red";
      },
    ],
    [
      "the indices stay less healthy than the survivor's",
      HEALTH,
      /restored Elasticsearch is yellow with 2 unassigned shards, the survivor's is green/,
      (body: Body) => {
        body.status = "yellow";
        body.unassigned_shards = 2;
      },
    ],
    [
      "an index has a document less",
      /_stats\/docs/,
      /not the survivor's: 1 indices differ \(zeebe-record_\S+: \d+, not \d+\)/,
      (body: Body) => {
        const [first]: Body[] = Object.values(body.indices);
        first.primaries.docs.count -= 1;
      },
    ],
    [
      "an index is missing",
      /_stats\/docs/,
      /1 indices differ \(zeebe-record_\S+: none, not \d+\)/,
      (body: Body) => {
        delete body.indices[Object.keys(body.indices)[0] as string];
      },
    ],
    [
      "an index template is missing",
      /^\/_index_template/,
      /lacks 1 of the survivor's templates \(index template zeebe-record_/,
      (body: Body) => body.index_templates.pop(),
    ],
    [
      "the component template is missing",
      /^\/_component_template/,
      /lacks 1 of the survivor's templates \(component template zeebe-record\)/,
      (body: Body) => body.component_templates.pop(),
    ],
  ] as const) {
    it(`fails, and is kept in the state, when ${what} after the restore`, async () => {
      await bench.start();
      await bench.takeSnapshot();
      bench.configure({}, { restore: 0.3 });
      bench.spoil({ region: "region1", path }, spoil, () => restores() > 0);
      await begun(bench.run.restore(), expected);
      assert.equal(restores(), 1);
    });
  }

  for (const move of ["promoted", "moved", "moving"] as const) {
    it(`counts the survivor's primary shards right when they were ${move}`, async () => {
      await bench.start();
      await bench.takeSnapshot();
      bench.world.movePrimaries("region0", move);
      const { shards } = (await bench.run.restore()).outs.record.observed as Body;
      assert.ok(shards.total > 0);
      assert.equal(shards.done, shards.total);
    });
  }

  it("does not take the number of a red survivor for the one to reach", async () => {
    await bench.start();
    await bench.takeSnapshot();
    bench.configure({}, { restore: 0.3 });
    bench.world.inject({
      region: "region0",
      path: HEALTH,
      transform: (body: Body) => ({ ...body, status: "red" }),
    });
    await begun(bench.run.restore(), /(\d+) of \1 primary shards active, .* survivor's red/);
  });

  it("waits while replicas are copied after the restore", async () => {
    await bench.start();
    await bench.takeSnapshot();
    bench.world.inject({
      region: "region1",
      path: HEALTH,
      times: 2,
      transform: (body: Body) => ({ ...body, status: "yellow" }),
    });
    assert.equal((await bench.run.restore()).outs.record.observed["health"], "green");
  });

  it("accepts the health of the survivor when that is yellow for good", async () => {
    await bench.start();
    await bench.takeSnapshot();
    bench.world.inject({
      path: HEALTH,
      transform: (body: Body) => ({ ...body, status: "yellow" }),
    });
    assert.equal((await bench.run.restore()).outs.record.observed["health"], "yellow");
  });

  const putDocument = (region: "region0" | "region1", index: string, id: string) =>
    fetch(`${bench.world.endpoints[region].elasticsearch}/${index}/_doc/${id}`, {
      method: "PUT",
      body: "{}",
      headers: { "Content-Type": "application/json" },
    });

  it("refuses a document that was written again in place since the snapshot", async () => {
    await bench.start();
    await putDocument("region0", "operate-list-view", "1");
    await bench.takeSnapshot();
    await putDocument("region0", "operate-list-view", "1");
    await begun(bench.run.restore(), /1 indices differ \(operate-list-view: 1 writes, not 2\)/);
  });

  it("refuses a snapshot of another pause", async () => {
    await bench.start();
    await bench.takeSnapshot();
    const other = { ...bench.inputs.snapshot(), pause: "pause-2" };
    await refusal(provider.create(other), /is not of this pause/);
    assert.equal(restores(), 0);
  });

  it("notes an index that the survivor has deleted since the snapshot", async () => {
    await bench.start();
    await putDocument("region0", "operate-kept", "1");
    await putDocument("region0", "operate-old", "1");
    await bench.takeSnapshot();
    await session().elasticsearch("region0").indices.deleteIndices(["operate-old"]);
    const { observed } = (await bench.run.restore()).outs.record;
    assert.equal(observed["deletedSince"], 1);
  });

  it("refuses at once an index that the survivor has got since the snapshot", async () => {
    await bench.start();
    await bench.takeSnapshot();
    await putDocument("region0", "operate-new", "1");
    await begun(
      bench.run.restore(),
      /region0 has 1 indices .* not in the snapshot \(operate-new\)/,
    );
  });

  it("says why a shard is not allocated", async () => {
    await bench.start();
    await bench.takeSnapshot();
    bench.configure({}, { restore: 0.4 });
    bench.spoil({ region: "region1", path: HEALTH }, (body) => {
      const [index]: Body[] = Object.values(body.indices);
      if (index !== undefined) {
        index.shards["0"].primary_active = false;
      }
    });
    bench.world.inject({
      path: /^\/_cluster\/allocation\/explain/,
      respond: {
        status: 200,
        body: {
          current_state: "unassigned",
          allocate_explanation: "cannot allocate",
          node_allocation_decisions: [
            { deciders: [{ decision: "NO", explanation: "the disk is above the watermark" }] },
          ],
        },
      },
    });
    await begun(bench.run.restore(), /primary shards active; the disk is above the watermark/);
  });

  describe("whose Elasticsearch ends in the middle", () => {
    /** Restores so long, and what comes back on these disks once as many shards are restored. */
    async function interrupted(restoreMs: number, restored: number, disks: "empty" | "old") {
      await bench.start("region1", { restoreMs });
      await bench.takeSnapshot();
      bench.configure({}, { gate: 0.5 });
      const run = begun(
        bench.run.restore(),
        /region1 lost (?!0)\d+ of \d+ primary shards for good \(waited 0.5 s\): recreate it empty/,
      );
      await bench.until("as much is restored", async () => {
        const shards = await session().elasticsearch("region1").indices.recoveries(["*"]);
        return restores() > 0 && shards.filter(({ stage }) => stage === "DONE").length >= restored;
      });
      await bench.world.uninstallElasticsearch("region1");
      await bench.world.installElasticsearch("region1", [], disks);
      await run;
    }

    it("says that what was not restored is lost, and the next up that it is to be empty", async () => {
      await interrupted(2_000, 2, "old");
      const lost = /region1 lost (\d+) of (?!\1)\d+ indices for good .*recreate it empty/;
      await refusal(bench.run.restore(), lost);
      assert.equal(restores(), 1);
    });

    it("says so again when nothing was restored", async () => {
      await interrupted(60_000, 0, "old");
      const lost = /region1 lost (\d+) of \1 indices for good .*recreate it empty/;
      await refusal(bench.run.restore(), lost);
      assert.equal(restores(), 1);
    });

    it("says so when it came back empty, and asks for a new name", async () => {
      await interrupted(2_000, 1, "empty");
      await refusal(bench.run.restore(), /missing, not SUCCESS: .*set failback to a new name/);
      assert.equal(restores(), 1);
    });
  });

  it("waits for a node that is only away with shards", async () => {
    await bench.start();
    await bench.takeSnapshot();
    bench.configure({}, { gate: 1 });
    bench.world.inject({
      region: "region1",
      path: HEALTH,
      times: 5,
      transform: (body: Body) => {
        const [index]: Body[] = Object.values(body.indices);
        if (index !== undefined) {
          index.shards["0"].primary_active = false;
        }
        return body;
      },
    });
    bench.world.inject({
      path: /^\/_cluster\/allocation\/explain/,
      respond: {
        status: 200,
        body: {
          current_state: "unassigned",
          can_allocate: "no_valid_shard_copy",
          allocate_explanation: "a previous copy can no longer be found",
        },
      },
    });
    assert.equal((await bench.run.restore()).outs.record.how, "done");
  });
});
