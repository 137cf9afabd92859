import assert from "node:assert/strict";
import { session } from "../../../../components/recovery/session";
import { directions, useBench } from "../../../support/bench";
import { begun, refusal } from "../../../support/failure";

const REGISTERED = "PUT /_snapshot/camunda_backup";
const SNAPSHOT = /^\/_snapshot\/camunda_backup\/failback-/;

describe("SnapshotRepository", () => {
  const bench = useBench();

  const registrations = () => bench.sent().filter((line) => line === REGISTERED).length;
  /** The survivor has its repository and the snapshot; nothing is registered in the recreated region. */
  const withSnapshot = async () => {
    await bench.pause();
    await bench.run.repository(bench.survivor);
    await bench.run.snapshot();
  };

  for (const lost of directions) {
    it(`registers in both regions when ${lost} is recreated, there for reading only, and once`, async () => {
      await bench.start(lost);
      await withSnapshot();
      assert.equal((await bench.run.repository(lost)).outs.record.how, "done");
      const repositories = await Promise.all(
        directions.map((region) =>
          session().elasticsearch(region).repositories.repository("camunda_backup"),
        ),
      );
      assert.deepEqual(
        repositories.map((repository) => repository?.settings["readonly"]),
        directions.map((region) => (region === lost ? "true" : undefined)),
      );
      for (const region of directions) {
        assert.equal((await bench.run.repository(region)).outs.record.how, "already true");
      }
      assert.equal(registrations(), 2);
    });

    it(`registers again in ${lost} when that was done too early to see the snapshot`, async () => {
      await bench.start(lost);
      await bench.pause();
      const { settings } = bench.world.repository;
      const recreated = session().elasticsearch(lost);
      await recreated.repositories.registerRepository("camunda_backup", "s3", settings);
      await bench.run.repository(bench.survivor);
      await bench.run.snapshot();
      assert.equal(
        await recreated.repositories.snapshot("camunda_backup", bench.snapshotName),
        undefined,
      );
      assert.equal((await bench.run.repository(lost)).outs.record.how, "done");
      assert.ok(await recreated.repositories.snapshot("camunda_backup", bench.snapshotName));
    });
  }

  it("makes a writable registration of the recreated region read-only", async () => {
    await bench.start();
    await withSnapshot();
    const { type, settings } = bench.world.repository;
    const recreated = session().elasticsearch("region1");
    await recreated.repositories.registerRepository("camunda_backup", type, settings);
    assert.equal((await bench.run.repository("region1")).outs.record.how, "done");
    const repository = await recreated.repositories.repository("camunda_backup");
    assert.equal(repository?.settings["readonly"], "true");
  });

  it("is right the next time when the answer to the registration was lost", async () => {
    await bench.start();
    await bench.pause();
    bench.world.inject({ method: "PUT", path: /^\/_snapshot\/camunda_backup$/, drop: true });
    await begun(bench.run.repository("region0"), /does not answer/);
    assert.equal((await bench.run.repository("region0")).outs.record.how, "already true");
    assert.equal(registrations(), 1);
  });

  it("refuses a repository of the name that points elsewhere", async () => {
    await bench.start("region1", { buckets: ["of-somebody"] });
    await bench.pause();
    await session()
      .elasticsearch("region0")
      .repositories.registerRepository("camunda_backup", "s3", { bucket: "of-somebody" });
    await refusal(
      bench.run.repository("region0"),
      /bucket is of-somebody, not camunda/,
      /give snapshotRepository another name/,
    );
    assert.equal(registrations(), 1);
  });

  it("moves what is left, for reading only, of a failback in the other direction", async () => {
    await bench.start("region1", { buckets: ["of-region1"] });
    await bench.pause();
    const { type, settings } = bench.world.repository;
    const survivor = session().elasticsearch("region0");
    await survivor.repositories.registerRepository("camunda_backup", type, {
      bucket: "of-region1",
      readonly: true,
    });
    assert.equal((await bench.run.repository("region0")).outs.record.how, "done");
    const moved = await survivor.repositories.repository("camunda_backup");
    assert.equal(moved?.settings["bucket"], settings["bucket"]);
    assert.equal(moved?.settings["readonly"], undefined);
    assert.equal((await bench.run.repository("region0")).outs.record.how, "already true");
  });

  it("refuses a repository of the name that is of another type", async () => {
    await bench.start("region1", { locations: ["/backups"] });
    await bench.pause();
    await session()
      .elasticsearch("region0")
      .repositories.registerRepository("camunda_backup", "fs", { location: "/backups" });
    await refusal(bench.run.repository("region0"), /type is fs, not s3/);
    assert.equal(registrations(), 1);
  });

  it("fails when the recreated region does not see the snapshot after the registration", async () => {
    await bench.start();
    await withSnapshot();
    bench.world.inject({
      region: "region1",
      path: SNAPSHOT,
      respond: { status: 404, body: { error: { type: "snapshot_missing_exception" } } },
    });
    await begun(
      bench.run.repository("region1"),
      /does not see snapshot failback-region1-attempt-1/,
      /give both the same place/,
    );
  });

  it("fails with Elasticsearch's own words when a node does not reach the repository", async () => {
    await bench.start();
    await bench.pause();
    bench.world.inject({
      path: /_verify$/,
      respond: {
        status: 500,
        body: { error: { type: "repository_verification_exception", reason: "not accessible" } },
      },
    });
    await begun(
      bench.run.repository("region0"),
      /region0 cannot be used \(repository_verification: not accessible\): mend .* \(exporting stays paused/,
    );
  });

  it("fails when the bucket does not exist, and registers the right one afterwards", async () => {
    await bench.start();
    await bench.pause();
    bench.configure({ snapshotRepository: { type: "s3", settings: { bucket: "missing" } } });
    await begun(
      bench.run.repository("region0"),
      /cannot be used \(no_such_bucket: The specified bucket does not exist\): mend its place/,
    );
    assert.equal(
      await session().elasticsearch("region0").repositories.repository("camunda_backup"),
      undefined,
    );
    bench.configure({ snapshotRepository: bench.world.repository });
    assert.equal((await bench.run.repository("region0")).outs.record.how, "done");
  });
});
