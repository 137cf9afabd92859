import assert from "node:assert/strict";
import {
  ConfigError,
  KEYS,
  openSecrets,
  readSettings,
  unknownKeys,
} from "../../../components/settings";
import { eksConfig, kubernetesConfig, lookup, nowhere, Raw, rawConfig } from "../../support/config";
import { expectLine } from "../../support/failure";

/** The problems of a configuration. */
function problemsOf(changes: Raw): readonly string[] {
  try {
    readSettings(lookup(rawConfig(changes)));
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    error.problems.forEach((problem) => expectLine(problem, []));
    return error.problems;
  }
  return assert.fail("the configuration was accepted");
}

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

  const wrong: [string, Raw, RegExp][] = [
    [
      "a platform that there is not",
      { platform: "nomad" },
      /^platform must be eks or kubernetes or endpoints, not "nomad"$/,
    ],
    [
      "an active region of another name",
      { activeRegion: "london" },
      /^activeRegion must be region0 or region1, not "london"$/,
    ],
    [
      "a hook that there is not",
      { hooks: { onFailover: "true" } },
      /^hooks.onFailover is none of beforeFailover, /,
    ],
    [
      "a hook without a command",
      { hooks: { afterFailback: "" } },
      /^hooks.afterFailback must be a command/,
    ],
    ["no region", { region: undefined }, /^region is missing: region0 or region1$/],
    ["a region of another name", { region: "eu" }, /^region must be region0 or region1, not "eu"$/],
    [
      "an odd number of brokers",
      { clusterSize: 5 },
      /^clusterSize must be even and from 4 to 1000, not 5: half in/,
    ],
    ["too few brokers", { clusterSize: 2 }, /^clusterSize must be even and from 4 to 1000, not 2/],
    [
      "brokers that are no number",
      { clusterSize: "many" },
      /^clusterSize must be a whole number, not "many"$/,
    ],
    [
      "half a partition",
      { partitionCount: 1.5 },
      /^partitionCount must be a whole number, not "1.5"$/,
    ],
    ["no partition", { partitionCount: 0 }, /^partitionCount must be from 1 to 8191, not 0$/],
    [
      "another replication factor",
      { replicationFactor: 3 },
      /^replicationFactor must be 4, not 3: two replicas/,
    ],
    [
      "another version",
      { camundaVersion: "8.11" },
      /^camundaVersion must be 8.6 or 8.7, not "8.11"$/,
    ],
    [
      "its own region as lost",
      { lostRegion: "region0" },
      /^lostRegion is region0, the region of this stack: set it on/,
    ],
    [
      "a lost region of another name",
      { lostRegion: "west" },
      /^lostRegion must be region0 or region1, not "west"$/,
    ],
    [
      "a failback without a loss",
      { failback: "one" },
      /^failback is set without lostRegion or drainRegion: .*remove failback, or set/,
    ],
    [
      "a failback that is no name",
      { lostRegion: "region1", failback: "a b" },
      /^failback is "a b", not a name of an attempt: a date/,
    ],
    [
      "a failback that is switched off",
      { lostRegion: "region1", failback: "false" },
      /^failback is "false", not a name/,
    ],
    [
      "no endpoints",
      { endpoints: undefined },
      /^endpoints.region0 is missing: where the gateway, management/,
    ],
    [
      "endpoints that are a list",
      { endpoints: [] },
      /^endpoints must be an object with region0, region1$/,
    ],
    [
      "endpoints that are text",
      { endpoints: "http://a" },
      /^endpoints must be structured \(set it with --path/,
    ],
    [
      "endpoints of one region",
      { endpoints: { region0: nowhere.region0 } },
      /^endpoints.region1 is missing/,
    ],
    [
      "brokers of the other region",
      { endpoints: swapped() },
      /^endpoints.region0.brokers has 1, 3: with clusterSize 4 the brokers of region0 are 0, 2$/,
    ],
    [
      "no brokers",
      { endpoints: changed({ brokers: {} }) },
      /^endpoints.region0.brokers has no broker: with clusterSize 4/,
    ],
    [
      "a key of an endpoint with a typing error",
      { endpoints: changed({ elastic: "x" }) },
      /^endpoints.region0.elastic is none of gateway, management, brokers, elasticsearch$/,
    ],
    [
      "an endpoint without a protocol",
      { endpoints: changed({ gateway: "host:8080" }) },
      /^endpoints.region0.gateway must be an http, https, eks or kubernetes URL, not "host:8080"$/,
    ],
    [
      "an endpoint that is missing",
      { endpoints: changed({ management: undefined }) },
      /^endpoints.region0.management is missing: management API of that gateway, without .actuator/,
    ],
    [
      "an endpoint in a cluster that is no address",
      { endpoints: changed({ gateway: "kubernetes://context/camunda/pods/a/8080" }) },
      /^endpoints.region0.gateway is wrong: .*"pods" is neither pod nor service; the form is /,
    ],
    [
      "an endpoint in a cluster with a path behind it",
      { endpoints: changed({ management: "eks://eu-west-2/a/camunda/pod/a/9600/actuator" }) },
      /^endpoints.region0.management must end with the port, without a path behind it$/,
    ],
    [
      "an endpoint with the path of its API",
      { endpoints: changed({ management: "http://a.test:9600/actuator/" }) },
      /^endpoints.region0.management has \/actuator in it, which requests add by themselves: write what is/,
    ],
    [
      "an endpoint with the version of its API",
      { endpoints: changed({ gateway: "http://a.test/camunda/v2/topology" }) },
      /^endpoints.region0.gateway has \/v2 in it, which requests add/,
    ],
    [
      "an endpoint with a query",
      { endpoints: changed({ elasticsearch: "http://a.test:9200/?pretty" }) },
      /^endpoints.region0.elasticsearch has a query or a fragment: write the address alone/,
    ],
    [
      "an endpoint with a fragment",
      { endpoints: changed({ elasticsearch: "http://a.test:9200/#" }) },
      /^endpoints.region0.elasticsearch has a query or a fragment/,
    ],
    [
      "one gateway for both regions",
      { endpoints: changed({ gateway: nowhere.region1.gateway }) },
      /^endpoints.region1.gateway is that of region0: each region has its own$/,
    ],
    [
      "one management API for two brokers",
      { endpoints: changed({ brokers: { 0: "http://a.test", 2: "http://a.test/" } }) },
      /^endpoints.region0.brokers.2 is that of broker 0: each broker has its own management API$/,
    ],
    [
      "one exporter for both regions",
      { exporters: { region0: ["a"], region1: ["a"] } },
      /^exporters names "a" twice: each exporter stands in one list, once/,
    ],
    [
      "an exporter twice in a region",
      { exporters: { region0: ["a", "b", "a"], region1: ["c", "d", "e"] } },
      /^exporters names "a" twice/,
    ],
    [
      "lists of exporters of which one is longer",
      { exporters: { region0: ["a", "b"] } },
      /^exporters has 2 for region0 and 1 for region1: one goes on where the other is/,
    ],
    [
      "an exporter that is no list",
      { exporters: { region1: "elasticsearchregion1" } },
      /^exporters.region1 must be a list of ids, the one to this region's Elasticsearch first/,
    ],
    [
      "a region without an exporter",
      { exporters: { region0: [] } },
      /^exporters.region0 must be a list of ids/,
    ],
    [
      "no repository",
      { snapshotRepository: undefined },
      /^snapshotRepository is missing: an object with name, type, settings$/,
    ],
    [
      "a repository without settings",
      { snapshotRepository: { type: "s3" } },
      /^snapshotRepository.settings is missing: its settings, without keys of S3/,
    ],
    [
      "a repository whose bucket stands beside its settings",
      { snapshotRepository: { type: "s3", bucket: "b", settings: { bucket: "b" } } },
      /^snapshotRepository has bucket beside settings, where it is not taken: write it as settings.bucket$/,
    ],
    [
      "a repository of type s3 without a bucket",
      { snapshotRepository: { type: "s3", settings: { base_path: "b" } } },
      /^snapshotRepository.settings.bucket is missing: a repository of type s3 is in a bucket$/,
    ],
    [
      "a repository that can only be read",
      { snapshotRepository: { type: "url", settings: { url: "file:/b" } } },
      /^snapshotRepository.type is url, which can only be read: name one that the survivor can/,
    ],
    [
      "a repository of sources",
      {
        snapshotRepository: { type: "source", settings: { delegate_type: "s3", bucket: "b" } },
      },
      /^snapshotRepository.type is source, whose snapshots cannot be searched after a restore: name/,
    ],
    ...[true, "true", "yes"].map((readonly): [string, Raw, RegExp] => [
      `a repository that is readonly: ${JSON.stringify(readonly)}`,
      { snapshotRepository: { type: "s3", settings: { bucket: "b", readonly } } },
      /^snapshotRepository.settings has readonly, but the survivor writes its snapshot there: leave/,
    ]),
    [
      "an empty prefix",
      { indexPrefixes: [""] },
      /^indexPrefixes must be a list of beginnings of index names: lower-case/,
    ],
    [
      "a prefix that is a pattern",
      { indexPrefixes: ["*"] },
      /^indexPrefixes must be .* without \*$/,
    ],
    [
      "no prefix of the records",
      { indexPrefixes: ["zeebe-prod", "operate", "tasklist"] },
      /^indexPrefixes has none of zeebe-record: add it, or set recordsPrefix to index.prefix of the/,
    ],
    [
      "prefixes without that of the records, which is configured",
      { recordsPrefix: "prod-records", indexPrefixes: ["prod-record-", "operate", "tasklist"] },
      /^indexPrefixes has none of prod-records: add it, or set/,
    ],
    ...["Zeebe", "zeebe*", "-zeebe", "+zeebe", ".zeebe", "zeebe,operate", "a/b", "z#"].map(
      (recordsPrefix): [string, Raw, RegExp] => [
        `${recordsPrefix} as the prefix of the records`,
        { recordsPrefix },
        /^recordsPrefix is "[^"]*", no beginning of an index name: lower-case letters, digits/,
      ],
    ),
    [
      "a prefix of the records that exporters refuse",
      { recordsPrefix: "prod_records" },
      /^recordsPrefix is "prod_records": exporters take no index.prefix with "_"$/,
    ],
    [
      "a command to stop without one to start",
      { webApps: { stop: "a" } },
      /^webApps.start is missing: the command that starts them again$/,
    ],
    [
      "a user without a password",
      { credentials: { gateway: { user: "a" } } },
      /^credentials.gateway.password is missing: user and password go together$/,
    ],
    [
      "a password without a user, in a region",
      { credentials: { elasticsearch: { region1: { password: "hush" } } } },
      /^credentials.elasticsearch.region1.user is missing: user and password go together$/,
    ],
    [
      "two kinds of credentials",
      { credentials: { elasticsearch: { user: "a", password: "hush", apiKey: "hush" } } },
      /^credentials.elasticsearch has apiKey and a user or password: one of them is sent$/,
    ],
    [
      "two kinds of credentials, in a region",
      { credentials: { management: { region0: { password: "hush", token: "hush" } } } },
      /^credentials.management.region0 has token and a user or password: one of them is sent$/,
    ],
    [
      "credentials for both regions and for one",
      { credentials: { gateway: { token: "hush", region1: { token: "hush" } } } },
      /^credentials.gateway has token for both regions, and a region of its own: say it once, or in each$/,
    ],
    [
      "an API key of Camunda, which takes tokens",
      { credentials: { gateway: { apiKey: "hush" } } },
      /^credentials.gateway.apiKey is none of user, password, token, region0, region1$/,
    ],
    [
      "an API key that is not encoded",
      { credentials: { elasticsearch: { apiKey: "id:hush" } } },
      /^credentials.elasticsearch.apiKey is not an API key in its encoded form$/,
    ],
    [
      "a token with its scheme",
      { credentials: { management: { region1: { token: "Bearer hush" } } } },
      /^credentials.management.region1.token is not a bearer token$/,
    ],
    [
      "a password of two lines",
      { credentials: { gateway: { user: "a", password: "hu\nsh" } } },
      /^credentials.gateway.password must be text in one line$/,
    ],
    [
      "a user with the password behind it",
      { credentials: { gateway: { user: "me:hush", password: "hush" } } },
      /^credentials.gateway.user must be a name in one line, without a colon$/,
    ],
    [
      "an override of something else",
      { overrides: { all: "because I say so" } },
      /^overrides.all is none of peer-declares-loss, export-gap, fence-unproved, still-seen, switch-back$/,
    ],
    [
      "an override without a reason",
      { overrides: { "export-gap": "yes" } },
      /^overrides.export-gap must be a written reason/,
    ],
    [
      "an unknown timeout",
      { timeouts: { joins: 5 } },
      /^timeouts.joins is none of request, loss, .*…$/,
    ],
    [
      "an absence that could not be found in time",
      { timeouts: { absence: 60 } },
      /^timeouts.absence is 60, not below timeouts.loss \(60\): a lost region must be missed/,
    ],
    [
      "a pause that ends before the exporters have written all",
      { exportPauseLimit: 6 },
      /^exportPauseLimit is 6, not above timeouts.settle \(6\): the exporters are waited for/,
    ],
    [
      "a pause of no time",
      { exportPauseLimit: 0 },
      /^exportPauseLimit must be from 1 to 1000000 seconds, not 0$/,
    ],
    [
      "a timeout of nothing",
      { timeouts: { join: 0 } },
      /^timeouts.join must be a number of seconds from 0.1 to 1000000, not 0$/,
    ],
    [
      "a timeout that is text",
      { timeouts: { join: "1m" } },
      /^timeouts.join must be a number of seconds from 0.1 to 1000000, not "1m"$/,
    ],
  ];
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

  for (const [what, changes, expected] of wrong) {
    it(`refuses ${what}, by key, value and way out`, () => {
      const [problem] = problemsOf(changes);
      assert.match(problem ?? "", expected);
    });
  }

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

/** Endpoints of which those of region0 have changed. */
function changed(endpoint: Record<string, unknown>): unknown {
  return { ...nowhere, region0: { ...nowhere.region0, ...endpoint } };
}

function swapped(): unknown {
  return { region0: nowhere.region1, region1: nowhere.region0 };
}

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
