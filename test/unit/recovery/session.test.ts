import assert from "node:assert/strict";
import { provider } from "../../../components/recovery/providers/membership";
import { configureSession, Session, session } from "../../../components/recovery/session";
import { readSettings } from "../../../components/settings";
import { lookup, rawConfig } from "../../support/config";
import { Refusal } from "../../../components/base/refusal";
import { Unreachable } from "../../../components/clients/http";
import { Body } from "../../support/answers";
import { useBench } from "../../support/bench";
import { RECORDED } from "../../../world/camunda/embedded/dialect";
import { expectLine, failureOf, refusal } from "../../support/failure";

const TOPOLOGY = /^\/v2\/topology$/;

describe("session", () => {
  const bench = useBench();

  for (const [what, expected, change] of [
    ["is of another version", /version 8.8.1, camundaVersion is 8.6/, { gatewayVersion: "8.8.1" }],
    ["begins like it", /version 8.60.0, camundaVersion is 8.6/, { gatewayVersion: "8.60.0" }],
    ["ends like it", /version 18.6.0, camundaVersion is 8.6/, { gatewayVersion: "18.6.0" }],
    ["has other partitions", /has 5 partitions, partitionCount is 2/, { partitionsCount: 5 }],
    [
      "sees a broker beyond the configured size",
      /sees broker 4, with clusterSize 4 the ids end at 3: correct clusterSize/,
      { brokers: [{ nodeId: 4, version: "8.6.0", partitions: [] }] },
    ],
  ] as const) {
    it(`refuses a cluster whose gateway ${what}, and sends nothing`, async () => {
      await bench.start();
      await bench.loseRegion();
      bench.world.inject({ path: TOPOLOGY, transform: (body) => ({ ...body, ...change }) });
      await refusal(bench.run.remove(), expected);
      assert.deepEqual(bench.sent(), []);
    });
  }

  describe("in the middle of an upgrade", () => {
    for (const [of, camundaVersion] of [
      ["8.6.39", "8.7"],
      ["8.7.37", "8.6"],
    ] as const) {
      it(`fails over by a gateway of ${of} when ${camundaVersion} is configured, and does nothing else`, async () => {
        await bench.start("region1", { dialect: { ...RECORDED, version: of } });
        const said = new RegExp(
          `^the gateway is of version ${of}, camundaVersion is ${camundaVersion}: set what runs, of 8.6, 8.7$`,
        );
        for (const other of [
          {},
          { drainRegion: "region1" },
          { lostRegion: "region1", failback: "one" },
        ]) {
          bench.configure({
            camundaVersion,
            lostRegion: undefined,
            drainRegion: undefined,
            ...other,
          });
          const error = await failureOf(session().observe());
          assert.ok(error instanceof Refusal, String(error));
          expectLine(error.message, [said]);
        }
        await bench.loseRegion();
        bench.configure({
          camundaVersion,
          lostRegion: "region1",
          drainRegion: undefined,
          failback: undefined,
        });
        const { outs } = await bench.run.remove();
        assert.equal(outs.record.how, "done");
      });
    }
  });

  describe("with patches with which a disabled exporter comes back", () => {
    const dialect = { ...RECORDED, version: "8.7.29" };
    const OLD =
      /^the gateway is of version 8.7.29: below 8.7.30 a restart enables a disabled exporter again; upgrade first$/;

    const refused = async () => {
      const error = await failureOf(session().observe());
      assert.ok(error instanceof Refusal, String(error));
      return error.message;
    };

    it("refuses while nothing is lost, and in a failback", async () => {
      await bench.start("region1", { dialect });
      bench.configure({ camundaVersion: "8.7" });
      expectLine(await refused(), [OLD]);
      bench.configure({ lostRegion: "region1", failback: "one" });
      expectLine(await refused(), [OLD]);
      assert.deepEqual(bench.sent(), []);
    });

    it("fails over all the same", async () => {
      await bench.start("region1", { dialect });
      await bench.loseRegion();
      bench.configure({ camundaVersion: "8.7", lostRegion: "region1" });
      const { outs } = await bench.run.remove();
      assert.equal(outs.record.how, "done");
    });

    it("refuses one broker that is behind, and names it", async () => {
      await bench.start("region1", { dialect: { ...RECORDED, version: "8.7.30" } });
      bench.configure({ camundaVersion: "8.7" });
      await session().observe();
      bench.world.inject({
        path: TOPOLOGY,
        transform: (body: Body) => ({
          ...body,
          brokers: body.brokers.map((broker: Body) =>
            broker.nodeId === 3 ? { ...broker, version: "8.7.2" } : broker,
          ),
        }),
      });
      expectLine(await refused(), [/^broker 3 is of version 8.7.2: below 8.7.30 /]);
    });
  });

  it("waits for a gateway that has just started and knows no broker yet", async () => {
    await bench.start();
    await bench.loseRegion();
    const unaware = { brokers: [], clusterSize: -1, partitionsCount: 0, replicationFactor: 0 };
    const transform = (body: Body) => ({ ...body, ...unaware });
    const stop = bench.world.inject({ path: TOPOLOGY, transform });
    const error = await failureOf(session().observe());
    assert.ok(error instanceof Unreachable, String(error));
    assert.match(error.message, /\/v2\/topology does not answer \(it knows no broker yet\)$/);
    stop();
    bench.world.inject({ path: TOPOLOGY, times: 3, transform });
    const { outs } = await bench.run.remove();
    assert.equal(outs.record.how, "done");
  });

  it("lets callers of the same moment share one look", async () => {
    await bench.start();
    const before = bench.world.requests.length;
    const [first, second] = await Promise.all([session().observe(), session().observe()]);
    assert.equal(first, second);
    assert.equal(bench.world.requests.length, before + 2);
    assert.notEqual(await session().observe(), first);
  });

  it("looks by a dry run, which changes nothing, while the coordinator is dead", async () => {
    await bench.start("region0");
    assert.equal((await session().observe()).via, "GET");
    await bench.loseRegion();
    const { via, configuration } = await session().observe();
    assert.equal(via, "dry run");
    assert.deepEqual(configuration.members.map(({ id }) => id).sort(), [0, 1, 2, 3]);
    assert.deepEqual(bench.sent(), []);
  });

  it("keeps the last known state with advice when nothing answers a read", async () => {
    await bench.start();
    await bench.world.stop();
    const line = await refusal(
      provider.read("broker-membership", bench.inputs.membership([0, 1, 2, 3], 4)),
      /does not answer \(ECONNREFUSED\); bring it back, or run without --refresh/,
    );
    assert.match(line, /the last known state is kept$/);
  });

  it("reports a wrong configuration as one line, at the first operation", async () => {
    const get = lookup(rawConfig({ clusterSize: 5, region: "region2" }));
    provider.configure({ config: { get: (key) => get(key as "region") } });
    const line = await refusal(
      provider.create(bench.inputs.membership([0, 2], 2)),
      /problems in the configuration: .*region must be region0 or region1.*clusterSize must be even/,
    );
    assert.doesNotMatch(line, /\n/);
  });

  it("does not hold a wrong configuration against one that comes later", () => {
    configureSession({ get: () => undefined });
    assert.throws(() => session(), /region is missing/);
    const get = lookup(rawConfig());
    configureSession({ get: (key) => get(key as "region") });
    assert.equal(session().settings.region, "region0");
  });

  it("names the broker that the configuration does not have", async () => {
    const settings = readSettings(lookup(rawConfig()));
    const error = await failureOf((async () => new Session(settings, () => undefined).broker(6))());
    assert.match(
      String(error),
      /broker 6 is a member, but endpoints.region0.brokers does not have it/,
    );
  });
});
