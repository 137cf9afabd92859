import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSettings } from "../../../../components/settings";
import { fetchCharts } from "../../../../components/installation/kubernetes/charts";
import { kubernetesConfig, lookup, Raw } from "../../../support/config";

const CAMUNDA = "camunda-platform-11.12.3.tgz";
const ELASTICSEARCH = "elasticsearch-21.6.3.tgz";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("the archives of the charts", () => {
  let project: string;
  let server: Server;
  let url: string;
  const asked: string[] = [];
  /** What the repository gives of Camunda's chart. */
  let archive: string;
  let digest: string | undefined;

  beforeEach(async () => {
    [archive, digest] = ["camunda's", sha256("camunda's")];
    asked.length = 0;
    project = mkdtempSync(join(tmpdir(), "project-"));
    server = createServer((request, response) => {
      const path = request.url ?? "";
      asked.push(path);
      const token = request.headers.authorization === "Bearer t0";
      const registry = (answer: string) =>
        token
          ? response.end(answer)
          : response
              .writeHead(401, {
                "WWW-Authenticate": `Bearer realm="${url}/token",service="here",scope="pull"`,
              })
              .end();
      switch (path) {
        case "/charts/index.yaml":
          return response.end(
            JSON.stringify({
              entries: {
                "camunda-platform": [
                  { version: "11.0.0", urls: ["old.tgz"], digest: sha256("old") },
                  { version: "11.12.3", urls: ["files/new.tgz"], digest },
                ],
              },
            }),
          );
        case "/charts/files/new.tgz":
          return response.end(archive);
        case "/token?service=here&scope=pull":
          return response.end(JSON.stringify({ token: "t0" }));
        case "/v2/bitnamicharts/elasticsearch/manifests/21.6.3":
          return registry(
            JSON.stringify({
              layers: [
                { mediaType: "application/vnd.cncf.helm.chart.provenance.v1.prov", digest: "x" },
                {
                  mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
                  digest: `sha256:${sha256("elasticsearch's")}`,
                },
              ],
            }),
          );
        case `/v2/bitnamicharts/elasticsearch/blobs/sha256:${sha256("elasticsearch's")}`:
          return registry("elasticsearch's");
        default:
          return response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(() => {
    server.close();
    rmSync(project, { recursive: true });
  });

  const fetching = (raw: Raw = {}) => {
    const charts = {
      camunda: { chart: "camunda-platform", repository: `${url}/charts`, version: "11.12.3" },
      elasticsearch: {
        chart: `oci://${new URL(url).host}/bitnamicharts/elasticsearch`,
        version: "21.6.3",
      },
    };
    return fetchCharts(readSettings(lookup(kubernetesConfig({ charts, ...raw }))), project);
  };
  const there = () =>
    existsSync(join(project, "charts")) ? readdirSync(join(project, "charts")) : [];

  it("are fetched once, from a repository and from a registry, and then nothing is asked", async () => {
    assert.deepEqual(await fetching(), { problems: [], refuse: true });
    assert.deepEqual(there(), [CAMUNDA, ELASTICSEARCH]);
    assert.equal(readFileSync(join(project, "charts", CAMUNDA), "utf8"), "camunda's");
    assert.equal(readFileSync(join(project, "charts", ELASTICSEARCH), "utf8"), "elasticsearch's");
    asked.length = 0;
    assert.deepEqual(await fetching(), { problems: [], refuse: true });
    assert.deepEqual(asked, []);
  });

  for (const [what, why, prepare] of [
    ["has another digest", /gives has another digest/, () => (archive = "somebody else's")],
    ["has no digest", /says no digest of it/, () => (digest = undefined)],
    ["does not answer", /: ECONNREFUSED/, () => server.close()],
  ] as const) {
    it(`are refused with the way out when what comes ${what}, and nothing is left`, async () => {
      prepare();
      const { problems, refuse } = await fetching();
      assert.ok(refuse);
      const [problem = ""] = problems;
      assert.match(problem, why);
      assert.match(
        problem,
        /^\.\/charts\/camunda-platform-11\.12\.3\.tgz is missing and not to be had \(.*\): helm pull it there, and commit it$/,
      );
      assert.ok(problem.length <= 160);
      assert.ok(!there().some((file) => file.startsWith("camunda-platform")));
    });
  }

  it("keep no failover waiting, which needs none of them", async () => {
    const { problems, refuse } = await fetching({ lostRegion: "region1" });
    assert.deepEqual([refuse, problems.length, asked], [false, 2, []]);
    assert.match(problems[0] ?? "", /is missing: what is installed cannot be changed/);
    const failingBack = await fetching({ lostRegion: "region1", failback: "one" });
    assert.deepEqual(failingBack, { problems: [], refuse: true });
  });

  it("of the user's own are left to them", async () => {
    const charts = {
      camunda: { chart: "./mine.tgz" },
      elasticsearch: { chart: "alias/elasticsearch", version: "21.6.3" },
    };
    assert.deepEqual(await fetching({ charts }), { problems: [], refuse: true });
    assert.deepEqual([there(), asked], [[], []]);
  });
});
