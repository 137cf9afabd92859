import assert from "node:assert/strict";
import { peerOf, RegionName, REGIONS } from "../../components/base/brokers";
import {
  describePending,
  exporterStates,
  memberIds,
  partitionIds,
  Operation,
} from "../../components/clients/topology";
import type { Configuration } from "../../components/clients/topology";
import { Refused, Unreachable } from "../../components/clients/http";
import { assertBlocked, Bench, exporterOf, kinds, RECORDS, refused } from "./bench";
import { takeOver } from "./takeOver";

/** From the recreated region to a cluster of both, with the same documents. */
export function failback(bench: Bench, lost: RegionName, data: "empty" | "old"): void {
  const survivor = peerOf(lost);
  const zeebe = () => bench.zeebe(survivor);
  const survivors = () => bench.ids(survivor);
  const partitionCount = () => bench.world.shape.partitionCount;

  /** What a broker is that the survivors list: `closed` or `hanging` when it came back with old data. */
  const stateOf = async (id: number): Promise<"up" | "busy" | "closed" | "hanging"> => {
    try {
      return (await zeebe().exporterPhases({ url: bench.brokerUrl(id) })).length === 0
        ? "up"
        : "busy";
    } catch (error) {
      if (error instanceof Unreachable) {
        return "closed";
      }
      if (error instanceof Refused) {
        return "hanging";
      }
      throw error;
    }
  };
  const listed =
    (wrong: (own: string, id: number) => string | undefined | Promise<string | undefined>) =>
    async () => {
      const { brokers } = await zeebe().topology();
      for (const id of bench.ids(lost)) {
        const broker = brokers.find((seen) => seen.id === id);
        if (broker === undefined) {
          return `broker ${id} is not listed`;
        }
        if (broker.partitions.length > 0) {
          return `broker ${id} has partitions`;
        }
        const problem = await wrong(await stateOf(id), id);
        if (problem !== undefined) {
          return `broker ${id} ${problem}`;
        }
      }
      return undefined;
    };
  const passes = (seen: string | undefined) => seen;

  bench.step(`recreates the region with ${data} data`, async () => {
    await bench.world.recreate(lost, data);
  });

  if (data === "old") {
    bench.step(
      "lists brokers that came back with old data, although they close their ports or hang",
      async () => {
        // One that learns of the survivors early enough follows them at once: which it is, is chance.
        await bench.eventually(
          "what becomes of the old data",
          120,
          listed(async (own, id) => {
            if (own !== "up") {
              return own === "busy" ? "is busy" : undefined;
            }
            const known = memberIds(await zeebe().configuration({ url: bench.brokerUrl(id) }));
            return known.length === survivors().length ? undefined : "knows the lost as members";
          }),
          passes,
        );
        await Promise.all(bench.ids(lost).map((id) => bench.world.restartBroker(id)));
      },
    );

    it("lists its old indices as EXISTING_STORE, in an Elasticsearch that is not red", async () => {
      const shards = await bench.eventually(
        "the old indices",
        30,
        () => bench.search(lost).indices.recoveries([RECORDS]),
        (found) => (found.length > 0 ? undefined : "none"),
      );
      assert.ok(shards.every(({ type }) => type === "EXISTING_STORE"));
      assert.notEqual((await bench.search(lost).health()).status, "red");
    });

    bench.step("deletes indices by their names, not by a pattern", async () => {
      const pattern = await bench.askSearch(lost, "DELETE", RECORDS);
      assert.equal(pattern.status, 400);
      const old = await bench.search(lost).indices.existing([RECORDS]);
      assert.ok(old.length > 0);
      await bench.search(lost).indices.deleteIndices(old);
    });
  }

  bench.step(
    "lists the recreated brokers without partitions, which are up and not ready",
    async () => {
      await bench.eventually(
        "recreated brokers",
        60,
        listed((own) => (own === "up" ? undefined : `is ${own}`)),
        passes,
      );
      for (const id of bench.ids(lost)) {
        const partitions = await bench.askBroker(id, "actuator/partitions");
        assert.deepEqual([partitions.status, partitions.body], [200, {}]);
        assert.equal(await bench.readiness(id), 503);
        const own = await bench.askBroker(id, "actuator/cluster");
        const known = (own.body as { brokers: { id: number }[] }).brokers;
        assert.deepEqual(known.map((member) => member.id).sort(), survivors());
      }
      const configuration = await zeebe().configuration();
      assert.deepEqual(memberIds(configuration), survivors());
      assert.equal(configuration.pendingChange, undefined);
      const { clusterSize, replicationFactor } = await zeebe().topology();
      assert.deepEqual([clusterSize, replicationFactor], [2, 2]);
    },
  );

  it("has no indices in the recreated Elasticsearch", async () => {
    const search = bench.search(lost);
    assert.deepEqual(await search.indices.existing([RECORDS]), []);
    assert.deepEqual(await search.indices.documents([RECORDS]), {});
    assert.deepEqual(await search.indices.recoveries([RECORDS]), []);
    assert.notEqual((await search.health()).status, "red");
    if (data === "empty") {
      assert.deepEqual(await search.templates(["zeebe-record"]), []);
    }
  });

  it("cannot add the recreated brokers by force either", async () => {
    await assert.rejects(
      zeebe().setBrokers(bench.ids(), { force: true, dryRun: true }),
      refused(400, /is not in the current cluster/),
    );
  });

  it("moves replicas to the added brokers when no replication factor is given", async () => {
    const plan = await bench.unchanged(survivor, () =>
      zeebe().setBrokers(bench.ids(), { dryRun: true }),
    );
    assert.ok((kinds(plan.operations).PARTITION_LEAVE ?? 0) > 0);
    assert.deepEqual(
      replicasOf(plan.expectedMembers),
      partitionIds(partitionCount()).map(() => 2),
    );
  });

  it("joins the added brokers to every partition with a replication factor of four", async () => {
    const plan = await bench.unchanged(survivor, () =>
      zeebe().setBrokers(bench.ids(), { replicationFactor: 4, dryRun: true }),
    );
    assertAddPlan(plan.operations);
    assert.deepEqual(
      replicasOf(plan.expectedMembers),
      partitionIds(partitionCount()).map(() => 4),
    );
    assert.deepEqual(plan.expectedMembers.map(({ id }) => id).sort(), bench.ids());
  });

  bench.step("pauses exporting of the survivors", async () => {
    await bench.written(survivors());
    await zeebe().pauseExporting();
    await bench.allInPhase(survivors(), "PAUSED");
    assert.deepEqual(await zeebe().exporters(), {
      [exporterOf(survivor)]: "ENABLED",
      [exporterOf(lost)]: "DISABLED",
    });
    await bench.work(survivor, 4);
  });

  takeOver(bench, lost, data);

  bench.step("enables the exporter from the survivor's, while exporting is paused", async () => {
    const exporter = exporterOf(lost);
    const change = await zeebe().enableExporter(exporter, exporterOf(survivor));
    assert.deepEqual(kinds(change.operations), {
      PARTITION_ENABLE_EXPORTER: survivors().length * partitionCount(),
    });
    const configuration = await bench.completed(survivor, change);
    assert.deepEqual(exporterStates(configuration, exporter), ["ENABLED"]);
    assert.equal((await zeebe().exporters())[exporter], "ENABLED");
    await bench.allInPhase(survivors(), "PAUSED");
    await assert.rejects(
      zeebe().enableExporter(exporter, exporterOf(survivor)),
      refused(400, /already enabled$/),
    );
    const both = REGIONS.map((region) => bench.search(region).indices.documents([RECORDS]));
    const [zero, one] = await Promise.all(both);
    assert.deepEqual(zero, one);
  });

  bench.step("resumes, and every record is in both Elasticsearches", async () => {
    await zeebe().resumeExporting();
    await bench.allInPhase(survivors(), "EXPORTING");
    await bench.written(survivors());
    await bench.exported(REGIONS, bench.started);
    await bench.sameDocuments();
    const records = async (region: RegionName) => {
      const search = bench.search(region);
      await search.indices.refresh([RECORDS]);
      return search.records.lastRecords(RECORDS);
    };
    assert.deepEqual(await records("region0"), await records("region1"));
  });

  bench.step("adds the recreated brokers one operation after the other", async () => {
    const change = await zeebe().setBrokers(bench.ids(), { replicationFactor: 4 });
    assertAddPlan(change.operations);
    await assertBlocked(bench, survivor, change.changeId);
    const seen: Configuration[] = [];
    await bench.eventually(
      "the brokers to join",
      110,
      () => zeebe().configuration(),
      (configuration) => {
        seen.push(configuration);
        return configuration.pendingChange && describePending(configuration.pendingChange);
      },
    );
    const pending = seen.flatMap(({ pendingChange }) => pendingChange ?? []);
    assert.ok(pending.length > 0);
    for (const { id, status, completed, pending: rest } of pending) {
      assert.deepEqual([id, status], [change.changeId, "IN_PROGRESS"]);
      assert.deepEqual([...completed, ...rest], change.operations);
    }
    const joining = seen.flatMap(({ members }) => members.flatMap((m) => m.replicas));
    assert.ok(joining.some(({ state }) => state === "JOINING"));
    await bench.completed(survivor, change);
  });

  bench.step("is one cluster of four replicas again, ready and exporting everywhere", async () => {
    await bench.healthy(survivor, bench.ids());
    await bench.healthy(lost, bench.ids());
    await bench.allInPhase(bench.ids(), "EXPORTING");
    const { clusterSize, replicationFactor } = await bench.zeebe(lost).topology();
    assert.deepEqual([clusterSize, replicationFactor], [4, 4]);
    const configuration = await bench.zeebe(lost).configuration();
    for (const region of REGIONS) {
      assert.deepEqual(exporterStates(configuration, exporterOf(region)), ["ENABLED"]);
    }
    for (const id of bench.ids(lost)) {
      assert.equal(await bench.readiness(id), 200);
    }
  });

  bench.step("loses no process instance in either Elasticsearch", async () => {
    await bench.work(lost, 3);
    await bench.exported(REGIONS, bench.started);
    await bench.sameDocuments();
  });

  function assertAddPlan(operations: Operation[]): void {
    const { BROKER_ADD, PARTITION_JOIN, PARTITION_RECONFIGURE_PRIORITY, ...others } =
      kinds(operations);
    assert.deepEqual(others, {});
    assert.equal(BROKER_ADD, bench.ids(lost).length);
    assert.equal(PARTITION_JOIN, bench.ids(lost).length * partitionCount());
    assert.ok((PARTITION_RECONFIGURE_PRIORITY ?? 0) <= survivors().length * partitionCount());
    assert.ok(
      operations
        .filter(({ operation }) => operation !== "PARTITION_RECONFIGURE_PRIORITY")
        .every(({ brokerId }) => bench.ids(lost).includes(brokerId)),
    );
  }
}

/** Number of replicas of each partition. */
function replicasOf(members: Configuration["members"]): number[] {
  const counts = new Map<number, number>();
  for (const { partition } of members.flatMap(({ replicas }) => replicas)) {
    counts.set(partition, (counts.get(partition) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => a - b).map(([, count]) => count);
}
