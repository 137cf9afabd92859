import * as v from "valibot";
import { CAMUNDA_VERSIONS, DEFAULT_VERSION } from "../../generations";
import {
  Context,
  different,
  Entry,
  EVERYWHERE,
  matching,
  oneOf,
  rule,
  text,
  textByRegion,
  whole,
} from "../schema";

const exporterId = matching(
  /^[a-z][a-z0-9]*$/,
  (it) =>
    `is ${it}: lower-case letters and digits, since names of environment variables are made of it`,
);

const prefixes = v.custom<string[]>(
  (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((prefix) => typeof prefix === "string" && /^[a-z][a-z0-9-]+$/.test(prefix)),
  "must be a list of lower-case beginnings of index names, without *",
);

export const CLUSTER = {
  camundaVersion: {
    type: "string",
    platforms: EVERYWHERE,
    schema: v.optional(oneOf(CAMUNDA_VERSIONS), DEFAULT_VERSION),
    text: "Generation of Camunda. Its management API and the order of the procedure depend on it.",
    more: "The only value.",
    change: "no",
  },
  clusterSize: {
    type: "integer",
    platforms: EVERYWHERE,
    schema: v.optional(
      v.pipe(
        whole,
        rule((size) =>
          size % 2 === 0 && size >= 4
            ? undefined
            : `must be even and at least 4, not ${size}: half in each region`,
        ),
      ),
      8,
    ),
    text: "Brokers in both regions together: even, at least 4. Region0 has the even ids, region1 the odd ones.",
    change: "never. Camunda does not scale a cluster in two regions",
  },
  partitionCount: {
    type: "integer",
    platforms: EVERYWHERE,
    schema: v.optional(
      v.pipe(
        whole,
        rule((n) => (n >= 1 ? undefined : `must be at least 1, not ${n}`)),
      ),
      8,
    ),
    text: "Partitions of the cluster, as the brokers are configured.",
    change: "never",
  },
  replicationFactor: {
    type: "integer",
    platforms: EVERYWHERE,
    schema: v.optional(
      v.pipe(
        whole,
        rule((n) =>
          n === 4
            ? undefined
            : `must be 4, not ${n}: two replicas of every partition in each region`,
        ),
      ),
      4,
    ),
    text: "Replicas of each partition with both regions. Must be 4, two in each region.",
    change: "no",
  },
  exporters: {
    type: "object",
    platforms: EVERYWHERE,
    schema: ({ platform, generation }: Context) =>
      v.pipe(
        textByRegion(platform === "endpoints" ? text : exporterId, generation.exporter.ids),
        different((id) => `names ${id} for both regions: each has its own exporter`),
      ),
    text: "Id of the exporter that writes to each region's Elasticsearch.",
    more: "Lower-case letters and digits, where this program installs Camunda.",
    change: "never",
  },
  indexPrefixes: {
    type: "array",
    platforms: EVERYWHERE,
    schema: ({ generation: { indices } }: Context) =>
      v.optional(
        v.pipe(
          prefixes,
          rule((given) =>
            given.some((one) => indices.records.startsWith(one) || one.startsWith(indices.records))
              ? undefined
              : `has none of ${indices.records}: add ${indices.records}, and let index.prefix of the exporters begin with it`,
          ),
        ),
        [...indices.all],
      ),
    text: "Beginnings of the names of Camunda's indices and templates.",
    more: "Without `*`; that of the records is among them, and begins with `zeebe-record`.",
    change: "not while `failback` is set",
  },
} satisfies Record<string, Entry>;
