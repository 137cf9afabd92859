import assert from "node:assert/strict";
import { REGIONS } from "../../components/base/brokers";
import { exporterIds, memberIds, partitionIds, seenIds } from "../../components/clients/topology";
import { isRecord } from "../../components/base/json";
import { assertBlocked, Bench, exporterOf, kinds, RECORDS } from "./bench";

const bothEnabled = { [exporterOf("region0")]: "ENABLED", [exporterOf("region1")]: "ENABLED" };

/** What a healthy cluster answers, and what it refuses. */
export function healthyCluster(bench: Bench): void {
  const all = () => bench.ids();
  const partitions = () => partitionIds(bench.world.shape.partitionCount);
  const replicas = () => all().length * partitions().length;

  for (const region of REGIONS) {
    it(`shows all brokers with all their replicas and one leader each in ${region}`, async () => {
      await bench.healthy(region, all());
      const topology = await bench.zeebe(region).topology();
      assert.deepEqual(seenIds(topology), all());
      assert.equal(topology.partitionsCount, partitions().length);
      assert.match(topology.gatewayVersion, /^8\.6\./);
      for (const broker of topology.brokers) {
        assert.match(broker.version, /^8\.6\./);
        assert.deepEqual(broker.partitions.map(({ id }) => id).sort(), partitions());
        for (const { role, health } of broker.partitions) {
          assert.ok(["leader", "follower"].includes(role), role);
          assert.equal(health, "healthy");
        }
      }
    });

    it(`has all brokers as members, with every exporter in every replica, in ${region}`, async () => {
      const configuration = await bench.zeebe(region).configuration();
      assert.deepEqual(memberIds(configuration), all());
      assert.equal(configuration.lastChange, undefined);
      assert.equal(configuration.pendingChange, undefined);
      for (const { state, replicas: held } of configuration.members) {
        assert.equal(state, "ACTIVE");
        assert.deepEqual(
          held.map(({ partition }) => partition),
          partitions(),
        );
        for (const replica of held) {
          assert.equal(replica.state, "ACTIVE");
          assert.deepEqual(replica.exporters, bothEnabled);
        }
      }
      assert.deepEqual(await bench.zeebe(region).exporters(), bothEnabled);
    });
  }

  it("has ready brokers that export, each partition led by one of them", async () => {
    const leaders: number[] = [];
    for (const [id, held] of await bench.phases(all())) {
      assert.equal(await bench.readiness(id), 200);
      assert.deepEqual(held.map(({ partition }) => partition).sort(), partitions());
      for (const { partition, role, phase } of held) {
        assert.equal(phase, "EXPORTING");
        assert.ok(["LEADER", "FOLLOWER"].includes(role), role);
        if (role === "LEADER") {
          leaders.push(partition);
        }
      }
    }
    assert.deepEqual(leaders.sort(), partitions());
  });

  bench.step("exports process instances to both Elasticsearches alike", async () => {
    await bench.exported(REGIONS, await bench.work("region0", 6));
    await bench.written(all());
    const documents = await bench.sameDocuments();
    for (const region of REGIONS) {
      const search = bench.search(region);
      assert.deepEqual(await search.indices.documents([RECORDS]), documents);
      assert.deepEqual(await search.indices.existing([RECORDS]), Object.keys(documents).sort());
      assert.deepEqual(await search.health([RECORDS]), {
        status: "green",
        activePrimaryShards: (await search.indices.recoveries([RECORDS])).length,
        unassignedShards: 0,
        dataNodes: 1,
      });
    }
  });

  it("has positions in all records, which count them", async () => {
    const search = bench.search("region1");
    const records = await search.records.lastRecords(RECORDS);
    assert.deepEqual([...records.keys()].sort(), partitions());
    const last = new Map([...records].map(([partition, { position }]) => [partition, position]));
    assert.ok([...last.values()].every((position) => Number.isInteger(position) && position > 0));
    const sum = (counts: Iterable<number>) => [...counts].reduce((a, b) => a + b, 0);
    const counts = await search.records.countsUpTo(RECORDS, last);
    const told = [...records].map(([partition, { count }]): [number, number] => [partition, count]);
    assert.deepEqual(counts, new Map(told));
    for (const [partition, position] of last) {
      const before = await search.records.countsUpTo(RECORDS, new Map([[partition, position - 1]]));
      assert.equal(before.get(partition), Number(counts.get(partition)) - 1);
    }
    assert.equal(
      sum(counts.values()),
      sum(Object.values(await search.indices.documents([RECORDS]))),
    );
  });

  it("groups records by partition, and says whether it has left any out", async () => {
    const name = "contract-positions";
    const properties = { partitionId: { type: "integer" }, position: { type: "long" } };
    await bench.askSearch("region0", "PUT", name, { mappings: { properties } });
    const records = [
      [1, 3],
      [1, 5],
      [2, 4],
      [2, 8],
      [2, 9],
      [3, 1],
    ] as const;
    for (const [partitionId, position] of records) {
      const id = `${partitionId}-${position}`;
      const { status } = await bench.askSearch("region0", "PUT", `${name}/_doc/${id}`, {
        partitionId,
        position,
      });
      assert.equal(status, 201);
    }
    await bench.askSearch("region0", "POST", `${name}/_refresh`);

    const upTo = (partition: number, position: number) => ({
      bool: {
        filter: [{ term: { partitionId: partition } }, { range: { position: { lte: position } } }],
      },
    });
    const query = {
      bool: { should: [upTo(1, 4), upTo(2, 8), upTo(7, 9)], minimum_should_match: 1 },
    };
    const terms = (size: number, aggs?: object) => ({
      partitions: { terms: { field: "partitionId", size }, ...(aggs && { aggs }) },
    });
    const ask = async (pattern: string, body: object) => {
      const path = `${pattern}/_search?allow_no_indices=true`;
      const answer = await bench.askSearch("region0", "POST", path, { size: 0, ...body });
      assert.equal(answer.status, 200);
      const { timed_out, _shards, hits, aggregations } = answer.body as Record<string, unknown>;
      return { timed_out, _shards, hits, aggregations };
    };
    const answered = (total: number, left: number, buckets: object[]) => ({
      timed_out: false,
      _shards: { total: 1, successful: 1, skipped: 0, failed: 0 },
      hits: { total: { value: total, relation: "eq" }, max_score: null, hits: [] },
      aggregations: {
        partitions: { doc_count_error_upper_bound: 0, sum_other_doc_count: left, buckets },
      },
    });

    const last = { last: { max: { field: "position" } } };
    assert.deepEqual(
      await ask("contract-pos*", { aggs: terms(10_000, last) }),
      answered(6, 0, [
        { key: 2, doc_count: 3, last: { value: 9 } },
        { key: 1, doc_count: 2, last: { value: 5 } },
        { key: 3, doc_count: 1, last: { value: 1 } },
      ]),
    );
    assert.deepEqual(
      await ask("contract-pos*", { track_total_hits: true, query, aggs: terms(10_000) }),
      answered(3, 0, [
        { key: 2, doc_count: 2 },
        { key: 1, doc_count: 1 },
      ]),
    );
    assert.deepEqual(
      await ask("contract-pos*", { aggs: terms(1) }),
      answered(6, 3, [{ key: 2, doc_count: 3 }]),
    );
    assert.deepEqual(await ask("nosuch*", { aggs: terms(10_000) }), {
      timed_out: false,
      _shards: { total: 0, successful: 0, skipped: 0, failed: 0 },
      hits: { total: { value: 0, relation: "eq" }, max_score: 0, hits: [] },
      aggregations: undefined,
    });
    await bench.search("region0").indices.deleteIndices([name]);
  });

  it("has index and component templates of the exporters, the same in both regions", async () => {
    const [zero, one] = await Promise.all(
      REGIONS.map((region) => bench.search(region).templates(["zeebe-record"])),
    );
    assert.ok(zero?.includes("component template zeebe-record"));
    assert.ok(
      zero?.some((name) => name.startsWith("index template zeebe-record_process-instance")),
    );
    assert.deepEqual(zero, one);
  });

  it("lists indices that were created here as EMPTY_STORE, and DONE", async () => {
    const shards = await bench.search("region0").indices.recoveries([RECORDS]);
    assert.ok(shards.length > 0);
    for (const { type, stage, snapshot } of shards) {
      assert.deepEqual([type, stage, snapshot], ["EMPTY_STORE", "DONE", undefined]);
    }
  });

  it("counts closed indices in health and recoveries, and not in documents", async () => {
    const search = bench.search("region0");
    assert.equal((await bench.askSearch("region0", "PUT", "closed-index")).status, 200);
    const close = await bench.askSearch("region0", "POST", "closed-index/_close");
    assert.equal(close.status, 200);
    await bench.eventually(
      "the shard of the closed index",
      30,
      () => search.health(["closed*"]),
      ({ activePrimaryShards }) => (activePrimaryShards === 1 ? undefined : "not active"),
    );
    assert.deepEqual(await search.indices.existing(["closed*"]), ["closed-index"]);
    assert.deepEqual(await search.indices.documents(["closed*"]), {});
    const [shard, ...others] = await search.indices.recoveries(["closed*"]);
    assert.deepEqual([shard?.type, others], ["EXISTING_STORE", []]);
    await search.indices.deleteIndices(["closed-index"]);
    assert.deepEqual(await search.indices.existing(["closed*"]), []);
  });

  it("answers empty for patterns that match no index", async () => {
    const search = bench.search("region0");
    assert.deepEqual(await search.indices.documents(["nosuch*"]), {});
    assert.deepEqual(await search.indices.existing(["nosuch*"]), []);
    assert.deepEqual(await search.indices.recoveries(["nosuch*"]), []);
    assert.deepEqual(await search.records.lastRecords("nosuch*"), new Map());
    assert.deepEqual(
      await search.records.countsUpTo("nosuch*", new Map([[1, 1]])),
      new Map([[1, 0]]),
    );
    assert.deepEqual(await search.health(["nosuch*", "neither*"]), {
      status: "green",
      activePrimaryShards: 0,
      unassignedShards: 0,
      dataNodes: 1,
    });
  });

  it("answers dry runs with the plan of another membership, and changes nothing", async () => {
    const plan = await bench.unchanged("region0", () =>
      bench.zeebe("region1").setBrokers([0, 2], { replicationFactor: 2, dryRun: true }),
    );
    assert.equal(plan.operations.filter((o) => o.operation === "PARTITION_LEAVE").length, 4);
    assert.deepEqual(plan.expectedMembers.map(({ id }) => id).sort(), [0, 2]);
  });

  it("plans nothing, with change 0, for the membership that there is", async () => {
    const plan = await bench.unchanged("region0", () =>
      bench.zeebe("region0").setBrokers(all(), { replicationFactor: 4, dryRun: true }),
    );
    assert.deepEqual([plan.operations, plan.changeId], [[], 0]);
  });

  it("plans to disable an exporter in every replica, and a dry run changes nothing", async () => {
    const plan = await bench.unchanged("region0", () =>
      bench.zeebe("region0").disableExporter(exporterOf("region1"), { dryRun: true }),
    );
    assert.ok(plan.changeId > 0);
    assert.deepEqual(kinds(plan.operations), { PARTITION_DISABLE_EXPORTER: replicas() });
    const where = plan.operations.map((o) => `${o.brokerId}/${o.partitionId}/${o.exporterId}`);
    assert.equal(new Set(where).size, replicas());
  });

  const force = "cluster/brokers?dryRun=true&force=true";
  const scale = "cluster/brokers?dryRun=true";
  const refusals: [string, "GET" | "POST", string, unknown, number, RegExp][] = [
    [
      "an unknown broker",
      "POST",
      force,
      ["0", "2", "7"],
      400,
      /^Expected to force configure while retaining broker '7', but broker '7' is not in the current cluster\. Current members are '\[[0-3](, [0-3]){3}\]'$/,
    ],
    [
      "no broker",
      "POST",
      force,
      [],
      400,
      /'\[\]', but this will result in partitions '\[(1, 2|2, 1)\]' having no replicas$/,
    ],
    ["what is no id", "POST", force, ["a"], 400, /^Bad Request$/],
    ["what is no list", "POST", force, { a: 1 }, 400, /^Bad Request$/],
    ["no body", "POST", force, undefined, 415, /^Unsupported Media Type$/],
    ["reading the list", "GET", "cluster/brokers", undefined, 405, /^Method Not Allowed$/],
    ["an unknown endpoint", "GET", "nosuch", undefined, 404, /^Not Found$/],
    [
      "a replication factor by force",
      "POST",
      `${force}&replicationFactor=2`,
      ["0", "2"],
      400,
      /^The replication factor cannot be changed to requested value '2' during force scale down\./,
    ],
    [
      "more replicas than brokers",
      "POST",
      `${scale}&replicationFactor=9`,
      ["0", "1", "2", "3"],
      400,
      /^Number of brokers \[4\] is less than the replication factor \[9\]$/,
    ],
    [
      "no replicas",
      "POST",
      `${scale}&replicationFactor=0`,
      ["0", "1", "2", "3"],
      400,
      /^Replication factor \[0\] must be greater than 0$/,
    ],
    [
      "to disable an unknown exporter",
      "POST",
      "exporters/nosuch/disable",
      undefined,
      400,
      /the partition '\d' does not have the exporter 'nosuch'$/,
    ],
    [
      "to enable an enabled exporter",
      "POST",
      `exporters/${exporterOf("region1")}/enable`,
      { initializeFrom: exporterOf("region0") },
      400,
      /the exporter 'elasticsearchregion1' is already enabled$/,
    ],
  ];
  for (const [what, method, path, body, status, text] of refusals) {
    it(`refuses ${what} with ${status}`, async () => {
      const answer = await bench.unchanged("region0", () =>
        bench.ask("region1", method, path, body),
      );
      assert.equal(answer.status, status);
      assert.ok(isRecord(answer.body));
      assert.match(String(answer.body.message ?? answer.body.error), text);
    });
  }

  bench.step(
    "lets an unknown exporter be enabled, which pends and blocks until cancelled",
    async () => {
      const zeebe = bench.zeebe("region1");
      const before = await zeebe.configuration();
      const accepted = await zeebe.enableExporter("nosuch", exporterOf("region0"));
      assert.deepEqual(kinds(accepted.operations), { PARTITION_ENABLE_EXPORTER: replicas() });
      const { pendingChange } = await zeebe.configuration();
      assert.equal(pendingChange?.id, accepted.changeId);
      assert.equal(pendingChange.status, "IN_PROGRESS");
      assert.deepEqual(pendingChange.completed, []);
      assert.deepEqual(pendingChange.pending, accepted.operations);
      await assertBlocked(bench, "region0", accepted.changeId);

      const cancel = (id: string) => bench.ask("region1", "DELETE", `cluster/changes/${id}`);
      const refusalOf = async (id: string) => {
        const { status, body } = await cancel(id);
        assert.equal(status, 400);
        return (body as { message: string }).message;
      };
      assert.equal(
        await refusalOf("999"),
        "Cannot cancel change 999 because it is not the current change",
      );
      assert.equal(await refusalOf("x"), "Change id must be a number");
      assert.equal((await cancel(String(accepted.changeId))).status, 200);
      assert.equal(
        await refusalOf(String(accepted.changeId)),
        `Cannot cancel change ${accepted.changeId} because no change is in progress`,
      );
      const after = await zeebe.configuration();
      assert.deepEqual(
        [after.lastChange?.id, after.lastChange?.status, after.pendingChange],
        [accepted.changeId, "CANCELLED", undefined],
      );
      assert.deepEqual(exporterIds(after), exporterIds(before));
      assert.deepEqual(await zeebe.exporters(), bothEnabled);
    },
  );

  bench.step("pauses exporting on every broker, where the exporters stay ENABLED", async () => {
    const envelope = { body: null, status: 204, contentType: null };
    const answer = await bench.ask("region1", "POST", "exporting/pause");
    assert.deepEqual([answer.status, answer.body], [200, envelope]);
    await bench.allInPhase(all(), "PAUSED");
    await bench.zeebe("region0").pauseExporting();
    await bench.allInPhase(all(), "PAUSED");
    assert.deepEqual(await bench.zeebe("region0").exporters(), bothEnabled);
    const documents = await bench.sameDocuments();
    const keys = await bench.work("region1", 4);
    assert.deepEqual(await bench.world.documents("region0"), documents);
    await bench.zeebe("region1").resumeExporting();
    await bench.allInPhase(all(), "EXPORTING");
    await bench.zeebe("region1").resumeExporting();
    await bench.exported(REGIONS, keys);
  });

  it("answers the short names of the probes by redirects", async () => {
    const targets = { health: "status", ready: "readiness", startup: "startup" };
    for (const [name, target] of Object.entries(targets)) {
      const answer = await fetch(`${bench.brokerUrl(0)}/${name}`, { redirect: "manual" });
      assert.equal(answer.status, 301);
      assert.equal(answer.headers.get("location"), `/actuator/health/${target}`);
    }
  });

  it("answers an unknown operation on exporting as one that failed, with status 200", async () => {
    const { status, body } = await bench.ask("region0", "POST", "exporting/stop");
    assert.ok(isRecord(body));
    assert.deepEqual([status, body.status], [200, 500]);
  });
}
