import assert from "node:assert/strict";
import { attempt, directions, useBench } from "../../../support/bench";

describe("a recovery without an engine", () => {
  const bench = useBench();

  for (const lost of directions) {
    it(`fails over and back in order when ${lost} is lost, and sends each change once`, async () => {
      await bench.start(lost);
      await bench.loseRegion();
      const removed = await bench.run.remove();
      assert.equal(removed.outs.record.how, "done");
      assert.deepEqual(removed.outs.record.observed.members, bench.survivors);
      assert.deepEqual(removed.outs.record.observed.removed, bench.lostBrokers);
      const disabled = await bench.run.disable();
      assert.equal(disabled.outs.record.how, "done");
      assert.deepEqual(bench.sent(), [
        "POST /actuator/cluster/brokers?force=true",
        `POST /actuator/exporters/${bench.lostExporter}/disable`,
      ]);

      await bench.work(3, [bench.survivor]);
      await bench.world.recreate(lost);
      bench.configure({ failback: attempt });
      const before = bench.sent().length;
      await bench.run.gate();
      assert.equal((await bench.run.pause()).outs.record.how, "done");
      await bench.work(3, []);
      await bench.run.repository(bench.survivor);
      assert.equal((await bench.run.snapshot()).outs.record.how, "done");
      await bench.run.repository(lost);
      assert.equal((await bench.run.restore()).outs.record.how, "done");
      assert.equal((await bench.run.enable()).outs.record.how, "done");
      assert.equal((await bench.run.resume()).outs.record.how, "done");
      assert.equal((await bench.run.exporting()).outs.record.how, "already true");
      const added = await bench.run.add();
      assert.equal(added.outs.record.how, "done");
      assert.deepEqual(added.outs.record.observed.members, [0, 1, 2, 3]);
      assert.equal(added.outs.record.observed.replicationFactor, 4);
      const snapshot = `/_snapshot/camunda_backup/${bench.snapshotName}`;
      const trial = ["PUT", "DELETE"].map((method) => `${method} /_snapshot/camunda_backup-trial`);
      assert.deepEqual(bench.sent().slice(before), [
        ...trial,
        ...trial,
        "POST /actuator/exporting/pause",
        "PUT /_snapshot/camunda_backup",
        `PUT ${snapshot}`,
        "PUT /_snapshot/camunda_backup",
        `POST ${snapshot}/_restore`,
        `POST /actuator/exporters/${bench.lostExporter}/enable`,
        "POST /actuator/exporting/resume",
        "POST /actuator/cluster/brokers?replicationFactor=4",
      ]);
      await bench.work(2);
      assert.deepEqual(
        await bench.world.documents("region0"),
        await bench.world.documents("region1"),
      );
      assert.deepEqual(bench.world.corruptedBrokers, []);
    });
  }
});
