import assert from "node:assert/strict";
import {
  provider,
  RepositoryTrialInputs,
} from "../../../../components/recovery/providers/repositoryTrial";
import { session } from "../../../../components/recovery/session";
import { Body } from "../../../support/answers";
import { directions, useBench } from "../../../support/bench";
import { refusal } from "../../../support/failure";

const TRIAL = "/_snapshot/camunda_backup-trial";
const VERIFY = /_verify$/;

describe("RepositoryTrial", () => {
  const bench = useBench();
  const inputs: RepositoryTrialInputs = {
    repository: "camunda_backup",
    type: "s3",
    settings: "digest",
  };
  const attempted = () => provider.create(inputs);
  /** Region, method and path of what has been sent so far that changes something. */
  const sentTo = () =>
    bench.world.mutations().map(({ region, method, path }) => `${region} ${method} ${path}`);
  const registered = (name: string) =>
    session().elasticsearch(session().settings.region).repositories.repository(name);

  for (const lost of directions) {
    it(`tries the repository at the Elasticsearch of its own region, for writing, and leaves nothing: not ${lost}`, async () => {
      await bench.start(lost);
      const { id, outs } = await attempted();
      assert.equal(id, "repository-trial");
      assert.equal(outs.record.how, "already true");
      assert.deepEqual(outs.record.observed, { repository: "camunda_backup", nodes: 1 });
      assert.deepEqual(sentTo(), [
        `${bench.survivor} PUT ${TRIAL}`,
        `${bench.survivor} DELETE ${TRIAL}`,
      ]);
      assert.deepEqual(bench.world.mutations()[0]?.body, bench.world.repository);
      assert.deepEqual(
        bench.world.requests.filter(
          ({ server, region }) => server === "elasticsearch" && region === lost,
        ),
        [],
      );
    });
  }

  it("needs no more than the repository that is registered as it is wanted", async () => {
    await bench.start();
    const { type, settings } = bench.world.repository;
    await session()
      .elasticsearch("region0")
      .repositories.registerRepository("camunda_backup", type, settings);
    const before = sentTo();
    assert.equal((await attempted()).outs.record.observed["nodes"], 1);
    assert.deepEqual(sentTo(), before);
  });

  it("is done again when the configuration is another one", async () => {
    await bench.start();
    const { id, outs } = await attempted();
    bench.configure({ snapshotRepository: { type: "s3", settings: { bucket: "missing" } } });
    await refusal(
      provider.update(id, outs, { ...inputs, settings: "other" }),
      /^repository camunda_backup in region0 cannot be used \(no_such_bucket: The specified bucket/,
      /: mend its place or rights$/,
    );
    assert.equal(await registered("camunda_backup-trial"), undefined);
  });

  it("refuses what is registered under the name by somebody else", async () => {
    await bench.start("region1", { buckets: ["of-somebody"] });
    await session()
      .elasticsearch("region0")
      .repositories.registerRepository("camunda_backup", "s3", { bucket: "of-somebody" });
    await refusal(attempted(), /repository camunda_backup in region0 has other settings/);
    assert.equal((await registered("camunda_backup"))?.settings["bucket"], "of-somebody");
  });

  for (const [what, nodes, says] of [
    ["no node", {}, "0 of 1 nodes"],
    ["one of two nodes", { a: { name: "a" } }, "1 of 2 nodes"],
  ] as const) {
    it(`refuses a repository that ${what} has verified, and takes it away`, async () => {
      await bench.start();
      bench.world.inject({ path: VERIFY, respond: { status: 200, body: { nodes } } });
      bench.world.inject({
        path: /^\/_cluster\/health$/,
        transform: (body: Body) => ({
          ...body,
          number_of_data_nodes: Math.max(1, 2 * Object.keys(nodes).length),
        }),
      });
      await refusal(attempted(), new RegExp(`in region0 is verified by ${says}: bring the others`));
      assert.equal(await registered("camunda_backup-trial"), undefined);
    });
  }

  for (const [method, path, what] of [
    ["PUT", /^\/_snapshot\//, "register a repository"],
    ["DELETE", /-trial$/, "forget a repository"],
  ] as const) {
    it(`refuses a user who may not ${what}, by the right`, async () => {
      await bench.start();
      const reason = "action [cluster:admin/x/get] is unauthorized for user [camunda]";
      const body = { error: { type: "security_exception", reason } };
      bench.world.inject({ method, path, respond: { status: 403, body } });
      await refusal(
        attempted(),
        new RegExp(`region0 answers 403 when asked to ${what} \\(cluster:admin/x/get\\): give`),
      );
    }).timeout(20_000);
  }

  it("says that its Elasticsearch does not answer", async () => {
    await bench.start();
    bench.world.inject({ region: "region0", path: /^\/_snapshot/, drop: true });
    await refusal(attempted(), /_snapshot\/camunda_backup does not answer/);
  }).timeout(20_000);
});
