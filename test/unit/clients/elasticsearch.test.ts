import assert from "node:assert/strict";
import { ElasticsearchClient } from "../../../components/clients/elasticsearch";
import { isForbidden, isTransient } from "../../../components/clients/answers";
import { PartialAnswer, Refused } from "../../../components/clients/http";
import { EmbeddedWorld, QUICK } from "../../../world/camunda/embedded";
import { credentialsOf } from "../../support/config";
import { expectLine, failureOf } from "../../support/failure";
import { useServer } from "../../support/server";

const RECORDS = "zeebe-record*";

/** The answer of a search that groups 7 records by partition, with something in the groups otherwise. */
function searched(partitions: object = {}) {
  return {
    timed_out: false,
    _shards: { total: 5, successful: 5, skipped: 0, failed: 0 },
    hits: { total: { value: 7, relation: "eq" }, max_score: null, hits: [] },
    aggregations: {
      partitions: {
        doc_count_error_upper_bound: 0,
        sum_other_doc_count: 0,
        buckets: [
          { key: 1, doc_count: 3, last: { value: 7 } },
          { key: 2, doc_count: 4, last: { value: 9 } },
        ],
        ...partitions,
      },
    },
  };
}

describe("elasticsearch client", () => {
  describe("of an Elasticsearch with records", () => {
    const world = new EmbeddedWorld({
      ...QUICK,
      // Long enough to be seen in the middle, also on a busy machine.
      snapshotMs: 600,
      restoreMs: 600,
      demands: {
        region0: { elasticsearch: { user: "elastic", password: "hush" } },
        region1: { elasticsearch: { apiKey: "aHVzaA==" } },
      },
      withheld: ["all", "delete_index"],
    });
    const both = {
      region0: { user: "elastic", password: "hush" },
      region1: { apiKey: "aHVzaA==" },
    };
    const of = (region: "region0" | "region1", elasticsearch: object = both) =>
      new ElasticsearchClient(
        world.endpoints[region].elasticsearch,
        2_000,
        credentialsOf({ elasticsearch })[region].elasticsearch,
      );
    const sum = (counts: Iterable<number>) => [...counts].reduce((a, b) => a + b, 0);

    before(async () => {
      await world.start();
      await world.startInstances("region0", 6);
      while ((await world.instanceKeys("region0")).size < 6) {
        await new Promise(setImmediate);
      }
    });
    after(() => world.stop());

    it("counts what the world has, index by index", async () => {
      assert.deepEqual(
        await of("region0").indices.documents([RECORDS]),
        await world.documents("region0"),
      );
      const names = Object.keys(await world.documents("region0")).sort();
      assert.deepEqual(await of("region0").indices.existing([RECORDS, "operate*"]), names);
      assert.deepEqual(await of("region0").indices.documents(["nothing*"]), {});
      assert.deepEqual(await of("region0").indices.existing(["nothing*"]), []);
    });

    it("finds the last position of each partition, and counts the records up to one of each", async () => {
      const elasticsearch = of("region0");
      const records = await elasticsearch.records.lastRecords(RECORDS);
      assert.deepEqual([...records.keys()].sort(), [1, 2]);
      const last = new Map([...records].map(([partition, { position }]) => [partition, position]));
      const counts = await elasticsearch.records.countsUpTo(RECORDS, last);
      assert.deepEqual(counts, last);
      assert.deepEqual(
        [...counts],
        [...records].map(([partition, { count }]) => [partition, count]),
      );
      assert.equal(sum(counts.values()), sum(Object.values(await world.documents("region0"))));
      const some = [
        [1, 3],
        [2, 5],
        [9, 1_000],
      ] as const;
      const expected = new Map([...some.slice(0, 2), [9, 0] as const]);
      assert.deepEqual(await elasticsearch.records.countsUpTo(RECORDS, new Map(some)), expected);
      assert.deepEqual(await elasticsearch.records.countsUpTo(RECORDS, new Map()), new Map());
      assert.deepEqual(await elasticsearch.records.lastRecords("nothing*"), new Map());
    });

    it("counts 512 partitions in as few requests as the limit of clauses allows", async () => {
      const all = new Map(Array.from({ length: 512 }, (_, index) => [index + 1, 3]));
      const before = world.requests.length;
      const counts = await of("region0").records.countsUpTo(RECORDS, all);
      assert.equal(world.requests.length - before, 3);
      assert.deepEqual(
        [...counts].filter(([, count]) => count > 0),
        [
          [1, 3],
          [2, 3],
        ],
      );
      assert.equal(counts.size, 512);
    });

    it("reads health, templates and where shards came from", async () => {
      const elasticsearch = of("region0");
      assert.deepEqual(await elasticsearch.health([RECORDS]), {
        status: "green",
        activePrimaryShards: (await elasticsearch.indices.recoveries([RECORDS])).length,
        unassignedShards: 0,
        dataNodes: 1,
      });
      const templates = await elasticsearch.templates(["zeebe-record"]);
      assert.ok(templates.includes("component template zeebe-record"));
      assert.ok(templates.includes("index template zeebe-record_job_8.6.0"));
      assert.deepEqual(await elasticsearch.templates(["operate"]), []);
      const recoveries = await elasticsearch.indices.recoveries([RECORDS]);
      assert.ok(recoveries.length > 0);
      assert.ok(recoveries.every(({ type, stage }) => type === "EMPTY_STORE" && stage === "DONE"));
    });

    it("takes a snapshot and restores it, while shards are listed one after the other", async () => {
      const [from, to] = [of("region0"), of("region1")];
      assert.equal(await from.repositories.repository("backup"), undefined);
      const { type, settings } = world.repository;
      await from.repositories.registerRepository("backup", type, settings);
      assert.equal(await from.repositories.verifyRepository("backup"), 1);
      assert.deepEqual(await from.repositories.repository("backup"), { type, settings });
      assert.equal(await from.repositories.snapshot("backup", "one"), undefined);
      await from.repositories.createSnapshot("backup", "one", [RECORDS], { documents: 3 });
      assert.equal((await from.repositories.snapshot("backup", "one"))?.state, "IN_PROGRESS");
      assert.deepEqual(await from.repositories.snapshots("backup"), []);
      let snapshot = await from.repositories.snapshot("backup", "one");
      while (snapshot?.state !== "SUCCESS") {
        snapshot = await from.repositories.snapshot("backup", "one");
      }
      assert.deepEqual(snapshot.indices, await from.indices.existing([RECORDS]));
      assert.equal(snapshot.shards.successful, snapshot.shards.total);
      assert.equal(snapshot.includeGlobalState, true);
      assert.deepEqual(snapshot.metadata, { documents: 3 });
      assert.deepEqual(await from.repositories.snapshots("backup"), ["one"]);

      await to.repositories.registerRepository("backup", type, { ...settings, readonly: true });
      assert.equal((await to.repositories.repository("backup"))?.settings["readonly"], "true");
      await to.indices.deleteIndices(await to.indices.existing([RECORDS]));
      assert.deepEqual(await to.indices.existing([RECORDS]), []);
      await to.repositories.restoreSnapshot("backup", "one", [RECORDS]);
      assert.ok((await to.indices.recoveries([RECORDS])).length < snapshot.shards.total);
      assert.deepEqual(await to.indices.existing([RECORDS]), snapshot.indices);
      assert.equal((await to.health([RECORDS])).status, "yellow");
      let shards = await to.indices.recoveries([RECORDS]);
      while (!shards.some(({ stage }) => stage === "DONE")) {
        shards = await to.indices.recoveries([RECORDS]);
      }
      assert.ok(shards.length < snapshot.shards.total);
      while (shards.filter(({ stage }) => stage === "DONE").length < snapshot.shards.total) {
        shards = await to.indices.recoveries([RECORDS]);
      }
      assert.ok(shards.every((s) => s.type === "SNAPSHOT" && s.snapshot === "one"));
      assert.ok(shards.every((s) => s.repository === "backup"));
      await assert.rejects(
        to.repositories.restoreSnapshot("backup", "one", [RECORDS]),
        /already exists/,
      );
    });

    it("forgets a repository, also one that is not there", async () => {
      const elasticsearch = of("region0");
      const { type, settings } = world.repository;
      await elasticsearch.repositories.registerRepository("other", type, settings);
      await elasticsearch.repositories.forgetRepository("other");
      assert.equal(await elasticsearch.repositories.repository("other"), undefined);
      await elasticsearch.repositories.forgetRepository("other");
    });

    it("asks which rights its user lacks", async () => {
      const elasticsearch = of("region0");
      const indices = { patterns: [RECORDS, "operate*"], privileges: ["delete_index", "read"] };
      assert.deepEqual(await elasticsearch.lackingRights(["manage", "all"], indices), [
        "all",
        "delete_index",
      ]);
      assert.deepEqual(await elasticsearch.lackingRights(["manage"]), []);
    });

    it("does not know after a restart where restored shards came from", async () => {
      await world.recreate("region1", "old");
      const shards = await of("region1").indices.recoveries([RECORDS]);
      assert.deepEqual(new Set(shards.map(({ type }) => type)), new Set(["EXISTING_STORE"]));
      assert.ok(shards.every(({ snapshot }) => snapshot === undefined));
    });

    for (const [what, region, elasticsearch, expected] of [
      [
        "a password",
        "region0",
        { user: "elastic", password: "wrong-one" },
        /^GET http:.* answered 401 to user elastic: correct credentials.elasticsearch$/,
      ],
      [
        "an API key",
        "region1",
        { region1: { apiKey: "wrong-one" } },
        / answered 401 to an API key: correct credentials.elasticsearch.region1$/,
      ],
      [
        "the other region's API key",
        "region0",
        { apiKey: "aHVzaA==" },
        / answered 401 to an API key: correct credentials.elasticsearch$/,
      ],
      [
        "nothing",
        "region0",
        { region1: { apiKey: "aHVzaA==" } },
        / answered 401 to no credentials: set credentials.elasticsearch.region0$/,
      ],
    ] as const) {
      it(`says that ${what} was refused, and where it is corrected, without a secret`, async () => {
        const error = await failureOf(of(region, elasticsearch).health());
        assert.equal(isTransient(error), false);
        assert.ok(isForbidden(error), String(error));
        expectLine(error.message, [expected]);
        assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)}`, /wrong-one|hush|aHVzaA/);
      });
    }
  });

  describe("of a server that answers wrongly", () => {
    const server = useServer();
    const client = () => new ElasticsearchClient(server.url, 2_000);

    const half: [string, (client: ElasticsearchClient) => Promise<unknown>, unknown, RegExp][] = [
      [
        "statistics without counts",
        (c) => c.indices.documents(["a*"]),
        { indices: { a: {} } },
        /no count of a$/,
      ],
      [
        "a repository without settings",
        (c) => c.repositories.repository("r"),
        { r: { type: "s3" } },
        /answered 200/,
      ],
      [
        "another repository",
        (c) => c.repositories.repository("r"),
        { q: { type: "s3", settings: {} } },
        /answered 200/,
      ],
      [
        "snapshots that are no list",
        (c) => c.repositories.snapshot("r", "s"),
        {},
        /no list of snapshots$|no list of snapshots:/,
      ],
      [
        "a snapshot without a state",
        (c) => c.repositories.snapshot("r", "s"),
        { snapshots: [{ snapshot: "s" }] },
        /snapshot s has no state$/,
      ],
      [
        "recoveries without shards",
        (c) => c.indices.recoveries(["a*"]),
        { a: {} },
        /no list of shards/,
      ],
      ["templates that are no list", (c) => c.templates(["a"]), {}, /no list of templates/],
      [
        "buckets that are no list",
        (c) => c.records.lastRecords("a*"),
        searched({ buckets: undefined }),
        /no list of buckets/,
      ],
      ["health without numbers", (c) => c.health(), { status: "green" }, /no health in the answer/],
      [
        "health with numbers as text",
        (c) => c.health(),
        { status: "green", active_primary_shards: "1", unassigned_shards: "0" },
        /no health in the answer/,
      ],
      ["no JSON", (c) => c.health(), "<html>", /answered 200: a web page and no JSON$/],
    ];
    for (const [what, ask, body, expected] of half) {
      it(`does not take ${what} for an answer`, async () => {
        server.answer(200, body);
        const error = await failureOf(ask(client()));
        assert.ok(error instanceof Refused, String(error));
        assert.match(error.message, expected);
      });
    }

    describe("which answers a search with a part", () => {
      const last = (c: ElasticsearchClient) => c.records.lastRecords("a*");
      const counts = (c: ElasticsearchClient) =>
        c.records.countsUpTo(
          "a*",
          new Map([
            [1, 7],
            [2, 7],
          ]),
        );
      const whole = searched();
      const shards = { total: 5, successful: 5, skipped: 0, failed: 0 };

      it("takes the whole of it", async () => {
        server.answer(200, whole);
        assert.deepEqual(
          [...(await last(client()))],
          [
            [1, { position: 7, count: 3 }],
            [2, { position: 9, count: 4 }],
          ],
        );
        assert.deepEqual(
          [...(await counts(client()))],
          [
            [1, 3],
            [2, 4],
          ],
        );
      });

      const parts: [string, object, RegExp][] = [
        ["ran out of time", { ...whole, timed_out: true }, /it ran out of time$/],
        ["does not say whether it did", { ...whole, timed_out: undefined }, /ran out of time$/],
        [
          "has a shard that failed",
          { ...whole, _shards: { ...shards, successful: 4, failed: 1 } },
          /4 of 5 shards, 1 failed$/,
        ],
        [
          "has a shard that no node has",
          { ...whole, _shards: { ...shards, successful: 4 } },
          /4 of 5 shards, 0 failed$/,
        ],
        ["says nothing of its shards", { ...whole, _shards: undefined }, /unknown of unknown/],
        ["has no aggregations", { ...whole, aggregations: undefined }, /it has no groups$/],
        ["has another aggregation", { ...whole, aggregations: { other: {} } }, /no groups$/],
        [
          "left partitions out",
          searched({ sum_other_doc_count: 4 }),
          /: 4 records in groups that it left out$/,
        ],
        ["does not say whether it did", searched({ sum_other_doc_count: undefined }), /left out$/],
        ["may count too few", searched({ doc_count_error_upper_bound: 1 }), /left out$/],
      ];
      for (const [what, body, why] of parts) {
        it(`takes no answer that ${what}`, async () => {
          server.answer(200, body);
          for (const ask of [last, counts]) {
            const error = await failureOf(ask(client()));
            assert.ok(error instanceof PartialAnswer, String(error));
            assert.match(
              error.message,
              /_search\?allow_no_indices=true answered 200: not the whole/,
            );
            assert.match(error.message, why);
          }
        });
      }

      const counted: [string, object, RegExp][] = [
        [
          "lacks a partition",
          searched({ buckets: [{ key: 1, doc_count: 3 }] }),
          /7 records, of which its partitions have 3$/,
        ],
        [
          "has a partition that was not asked for",
          searched({ buckets: [{ key: 3, doc_count: 7 }] }),
          /7 records of partition 3$/,
        ],
        [
          "has a partition without a number",
          searched({ buckets: [{ key: 1 }, { key: 2, doc_count: 7 }] }),
          /unknown records of partition 1$/,
        ],
        [
          "does not know how many it found",
          { ...whole, hits: { total: { value: 7, relation: "gte" } } },
          /unknown records, of which its partitions have 7$/,
        ],
      ];
      for (const [what, body, why] of counted) {
        it(`takes no count that ${what}`, async () => {
          server.answer(200, body);
          const error = await failureOf(counts(client()));
          assert.ok(error instanceof PartialAnswer, String(error));
          assert.match(error.message, why);
        });
      }

      for (const count of [undefined, 0]) {
        it(`takes no last record of a partition that has ${count} records`, async () => {
          server.answer(
            200,
            searched({ buckets: [{ key: 1, doc_count: count, last: { value: 7 } }] }),
          );
          const error = await failureOf(last(client()));
          assert.ok(error instanceof PartialAnswer, String(error));
          assert.match(error.message, /no number of records of partition 1$/);
        });
      }

      it("takes no position that is none: null would be the position 0", async () => {
        server.answer(
          200,
          searched({ buckets: [{ key: 1, doc_count: 3, last: { value: null } }] }),
        );
        const error = await failureOf(last(client()));
        assert.ok(error instanceof PartialAnswer, String(error));
        assert.match(error.message, /no position of partition 1$/);
      });
    });

    it("asks nobody for rights where security is off, and takes no other answer for one", async () => {
      for (const status of [400, 404, 405]) {
        server.answer(status, { error: "no handler found for uri" });
        assert.deepEqual(await client().lackingRights(["manage"]), []);
      }
      for (const [status, body] of [
        [200, { cluster: { manage: true } }],
        [403, { error: { type: "security_exception", reason: "no" } }],
        [500, {}],
      ] as const) {
        server.answer(status, body);
        await assert.rejects(client().lackingRights(["manage"]), Refused);
      }
    });

    it("returns no snapshot when the list has only others", async () => {
      server.answer(200, { snapshots: [{ snapshot: "other", state: "SUCCESS" }] });
      assert.equal(await client().repositories.snapshot("r", "s"), undefined);
    });

    it("does not take an error for a missing snapshot or repository", async () => {
      server.answer(500, { error: { type: "repository_exception", reason: "broken" } });
      await assert.rejects(
        client().repositories.snapshot("r", "s"),
        /answered 500: repository_exception: broken/,
      );
      await assert.rejects(client().repositories.repository("r"), /answered 500/);
    });

    it("deletes many indices some at a time, by their exact names", async () => {
      server.answer(200, { acknowledged: true });
      const names = Array.from({ length: 45 }, (_, index) => `index-${index}`);
      await client().indices.deleteIndices(names);
      assert.deepEqual(
        server.received.flatMap(({ path }) => path.slice(1).split(",")),
        names,
      );
      assert.equal(server.received.length, 3);
      assert.ok(server.received.every(({ path }) => path.length < 4_000));
    });
  });
});
