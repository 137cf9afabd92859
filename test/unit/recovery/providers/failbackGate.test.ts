import assert from "node:assert/strict";
import { provider } from "../../../../components/recovery/providers/failbackGate";
import { session } from "../../../../components/recovery/session";
import { attempt, directions, useBench } from "../../../support/bench";
import { Body } from "../../../support/answers";
import { kafkaOf, TWO_EACH, TWO_EACH_TARGETS } from "../../../support/exporters";
import type { RegionName } from "../../../../world/world";
import { refusal } from "../../../support/failure";

const TOPOLOGY = /^\/v2\/topology$/;
const TRIAL = "/_snapshot/camunda_backup-trial";
const VERIFY = /_verify$/;
const PARTITIONS = /^\/actuator\/partitions$/;

describe("FailbackGate", () => {
  const bench = useBench();
  /** Region, method and path of what has been sent so far that changes something. */
  const sentTo = () =>
    bench.world.mutations().map(({ region, method, path }) => `${region} ${method} ${path}`);
  /** What has been tried is taken away again, and nothing else was done. */
  const expectNothingLeft = () => {
    const tried = sentTo();
    for (const region of directions) {
      const own = tried.filter((line) => line.startsWith(region));
      assert.ok(own.length === 0 || own.at(-1) === `${region} DELETE ${TRIAL}`, own.join("; "));
    }
    assert.deepEqual(
      tried.filter((line) => !line.endsWith(TRIAL)),
      [],
    );
  };
  /** A registration under the name that is configured. */
  const registered = (region: RegionName) =>
    session().elasticsearch(region).repositories.repository("camunda_backup");
  /** What a Tasklist that is on does to the recreated Elasticsearch. */
  const writeTask = () =>
    fetch(`${bench.world.endpoints.region1.elasticsearch}/tasklist-task-8.5.0_/_doc/1`, {
      method: "PUT",
      body: "{}",
      headers: { "Content-Type": "application/json" },
    });

  for (const lost of directions) {
    it(`passes when ${lost} is recreated and clean, and leaves nothing behind`, async () => {
      await bench.start(lost);
      await bench.recreate();
      const { id, outs } = await bench.run.gate();
      assert.equal(id, "failback-gate-attempt-1");
      assert.equal(outs.record.how, "already true");
      assert.deepEqual(sentTo(), [
        `${bench.survivor} PUT ${TRIAL}`,
        `${bench.survivor} DELETE ${TRIAL}`,
        `${lost} PUT ${TRIAL}`,
        `${lost} DELETE ${TRIAL}`,
      ]);
      assert.deepEqual(
        bench.world.mutations().flatMap(({ method, body }) => (method === "PUT" ? [body] : [])),
        [{}, { readonly: true }].map((more) => ({
          type: "s3",
          settings: { ...bench.world.repository.settings, ...more },
        })),
      );
    });

    it(`says which broker of ${lost} to start first, where that matters`, async () => {
      await bench.start(lost);
      await bench.failOver();
      bench.configure({ failback: attempt }, { gate: 0.2 });
      const line = await refusal(bench.run.gate(), /not seen by the survivors/);
      assert.equal(line.includes("broker 0 first"), lost === "region0");
    });

    it(`refuses when the brokers of ${lost} came back with old data, until they are restarted`, async () => {
      await bench.start(lost);
      await bench.failOver();
      await bench.world.recreate(lost, "old");
      await bench.shutDown();
      bench.configure({ failback: attempt }, { gate: 0.2 });
      await refusal(
        bench.run.gate(),
        /is listed but does not answer/,
        /start its brokers with empty disks/,
      );
      expectNothingLeft();
    });
  }

  for (const [lost, id, known] of [
    ["region1", 1, "0, 2, 3"],
    ["region1", 3, "0, 1, 2"],
    ["region0", 0, "1, 2, 3"],
    ["region0", 2, "0, 1, 3"],
  ] as const) {
    it(`refuses broker ${id} when it knows the members from before the loss: it has old data, though it runs no partition`, async () => {
      await bench.start(lost);
      await bench.recreate();
      bench.configure({}, { gate: 0.2 });
      const other = { 0: 2, 1: 3, 2: 0, 3: 1 }[id];
      bench.world.inject({
        brokerId: id,
        path: /^\/actuator\/cluster$/,
        transform: (body: Body) => {
          body.brokers.push({ id: other, state: "ACTIVE", partitions: [] });
          return body;
        },
      });
      const said = new RegExp(`broker ${id} has old data: it knows brokers ${known} as`);
      await refusal(bench.run.gate(), said);
    });
  }

  it("looks at the cluster once more when its first look does not come about", async () => {
    await bench.start();
    await bench.recreate();
    bench.world.inject({ path: TOPOLOGY, times: 1, respond: { status: 503 } });
    assert.equal((await bench.run.gate()).outs.record.how, "already true");
  });

  it("asks only the broker again that was not there, and the other once more when it is", async () => {
    await bench.start();
    await bench.recreate();
    bench.world.inject({ brokerId: 3, path: PARTITIONS, times: 3, respond: { status: 500 } });
    const asked = (id: number) =>
      bench.world.requests.filter((r) => r.brokerId === id && PARTITIONS.test(r.path)).length;
    const before = [1, 3].map(asked);
    await bench.run.gate();
    assert.deepEqual(
      [1, 3].map((id, index) => asked(id) - Number(before[index])),
      [2, 4],
    );
  });

  it("does not pass for a broker that has gone while the other was waited for", async () => {
    await bench.start();
    await bench.recreate();
    bench.configure({}, { gate: 0.5 });
    bench.world.inject({ brokerId: 3, path: PARTITIONS, times: 3, respond: { status: 500 } });
    bench.world.inject({ brokerId: 1, path: PARTITIONS, skip: 1, drop: true });
    await refusal(bench.run.gate(), /broker 1 is listed but does not answer/);
  });

  it("refuses brokers with old data that answer as if they were clean, until they are restarted", async () => {
    await bench.start("region1", { oldData: "hangs" });
    await bench.failOver();
    await bench.world.recreate("region1", "old");
    bench.configure({ failback: attempt }, { gate: 0.2, request: 10 });
    await refusal(bench.run.gate(), /broker 1 is listed but answers nothing, after it had/);
    for (const id of bench.lostBrokers) {
      await bench.world.restartBroker(id);
    }
    bench.configure({}, { gate: 3 });
    // The brokers are fine now; what is next is that the old data of Elasticsearch is not.
    await refusal(bench.run.gate(), /already has \d+ of Camunda.s indices/);
  });

  it("refuses a repository of the survivor that is somebody else's, before anything is paused", async () => {
    await bench.start("region1", { buckets: ["of-somebody"] });
    await bench.recreate();
    await session()
      .elasticsearch("region0")
      .repositories.registerRepository("camunda_backup", "s3", { bucket: "of-somebody" });
    await refusal(bench.run.gate(), /repository camunda_backup in region0 has other settings/);
  });

  for (const [id, back, expected] of [
    ["kafkaregion1", true, /^exporter kafkaregion1 is ENABLED, not DISABLED as incident/],
    ["kafkaregion0", false, /^exporter kafkaregion0 of the survivor is DISABLED, not ENABLED/],
  ] as const) {
    it(`looks at every exporter of both regions: ${id} is not as the failover left it`, async () => {
      await bench.start("region1", { exporters: TWO_EACH_TARGETS });
      bench.configure({ exporters: TWO_EACH });
      await bench.recreate();
      if (back) {
        await fetch(`${bench.management}/actuator/exporters/${id}/enable`, { method: "POST" });
        await bench.until("it is enabled", () => bench.world.cluster().exporters[id] === "ENABLED");
      } else {
        await bench.world.disableExporter(id);
      }
      await refusal(bench.run.gate(), expected);
    });
  }

  it("says that a broker asks for credentials, which no empty disk mends", async () => {
    await bench.start();
    await bench.recreate();
    bench.world.inject({ brokerId: 3, path: /partitions/, respond: { status: 401 } });
    await refusal(bench.run.gate(), / answered 401 to no credentials: set credentials.management$/);
  });

  for (const region of directions) {
    it(`refuses a repository that ${region} may not use, by what its error comes from`, async () => {
      await bench.start();
      await bench.recreate();
      const denied = { type: "s3_exception", reason: "Access Denied (Status Code: 403)" };
      bench.world.inject({
        region,
        method: "PUT",
        path: /^\/_snapshot\//,
        respond: {
          status: 500,
          body: {
            error: {
              type: "repository_verification_exception",
              reason: "[camunda_backup-trial] path [backups] is not accessible on master node",
              caused_by: { type: "i_o_exception", reason: "Unable to upload", caused_by: denied },
            },
          },
        },
      });
      await refusal(
        bench.run.gate(),
        new RegExp(
          `repository camunda_backup in ${region} cannot be used \\(s3: Access Denied\\): mend`,
        ),
        /: mend its place or rights$/,
      );
      expectNothingLeft();
    });

    for (const [what, nodes, says] of [
      ["no node", {}, "0 of 1 nodes"],
      ["one of two nodes", { a: { name: "a" } }, "1 of 2 nodes"],
    ] as const) {
      it(`refuses a repository that ${what} of ${region} has verified, whatever the status`, async () => {
        await bench.start();
        await bench.recreate();
        bench.world.inject({ region, path: VERIFY, respond: { status: 200, body: { nodes } } });
        bench.world.inject({
          region,
          path: /^\/_cluster\/health$/,
          transform: (body: Body) => ({
            ...body,
            number_of_data_nodes: Math.max(1, 2 * Object.keys(nodes).length),
          }),
        });
        const line = new RegExp(`camunda_backup-trial in ${region} is verified by ${says}: bring`);
        await refusal(bench.run.gate(), line);
        expectNothingLeft();
      });
    }

    it(`refuses a bucket that is not there for ${region}, and what is registered before is as it was`, async () => {
      await bench.start();
      await bench.recreate();
      const before = await registered(region);
      bench.configure({ snapshotRepository: { type: "s3", settings: { bucket: "missing" } } });
      await refusal(bench.run.gate(), /no_such_bucket: The specified bucket does not/);
      expectNothingLeft();
      assert.deepEqual(await registered(region), before);
    });
  }

  it("verifies what is registered already as it is", async () => {
    await bench.start();
    await bench.recreate();
    await bench.run.repository("region0");
    bench.world.inject({ region: "region0", path: VERIFY, respond: { status: 200, body: {} } });
    await refusal(bench.run.gate(), /no nodes in the answer/);
    assert.deepEqual(bench.sent(), ["PUT /_snapshot/camunda_backup"]);
  });

  it("leaves what a failback in the other direction has registered, and tries beside it", async () => {
    await bench.start("region1", { buckets: ["of-region1"] });
    await bench.recreate();
    const settings = { bucket: "of-region1", readonly: true };
    await session()
      .elasticsearch("region0")
      .repositories.registerRepository("camunda_backup", "s3", settings);
    await bench.run.gate();
    assert.equal((await registered("region0"))?.settings["bucket"], "of-region1");
    assert.equal(sentTo().filter((line) => line.endsWith(TRIAL)).length, 4);
  });

  it("takes away what a killed trial has left, also when the answer to that is lost", async () => {
    await bench.start();
    await bench.recreate();
    const survivor = session().elasticsearch("region0");
    await survivor.repositories.registerRepository(
      "camunda_backup-trial",
      "s3",
      bench.world.repository.settings,
    );
    bench.world.inject({
      region: "region0",
      method: "DELETE",
      path: /-trial$/,
      times: 1,
      drop: true,
    });
    await bench.run.gate();
    assert.equal(await survivor.repositories.repository("camunda_backup-trial"), undefined);
  });

  it("refuses a recreated Elasticsearch that sees another place", async () => {
    await bench.start();
    await bench.takeSnapshot();
    await bench.run.exporting("attempt-1", true);
    bench.world.inject({
      region: "region1",
      path: /\/_all\?verbose=false$/,
      transform: (body: Body) => ({ ...body, snapshots: [] }),
    });
    await refusal(
      bench.run.gate(),
      /region1 does not see snapshot failback-region1-attempt-1 in repository camunda_backup: give/,
    );
  });

  it("refuses closed indices of the survivor by their names", async () => {
    await bench.start();
    await bench.recreate();
    const { elasticsearch } = bench.world.endpoints.region0;
    const [index] = Object.keys(await bench.world.documents("region0"));
    assert.equal((await fetch(`${elasticsearch}/${index}/_close`, { method: "POST" })).status, 200);
    await refusal(
      bench.run.gate(),
      new RegExp(`region0 has 1 closed indices \\(${index}\\): open or delete them`),
    );
  });

  const user = { user: "camunda", password: "hush" };
  const demands = { region0: { elasticsearch: user }, region1: { elasticsearch: user } };

  it("says that the credentials are wrong, before anything is asked of rights", async () => {
    await bench.start("region1", { demands });
    bench.configure({ credentials: { elasticsearch: { ...user, password: "other" } } });
    await bench.recreate();
    await refusal(bench.run.gate(), / answered 401 to user camunda: correct credentials.elastic/);
    expectNothingLeft();
  }).timeout(20_000);

  const forbidden = [
    ["region0", "POST", /^\/zeebe-record\*\/_refresh/, "count records"],
    ["region0", "GET", /expand_wildcards=closed/, "read indices"],
    ["region0", "GET", /^\/_component_template/, "read templates"],
    ["region0", "GET", /\/_all\?verbose=false$/, "list snapshots"],
    ["region1", "GET", /^\/_index_template/, "read templates"],
    ["region1", "GET", /_stats\/docs\?level=shards/, "read what indices hold"],
    ["region1", "GET", /_cluster\/health\/.*level=shards/, "read the health of indices"],
    ["region1", "POST", /_search/, "search records"],
    ["region1", "PUT", /^\/_snapshot\//, "register a repository"],
    ["region1", "POST", VERIFY, "verify a repository"],
  ] as const;
  for (const [region, method, path, what] of forbidden) {
    it(`refuses a user who may not ${what} in ${region}, by the right`, async () => {
      await bench.start();
      await bench.recreate();
      const reason = "action [cluster:admin/x/get] is unauthorized for user [camunda]";
      const body = { error: { type: "security_exception", reason } };
      bench.world.inject({ region, method, path, respond: { status: 403, body } });
      const line = `${region} answers 403 when asked to ${what} \\(cluster:admin/x/get\\): give`;
      await refusal(bench.run.gate(), new RegExp(line));
      expectNothingLeft();
    }).timeout(20_000);
  }

  for (const [lacks, region] of [
    ["cluster:admin/snapshot/create", "region0"],
    ["cluster:admin/snapshot/restore", "region1"],
  ] as const) {
    it(`refuses a user of whom ${region} says that ${lacks} is not allowed`, async () => {
      await bench.start("region1", { demands, withheld: [lacks] });
      bench.configure({ credentials: { elasticsearch: user } });
      await bench.recreate();
      await refusal(
        bench.run.gate(),
        new RegExp(`${region} does not allow its user ${lacks}: give`),
      );
    });
  }

  it("asks for the right to delete indices only where some are left", async () => {
    await bench.start("region1", { demands, withheld: ["delete_index"] });
    bench.configure({ credentials: { elasticsearch: user } });
    await bench.takeSnapshot();
    await bench.run.gate();
    await bench.run.restore();
    await bench.run.exporting("attempt-1", true);
    await refusal(bench.run.gate(), /region1 does not allow its user delete_index: give it that/);
  });

  it("refuses while an exporter does not write, before anything is paused, and names one that nobody has declared", async () => {
    const exporters = { ...TWO_EACH_TARGETS, other: kafkaOf("region1") };
    await bench.start("region1", { exporters });
    bench.configure({ exporters: TWO_EACH });
    await bench.recreate();
    bench.configure({}, { gate: 0.4 });
    const stuck = (body: Body) => ({ ...body, "1": { ...body["1"], exportedPosition: 2 } });
    bench.world.inject({ path: PARTITIONS, brokerId: 0, transform: stuck });
    bench.world.inject({ path: PARTITIONS, brokerId: 2, transform: stuck });
    await refusal(
      bench.run.gate(),
      /^not all that was processed is exported \(partition 1 at 2 of \d+, after 0.4 s\)/,
      /: other, not in exporters, may hold it up; declare or disable it$/,
    );
    expectNothingLeft();
    // What an attempt before has paused is not waited for.
    await bench.world.pauseExporting();
    assert.equal((await bench.run.gate()).outs.record.how, "already true");
  });

  it("waits for the brokers to come up", async () => {
    await bench.start();
    await bench.failOver();
    bench.configure({ failback: attempt });
    const gate = bench.run.gate();
    await bench.world.recreate("region1");
    assert.equal((await gate).outs.record.observed["recreated"], "brokers 1, 3");
  });

  it("refuses when a broker is not back", async () => {
    await bench.start();
    await bench.recreate();
    await bench.world.stopBroker(3);
    bench.configure({}, { gate: 0.2 });
    await bench.until("that is seen", async () => !(await bench.seen()).includes(3));
    await refusal(bench.run.gate(), /broker 3 not seen by the survivors \(waited 0.2 s\)/);
  });

  it("refuses when a broker that is back is listed with partitions", async () => {
    await bench.start();
    await bench.recreate();
    bench.configure({}, { gate: 0.2 });
    bench.world.inject({
      path: TOPOLOGY,
      transform: (body: Body) => {
        const one = body.brokers.find((b: Body) => b.nodeId === 1);
        one.partitions = [{ partitionId: 1, role: "follower", health: "healthy" }];
        return body;
      },
    });
    await refusal(bench.run.gate(), /broker 1 still listed with partitions/);
  });

  it("refuses when a broker that is back runs partitions that nobody lists", async () => {
    await bench.start();
    await bench.recreate();
    bench.configure({}, { gate: 0.2 });
    bench.world.inject({
      path: /^\/actuator\/partitions$/,
      brokerId: 3,
      transform: () => ({ "1": { role: "FOLLOWER", exporterPhase: "EXPORTING" } }),
    });
    await refusal(bench.run.gate(), /broker 3 runs 1 partitions/);
  });

  it("refuses when the recreated Elasticsearch has indices of its own", async () => {
    await bench.start();
    await bench.recreate();
    await writeTask();
    await refusal(
      bench.run.gate(),
      /already has 1 of Camunda's indices \(tasklist-task-8.5.0_\): recreate it empty/,
    );
  });

  it("refuses when the recreated Elasticsearch has a closed index", async () => {
    await bench.start();
    await bench.recreate();
    const index = `${bench.world.endpoints.region1.elasticsearch}/tasklist-task-8.5.0_`;
    assert.equal((await fetch(index, { method: "PUT" })).status, 200);
    assert.equal((await fetch(`${index}/_close`, { method: "POST" })).status, 200);
    await refusal(bench.run.gate(), /already has 1 of Camunda's indices \(tasklist-task-8.5.0_\)/);
  });

  it("refuses when the recreated Elasticsearch came back with its old disk", async () => {
    await bench.start();
    await bench.failOver();
    await bench.world.recreate("region1", "old");
    await bench.shutDown();
    await bench.world.restartBroker(1);
    await bench.world.restartBroker(3);
    bench.configure({ failback: attempt });
    await refusal(bench.run.gate(), /already has \d+ of Camunda's indices/);
  });

  it("refuses when the recreated Elasticsearch is red", async () => {
    await bench.start();
    await bench.recreate();
    bench.world.inject({
      region: "region1",
      path: /^\/_cluster\/health/,
      transform: (body: Body) => ({ ...body, status: "red", unassigned_shards: 4 }),
    });
    await refusal(bench.run.gate(), /region1 is red with 4 unassigned shards: recreate it empty/);
  });

  it("waits for the recreated Elasticsearch to answer", async () => {
    await bench.start();
    await bench.recreate();
    bench.configure({}, { gate: 0.2 });
    bench.world.inject({ region: "region1", server: "elasticsearch", path: /./, drop: true });
    await refusal(bench.run.gate(), /waited 0.2 s for the recreated Elasticsearch to answer/);
  });

  it("records how much an abandoned attempt has left", async () => {
    await bench.start();
    await bench.takeSnapshot();
    await bench.run.restore();
    await bench.run.exporting("attempt-1", true);
    const { outs } = await bench.run.gate();
    assert.ok(Number(outs.record.observed["indicesOfAnAbandonedAttempt"]) > 0);
  });

  for (const move of ["promoted", "moved", "moving"] as const) {
    it(`knows what an abandoned attempt has left also when some of its shards were ${move}`, async () => {
      await bench.start();
      await bench.takeSnapshot();
      await bench.run.restore();
      await bench.run.exporting("attempt-1", true);
      bench.world.movePrimaries("region1", move, (shard) => shard > 0);
      const { outs } = await bench.run.gate();
      assert.ok(Number(outs.record.observed["indicesOfAnAbandonedAttempt"]) > 0);
    });

    it(`refuses indices of the recreated Elasticsearch whose shards were all ${move}`, async () => {
      await bench.start();
      await bench.recreate();
      await writeTask();
      bench.world.movePrimaries("region1", move);
      await refusal(
        bench.run.gate(),
        /already has 1 of Camunda's indices \(tasklist-task-8.5.0_\)/,
      );
    });
  }

  it("refuses what an abandoned attempt has left when no shard says so any more", async () => {
    await bench.start();
    await bench.takeSnapshot();
    await bench.run.restore();
    await bench.run.exporting("attempt-1", true);
    const [restored] = Object.keys(await bench.world.documents("region1"));
    bench.world.movePrimaries("region1", "promoted", (_shard, index) => index === restored);
    await refusal(
      bench.run.gate(),
      new RegExp(`already has 1 of Camunda's indices \\(${restored}`),
    );
  });

  it("waits until a shard of every index is listed, and concludes nothing from silence", async () => {
    await bench.start();
    await bench.takeSnapshot();
    await bench.run.restore();
    await bench.run.exporting("attempt-1", true);
    const nothing = { status: 200, body: {} };
    bench.world.inject({ region: "region1", path: /\/_recovery/, times: 2, respond: nothing });
    const { outs } = await bench.run.gate();
    assert.ok(Number(outs.record.observed["indicesOfAnAbandonedAttempt"]) > 0);
    bench.configure({}, { gate: 0.2 });
    bench.world.inject({ region: "region1", path: /\/_recovery/, respond: nothing });
    await refusal(
      bench.run.gate(),
      /whose indices .* cannot be told: no shard of (\d+) of \1 indices \(zeebe-/,
    );
  });

  it("refuses when the lost brokers are members already", async () => {
    await bench.start();
    await bench.restored();
    await bench.run.add();
    await refusal(
      bench.run.gate(),
      /brokers 1, 3 are among the members already: .* since incident incident-1; remove failback/,
    );
  });

  it("refuses when the configuration is older than the one that the failover left: it is another cluster", async () => {
    await bench.start();
    await bench.recreate();
    const left = Number((await session().zeebe.configuration()).version);
    const inputs = (configurationVersion: number) => ({
      ...bench.inputs.gate(),
      configurationVersion,
    });
    await refusal(
      provider.create(inputs(left + 1)),
      /configuration is of version \d+, incident incident-1 left \d+: it is another cluster; correct/,
    );
    await provider.create(inputs(left));
  });

  it("refuses when the exporter to the lost region is enabled", async () => {
    await bench.start();
    await bench.recreate();
    await bench.run.enable();
    await refusal(bench.run.gate(), /exporter elasticsearchregion1 is ENABLED, not DISABLED/);
  });

  it("refuses when the surviving Elasticsearch has no record", async () => {
    await bench.start();
    await bench.recreate();
    bench.world.inject({
      region: "region0",
      path: /\/_stats/,
      transform: (body: Body) => ({ ...body, indices: {} }),
    });
    await refusal(bench.run.gate(), /region0 has no record \(zeebe-record\*\).*or recordsPrefix$/);
  });

  it("refuses when the survivors are not healthy", async () => {
    await bench.start();
    await bench.recreate();
    bench.world.inject({
      path: TOPOLOGY,
      transform: (body: Body) => {
        const one = body.brokers.find((b: Body) => b.nodeId === 2);
        one.partitions[0].health = "unhealthy";
        return body;
      },
    });
    await refusal(
      bench.run.gate(),
      /survivors are not healthy \(partition 1 has 1 healthy replicas/,
    );
  });

  it("refuses beside a pending change, and says how to cancel it", async () => {
    await bench.start();
    await bench.recreate();
    await fetch(`${bench.management}/actuator/exporters/unknown/enable`, { method: "POST" });
    await refusal(bench.run.gate(), /exporter unknown.*curl -X DELETE/);
  });

  it("does not look again for an attempt that has passed", async () => {
    await bench.start();
    await bench.recreate();
    const { id, outs } = await bench.run.gate();
    bench.world.copyDocuments(bench.lost);
    await bench.run.add();
    assert.deepEqual((await provider.update(id, outs, bench.inputs.gate())).outs, outs);
    const next = { ...bench.inputs.gate(), attempt: "attempt-2" };
    await refusal(provider.update(id, outs, next), /among the members already/);
  });

  it("is read and deleted without looking at the cluster", async () => {
    await bench.start();
    await bench.recreate();
    const { id, outs } = await bench.run.gate();
    const before = bench.world.requests.length;
    const read = await provider.read(id, outs);
    assert.deepEqual(read, { id, props: outs, inputs: bench.inputs.gate() });
    await provider.delete(id, outs);
    assert.equal(bench.world.requests.length, before);
  });
});
