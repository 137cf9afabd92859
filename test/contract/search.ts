import assert from "node:assert/strict";
import { isRecord } from "../../components/base/json";
import { Bench, RECORDS } from "./bench";

/** A request, and what it is answered: its status, the type of the error, and a part of the reasons. */
type Refusal = [
  what: string,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body: object | undefined,
  status: number,
  type: RegExp,
  reason: RegExp,
];

const REPOSITORY = "errors";
const READONLY = "errors-readonly";

/**
 * What the program relies on of a search engine besides a failback: what it refuses, and how. Where
 * Elasticsearch and OpenSearch differ by design, that is said.
 */
export function searchEngine(bench: Bench): void {
  const ask = (
    ...request: Parameters<Bench["askSearch"]> extends [unknown, ...infer R] ? R : never
  ) => bench.askSearch("region0", ...request);
  const ok = async (...request: Parameters<typeof ask>) => {
    const { status, body } = await ask(...request);
    assert.ok(
      status >= 200 && status < 300,
      `${request[0]} ${request[1]}: ${JSON.stringify(body)}`,
    );
    return body as Record<string, unknown>;
  };

  bench.step("registers repositories, also a readonly one of the same place", async () => {
    const { type, settings } = bench.world.repository;
    await ok("PUT", `_snapshot/${REPOSITORY}`, { type, settings });
    await ok("PUT", `_snapshot/${READONLY}`, { type, settings: { ...settings, readonly: true } });
    const search = bench.search("region0");
    const { dataNodes } = await search.health();
    assert.equal(dataNodes, 1);
    assert.equal(await search.repositories.verifyRepository(REPOSITORY), dataNodes);
    assert.equal(await search.repositories.verifyRepository(READONLY), dataNodes);
    assert.deepEqual(Object.keys(await ok("GET", "_snapshot")).sort(), [REPOSITORY, READONLY]);
  });

  bench.step("makes indices with an alias, and takes a snapshot of them", async () => {
    await ok("PUT", "contract-one", { aliases: { "contract-alias": {} } });
    await ok("POST", "contract-one/_doc/1", { a: 1 });
    await ok("POST", "contract-one/_refresh");
    const { count } = await ok("GET", "contract-alias/_count");
    assert.equal(count, 1);
    const { snapshot } = await ok("PUT", `_snapshot/${REPOSITORY}/taken?wait_for_completion=true`, {
      indices: "contract-one",
      include_global_state: true,
    });
    assert.ok(isRecord(snapshot));
    assert.equal(snapshot.state, "SUCCESS");
    assert.deepEqual(snapshot.indices, ["contract-one"]);
    const { snapshots } = await ok("GET", `_snapshot/${READONLY}/taken/_status`);
    assert.deepEqual(await bench.search("region0").repositories.snapshots(READONLY), ["taken"]);
    const [found] = snapshots as { state: string; shards_stats: { done: number } }[];
    assert.deepEqual([found?.state, found?.shards_stats.done], ["SUCCESS", 1]);
  });

  bench.step("says how large indices are, and how much of its disks is free", async () => {
    const search = bench.search("region0");
    const { primaries, total } = await search.indices.storeSize(["contract-*"]);
    assert.ok(primaries > 0 && total >= primaries, `${primaries} of ${total}`);
    assert.deepEqual(await search.indices.storeSize(["nosuch-*"]), { primaries: 0, total: 0 });
    assert.ok((await search.freeSpace()) > total);
  });

  const refusals: Refusal[] = [
    [
      "an unknown repository",
      "GET",
      "_snapshot/nosuch",
      undefined,
      404,
      /^repository_missing/,
      /^\[nosuch\] missing$/,
    ],
    [
      "to verify an unknown one",
      "POST",
      "_snapshot/nosuch/_verify",
      undefined,
      404,
      /^repository_missing/,
      /missing/,
    ],
    [
      "to forget an unknown one",
      "DELETE",
      "_snapshot/nosuch",
      undefined,
      404,
      /^repository_missing/,
      /missing/,
    ],
    [
      "a repository of no type",
      "PUT",
      "_snapshot/other",
      {},
      400,
      /^action_request_validation/,
      /type is missing/,
    ],
    [
      "one of an unknown type",
      "PUT",
      "_snapshot/other",
      { type: "nosuch" },
      500,
      /^repository_exc/,
      /^\[other\] repository type \[nosuch\] does not exist$/,
    ],
    ["a body that is no object", "PUT", "_snapshot/other", [], 400, /./, /./],
    [
      "a snapshot in upper case",
      "PUT",
      `_snapshot/${REPOSITORY}/Upper`,
      {},
      400,
      /^invalid_snapshot_name/,
      /must be lowercase$/,
    ],
    [
      "a snapshot that begins with _",
      "PUT",
      `_snapshot/${REPOSITORY}/_x`,
      {},
      400,
      /^invalid_snapshot_name/,
      /must not start with '_'$/,
    ],
    [
      "a snapshot with a blank",
      "PUT",
      `_snapshot/${REPOSITORY}/a%20b`,
      {},
      400,
      /^invalid_snapshot_name/,
      /must not contain whitespace$/,
    ],
    [
      "a snapshot of no index",
      "PUT",
      `_snapshot/${REPOSITORY}/other`,
      { indices: "nosuch" },
      404,
      /^index_not_found/,
      /^no such index \[nosuch\]$/,
    ],
    [
      "a snapshot in no repository",
      "PUT",
      "_snapshot/nosuch/other",
      {},
      404,
      /^repository_missing/,
      /missing/,
    ],
    [
      "a snapshot in a readonly one",
      "PUT",
      `_snapshot/${READONLY}/other`,
      {},
      500,
      /^repository_exc/,
      /cannot create snapshot in a readonly repository$/,
    ],
    // Elasticsearch has a type of its own for it.
    [
      "a snapshot once more",
      "PUT",
      `_snapshot/${REPOSITORY}/taken`,
      {},
      400,
      /^(invalid_snapshot_name|snapshot_name_already_in_use)_exception$/,
      /snapshot with the same name already exists$/,
    ],
    [
      "an unknown snapshot",
      "GET",
      `_snapshot/${REPOSITORY}/nosuch`,
      undefined,
      404,
      /^snapshot_missing/,
      /^\[errors:nosuch\] is missing$/,
    ],
    [
      "the state of an unknown one",
      "GET",
      `_snapshot/${REPOSITORY}/nosuch/_status`,
      undefined,
      404,
      /^snapshot_missing/,
      /is missing$/,
    ],
    [
      "to delete an unknown one",
      "DELETE",
      `_snapshot/${REPOSITORY}/nosuch`,
      undefined,
      404,
      /^snapshot_missing/,
      /is missing$/,
    ],
    [
      "to delete from a readonly one",
      "DELETE",
      `_snapshot/${READONLY}/taken`,
      undefined,
      500,
      /^repository_exc/,
      /cannot delete snapshot from a readonly repository$/,
    ],
    [
      "to restore an unknown one",
      "POST",
      `_snapshot/${REPOSITORY}/nosuch/_restore`,
      {},
      500,
      /^snapshot_restore/,
      /^\[errors:nosuch\] snapshot does not exist$/,
    ],
    [
      "to restore from no repository",
      "POST",
      "_snapshot/nosuch/taken/_restore",
      {},
      404,
      /^repository_missing/,
      /missing/,
    ],
    [
      "to restore what is not in it",
      "POST",
      `_snapshot/${REPOSITORY}/taken/_restore`,
      { indices: "nosuch" },
      404,
      /^index_not_found/,
      /^no such index \[nosuch\]$/,
    ],
    [
      "to restore over an open index",
      "POST",
      `_snapshot/${REPOSITORY}/taken/_restore`,
      { indices: "contract-one" },
      500,
      /^snapshot_restore/,
      /^\[errors:taken\S*\] cannot restore index \[contract-one\] because an open index with same name already exists in the cluster/,
    ],
    [
      "an index that exists",
      "PUT",
      "contract-one",
      undefined,
      400,
      /^resource_already_exists/,
      /^index \[contract-one\/\S+\] already exists$/,
    ],
    [
      "to delete an unknown index",
      "DELETE",
      "nosuch",
      undefined,
      404,
      /^index_not_found/,
      /^no such index \[nosuch\]$/,
    ],
    [
      "to delete by an alias",
      "DELETE",
      "contract-alias",
      undefined,
      400,
      /^illegal_argument/,
      /^The provided expression \[contract-alias\] matches an alias, specify the corresponding concrete indices instead\.$/,
    ],
    [
      "to count in an unknown index",
      "GET",
      "nosuch/_count",
      undefined,
      404,
      /^index_not_found/,
      /nosuch/,
    ],
    [
      "to search one index of two",
      "POST",
      "contract-one,nosuch/_search",
      {},
      404,
      /^index_not_found/,
      /nosuch/,
    ],
    [
      "an unknown index template",
      "GET",
      "_index_template/nosuch",
      undefined,
      404,
      /^resource_not_found/,
      /^index template matching \[nosuch\] not found$/,
    ],
    [
      "an unknown component template",
      "GET",
      "_component_template/nosuch",
      undefined,
      404,
      /^resource_not_found/,
      /^component template matching \[nosuch\] not found$/,
    ],
  ];
  for (const [what, method, path, body, status, type, reason] of refusals) {
    it(`refuses ${what} with ${status}`, async () => {
      const answer = await ask(method, path, body);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.ok(isRecord(answer.body) && isRecord(answer.body.error));
      assert.match(String(answer.body.error.type), type);
      assert.match(String(answer.body.error.reason), reason);
    });
  }

  it("keeps a repository registered whose place it has refused", async () => {
    const { type, settings } = bench.world.repository;
    if (type !== "s3") {
      return;
    }
    for (const readonly of [false, true]) {
      const wrong = { ...settings, bucket: "nosuch-bucket", readonly };
      const refused = await ask("PUT", "_snapshot/wrong", { type, settings: wrong });
      assert.equal(refused.status, 500);
      const text = JSON.stringify(refused.body);
      assert.match(text, /repository_verification_exception/);
      // "master" is what OpenSearch calls cluster-manager.
      assert.match(text, /is not accessible on (master|cluster-manager) node/);
      assert.match(text, /The specified bucket does not exist/);
      const { wrong: kept } = await ok("GET", "_snapshot/wrong");
      assert.equal((kept as { settings: { bucket: string } }).settings.bucket, "nosuch-bucket");
      assert.equal((await ask("POST", "_snapshot/wrong/_verify")).status, 500);
      await ok("DELETE", "_snapshot/wrong");
    }
  });

  it("tells of unavailable snapshots by an empty list, when asked to", async () => {
    const { snapshots } = await ok("GET", `_snapshot/${REPOSITORY}/nosuch?ignore_unavailable=true`);
    assert.deepEqual(snapshots, []);
  });

  it("knows feature states, or refuses the word", async () => {
    const { status, body } = await ask("POST", `_snapshot/${REPOSITORY}/taken/_restore`, {
      indices: "nosuch*",
      feature_states: ["none"],
    });
    if ((await bench.engine("region0")) === "opensearch") {
      assert.equal(status, 400);
      assert.match(JSON.stringify(body), /Unknown parameter feature_states/);
    } else {
      assert.equal(status, 200, JSON.stringify(body));
    }
  });

  bench.step("restores under another name, with the alias", async () => {
    const { snapshot } = await ok(
      "POST",
      `_snapshot/${READONLY}/taken/_restore?wait_for_completion=true`,
      { indices: "contract-one", rename_pattern: "one", rename_replacement: "copy" },
    );
    assert.deepEqual((snapshot as { indices: string[] }).indices, ["contract-copy"]);
    const found = await ok("GET", "contract-alias");
    assert.deepEqual(Object.keys(found).sort(), ["contract-copy", "contract-one"]);
    assert.equal((await ok("GET", "contract-alias/_count")).count, 2);
    await ok("DELETE", "contract-copy");
  });

  bench.step("refuses to read a closed index by its name, and restores over it", async () => {
    await ok("POST", "contract-one/_close");
    for (const read of ["_refresh", "_search", "_count"]) {
      const { status, body } = await ask("POST", `contract-one/${read}`);
      assert.equal(status, 400, `${read}: ${JSON.stringify(body)}`);
      assert.match(JSON.stringify(body), /index_closed_exception/);
    }
    assert.equal((await ask("GET", "contract-one/_stats/docs")).status, 400);
    await ok("POST", `_snapshot/${REPOSITORY}/taken/_restore?wait_for_completion=true`, {
      indices: "contract-one",
    });
    const [shard] = await bench.search("region0").indices.recoveries(["contract-one"]);
    assert.deepEqual(
      [shard?.type, shard?.snapshot, shard?.repository],
      ["SNAPSHOT", "taken", REPOSITORY],
    );
    await ok("POST", "contract-one/_refresh");
    assert.equal((await ok("GET", "contract-one/_count")).count, 1);
  });

  bench.step(
    "tells closed indices, which no snapshot of a pattern brings over as they are",
    async () => {
      const search = bench.search("region0");
      await ok("PUT", "contract-three", {});
      await ok("POST", "contract-three/_doc/1?refresh=true", { a: 1 });
      assert.deepEqual(await search.indices.closed(["contract-*"]), []);
      await ok("POST", "contract-three/_close");
      assert.deepEqual(await search.indices.closed(["contract-*"]), ["contract-three"]);
      assert.deepEqual(await search.indices.existing(["contract-*"]), [
        "contract-one",
        "contract-three",
      ]);
      assert.deepEqual(Object.keys(await search.indices.contents(["contract-*"])), [
        "contract-one",
      ]);
      const body = { indices: "contract-*" };
      const path = `_snapshot/${REPOSITORY}/closed`;
      const { snapshot } = await ok("PUT", `${path}?wait_for_completion=true`, body);
      const { indices } = snapshot as { indices: string[] };
      if ((await bench.engine("region0")) === "opensearch") {
        assert.deepEqual(indices, ["contract-one"]);
      } else {
        assert.deepEqual(indices.sort(), ["contract-one", "contract-three"]);
        const restored = { indices: "contract-three" };
        await ok("POST", `${path}/_restore?wait_for_completion=true`, restored);
        assert.deepEqual(await search.indices.closed(["contract-*"]), []);
        assert.equal((await ok("GET", "contract-three/_count")).count, 1);
      }
      await ok("DELETE", "contract-three");
      await ok("DELETE", path);
    },
  );

  it("has nobody to ask for a user's rights where security is off", async () => {
    const search = bench.search("region0");
    assert.deepEqual(await search.lackingRights(["cluster:admin/snapshot/create"]), []);
  });

  it("waits for a health that does not come, and says so with 408", async () => {
    for (const [path, status] of [
      ["contract-one", "yellow"],
      ["nosuch", "red"],
    ] as const) {
      const answer = await ask(
        "GET",
        `_cluster/health/${path}?wait_for_status=green&timeout=200ms`,
      );
      assert.equal(answer.status, 408);
      assert.ok(isRecord(answer.body));
      assert.deepEqual([answer.body.status, answer.body.timed_out], [status, true]);
    }
  });

  it("gives the records' indices their aliases", async () => {
    const [name] = await bench
      .search("region0")
      .indices.existing([`${RECORDS.slice(0, -1)}_job_*`]);
    assert.ok(name);
    const found = (await ok("GET", "zeebe-record-job")) as Record<
      string,
      { aliases: object; settings: { index: { number_of_shards: string } } }
    >;
    assert.deepEqual(Object.keys(found[name]?.aliases ?? {}), ["zeebe-record-job"]);
    assert.equal(found[name]?.settings.index.number_of_shards, "3");
  });

  bench.step(
    "numbers what is written to a shard, also in place, and restores the number",
    async () => {
      const search = bench.search("region0");
      const write = (a: number) => ok("PUT", "contract-two/_doc/1", { a });
      await ok("PUT", "contract-two", {});
      await write(1);
      await write(2);
      assert.deepEqual(await search.indices.contents(["contract-two*"]), {
        "contract-two": { documents: 1, lastOperations: [1] },
      });
      await ok("PUT", `_snapshot/${REPOSITORY}/numbered?wait_for_completion=true`, {
        indices: "contract-two",
      });
      await write(3);
      await ok("POST", `_snapshot/${REPOSITORY}/numbered/_restore?wait_for_completion=true`, {
        indices: "contract-two",
        rename_pattern: "two",
        rename_replacement: "two-copy",
      });
      assert.deepEqual(await search.indices.contents(["contract-two*"]), {
        "contract-two": { documents: 1, lastOperations: [2] },
        "contract-two-copy": { documents: 1, lastOperations: [1] },
      });
      const { indices } = await search.healthByIndex(["contract-two*"]);
      assert.deepEqual(indices["contract-two-copy"], { active: [0], inactive: [] });
      await ok("DELETE", "contract-two,contract-two-copy");
      await ok("DELETE", `_snapshot/${REPOSITORY}/numbered`);
    },
  );

  bench.step("deletes what is not needed any more", async () => {
    await ok("DELETE", "contract-one");
    await ok("DELETE", `_snapshot/${REPOSITORY}/taken`);
    await ok("DELETE", `_snapshot/${READONLY}`);
    await ok("DELETE", `_snapshot/${REPOSITORY}`);
    assert.deepEqual(await ok("GET", "_snapshot"), {});
  });
}
