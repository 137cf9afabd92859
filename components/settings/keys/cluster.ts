import { CAMUNDA_VERSIONS, DEFAULT_VERSION, generationOf } from "../../generations";
import * as s from "../schema";

const exporterId = s.matching(
  /^[a-z][a-z0-9]*$/,
  (it) =>
    `is ${it}: lower-case letters and digits, since names of environment variables are made of it`,
);

const LIST_OF_IDS = "must be a list of ids, the one to this region's Elasticsearch first";

/** A beginning of names that Elasticsearch takes; more is no prefix but a slip: names end with a type, version and date. */
const PREFIX = /^[a-z0-9][a-z0-9._-]{0,99}$/;

const prefixes = s.custom<string[]>(
  (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((prefix) => typeof prefix === "string" && PREFIX.test(prefix)),
  'must be a list of beginnings of index names: lower-case letters, digits, ".", "_" and "-", without *',
);

export const CLUSTER = s.section("The cluster", s.EVERYWHERE, {
  camundaVersion: {
    type: "string",
    schema: s.optional(s.oneOf(CAMUNDA_VERSIONS), DEFAULT_VERSION),
    text: `Generation of Camunda: ${CAMUNDA_VERSIONS.join(", ")}. Its management API, the order of the procedure and what is installed [depend on it](generations.md).`,
    change:
      "where this program installs Camunda: to the next minor, which is [an upgrade](eks.md#upgrades). On `endpoints` to what runs",
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
    schema: ({ platform, generation }: s.Context) => {
      const id = platform === "endpoints" ? s.text : exporterId;
      const { region0, region1 } = generation.exporter.ids;
      const ids = { region0: [region0], region1: [region1] };
      const list = s.pipe(
        s.array(id, LIST_OF_IDS),
        s.check((given) => given.length > 0, LIST_OF_IDS),
        s.transform((given) => given as [string, ...string[]]),
      );
      return s.pipe(
        s.optional(s.parts(s.byRegion((region) => s.optional(list, ids[region]))), ids),
        s.wrong(({ region0, region1 }) => {
          const all = [...region0, ...region1];
          const lower = all.map((one) => one.toLowerCase());
          const twice = all.find((_, index) => lower.indexOf(lower[index] ?? "") < index);
          if (twice !== undefined) {
            return `names ${s.quoted(twice)} twice: each exporter stands in one list, once`;
          }
          if (region0.length !== region1.length) {
            return `has ${region0.length} for region0 and ${region1.length} for region1: one goes on where the other is at its place in the list`;
          }
          const swapped = region0.findIndex(
            (one, at) => /region1/i.test(one) || /region0/i.test(region1[at] ?? ""),
          );
          return swapped < 0
            ? undefined
            : `has ${s.quoted(region0[swapped])} for region0 and ${s.quoted(region1[swapped])} for region1: swapped? The failover would disable the wrong one`;
        }),
      );
    },
    text: "Ids of the exporters of each region, lists of one length: the first writes to the region's Elasticsearch, further ones, as to a Kafka there, are [disabled and enabled with it](recovery.md#further-exporters). One that is enabled goes on where the other region's at the same place in the list is, so both are of one class. Lower-case letters and digits, where this program installs Camunda, which configures the first.",
    change:
      "the first never. Further ones when the brokers have them, not while `failback` is set; they are taken away while nothing is lost",
  },
  recordsPrefix: {
    type: "string",
    schema: ({ generation: { indices } }: s.Context) =>
      s.optional(
        s.pipe(
          s.matching(
            PREFIX,
            (it) =>
              `is ${it}, no beginning of an index name: lower-case letters, digits, "." and "-", without *, a letter or digit first`,
          ),
          s.check(
            (prefix) => !prefix.includes("_"),
            ({ input }) => `is ${s.quoted(input)}: exporters take no index.prefix with "_"`,
          ),
        ),
        indices.records,
      ),
    text: `Beginning of the names of the indices that the exporters write: their \`index.prefix\`, in both regions; \`${generationOf(DEFAULT_VERSION).indices.records}\` unless it is set. By it records are counted, compared and snapshotted. Where this program installs Camunda, it sets it for the exporters, Operate and Tasklist. Several installations in one Elasticsearch need one each, and none may be the beginning of another one (\`prod\` and \`prod-eu\`): the records of both would count as one's.`,
    change: "never. The exporters would begin anew in other indices",
  },
  indexPrefixes: {
    type: "array",
    schema: s.optional(prefixes),
    text: `Beginnings of the names of all of Camunda's indices and templates, without \`*\`: what a failback snapshots, compares and must not find in a recreated Elasticsearch. Without it \`recordsPrefix\` and ${generationOf(
      DEFAULT_VERSION,
    )
      .indices.others.map((prefix) => `\`${prefix}\``)
      .join(", ")}. One of them is \`recordsPrefix\` or its beginning.`,
    change: "not while `failback` is set",
  },
});
