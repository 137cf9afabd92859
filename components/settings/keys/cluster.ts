import { CAMUNDA_VERSIONS, DEFAULT_VERSION, generationOf } from "../../generations";
import * as s from "../schema";

const exporterId = s.matching(
  /^[a-z][a-z0-9]*$/,
  (it) =>
    `is ${it}: lower-case letters and digits, since names of environment variables are made of it`,
);

const prefixes = s.custom<string[]>(
  (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((prefix) => typeof prefix === "string" && /^[a-z][a-z0-9-]+$/.test(prefix)),
  "must be a list of lower-case beginnings of index names, without *",
);

export const CLUSTER = s.section("The cluster", s.EVERYWHERE, {
  camundaVersion: {
    type: "string",
    schema: s.optional(s.oneOf(CAMUNDA_VERSIONS), DEFAULT_VERSION),
    text: `Generation of Camunda: ${CAMUNDA_VERSIONS.join(", ")}. Its management API and the order of the procedure depend on it.`,
    change: "no",
  },
  clusterSize: {
    type: "integer",
    schema: s.whole(
      8,
      (size) => size % 2 === 0 && size >= 4 && size <= 1000,
      (size) => `must be even and from 4 to 1000, not ${size}: half in each region`,
    ),
    text: "Brokers in both regions together: even, at least 4. Region0 has the even ids, region1 the odd ones.",
    change: "never. Camunda does not scale a cluster in two regions",
  },
  partitionCount: {
    type: "integer",
    schema: s.whole(
      8,
      (n) => n >= 1 && n <= 8191,
      (n) => `must be from 1 to 8191, not ${n}`,
    ),
    text: "Partitions of the cluster, as the brokers are configured.",
    change: "never",
  },
  replicationFactor: {
    type: "integer",
    schema: s.whole(
      4,
      (n) => n === 4,
      (n) => `must be 4, not ${n}: two replicas of every partition in each region`,
    ),
    text: "Replicas of each partition with both regions. Must be 4, two in each region.",
    change: "no",
  },
  exporters: {
    type: "object",
    schema: ({ platform, generation }: s.Context) =>
      s.pipe(
        s.textByRegion(platform === "endpoints" ? s.text : exporterId, generation.exporter.ids),
        s.check(
          ({ region0, region1 }) => region0.toLowerCase() !== region1.toLowerCase(),
          ({ input }) => `names ${input.region0} for both regions: each has its own exporter`,
        ),
        s.check(
          ({ region0, region1 }) => !/region1/i.test(region0) && !/region0/i.test(region1),
          ({ input: { region0, region1 } }) =>
            `has ${s.quoted(region0)} for region0 and ${s.quoted(region1)} for region1: swapped? The failover would disable the wrong one`,
        ),
      ),
    text: "Id of the exporter that writes to each region's Elasticsearch. Lower-case letters and digits, where this program installs Camunda.",
    change: "never",
  },
  indexPrefixes: {
    type: "array",
    schema: ({ generation: { indices } }: s.Context) =>
      s.optional(
        s.pipe(
          prefixes,
          s.check(
            (given) =>
              given.some(
                (one) => indices.records.startsWith(one) || one.startsWith(indices.records),
              ),
            `has none of ${indices.records}: add ${indices.records}, and let index.prefix of the exporters begin with it`,
          ),
        ),
        [...indices.all],
      ),
    text: `Beginnings of the names of Camunda's indices and templates, without \`*\`; that of the records is among them, and begins with \`${generationOf(DEFAULT_VERSION).indices.records}\`.`,
    change: "not while `failback` is set",
  },
});
