import assert from "node:assert/strict";
import { peerOf, RegionName, without } from "../../components/base/brokers";
import { exporterStates, memberIds, Operation, seenIds } from "../../components/clients/topology";
import { Refused, Unreachable } from "../../components/clients/http";
import { isRecord } from "../../components/base/json";
import { assertBlocked, assertForcePlan, Bench, exporterOf, kinds, refused } from "./bench";

const bothEnabled = { [exporterOf("region0")]: "ENABLED", [exporterOf("region1")]: "ENABLED" };

/** From the loss of a region to a cluster of the other one that works. */
export function failover(bench: Bench, lost: RegionName): void {
  const survivor = peerOf(lost);
  const exporter = exporterOf(lost);
  const zeebe = () => bench.zeebe(survivor);
  const survivors = () => bench.ids(survivor);
  const replicas = () => survivors().length * bench.world.shape.partitionCount;
  let removal: Operation[] = [];

  bench.step("loses all brokers and the Elasticsearch of the region", async () => {
    await bench.healthy(survivor, bench.ids());
    await bench.world.lose(lost);
    await assert.rejects(bench.zeebe(lost).topology(), Unreachable);
    await assert.rejects(bench.search(lost).health(), Unreachable);
  });

  if (lost === "region1") {
    it("shows nothing of the loss in the configuration", async () => {
      const configuration = await zeebe().configuration();
      assert.deepEqual(memberIds(configuration), bench.ids());
      assert.ok(configuration.members.every(({ state }) => state === "ACTIVE"));
      assert.deepEqual(await zeebe().exporters(), bothEnabled);
    });
  } else {
    it("answers no question on the configuration with its coordinator dead", async () => {
      const questions = [
        () => zeebe().configuration(),
        () => zeebe().exporters(),
        () => zeebe().disableExporter(exporter),
        () => zeebe().setBrokers(bench.ids(), { replicationFactor: 4, dryRun: true }),
      ];
      for (const question of questions) {
        await assert.rejects(question(), (error) => {
          assert.ok(error instanceof Refused, String(error));
          assert.ok([500, 502].includes(error.status), error.message);
          return true;
        });
      }
    });
  }

  it("still lists the dead at first, and drops them within 20 s", async () => {
    assert.deepEqual(seenIds(await zeebe().topology()), bench.ids());
    const topology = await bench.eventually(
      "the dead brokers to be dropped",
      20,
      () => zeebe().topology(),
      (seen) => (seenIds(seen).length === survivors().length ? undefined : `${seenIds(seen)}`),
    );
    assert.deepEqual(seenIds(topology), survivors());
    assert.deepEqual([topology.clusterSize, topology.replicationFactor], [4, 4]);
  });

  if (lost === "region0") {
    it("answers questions on the configuration with 502, as the member is not known", async () => {
      const unknown = /subject 'topology-query' to member '0', but member is not known/;
      await assert.rejects(zeebe().configuration(), refused(502, unknown));
      await assert.rejects(zeebe().exporters(), refused(502, unknown));
      await assert.rejects(zeebe().disableExporter(exporter), (error) => {
        return error instanceof Refused && error.status === 502;
      });
    });
  }

  it("plans a forced removal in a dry run that shows all members as they are", async () => {
    const plan = await zeebe().setBrokers(survivors(), { force: true, dryRun: true });
    assertForcePlan(bench, lost, plan);
    for (const { exporters } of plan.currentMembers.flatMap((member) => member.replicas)) {
      assert.deepEqual(exporters, bothEnabled);
    }
    removal = plan.operations;
  });

  it("refuses a forced removal that retains an unknown broker", async () => {
    await assert.rejects(
      zeebe().setBrokers([...survivors(), 7], { force: true, dryRun: true }),
      refused(400, /while retaining broker '7'/),
    );
  });

  it("does not pause exporting without leaders, although it answers 200", async () => {
    const { status, body } = await bench.ask(survivor, "POST", "exporting/pause");
    assert.ok(isRecord(body) && isRecord(body.body));
    assert.deepEqual([status, body.status, body.contentType], [200, 500, null]);
    const reason = /is not known|are not known|replicas|Leader/;
    assert.match(String(body.body.message), reason);
    await assert.rejects(zeebe().pauseExporting(), refused(500, reason));
    await bench.allInPhase(survivors(), "EXPORTING");
  });

  if (lost === "region1") {
    bench.step("waits for dead brokers when their exporter is disabled first", async () => {
      const { changeId } = await zeebe().disableExporter(exporter);
      // The order of the brokers is of no kind: survivors may have done their part before.
      await bench.eventually(
        "the change to come to a dead broker",
        10,
        () => zeebe().configuration(),
        ({ pendingChange }) => {
          assert.equal(pendingChange?.id, changeId);
          const next = pendingChange.pending[0]?.brokerId as number;
          return bench.ids(lost).includes(next) ? undefined : `at broker ${next}`;
        },
      );
      await assertBlocked(bench, survivor, changeId);
      const cancelled = await bench.ask(survivor, "DELETE", `cluster/changes/${changeId}`);
      assert.equal(cancelled.status, 200);
    });
  }

  bench.step("removes the dead brokers by force", async () => {
    const change = await zeebe().setBrokers(survivors(), { force: true });
    assertForcePlan(bench, lost, change);
    assert.deepEqual(kinds(change.operations), kinds(removal));
    const configuration = await bench.completed(survivor, change);
    assert.deepEqual(memberIds(configuration), survivors());
  });

  bench.step("has leaders among the survivors afterwards, with two replicas each", async () => {
    await bench.healthy(survivor, survivors());
    const topology = await zeebe().topology();
    assert.deepEqual([topology.clusterSize, topology.replicationFactor], [2, 2]);
    assert.deepEqual(without(seenIds(topology), survivors()), []);
    const { members } = await zeebe().configuration();
    assert.ok(members.every((m) => m.replicas.every((r) => r.state === "ACTIVE")));
    assert.equal((await zeebe().exporters())[exporterOf(survivor)], "ENABLED");
    await bench.work(survivor, 3);
  });

  it("would only reconfigure the partitions when forced again", async () => {
    const plan = await bench.unchanged(survivor, () =>
      zeebe().setBrokers(survivors(), { force: true, dryRun: true }),
    );
    assert.deepEqual(kinds(plan.operations), {
      PARTITION_FORCE_RECONFIGURE: bench.world.shape.partitionCount,
    });
  });

  it("cannot add the lost brokers by force", async () => {
    await assert.rejects(
      zeebe().setBrokers(bench.ids(), { force: true, dryRun: true }),
      // The lowest of those to be retained is asked, which is dead when it is the old coordinator.
      lost === "region0"
        ? refused(502, /'topology-force-scale-down' to member '0', but member is not known/)
        : refused(400, /is not in the current cluster/),
    );
  });

  bench.step("disables the exporter of the lost region in every replica", async () => {
    const change = await zeebe().disableExporter(exporter);
    assert.deepEqual(kinds(change.operations), { PARTITION_DISABLE_EXPORTER: replicas() });
    assert.ok(change.operations.every(({ exporterId }) => exporterId === exporter));
    const configuration = await bench.completed(survivor, change);
    assert.deepEqual(exporterStates(configuration, exporter), ["DISABLED"]);
    assert.deepEqual(exporterStates(configuration, exporterOf(survivor)), ["ENABLED"]);
  });

  bench.step("accepts that again, and stays DISABLED", async () => {
    await bench.completed(survivor, await zeebe().disableExporter(exporter));
    assert.deepEqual(await zeebe().exporters(), { ...bothEnabled, [exporter]: "DISABLED" });
  });

  it("refuses to enable it from an exporter that is not there", async () => {
    await assert.rejects(
      zeebe().enableExporter(exporter, "nosuch", { dryRun: true }),
      refused(400, /does not have exporter 'nosuch'$/),
    );
  });

  bench.step("exports to the other region alone, which counts as written", async () => {
    await bench.work(survivor, 3);
    await bench.exported([survivor], bench.started);
    await bench.written(survivors());
  });
}
