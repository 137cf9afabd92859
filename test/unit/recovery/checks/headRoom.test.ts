import assert from "node:assert/strict";
import { directions, useBench } from "../../../support/bench";
import { Body } from "../../../support/answers";
import { refusal } from "../../../support/failure";

const DISKS = /^\/_nodes\/stats\/fs$/;
const HEALTH = /^\/actuator\/health$/;

describe("the head-room of a failback", () => {
  const bench = useBench();

  const disks = (change: (nodes: Record<string, Body>, body: Body) => void) =>
    bench.world.inject({
      region: bench.lost,
      path: DISKS,
      transform: (body: Body) => {
        change(body.nodes as Record<string, Body>, body);
        return body;
      },
    });
  const free = (bytes: unknown) =>
    disks((nodes) =>
      Object.values(nodes).forEach(({ fs }) => (fs.total.available_in_bytes = bytes)),
    );
  const seen = async () => (await bench.run.gate()).outs.record.observed;
  const unpaused = () => assert.ok(bench.sent().every((line) => !line.includes("/exporting/")));

  for (const lost of directions) {
    it(`is recorded and said when ${lost} is recreated`, async () => {
      await bench.start(lost);
      await bench.recreate();
      const { disksOfBrokers, diskOfElasticsearch } = await seen();
      assert.equal(disksOfBrokers, `not said by brokers ${bench.survivors.join(", ")}`);
      assert.match(String(diskOfElasticsearch), /^100\.0 GB free for \d+\.\d kB to restore$/);
      assert.ok(bench.lines.some((line) => line.includes(String(disksOfBrokers))));
      assert.ok(bench.lines.some((line) => line.includes(String(diskOfElasticsearch))));
    });

    it(`refuses where the snapshot has no room in ${lost}, with both numbers`, async () => {
      await bench.start(lost);
      await bench.recreate();
      free(1_234);
      const line = new RegExp(
        `^Elasticsearch of ${lost} has 1\\.2 kB free for the survivor's \\d+\\.\\d kB: enlarge its disks$`,
      );
      await refusal(bench.run.gate(), line);
      unpaused();
    });
  }

  it("does not count the disks of nodes that hold no data", async () => {
    await bench.start();
    await bench.recreate();
    disks((nodes) => {
      const [node] = Object.values(nodes) as [Body];
      nodes.coordinating = structuredClone({ ...node, roles: ["ingest"] });
      node.fs.total.available_in_bytes = 0;
    });
    await refusal(bench.run.gate(), /has 0 B free for/);
  });

  it("counts what the restore deletes first as room", async () => {
    await bench.start();
    await bench.takeSnapshot();
    await bench.run.restore();
    await fetch(`${bench.management}/actuator/exporting/resume`, { method: "POST" });
    free(0);
    assert.match(
      String((await seen()).diskOfElasticsearch),
      /^(\d+\.\d kB) free for \1 to restore$/,
    );
  });

  for (const [what, spoil] of [
    ["is left out", () => free(undefined)],
    ["is not of every node", () => disks((_nodes, body) => (body._nodes.failed = 1))],
    [
      "is of no node that holds data",
      () =>
        disks((nodes) => {
          Object.values(nodes).forEach((node) => (node.roles = ["master"]));
        }),
    ],
    ["is forbidden", () => bench.world.inject({ path: DISKS, respond: { status: 403, body: {} } })],
    ["is an error", () => bench.world.inject({ path: /_stats\/store/, respond: { status: 400 } })],
  ] as const) {
    it(`says that the room for the restore is not known, and passes, when the answer ${what}`, async () => {
      await bench.start();
      await bench.recreate();
      spoil();
      assert.equal((await seen()).diskOfElasticsearch, "not said");
    });
  }

  const health = (brokerId: number, status: string, details: object) =>
    bench.world.inject({
      brokerId,
      path: HEALTH,
      transform: (body: Body) => ({
        ...body,
        components: { ...body.components, diskSpace: { status, details } },
      }),
    });

  it("refuses when a broker says that its disk is full", async () => {
    await bench.start();
    await bench.recreate();
    health(2, "DOWN", { total: 32_000_000_000, free: 8_000_000, threshold: 10_485_760 });
    await refusal(
      bench.run.gate(),
      /^broker 2 says that its disk is full \(8\.0 MB of 32\.0 GB free\): .*; enlarge it$/,
    );
    unpaused();
  });

  it("says the least that is free, and who does not say it", async () => {
    await bench.start();
    await bench.recreate();
    const said = [
      health(0, "UP", { total: 32_000_000_000, free: 9_000_000_000, threshold: 10_485_760 }),
    ];
    assert.equal((await seen()).disksOfBrokers, "at least 9.0 GB free, not said by broker 2");
    said.push(
      health(2, "UP", { total: 32_000_000_000, free: 7_500_000_000, threshold: 10_485_760 }),
    );
    assert.equal((await seen()).disksOfBrokers, "at least 7.5 GB free");
    said.forEach((remove) => remove());
    bench.world.inject({ path: HEALTH, respond: { status: 404, body: {} } });
    assert.equal((await seen()).disksOfBrokers, "not said by brokers 0, 2");
  });
});
