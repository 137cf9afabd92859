import assert from "node:assert/strict";
import { provider } from "../../../../components/recovery/providers/snapshot";
import { session } from "../../../../components/recovery/session";
import { attempt, directions, useBench } from "../../../support/bench";
import { Body } from "../../../support/answers";
import { begun, failureOf, refusal } from "../../../support/failure";

const PARTITIONS = /^\/actuator\/partitions$/;
const SNAPSHOT = /^\/_snapshot\/camunda_backup\/failback-/;

describe("Snapshot", () => {
  const bench = useBench();

  const ready = async () => {
    await bench.pause();
    await bench.run.repository(bench.survivor);
  };
  const taken = () =>
    bench.sent().filter((line) => /^PUT \/_snapshot\/camunda_backup\//.test(line));

  for (const lost of directions) {
    it(`takes a whole snapshot of the survivor of ${lost}, and finds it the second time`, async () => {
      await bench.start(lost);
      await ready();
      const { id, outs } = await bench.run.snapshot();
      assert.equal(id, `failback-${lost}-${attempt}`);
      assert.equal(outs.record.how, "done");
      assert.equal(outs.record.observed["state"], "SUCCESS");
      const documents = Object.values(await bench.world.documents(bench.survivor));
      assert.equal(
        outs.record.observed["documents"],
        documents.reduce((a, b) => a + b),
      );
      assert.equal((await bench.run.snapshot()).outs.record.how, "already true");
      assert.equal(taken().length, 1);
    });

    it(`does not take a second snapshot of the survivor of ${lost} when the answer is lost`, async () => {
      await bench.start(lost);
      await ready();
      bench.world.inject({ method: "PUT", path: SNAPSHOT, drop: true });
      assert.equal((await bench.run.snapshot()).outs.record.how, "done");
      assert.equal((await bench.run.snapshot()).outs.record.how, "already true");
      assert.equal(taken().length, 1);
    });
  }

  it("finds its own snapshot when the answer is lost and it is not listed yet", async () => {
    await bench.start();
    await ready();
    bench.world.inject({ method: "PUT", path: SNAPSHOT, drop: true, times: 1 });
    // The look before the request, and the one after it.
    bench.world.inject({
      method: "GET",
      path: SNAPSHOT,
      times: 2,
      respond: { status: 404, body: { error: { type: "snapshot_missing_exception" } } },
    });
    assert.equal((await bench.run.snapshot()).outs.record.how, "done");
    assert.equal(taken().length, 1);
  });

  it("takes one that is there, when it asks again after a lost answer, for its own", async () => {
    await bench.start();
    await ready();
    bench.world.inject({ method: "PUT", path: SNAPSHOT, drop: true, times: 1 });
    const list = bench.world.inject({
      method: "GET",
      path: SNAPSHOT,
      respond: { status: 404, body: { error: { type: "snapshot_missing_exception" } } },
    });
    let looks = 0;
    bench.world.onRequest(({ method, path }) => {
      if (method === "GET" && SNAPSHOT.test(path) && taken().length > 1) {
        looks += 1;
        // Nor is it listed at the first look after the second request was refused.
        if (looks > 1) {
          list();
        }
      }
    });
    assert.equal((await bench.run.snapshot()).outs.record.how, "done");
    const answers = bench.world.mutations().filter(({ path }) => SNAPSHOT.test(path));
    assert.equal(answers.at(-1)?.status, 400);
  });

  it("asks for Camunda's indices with the global state", async () => {
    await bench.start();
    await ready();
    await bench.run.snapshot();
    const sent = bench.world.mutations().find((r) => SNAPSHOT.test(r.path));
    const body = sent?.body as Record<string, unknown>;
    assert.equal(body["include_global_state"], true);
    assert.equal(body["indices"], "zeebe-record*,operate*,tasklist*");
  });

  it("refuses while exporting is not paused", async () => {
    await bench.start();
    await bench.recreate();
    await bench.run.repository(bench.survivor);
    await refusal(
      bench.run.snapshot(),
      /exporting is EXPORTING, not PAUSED/,
      /set failback to a new name/,
    );
    assert.deepEqual(taken(), []);
  });

  it("refuses while one replica goes on exporting", async () => {
    await bench.start();
    await ready();
    bench.misreport(1, { exporterPhase: "EXPORTING" }, { brokerId: 2 });
    await refusal(bench.run.snapshot(), /EXPORTING and PAUSED, not PAUSED, on brokers 0, 2/);
    assert.deepEqual(taken(), []);
  });

  it("refuses while a broker does not say that it is paused", async () => {
    await bench.start();
    await ready();
    bench.configure({}, { exporting: 0.2 });
    bench.world.inject({ path: PARTITIONS, brokerId: 2, transform: () => ({}) });
    await refusal(
      bench.run.snapshot(),
      /last seen: broker 2 partition 1 not reported; broker 2 partition 2 not/,
    );
    assert.deepEqual(taken(), []);
  });

  it("fails when exporting was resumed while the snapshot was taken", async () => {
    await bench.start();
    await ready();
    bench.world.onRequest(({ method, path }) => {
      if (method !== "PUT" || !SNAPSHOT.test(path)) {
        return;
      }
      bench.misreport(1, { exporterPhase: "EXPORTING" });
    });
    await begun(bench.run.snapshot(), /not PAUSED/);
  });

  it("refuses a snapshot of the same name that is of another pause, with as many documents", async () => {
    await bench.start();
    await ready();
    await bench.run.snapshot();
    const again = { ...bench.inputs.snapshot(), pause: "pause-2" };
    await refusal(
      provider.create(again),
      /exists already and is not of this pause \(attempt attempt-1\)/,
      /set failback to a new name/,
    );
    assert.equal(taken().length, 1);
  });

  it("refuses a snapshot of the same name that nothing is known of", async () => {
    await bench.start();
    await ready();
    const elasticsearch = session().elasticsearch("region0");
    await elasticsearch.repositories.createSnapshot(
      "camunda_backup",
      bench.snapshotName,
      ["zeebe*"],
      {},
    );
    await refusal(bench.run.snapshot(), /not of this pause \(attempt unknown\)/);
  });

  it("writes attempt, incident and pause beside the snapshot", async () => {
    await bench.start();
    await ready();
    await bench.run.snapshot();
    const sent = bench.world.mutations().find((r) => SNAPSHOT.test(r.path));
    assert.deepEqual((sent?.body as Body).metadata, {
      attempt,
      incident: "incident-1",
      pause: "pause-1",
    });
  });

  it("waits for a repository that is busy", async () => {
    await bench.start();
    await ready();
    const error = {
      type: "concurrent_snapshot_execution_exception",
      reason: "cannot snapshot while a repository cleanup is in-progress",
    };
    const busy = { method: "PUT", path: SNAPSHOT, respond: { status: 503, body: { error } } };
    bench.world.inject({ ...busy, times: 2 });
    assert.equal((await bench.run.snapshot()).outs.record.how, "done");
    assert.equal(taken().length, 3);
  });

  it("refuses when there is no index of Camunda's to take over", async () => {
    await bench.start();
    await ready();
    bench.configure({ recordsPrefix: "zeebe-other", indexPrefixes: ["zeebe-other"] });
    await refusal(bench.run.snapshot(), /no index that begins with zeebe-other/);
    assert.deepEqual(taken(), []);
  });

  for (const [what, expected, spoil] of [
    [
      "PARTIAL",
      /ended as PARTIAL, 1 of \d+ shards failed \(.*shard 0 is gone.*\): set failback/,
      (snapshot: Body) => {
        snapshot.state = "PARTIAL";
        snapshot.shards.failed = 1;
        snapshot.failures = [{ message: "shard 0 is gone" }];
      },
    ],
    [
      "FAILED",
      /ended as FAILED, .* \(no reason given\)/,
      (snapshot: Body) => {
        snapshot.state = "FAILED";
      },
    ],
    [
      "SUCCESS with a failed shard",
      /is not whole \(1 of \d+ shards failed/,
      (snapshot: Body) => {
        snapshot.shards.failed = 1;
      },
    ],
    [
      "SUCCESS with fewer successful shards than there are",
      /is not whole \(\d+ of \d+ shards in it/,
      (snapshot: Body) => {
        snapshot.shards.successful -= 1;
      },
    ],
    [
      "SUCCESS without one of the indices",
      /not whole \(1 indices missing/,
      (snapshot: Body) => snapshot.indices.pop(),
    ],
    [
      "SUCCESS without the global state",
      /not whole \(no global state\)/,
      (snapshot: Body) => {
        snapshot.include_global_state = false;
      },
    ],
  ] as const) {
    it(`fails, and is kept in the state, when the snapshot ends as ${what}`, async () => {
      await bench.start();
      await ready();
      bench.spoil(
        { method: "GET", path: SNAPSHOT },
        ({ snapshots }) => spoil(snapshots[0]),
        ({ snapshots }) => snapshots?.[0]?.state === "SUCCESS",
      );
      const failed = await begun(bench.run.snapshot(), expected);
      assert.equal(failed.id, bench.snapshotName);
      assert.equal(taken().length, 1);
    });
  }

  it("says what it saw last when the snapshot does not end", async () => {
    await bench.start("region1", { snapshotMs: 5_000 });
    await ready();
    bench.configure({}, { snapshot: 0.2 });
    await begun(bench.run.snapshot(), /to be SUCCESS; last seen: IN_PROGRESS/);
  });

  it("does not take half an answer for a snapshot", async () => {
    await bench.start();
    await ready();
    bench.world.inject({ method: "GET", path: SNAPSHOT, respond: { status: 200, body: {} } });
    const error = await failureOf(bench.run.snapshot());
    assert.match(String((error as Error).message), /the answer has no list of snapshots/);
    assert.deepEqual(taken(), []);
  });

  it("is not taken again for an attempt that is recorded", async () => {
    await bench.start();
    await ready();
    const { id, outs } = await bench.run.snapshot();
    const before = bench.world.requests.length;
    assert.deepEqual((await provider.update(id, outs, bench.inputs.snapshot())).outs, outs);
    assert.equal(bench.world.requests.length, before);
  });
});
