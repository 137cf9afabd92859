import assert from "node:assert/strict";
import { changed, nowhere, problemsOf, Raw } from "../../support/config";

describe("config", () => {
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

  for (const [what, changes, expected] of wrong) {
    it(`refuses ${what}, by key, value and way out`, () => {
      const [problem] = problemsOf(changes);
      assert.match(problem ?? "", expected);
    });
  }
});

function swapped(): unknown {
  return { region0: nowhere.region1, region1: nowhere.region0 };
}
