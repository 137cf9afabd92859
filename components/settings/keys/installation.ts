import * as v from "valibot";
import {
  anything,
  Context,
  count,
  different,
  Entry,
  INSTALLED,
  object,
  part,
  parts,
  text,
} from "../schema";
import { matching, textByRegion } from "../schema";

const namespace = matching(
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  (it) => `is ${it}, not a name of a namespace: lower-case letters, digits and "-", 63 at most`,
);

const chart = parts({
  chart: part(text, "a name, an `oci://` address, or a path to an archive or folder"),
  repository: part(v.optional(text), "its repository; none for a path or an `oci://` address"),
  version: part(v.optional(text), "its version; none for a path"),
});

const quantity = (otherwise: string, what: string) => part(v.optional(text, otherwise), what);

export const INSTALLATION = {
  namespaces: {
    type: "object",
    platforms: INSTALLED,
    schema: v.pipe(
      textByRegion(namespace, { region0: "camunda-london", region1: "camunda-paris" }),
      different(
        (name) =>
          `are both ${name}: DNS tells the regions apart by their namespaces, give each its own`,
      ),
    ),
    text: "Namespace of each region. They must differ: DNS names tell the regions apart by it.",
    change: "never: it is in the DNS names of the brokers, and the volumes go with the namespace",
  },
  charts: {
    type: "object",
    platforms: INSTALLED,
    schema: ({ generation: { charts } }: Context) =>
      object({
        camunda: part(
          v.optional(chart, charts.camunda),
          "of Camunda; other versions of the same major one only",
        ),
        elasticsearch: part(
          v.optional(chart, charts.elasticsearch),
          "of Elasticsearch, by default Bitnami's; other versions of the same major one only",
        ),
      }),
    text: "Helm charts `camunda` and `elasticsearch`, each with `chart` (a name, an `oci://` address, or a path to an archive), `repository` and `version`. Archives make a recovery independent of any chart repository.",
    more: "What comes from a repository is [fetched once](eks.md#charts-and-images).",
    change: "one region at a time",
  },
  imageRegistry: {
    type: "string",
    platforms: INSTALLED,
    schema: v.optional(v.string()),
    text: "Registry that all images are taken from, instead of those of the charts: a mirror of yours in or near both regions.",
    change: "one region at a time",
  },
  sizing: {
    type: "object",
    platforms: INSTALLED,
    schema: object({
      zeebe: part(
        object({
          cpu: quantity("512m", "CPU of a broker"),
          memory: quantity("2Gi", "its memory"),
          heap: quantity("512m", "its heap, from which JVM options are derived"),
          disk: quantity("32Gi", "its disk"),
        }),
        "what a Zeebe broker gets",
      ),
      gateways: part(v.optional(count, 2), "Zeebe gateways in the region"),
      elasticsearch: part(
        object({
          nodes: part(v.optional(count, 2), "nodes of Elasticsearch in the region"),
          memory: quantity("2Gi", "memory of a node"),
          heap: quantity("1g", "its heap"),
          disk: quantity("64Gi", "its disk"),
        }),
        "what Elasticsearch gets",
      ),
    }),
    text: "What brokers, gateways and Elasticsearch get, for one region: `zeebe`, `gateways`, `elasticsearch`. Quantities as Kubernetes writes them.",
    change:
      "one region at a time. `disk` never: Kubernetes refuses it for a StatefulSet that is there. [Grow the volumes](eks.md#sizes) by hand",
  },
  connectors: {
    type: "boolean",
    platforms: INSTALLED,
    schema: v.optional(
      v.boolean(({ input }) => `must be true or false, not ${JSON.stringify(input).slice(0, 32)}`),
      false,
    ),
    text: "Install connectors. They run in both regions, so inbound events must be idempotent.",
    change: "at any time",
  },
  helmValues: {
    type: "object",
    platforms: INSTALLED,
    schema: object({
      camunda: part(v.optional(anything, {}), "of the release of Camunda"),
      elasticsearch: part(v.optional(anything, {}), "of the release of Elasticsearch"),
    }),
    open: "a Secret of the cluster, which they name",
    text: "Values of your own for the releases `camunda` and `elasticsearch`, merged last; lists of `env` by name. Identity, Optimize and multi-tenancy are refused: they do not work in two regions.",
    more: "Console and Web Modeler are refused as well, as are more than one Operate or Tasklist, and what a key of this page decides.",
    change: "one region at a time",
  },
  s3AccessKey: {
    type: "string",
    platforms: INSTALLED,
    schema: v.optional(v.string()),
    text: "Access key of S3 for Elasticsearch, where no role can be had. Without it a role is used on `eks`.",
    change:
      "at any time. Then restart Elasticsearch: `kubectl rollout restart statefulset/camunda-elasticsearch-master -n NAMESPACE`",
  },
  s3SecretKey: {
    type: "string",
    platforms: INSTALLED,
    schema: v.optional(v.string()),
    secret: true,
    text: "The secret key to `s3AccessKey`: `pulumi config set --secret s3SecretKey ...`",
    change: "as `s3AccessKey`",
  },
} satisfies Record<string, Entry>;
