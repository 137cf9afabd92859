import assert from "node:assert/strict";
import { KEYS, openSecrets, readSettings, unknownKeys } from "../../../components/settings";
import {
  changed,
  eksConfig,
  kubernetesConfig,
  lookup,
  nowhere,
  problemsOf,
  Raw,
  rawConfig,
} from "../../support/config";

const settingsOf = (changes: Raw = {}, stack?: string) =>
  readSettings(lookup(rawConfig(changes)), stack);

describe("config", () => {
  it("takes the smallest configuration, with the defaults of the procedure", () => {
    const settings = readSettings(
      lookup(rawConfig({ clusterSize: undefined, partitionCount: undefined, endpoints: eight() })),
    );
    assert.equal(settings.clusterSize, 8);
    assert.equal(settings.partitionCount, 8);
    assert.equal(settings.replicationFactor, 4);
    assert.equal(settings.peer, "region1");
    assert.equal(settings.camundaVersion, "8.6");
    assert.deepEqual(settings.exporters, {
      region0: ["elasticsearchregion0"],
      region1: ["elasticsearchregion1"],
    });
    assert.equal(settings.repository.name, "camunda_backup");
    assert.deepEqual(settings.indexPrefixes, ["zeebe-record", "operate", "tasklist"]);
    assert.equal(settings.lostRegion, undefined);
    assert.equal(settings.failback, undefined);
    assert.equal(settings.webApps, undefined);
    assert.equal(settings.credentials?.region0.gateway.authorization, undefined);
    assert.equal(settings.timeouts.restore, 3600);
  });

  it("takes what the operator declares", () => {
    const settings = settingsOf({
      lostRegion: "region1",
      failback: "INC-4711",
      credentials: { gateway: { token: "abc" } },
      timeouts: { join: 60 },
      webApps: { stop: "a", start: "b" },
      overrides: { "export-gap": "rehearsal without data" },
    });
    assert.equal(settings.lostRegion, "region1");
    assert.equal(settings.failback, "INC-4711");
    assert.equal(settings.credentials?.region1.gateway.authorization, "Bearer abc");
    assert.equal(settings.timeouts.join, 60);
    assert.equal(settings.timeouts.loss, 60);
    assert.deepEqual(settings.webApps, { stop: "a", start: "b" });
    assert.deepEqual(settings.overrides, { "export-gap": "rehearsal without data" });
  });

  it("takes URLs with a slash at the end", () => {
    const endpoints = structuredClone(nowhere);
    endpoints.region0.gateway += "/";
    assert.equal(settingsOf({ endpoints }).endpoints.region0.gateway, nowhere.region0.gateway);
  });

  it("takes addresses in Kubernetes clusters, with a slash at the end too", () => {
    const gateway = "kubernetes://london%2F1/camunda/service/camunda-zeebe-gateway/8080";
    const management = "eks://eu-west-2/camunda/camunda/service/camunda-zeebe-gateway/9600";
    const settings = settingsOf({
      endpoints: {
        ...nowhere,
        region0: { ...nowhere.region0, gateway: `${gateway}/`, management },
      },
    });
    assert.equal(settings.endpoints.region0.gateway, gateway);
    assert.equal(settings.endpoints.region0.management, management);
  });

  it("derives the other stack from the name of its own, unless it is given", () => {
    assert.equal(settingsOf({}, "prod-region0").peerStack, "prod-region1");
    assert.equal(settingsOf({ region: "region1" }, "region1").peerStack, "region0");
    assert.equal(settingsOf({}, "prod").peerStack, undefined);
    assert.equal(settingsOf({}).peerStack, undefined);
    assert.equal(settingsOf({ peerStack: "east" }, "prod-region0").peerStack, "east");
  });

  it("treats an empty value like none", () => {
    assert.equal(settingsOf({ lostRegion: "", failback: "" }).lostRegion, undefined);
  });

  for (const seconds of [1e-9, 1e99, -1, "60", "Infinity", null]) {
    it(`refuses ${seconds} seconds as a timeout`, () => {
      assert.deepEqual(problemsOf({ timeouts: { loss: seconds } }), [
        `timeouts.loss must be a number of seconds from 0.1 to 1000000, not ${JSON.stringify(seconds)}`,
      ]);
    });
  }

  it("refuses sizes that are no sizes, without counting to them", () => {
    assert.match(
      problemsOf({ clusterSize: 1e99 })[0] ?? "",
      /^clusterSize must be even and from 4/,
    );
    assert.match(
      problemsOf({ partitionCount: 9000 })[0] ?? "",
      /^partitionCount must be from 1 to/,
    );
  });

  it("refuses a date that was written without quotes, and says what to write", () => {
    const failback = "2026-11-28 00:00:00 +0000 UTC";
    assert.deepEqual(problemsOf({ lostRegion: "region1", failback }), [
      'failback is a date to YAML, since it has no quotes: write "2026-11-28" with them',
    ]);
    assert.deepEqual(problemsOf({ peerStack: "2026-11-28 10:00:00 +0000 UTC" }), [
      "peerStack is a date to YAML, since it has no quotes: write it in quotes",
    ]);
  });

  it("refuses text that is blank, or has blanks around it", () => {
    assert.deepEqual(problemsOf({ peerStack: " " }), [
      "peerStack is blank: write something, or leave it out",
    ]);
    assert.deepEqual(problemsOf({ exporters: { region0: ["a", ""], region1: ["b ", "c"] } }), [
      "exporters.region0[1] is blank: write something, or leave it out",
      "exporters.region1[0] begins or ends with a blank: take it away",
    ]);
  });

  it("refuses exporters that are swapped, and equal ones in two spellings", () => {
    assert.match(
      problemsOf({
        exporters: { region0: ["one", "kafkaregion1"], region1: ["two", "kafkaregion0"] },
      })[0] ?? "",
      /^exporters has "kafkaregion1" for region0 and "kafkaregion0" for region1: swapped\?/,
    );
    assert.match(
      problemsOf({ exporters: { region0: ["one"], region1: ["ONE"] } })[0] ?? "",
      /^exporters names "ONE" twice/,
    );
  });

  for (const [one, other] of [
    ["http://es.test:9200", "http://ES.test:9200/"],
    ["http://es.test:9200", "https://es.test:9200"],
    ["http://es.test", "http://es.test:80"],
    ["https://es.test:443", "https://es.test"],
    ["http://es.test", "https://es.test./"],
    ["http://[0:0::1]:9200", "http://[::1]:9200"],
    ["kubernetes://a%2Db/camunda/service/es/9200", "kubernetes://a-b/camunda/service/es/9200"],
  ] as const) {
    it(`knows ${one} and ${other} for the same Elasticsearch`, () => {
      const endpoints = {
        region0: { ...nowhere.region0, elasticsearch: one },
        region1: { ...nowhere.region1, elasticsearch: other },
      };
      assert.deepEqual(problemsOf({ endpoints }), [
        "endpoints.region1.elasticsearch is that of region0: each region has its own",
      ]);
    });
  }

  it("tells two Elasticsearches of one host apart by port and path", () => {
    for (const [one, other] of [
      ["http://es.test:9200", "http://es.test:9201"],
      ["http://es.test/0", "http://es.test/1"],
    ] as const) {
      const endpoints = {
        region0: { ...nowhere.region0, elasticsearch: one },
        region1: { ...nowhere.region1, elasticsearch: other },
      };
      assert.equal(settingsOf({ endpoints }).endpoints.region1.elasticsearch, other);
    }
  });

  it("says how a part of an object is set, when it was set without --path", () => {
    assert.deepEqual(unknownKeys(["timeouts.loss", "administrators[0]"]), [
      "timeouts.loss is a part of timeouts, set without --path: pulumi config rm 'timeouts.loss', then pulumi config set --path 'timeouts.loss' VALUE",
      "administrators[0] is a part of administrators, set without --path: pulumi config rm 'administrators[0]', then pulumi config set --path 'administrators[0]' VALUE",
    ]);
    assert.match(unknownKeys(["lostregion.x"])[0] ?? "", /is not a key of this program/);
  });

  it("takes the prefix of the records for one of the prefixes, unless these say otherwise", () => {
    const prefixes = (raw: Raw) => settingsOf(raw).indexPrefixes;
    const own = ["prod.records-1", "operate", "tasklist"];
    assert.deepEqual(prefixes({ recordsPrefix: "prod.records-1" }), own);
    const given = ["1_prod", "my.operate", "records"];
    const raw = { recordsPrefix: "records-of-1", indexPrefixes: given };
    assert.deepEqual(prefixes(raw), given);
  });

  it("takes the generation's own where a list or an object is empty, as Pulumi.yaml has it", () => {
    const { exporters, indexPrefixes } = settingsOf({ exporters: {}, indexPrefixes: [] });
    assert.deepEqual(exporters, {
      region0: ["elasticsearchregion0"],
      region1: ["elasticsearchregion1"],
    });
    assert.deepEqual(indexPrefixes, ["zeebe-record", "operate", "tasklist"]);
  });

  it("reports every problem at once, one line each", () => {
    const changes = { region: "eu", clusterSize: 5, failback: "one", timeouts: { join: -1 } };
    assert.deepEqual(
      problemsOf({ ...changes, endpoints: { region0: {}, region1: {} } }).map(
        (problem) => problem.split(" ")[0],
      ),
      [
        "region",
        "clusterSize",
        ...["region0", "region1"].flatMap((region) => [
          `endpoints.${region}.gateway`,
          `endpoints.${region}.management`,
          `endpoints.${region}.brokers`,
          `endpoints.${region}.elasticsearch`,
        ]),
        "failback",
        "timeouts.join",
      ],
    );
    assert.throws(
      () => settingsOf(changes),
      /^ConfigError: \d problems in the configuration:\n {2}region must/,
    );
    assert.throws(() => settingsOf({ region: "eu" }), /^ConfigError: configuration: region must/);
  });

  for (const [key, endpoints] of [
    ["gateway", changed({ gateway: "http://me:hush@host:1" })],
    ["elasticsearch", changed({ elasticsearch: "https://me:hush@host" })],
    ["brokers.0", changed({ brokers: { 0: "http://me:hush@host:1", 2: "http://host:2" } })],
  ] as const) {
    it(`refuses a password in the URL of ${key}, and does not repeat it`, () => {
      const [problem] = problemsOf({ endpoints });
      assert.match(
        problem ?? "",
        /^endpoints.region0.\S+ has a user or password in it, .*: they go into credentials$/,
      );
      assert.ok(problem?.includes(`endpoints.region0.${key} `));
      assert.doesNotMatch(problem ?? "", /hush/);
    });
  }

  it("refuses keys of S3 in clear, and does not repeat them", () => {
    const settings = { bucket: "b", access_key: "me", secret_key: "hush" };
    const [problem] = problemsOf({ snapshotRepository: { type: "s3", settings } });
    assert.match(
      problem ?? "",
      /^snapshotRepository.settings holds keys of S3 in clear: put them into the keystore/,
    );
    assert.doesNotMatch(problem ?? "", /hush/);
  });

  it("finds keys that it does not know, and the one that was meant", () => {
    assert.deepEqual(openSecrets(["credentials", "s3SecretKey"]), []);
    assert.match(
      openSecrets(["helmValues"])[0] ?? "",
      /^helmValues is set as a secret, but is in the state in clear: .* a Secret of the cluster/,
    );
    assert.match(openSecrets(["hooks"])[0] ?? "", /environment of pulumi, which commands see$/);
    assert.deepEqual(unknownKeys(KEYS), []);
    const [lost, other] = unknownKeys(["lostregion", "region", "loss"]);
    assert.equal(lost, "lostregion is not a key of this program: did you mean lostRegion?");
    assert.match(
      other ?? "",
      /^loss is not a key of this program: docs.configuration.md has those that are$/,
    );
  });

  it("asks for no key that is not listed", () => {
    const asked = new Set<string>();
    for (const raw of [rawConfig(), eksConfig(), kubernetesConfig()]) {
      const get = lookup(raw);
      readSettings((key) => {
        asked.add(key);
        return get(key);
      });
    }
    assert.deepEqual([...asked].sort(), [...KEYS].sort());
  });
});

/** Endpoints of a cluster of eight brokers. */
function eight(): unknown {
  const of = (index: number) => ({
    ...(index === 0 ? nowhere.region0 : nowhere.region1),
    brokers: Object.fromEntries(
      [0, 2, 4, 6].map((id) => [id + index, `http://host:${id + index}`]),
    ),
  });
  return { region0: of(0), region1: of(1) };
}
