import assert from "node:assert/strict";
import { peerOf, RegionName } from "../../components/base/brokers";
import type { SnapshotInfo } from "../../components/clients/elasticsearch";
import { Bench, RECORDS, refused, REPOSITORY } from "./bench";

/** A snapshot of the surviving Elasticsearch, restored in the recreated one while exporting is paused. */
export function takeOver(bench: Bench, lost: RegionName, data: "empty" | "old"): void {
  const survivor = peerOf(lost);
  const name = `failback-${lost}`;
  const metadata = { attempt: "one", documents: 42 };
  const early = data === "empty" ? "writable" : "readonly";
  let snapshot: SnapshotInfo;

  if (data === "empty") {
    it("knows no repository before one is registered", async () => {
      assert.equal(await bench.search(survivor).repositories.repository(REPOSITORY), undefined);
      const { status } = await bench.askSearch(survivor, "GET", `_snapshot/${REPOSITORY}/${name}`);
      assert.equal(status, 404);
      await assert.rejects(
        bench.search(survivor).repositories.registerRepository(REPOSITORY, "nosuch", {}),
        refused(500, /^repository_exception: .*repository type \[nosuch\] does not exist/),
      );
    });
  }

  bench.step("registers a repository, and gives its settings back as text", async () => {
    const { type, settings } = bench.world.repository;
    for (const extra of [{ readonly: true }, {}]) {
      await bench
        .search(survivor)
        .repositories.registerRepository(REPOSITORY, type, { ...settings, ...extra });
      const found = await bench.search(survivor).repositories.repository(REPOSITORY);
      const texts = Object.entries({ ...settings, ...extra }).map(([k, v]) => [k, String(v)]);
      assert.deepEqual(found, { type, settings: Object.fromEntries(texts) });
      await bench.search(survivor).repositories.verifyRepository(REPOSITORY);
    }
    assert.equal(await bench.search(survivor).repositories.snapshot(REPOSITORY, name), undefined);
    const missing = await bench.askSearch(survivor, "GET", `_snapshot/${REPOSITORY}/${name}`);
    assert.equal(missing.status, 404);
  });

  bench.step(`registers it in the recreated region too early, ${early}`, async () => {
    const { type, settings } = bench.world.repository;
    const readonly = early === "readonly" ? { readonly: true } : {};
    await bench
      .search(lost)
      .repositories.registerRepository(REPOSITORY, type, { ...settings, ...readonly });
    assert.equal(await bench.search(lost).repositories.snapshot(REPOSITORY, name), undefined);
  });

  bench.step("takes a snapshot that is accepted at once and ends as SUCCESS", async () => {
    const search = bench.search(survivor);
    await search.repositories.createSnapshot(REPOSITORY, name, [RECORDS], metadata);
    const states = new Set<string>();
    snapshot = (await bench.eventually(
      "the snapshot",
      120,
      () => search.repositories.snapshot(REPOSITORY, name),
      (found) => {
        states.add(String(found?.state));
        return found?.state === "SUCCESS" ? undefined : String(found?.state);
      },
    )) as SnapshotInfo;
    states.delete("SUCCESS");
    assert.ok(
      [...states].every((state) => state === "IN_PROGRESS"),
      [...states].join(),
    );
    assert.deepEqual(snapshot.metadata, metadata);
    assert.deepEqual(snapshot.indices, await search.indices.existing([RECORDS]));
    assert.equal(snapshot.includeGlobalState, true);
    assert.deepEqual(snapshot.failures, []);
    const { total, successful, failed } = snapshot.shards;
    assert.deepEqual([successful, failed], [total, 0]);
    assert.equal(total, (await search.indices.recoveries([RECORDS])).length);
  });

  it("refuses a second snapshot of that name", async () => {
    await assert.rejects(
      bench.search(survivor).repositories.createSnapshot(REPOSITORY, name, [RECORDS], metadata),
      refused(
        400,
        // Elasticsearch has a type of its own for it.
        /^(snapshot_name_already_in_use|invalid_snapshot_name)_exception: .*snapshot with the same name already exists$/,
      ),
    );
  });

  it("refuses to restore over indices that exist", async () => {
    await assert.rejects(
      bench.search(survivor).repositories.restoreSnapshot(REPOSITORY, name, [RECORDS]),
      refused(500, /^snapshot_restore_exception: .* an open index with same name already exists/),
    );
  });

  if (early === "writable") {
    it("looks once into a repository that was registered before it, if not OpenSearch", async () => {
      const search = bench.search(lost);
      if ((await bench.engine(lost)) === "opensearch") {
        // It looks again as long as it has written nothing itself.
        assert.deepEqual(await search.repositories.snapshot(REPOSITORY, name), snapshot);
        return;
      }
      assert.equal(await search.repositories.snapshot(REPOSITORY, name), undefined);
      await assert.rejects(
        search.repositories.restoreSnapshot(REPOSITORY, name, [RECORDS]),
        refused(500, /^snapshot_restore_exception: .*snapshot does not exist/),
      );
    });
  } else {
    it("sees the snapshot in a readonly repository that was registered before it", async () => {
      assert.deepEqual(await bench.search(lost).repositories.snapshot(REPOSITORY, name), snapshot);
    });
  }

  bench.step("sees it when the repository is registered again, readonly", async () => {
    const search = bench.search(lost);
    const { type, settings } = bench.world.repository;
    await search.repositories.registerRepository(REPOSITORY, type, { ...settings, readonly: true });
    await search.repositories.verifyRepository(REPOSITORY);
    assert.equal((await search.repositories.repository(REPOSITORY))?.settings.readonly, "true");
    assert.deepEqual(await search.repositories.snapshot(REPOSITORY, name), snapshot);
    await assert.rejects(
      search.repositories.createSnapshot(REPOSITORY, "other", [RECORDS], {}),
      refused(500, /^repository_exception: .*cannot create snapshot in a readonly repository/),
    );
  });

  it("answers 500 to the restore of a snapshot that is not there", async () => {
    await assert.rejects(
      bench.search(lost).repositories.restoreSnapshot(REPOSITORY, "nosuch", [RECORDS]),
      refused(500, /^snapshot_restore_exception: .*snapshot does not exist/),
    );
  });

  bench.step("restores all shards from the snapshot, with documents and templates", async () => {
    const [from, to] = [bench.search(survivor), bench.search(lost)];
    await to.repositories.restoreSnapshot(REPOSITORY, name, [RECORDS]);
    const stages = new Set<string>();
    const shards = await bench.eventually(
      "the restore",
      240,
      () => to.indices.recoveries([RECORDS]),
      (found) => {
        found.forEach(({ stage }) => stages.add(stage));
        const done = found.filter(({ stage }) => stage === "DONE").length;
        return done === snapshot.shards.total ? undefined : `${done} of ${snapshot.shards.total}`;
      },
    );
    for (const { type, snapshot: of, repository } of shards) {
      assert.deepEqual([type, of, repository], ["SNAPSHOT", name, REPOSITORY]);
    }
    const known = ["INIT", "INDEX", "VERIFY_INDEX", "TRANSLOG", "FINALIZE", "DONE"];
    assert.deepEqual(
      [...stages].filter((stage) => !known.includes(stage)),
      [],
    );
    assert.deepEqual(await to.indices.existing([RECORDS]), snapshot.indices);
    assert.deepEqual(
      await to.indices.documents([RECORDS]),
      await from.indices.documents([RECORDS]),
    );
    assert.deepEqual(await to.templates(["zeebe-record"]), await from.templates(["zeebe-record"]));
    assert.deepEqual(await to.health([RECORDS]), await from.health([RECORDS]));
    assert.equal((await to.health([RECORDS])).activePrimaryShards, snapshot.shards.total);
  });
}
