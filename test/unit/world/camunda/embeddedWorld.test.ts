import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { EmbeddedWorld, EmbeddedWorldOptions } from "../../../../world/camunda/embedded";
import { RegionName } from "../../../../world/world";
import { until } from "../../../../world/processes/until";

interface Answer {
  status: number;
  text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers of many endpoints
  body: any;
}

interface TopologyBroker {
  nodeId: number;
  partitions: { partitionId: number; role: string }[];
}

const quick: EmbeddedWorldOptions = {
  detectionMs: 200,
  electionMs: 80,
  joinMs: 15,
  appearMs: 20,
  topologyLagMs: 20,
  shutdownMs: 60,
  snapshotMs: 30,
  restoreMs: 60,
};

async function send(method: string, url: string, body?: unknown): Promise<Answer> {
  const response = await fetch(url, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json" },
    }),
  });
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = text;
  }
  return { status: response.status, text, body: parsed };
}

const get = (url: string) => send("GET", url);
const post = (url: string, body?: unknown) => send("POST", url, body);

const idsOf: Record<RegionName, number[]> = { region0: [0, 2], region1: [1, 3] };
const other = (region: RegionName): RegionName => (region === "region0" ? "region1" : "region0");
const bothOf = (...counts: Record<string, number>[]) =>
  counts.map((c) => Object.values(c).reduce((sum, n) => sum + n, 0));

describe("embedded world", () => {
  let world: EmbeddedWorld;

  async function started(options: EmbeddedWorldOptions = {}): Promise<EmbeddedWorld> {
    world = new EmbeddedWorld({ ...quick, ...options });
    await world.start();
    return world;
  }

  const management = (region: RegionName) => `${world.endpoints[region].management}/actuator`;
  const listed = async (region: RegionName): Promise<TopologyBroker[]> =>
    (await get(`${world.endpoints[region].gateway}/v2/topology`)).body.brokers;
  const listedIds = async (region: RegionName) =>
    (await listed(region)).map(({ nodeId }) => nodeId).sort();
  const leaders = async (region: RegionName) =>
    (await listed(region)).flatMap((b) => b.partitions).filter(({ role }) => role === "leader");
  const nothingPends = (region: RegionName) =>
    until("no pending change", async () => {
      const { body } = await get(`${management(region)}/cluster`);
      return body.version !== undefined && body.pendingChange === undefined;
    });

  afterEach(() => world.stop());

  async function failover(lost: RegionName): Promise<void> {
    const survivor = other(lost);
    const force = await post(`${management(survivor)}/cluster/brokers?force=true`, idsOf[survivor]);
    assert.equal(force.status, 202);
    await nothingPends(survivor);
    await until("commands are served", () =>
      world.startInstances(survivor, 1).then(
        () => true,
        () => false,
      ),
    );
    await until("every partition has a leader", async () => {
      const brokers = (await listed(survivor)).filter(({ nodeId }) =>
        idsOf[survivor].includes(nodeId),
      );
      const led = brokers.flatMap((b) => b.partitions).filter(({ role }) => role === "leader");
      return led.length === world.shape.partitionCount;
    });
    const disable = await post(`${management(survivor)}/exporters/elasticsearch${lost}/disable`);
    assert.equal(disable.status, 202);
    await nothingPends(survivor);
  }

  async function failback(lost: RegionName): Promise<void> {
    const survivor = other(lost);
    const [from, to] = [survivor, lost].map((r) => world.endpoints[r].elasticsearch);
    const paused = await post(`${management(survivor)}/exporting/pause`);
    assert.deepEqual(paused.body, { body: null, status: 204, contentType: null });
    assert.equal((await send("PUT", `${from}/_snapshot/backup`, world.repository)).status, 200);
    const taken = await send("PUT", `${from}/_snapshot/backup/fb-${lost}`, {
      include_global_state: true,
    });
    assert.deepEqual(taken.body, { accepted: true });
    await until("the snapshot is complete", async () => {
      const { body } = await get(`${from}/_snapshot/backup/fb-${lost}`);
      return body.snapshots[0].state === "SUCCESS";
    });
    await send("PUT", `${to}/_snapshot/backup`, world.repository);
    const restored = await post(`${to}/_snapshot/backup/fb-${lost}/_restore`, {
      include_global_state: true,
    });
    assert.deepEqual(restored.body, { accepted: true });
    await until("all shards are restored", async () => {
      const counts = await Promise.all([from, to].map((url) => get(`${url}/zeebe-record*/_count`)));
      return counts[0]?.body.count === counts[1]?.body.count;
    });
    const enable = await post(`${management(survivor)}/exporters/elasticsearch${lost}/enable`, {
      initializeFrom: `elasticsearch${survivor}`,
    });
    assert.equal(enable.status, 202, enable.text);
    await nothingPends(survivor);
    await post(`${management(survivor)}/exporting/resume`);
    const url = `${management(survivor)}/cluster/brokers?replicationFactor=4`;
    assert.equal((await post(url, ["0", "1", "2", "3"])).status, 202);
    await nothingPends(survivor);
    await until("eight replicas", async () => {
      const replicas = (await listed(survivor)).flatMap(({ partitions }) => partitions);
      return replicas.length === 8;
    });
  }

  for (const lost of ["region0", "region1"] as RegionName[]) {
    it(`fails over and back when ${lost} is lost, and both regions hold the same documents`, async () => {
      await started();
      const survivor = other(lost);
      const before = await world.startInstances(lost, 5);
      await until("exported", async () => (await world.instanceKeys(survivor)).size === 5);
      await world.lose(lost);
      await assert.rejects(world.startInstances(survivor, 1));
      await failover(lost);
      const between = await world.startInstances(survivor, 4);
      await until("the dead are gone", async () => (await listed(survivor)).length === 2);
      await world.recreate(lost);
      await until("the recreated are listed", async () => (await listed(survivor)).length === 4);
      await failback(lost);
      const after = await world.startInstances(lost, 3);
      for (const keys of [before, between, after].flat()) {
        assert.match(keys, /^\d+$/);
      }
      await until("documents are equal", async () => {
        const [a, b] = bothOf(await world.documents("region0"), await world.documents("region1"));
        return a === b && (await world.instanceKeys(lost)).size === 13;
      });
      assert.deepEqual(await world.documents("region0"), await world.documents("region1"));
      assert.deepEqual(await world.instanceKeys("region0"), await world.instanceKeys("region1"));
      assert.equal((await get(`${world.endpoints[lost].management}/ready`)).status, 200);
    });
  }

  it("keeps the ports of a lost region from the worlds of other processes, until it is stopped", async () => {
    const { endpoints } = await started();
    await world.lose("region1");
    const { elasticsearch, management } = endpoints.region1;
    const taken = async (url: string) => {
      const port = Number(new URL(url).port);
      const datagrams = createSocket("udp4").bind({ port, address: "127.0.0.1", exclusive: true });
      await once(datagrams, "listening").finally(() => datagrams.close());
    };
    for (const url of [elasticsearch, management]) {
      await assert.rejects(taken(url), { code: "EADDRINUSE" });
    }
    await world.stop();
    for (const url of [elasticsearch, management]) {
      await taken(url);
    }
  });

  it("answers the recorded configuration, topology and priorities when healthy", async () => {
    await started({ shape: { partitionCount: 4 } });
    const { body } = await get(`${management("region0")}/cluster`);
    const priorities = Object.fromEntries(
      body.brokers.map((b: { id: number; partitions: { priority: number }[] }) => [
        b.id,
        b.partitions.map((p) => p.priority),
      ]),
    );
    assert.equal(body.version, 1);
    assert.deepEqual(priorities, {
      0: [4, 1, 2, 3],
      1: [3, 4, 1, 2],
      2: [2, 3, 4, 1],
      3: [1, 2, 3, 4],
    });
    assert.deepEqual(
      body.brokers.map(({ id }: { id: number }) => id),
      [1, 2, 3, 0],
    );
    assert.equal((await leaders("region1")).length, 4);
    const planned = await post(
      `${management("region0")}/cluster/brokers?replicationFactor=2&dryRun=true`,
      [0, 2],
    );
    assert.equal(planned.body.changeId, 2);
    assert.deepEqual(
      planned.body.plannedChanges.slice(0, 4).map((o: object) => Object.values(o)),
      [
        ["PARTITION_LEAVE", 1, 1, []],
        ["PARTITION_LEAVE", 3, 1, []],
        ["PARTITION_RECONFIGURE_PRIORITY", 2, 1, 1, []],
        ["PARTITION_RECONFIGURE_PRIORITY", 0, 1, 2, []],
      ],
    );
  });

  it("refuses what real brokers refuse", async () => {
    await started();
    const brokers = `${management("region0")}/cluster/brokers`;
    const cases: [string, unknown, number, RegExp][] = [
      ["?force=true", ["0", "2", "7"], 400, /Current members are '\[0, 1, 2, 3\]'/],
      ["?force=true", [], 400, /retain members '\[\]'.* partitions '\[1, 2\]' having no replicas/],
      ["?force=true", ["a"], 400, /"error":"Bad Request"/],
      ["?force=true", undefined, 415, /Unsupported Media Type/],
      ["?force=true&replicationFactor=2", [0, 2], 400, /requested value '2' during force/],
      [
        "?replicationFactor=9",
        [0, 1, 2, 3],
        400,
        /\[4\] is less than the replication factor \[9\]/,
      ],
      ["?replicationFactor=0", [0, 1, 2, 3], 400, /\[0\] must be greater than 0/],
      ["?replicationFactor=x", [0, 1, 2, 3], 400, /"error":"Bad Request"/],
      ["?dryRun=true", [0, 1, 2, 3], 202, /^{"changeId":0,.*"plannedChanges":\[\]/],
    ];
    for (const [query, body, status, text] of cases) {
      const answer = await post(`${brokers}${query}`, body);
      assert.equal(answer.status, status, query);
      assert.match(answer.text, text);
    }
    assert.equal((await get(brokers)).status, 405);
    const stop = await post(`${management("region0")}/exporting/stop`);
    assert.equal(stop.status, 200);
    assert.equal(stop.body.status, 500);
  });

  it("blocks every change while one cannot finish, until that is cancelled", async () => {
    await started();
    const base = management("region0");
    assert.equal((await post(`${base}/exporters/nosuch/enable`)).status, 202);
    const refused = await post(`${base}/cluster/brokers?force=true&dryRun=true`, [0, 2]);
    assert.equal(refused.status, 409);
    assert.match(
      refused.body.message,
      /pendingChanges=Optional\[ClusterChangePlan\[id=2, version=1/,
    );
    const cancel = (id: string) => send("DELETE", `${base}/cluster/changes/${id}`);
    assert.match((await cancel("7")).text, /Cannot cancel change 7 because it is not the current/);
    assert.match((await cancel("x")).text, /Change id must be a number/);
    const cancelled = await cancel("2");
    assert.equal(cancelled.body.version, 4);
    assert.equal(cancelled.body.lastChange.status, "CANCELLED");
    assert.match((await cancel("2")).text, /because no change is in progress/);
  });

  it("cannot answer for a dead coordinator until the removal goes to a retained broker", async () => {
    await started();
    await world.lose("region0");
    await assert.rejects(get(`${management("region0")}/cluster`));
    const first = await get(`${management("region1")}/cluster`);
    assert.equal(first.status, 502);
    assert.match(first.body.message, /Failed to connect channel for address/);
    await until("the loss is noticed", async () => (await listedIds("region1")).length === 2);
    const later = await get(`${management("region1")}/exporters`);
    assert.match(later.body.message, /'topology-query' to member '0', but member is not known/);
    const pauseAnswer = await post(`${management("region1")}/exporting/pause`);
    assert.equal(pauseAnswer.status, 200);
    assert.match(pauseAnswer.body.body.message, /^Leader -2 of partition 1 is not known/);
    await failover("region0");
    const { body } = await get(`${world.endpoints.region1.gateway}/v2/topology`);
    assert.equal(body.clusterSize, 2);
    assert.equal(body.replicationFactor, 2);
  });

  it("hangs when the exporter of a lost region is disabled before its brokers are removed", async () => {
    await started();
    await world.lose("region1");
    const url = `${management("region0")}/exporters/elasticsearchregion1/disable`;
    const { changeId } = (await post(url)).body;
    const force = `${management("region0")}/cluster/brokers?force=true`;
    assert.equal((await post(force, [0, 2])).status, 409);
    await send("DELETE", `${management("region0")}/cluster/changes/${changeId}`);
    assert.equal((await post(force, [0, 2])).status, 202);
  });

  it("ends brokers that come back with old data, and takes them as empty after a restart", async () => {
    await started();
    await world.lose("region0");
    await failover("region0");
    await until("the dead are gone", async () => (await listed("region1")).length === 2);
    await world.recreate("region0", "old");
    const ready = () => get(`${world.endpoints.region0.management}/ready`);
    await until("the ports are closed", () =>
      ready().then(
        () => false,
        () => true,
      ),
    );
    const zombies = (await listed("region1")).filter(({ nodeId }) =>
      idsOf.region0.includes(nodeId),
    );
    assert.deepEqual(
      zombies.map(({ partitions }) => partitions),
      [[], []],
    );
    await world.restartBroker(0);
    assert.equal((await ready()).status, 503);
    assert.deepEqual((await get(`${management("region0")}/partitions`)).body, {});
  });

  it("loses records silently when an exporter is enabled without a source", async () => {
    await started();
    await world.disableExporter("elasticsearchregion1");
    await world.startInstances("region0", 4);
    await until("exported", async () => (await world.instanceKeys("region0")).size === 4);
    assert.equal(
      (await post(`${management("region0")}/exporters/elasticsearchregion1/enable`)).status,
      202,
    );
    await nothingPends("region0");
    await world.startInstances("region0", 1);
    await until("exported again", async () => (await world.instanceKeys("region1")).size === 1);
    assert.equal((await world.instanceKeys("region0")).size, 5);
  });

  it("does not see a snapshot that was taken after the repository was registered", async () => {
    await started();
    const [a, b] = [world.endpoints.region0.elasticsearch, world.endpoints.region1.elasticsearch];
    for (const url of [a, b]) {
      await send("PUT", `${url}/_snapshot/r`, world.repository);
    }
    await send("PUT", `${a}/_snapshot/r/s?wait_for_completion=true`, {});
    assert.deepEqual((await get(`${b}/_snapshot/r/_all`)).body.snapshots, []);
    const restore = await post(`${b}/_snapshot/r/s/_restore`, {});
    assert.equal(restore.status, 500);
    assert.match(restore.text, /snapshot does not exist/);
    await send("PUT", `${b}/_snapshot/r`, world.repository);
    assert.equal((await get(`${b}/_snapshot/r/s`)).body.snapshots.length, 1);
    const again = await send("PUT", `${a}/_snapshot/r/s`, {});
    assert.equal(again.status, 400);
    assert.equal(again.body.error.type, "snapshot_name_already_in_use_exception");
  });

  it("serves no partition when region 0 is installed alone", async () => {
    await started({ startRegions: ["region0"] });
    assert.equal((await get(`${management("region0")}/cluster`)).body.brokers.length, 4);
    await until("two brokers", async () => (await listed("region0")).length === 2);
    assert.deepEqual(
      (await listed("region0")).map(({ partitions }) => partitions),
      [[], []],
    );
    await world.recreate("region1");
    await until("leaders", async () => (await leaders("region0")).length === 2);
  });

  it("separates the regions, and shuts down the half that was removed meanwhile", async () => {
    await started();
    world.partition();
    await until("own brokers only", async () => (await listedIds("region1")).join() === "1,3");
    assert.equal((await get(`${management("region1")}/cluster`)).status, 502);
    assert.equal((await get(`${management("region0")}/cluster`)).status, 200);
    await failover("region1");
    world.heal();
    await until("region 1 has ended", () =>
      get(`${world.endpoints.region1.management}/ready`).then(
        () => false,
        () => true,
      ),
    );
    assert.deepEqual(world.cluster().members, [0, 2]);
  });

  it("lets every partition be led by another broker that lives", async () => {
    await started();
    const before = world.cluster().leaders;
    world.moveLeaders("region0");
    const after = world.cluster().leaders;
    assert.deepEqual(Object.keys(after), Object.keys(before));
    for (const partition of Object.keys(before)) {
      assert.notEqual(after[partition], before[partition]);
    }
  });

  it("holds operations up until that ends, and those after them in the same change", async () => {
    await started();
    const end = world.hold(
      ({ exporterId, brokerId }) => exporterId !== undefined && brokerId === 2,
    );
    await post(`${management("region0")}/exporters/elasticsearchregion1/disable`);
    await until("what comes before is done", () => {
      const { pendingChange } = world.cluster();
      return pendingChange?.pending[0]?.brokerId === 2;
    });
    await until("nothing more is done", () => world.cluster().pendingChange !== undefined);
    assert.notEqual(world.cluster().exporters["elasticsearchregion1"], "DISABLED");
    end();
    await until("it ends", () => world.cluster().pendingChange === undefined);
    assert.equal(world.cluster().exporters["elasticsearchregion1"], "DISABLED");
  });

  it("records requests and injects faults", async () => {
    await started();
    const url = `${management("region0")}/cluster`;
    const remove = world.inject({
      path: /\/cluster$/,
      skip: 1,
      times: 1,
      respond: { status: 503 },
    });
    const statuses = [];
    for (let i = 0; i < 3; i++) {
      statuses.push((await get(url)).status);
    }
    assert.deepEqual(statuses, [200, 503, 200]);
    remove();
    world.inject({ path: /disable/, drop: true });
    await assert.rejects(post(`${management("region0")}/exporters/elasticsearchregion1/disable`));
    await until(
      "done all the same",
      () => world.cluster().exporters["elasticsearchregion1"] === "DISABLED",
    );
    assert.equal(world.mutations().length, 1);
    assert.deepEqual(
      world.requests.map(({ status }) => status),
      [200, 503, 200, 0],
    );
  });
});
