import { RuleCases, dynamic, resource } from "../resources";

const four = ["region0/0", "region0/1", "region1/0", "region1/1"];
const release = (zeebe: Record<string, unknown>, multiregion: Record<string, unknown> = {}) =>
  resource("kubernetes:helm.sh/v3:Release", {
    name: "camunda",
    values: {
      global: { multiregion: { regions: 2, regionId: 0, ...multiregion } },
      zeebe: { clusterSize: 8, partitionCount: 8, replicationFactor: 4, ...zeebe },
    },
  });
const members = (names: string[], replicationFactor: unknown) =>
  resource(dynamic("BrokerMembership"), {
    brokers: Object.fromEntries(names.map((name) => [name, "broker"])),
    replicationFactor,
  });
const repository = (name: string, props: Record<string, unknown>) =>
  resource(dynamic("SnapshotRepository"), props, name);
const values = (value: Record<string, unknown>) =>
  resource("kubernetes:helm.sh/v3:Release", { name: "camunda-elasticsearch", values: value });

/** Of the rules in policies/rules/camunda.ts, by name. */
export const CAMUNDA: Record<string, RuleCases> = {
  "cluster-shape": {
    breaks: [
      [
        "an odd size",
        [release({ clusterSize: 5 })],
        /clusterSize is 5: it must be even and at least 4/,
      ],
      ["two brokers", [release({ clusterSize: "2" })], /clusterSize is 2/],
      ["the chart's default", [release({ clusterSize: undefined })], /clusterSize is not set/],
      [
        "three replicas",
        [release({ replicationFactor: 3 })],
        /replicationFactor is 3: it must be 4/,
      ],
      ["no partition", [release({ partitionCount: 0 })], /partitionCount is 0/],
      ["one region", [release({}, { regions: 1 })], /multiregion\.regions is 1/],
      ["a third region", [release({}, { regionId: 2 })], /multiregion\.regionId is 2/],
      [
        "a release without values",
        [resource("kubernetes:helm.sh/v3:Release", { name: "camunda" })],
        /clusterSize is not set/,
      ],
    ],
    keeps: [
      ["eight brokers", [release({})]],
      [
        "texts, as newer charts have them",
        [release({ clusterSize: "4", replicationFactor: "4" }, { regionId: "1" })],
      ],
      ["another chart", [values({ master: { replicaCount: 2 } })]],
    ],
  },
  "membership-shape": {
    breaks: [
      [
        "two replicas in two regions",
        [members(four, 2)],
        /replicationFactor 2: with members of both regions it must be 4/,
      ],
      [
        "four replicas in one region",
        [members(["region0/0", "region0/1"], 4)],
        /members of one region it must be 2/,
      ],
      [
        "more in one region",
        [members(four.slice(0, 3), 4)],
        /has 2 brokers of region0 and 1 of region1/,
      ],
      ["one broker in each", [members(["region0/0", "region1/0"], 4)], /at least 2/],
      ["nobody", [members([], 2)], /has 0 brokers of region0 and 0 of region1/],
    ],
    keeps: [
      ["both regions", [members(four, 4)]],
      ["a region alone", [members(["region1/0", "region1/1"], 2)]],
    ],
  },
  "snapshot-settings": {
    breaks: [
      [
        "two that write",
        [repository("one", { readonly: false }), repository("two", { readonly: false })],
        /one and two are written to by two clusters/,
      ],
      [
        "a reader without a snapshot",
        [repository("one", { readonly: true })],
        /one is read-only and names no snapshot/,
      ],
      ["one that does not say", [repository("one", {})], /one does not say readonly/],
    ],
    keeps: [
      [
        "a writer and a reader",
        [
          repository("one", { readonly: false }),
          repository("two", { readonly: true, snapshot: "failback" }),
        ],
      ],
    ],
  },
  "no-keys-in-values": {
    breaks: [
      [
        "a setting of Elasticsearch",
        [values({ extraConfig: { "s3.client.region0.secret_key": "x" } })],
        /values\.extraConfig\.s3\.client\.region0\.secret_key holds a key/,
      ],
      [
        "an id of a key in a list",
        [values({ env: [{ value: `AKIA${"A".repeat(16)}` }] })],
        /values\.env\[0\]\.value holds a key/,
      ],
      [
        "a setting in a text",
        [values({ config: "s3.client.region0.access_key: abc" })],
        /values\.config holds a key/,
      ],
    ],
    keeps: [
      [
        "a role",
        [values({ extraConfig: { "s3.client.region0.endpoint": "s3.eu-west-2.amazonaws.com" } })],
      ],
      ["the name of a Secret", [values({ extraEnvVarsSecret: "elasticsearch-keys" })]],
    ],
  },
};
