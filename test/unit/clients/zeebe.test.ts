import { generationOf } from "../../../components/generations";
import assert from "node:assert/strict";
import { Refused, Unreachable } from "../../../components/clients/http";
import { ChangePending, ZeebeClient } from "../../../components/clients/zeebe";
import { isForbidden } from "../../../components/clients/answers";
import { Session } from "../../../components/recovery/session";
import { readSettings } from "../../../components/settings";
import { EmbeddedWorld, QUICK } from "../../../world/camunda/embedded";
import type { Demands } from "../../../world/camunda/embedded/demands";
import { lookup, rawConfig } from "../../support/config";
import { expectLine, failureOf } from "../../support/failure";
import { useServer } from "../../support/server";

const planned = {
  changeId: 5,
  currentTopology: [{ id: 0, state: "ACTIVE", partitions: [] }],
  plannedChanges: [{ operation: "BROKER_ADD", brokerId: 1, brokers: [] }],
  expectedTopology: [{ id: 1, state: "ACTIVE", partitions: [] }],
};

describe("zeebe client of a cluster that asks who is there", () => {
  const credentials = {
    gateway: { region0: { user: "camunda", password: "hush-0" }, region1: { token: "hush-1" } },
    management: { region0: { token: "hush-2" }, region1: { user: "ops", password: "hush-3" } },
  };
  const [region0, region1] = (["region0", "region1"] as const).map((region) => ({
    gateway: credentials.gateway[region],
    management: credentials.management[region],
  })) as [Demands["region0"], Demands["region1"]];
  const world = new EmbeddedWorld({ ...QUICK, demands: { region0, region1 } });
  const session = (raw: unknown, region = "region0") =>
    new Session(
      readSettings(lookup(rawConfig({ region, endpoints: world.endpoints, credentials: raw }))),
      () => undefined,
    );

  before(() => world.start());
  after(() => world.stop());

  it("is let in everywhere, with what each region asks for, at the brokers of the other one too", async () => {
    for (const region of ["region0", "region1"]) {
      const of = session(credentials, region);
      assert.equal((await of.observe()).topology.brokers.length, 4);
      assert.deepEqual(Object.keys(await of.zeebe.exporters()).length, 2);
      for (const id of [0, 1, 2, 3]) {
        assert.equal((await of.zeebe.exporterPhases(of.broker(id))).length, 2);
        assert.equal((await of.zeebe.configuration(of.broker(id))).members.length, 4);
      }
      await of.zeebe.setBrokers([0, 1, 2, 3], { dryRun: true });
      await of.zeebe.pauseExporting();
      await of.zeebe.resumeExporting();
    }
  });

  it("says what was refused, and where it is corrected", async () => {
    const { gateway, management } = credentials;
    const cases: [unknown, (of: Session) => Promise<unknown>, RegExp][] = [
      [
        { gateway: { token: "wrong" }, management },
        (of) => of.observe(),
        /\/v2\/topology answered 401 to a token: correct credentials.gateway$/,
      ],
      [
        { management },
        (of) => of.observe(),
        /answered 401 to no credentials: set credentials.gateway$/,
      ],
      [
        { gateway, management: { ...management, region0: { user: "ops", password: "wrong" } } },
        (of) => of.observe(),
        /answered 401 to user ops: correct credentials.management.region0$/,
      ],
      [
        { gateway, management: { token: "hush-2" } },
        (of) => of.zeebe.exporterPhases(of.broker(1)),
        /answered 401 to a token: correct credentials.management$/,
      ],
      [
        { gateway, management: { region1: management.region1 } },
        (of) => of.zeebe.pauseExporting(),
        /answered 401 to no credentials: set credentials.management.region0$/,
      ],
    ];
    for (const [raw, ask, expected] of cases) {
      const error = await failureOf(ask(session(raw)));
      assert.ok(isForbidden(error), String(error));
      expectLine((error as Error).message, [expected]);
      assert.doesNotMatch(`${(error as Error).stack} ${JSON.stringify(error)}`, /hush|wrong/);
    }
  });
});

describe("zeebe client", () => {
  const server = useServer();

  const client = () =>
    new ZeebeClient(
      { gateway: server.url, management: server.url, brokers: {} },
      2_000,
      generationOf("8.6"),
    );

  it("asks for a forced removal, an add and dry runs by their parameters", async () => {
    server.answer(202, planned);
    await client().setBrokers([0, 2], { force: true });
    await client().setBrokers([0, 2], { force: true, dryRun: true });
    await client().setBrokers([0, 1], { replicationFactor: 4 });
    await client().enableExporter("a b", "other");
    await client().disableExporter("a", { dryRun: true });
    assert.deepEqual(
      server.received.map(({ method, path, body }) => [method, path, body]),
      [
        ["POST", "/actuator/cluster/brokers?force=true", ["0", "2"]],
        ["POST", "/actuator/cluster/brokers?force=true&dryRun=true", ["0", "2"]],
        ["POST", "/actuator/cluster/brokers?replicationFactor=4", ["0", "1"]],
        ["POST", "/actuator/exporters/a%20b/enable", { initializeFrom: "other" }],
        ["POST", "/actuator/exporters/a/disable?dryRun=true", undefined],
      ],
    );
  });

  it("takes a topology that leaves a field out for no answer: nothing is undefined, and nothing 0", async () => {
    const whole = {
      brokers: [],
      clusterSize: 4,
      partitionsCount: 2,
      replicationFactor: 4,
      gatewayVersion: "8.6.0",
    };
    server.answer(200, whole);
    assert.deepEqual(await client().topology(), whole);
    for (const field of Object.keys(whole)) {
      for (const value of [undefined, null, ""]) {
        server.answer(200, { ...whole, [field]: value });
        const error = await failureOf(client().topology());
        assert.ok(error instanceof Refused, `${field} ${String(value)}`);
        assert.equal(error.status, 200);
      }
    }
  });

  it("returns what the cluster is going to do", async () => {
    server.answer(202, planned);
    const change = await client().setBrokers([0], {});
    assert.equal(change.changeId, 5);
    assert.deepEqual(change.operations, [{ operation: "BROKER_ADD", brokerId: 1, brokers: [] }]);
    assert.deepEqual(
      change.currentMembers.map(({ id }) => id),
      [0],
    );
    assert.deepEqual(
      change.expectedMembers.map(({ id }) => id),
      [1],
    );
  });

  it("takes of a conflict only the id of the change that is pending", async () => {
    const text =
      "Another configuration change [ClusterChangePlan[id=17, version=3, status=IN_PROGRESS]]";
    server.answer(409, { message: `${text} ${"x".repeat(5_000)}` });
    const error = await failureOf(client().setBrokers([0], { force: true }));
    assert.ok(error instanceof ChangePending);
    assert.equal(error.changeId, 17);
    assert.equal(
      error.message,
      "change 17 is pending: pulumi up waits for it, or says how to cancel it",
    );
    server.answer(409, { message: "in progress" });
    const other = await failureOf(client().disableExporter("a"));
    assert.equal((other as ChangePending).changeId, undefined);
  });

  it("does not take 200 for an accepted change", async () => {
    server.answer(200, planned);
    assert.ok((await failureOf(client().setBrokers([0], {}))) instanceof Refused);
  });

  for (const operation of ["pauseExporting", "resumeExporting"] as const) {
    const succeeding: [number, unknown][] = [
      [204, undefined],
      [200, { status: 204, body: null, contentType: null }],
    ];
    for (const [status, body] of succeeding) {
      it(`takes ${status} with ${JSON.stringify(body) ?? "nothing"} for a success of ${operation}`, async () => {
        server.answer(status, body);
        await client()[operation]();
        const path = operation === "pauseExporting" ? "pause" : "resume";
        assert.equal(server.received[0]?.path, `/actuator/exporting/${path}`);
      });
    }

    const failing: [number, unknown, RegExp][] = [
      [200, { status: 500, body: { message: "Leader -2" } }, /answered 500: Leader -2$/],
      [200, { status: 500, body: { message: null } }, /answered 500: /],
      [200, {}, /answered 200: \{\}$/],
      [200, undefined, /answered 200/],
      [500, { message: "no" }, /answered 500: no$/],
      [404, { error: "Not Found" }, /answered 404: Not Found$/],
    ];
    for (const [status, body, expected] of failing) {
      it(`takes ${status} with ${JSON.stringify(body) ?? "nothing"} for a failure of ${operation}`, async () => {
        server.answer(status, body);
        const error = await failureOf(client()[operation]());
        assert.ok(error instanceof Refused);
        assert.match(error.message, expected);
      });
    }
  }

  const half: [string, "configuration" | "topology" | "exporters", unknown, RegExp][] = [
    ["a configuration without brokers", "configuration", { version: 2 }, /no list of brokers/],
    [
      "members without partitions",
      "configuration",
      { brokers: [{ id: 0 }] },
      /no list of partitions/,
    ],
    [
      "a pending change without its operations",
      "configuration",
      { brokers: [], pendingChange: { id: 1, status: "IN_PROGRESS" } },
      /no list of operations/,
    ],
    ["a topology without brokers", "topology", { clusterSize: 4 }, /no list of brokers/],
    [
      "brokers without partitions",
      "topology",
      { brokers: [{ nodeId: 0 }] },
      /no list of partitions/,
    ],
    ["exporters that are no list", "exporters", { exporterId: "a" }, /no list of exporters/],
    ["no JSON", "topology", "<html>", /answered 200: a web page and no JSON$/],
    ["a list instead of an object", "configuration", [], /answered 200: \[\]$/],
  ];
  for (const [what, method, body, expected] of half) {
    it(`does not take ${what} for an answer`, async () => {
      server.answer(200, body);
      const error = await failureOf(client()[method]());
      assert.ok(error instanceof Refused);
      assert.match(error.message, expected);
    });
  }

  it("does not take a plan without the members that it leads to for an answer", async () => {
    server.answer(202, { ...planned, expectedTopology: undefined });
    await assert.rejects(client().setBrokers([0], {}), /no list of brokers/);
    server.answer(202, { ...planned, plannedChanges: undefined });
    await assert.rejects(client().setBrokers([0], {}), /no list of operations/);
  });

  it("reads the phase of each replica, and needs it of every one", async () => {
    const replica = {
      role: "LEADER",
      exporterPhase: "PAUSED",
      exportedPosition: 12,
      processedPosition: 14,
    };
    server.answer(200, { "1": replica });
    assert.deepEqual(await client().exporterPhases({ url: server.url }), [
      {
        partition: 1,
        role: "LEADER",
        phase: "PAUSED",
        exportedPosition: 12,
        processedPosition: 14,
      },
    ]);
    server.answer(200, { "1": replica, "2": { role: "FOLLOWER" } });
    await assert.rejects(
      client().exporterPhases({ url: server.url }),
      /partition 2 has no exporterPhase/,
    );
  });

  it("passes on that nothing answers", async () => {
    server.do((response) => response.destroy());
    assert.ok((await failureOf(client().topology())) instanceof Unreachable);
    assert.ok((await failureOf(client().pauseExporting())) instanceof Unreachable);
    assert.equal(server.received.length, 2);
  });
});
