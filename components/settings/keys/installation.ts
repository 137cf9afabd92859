import * as s from "../schema";

const namespace = s.matching(
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  (it) => `is ${it}, not a name of a namespace: lower-case letters, digits and "-", 63 at most`,
);

const chart = s.parts({
  chart: s.part(s.text, "a name, an `oci://` address, or a path to an archive or folder"),
  repository: s.part(s.optional(s.text), "its repository; none for a path or an `oci://` address"),
  version: s.part(s.optional(s.text), "its version; none for a path"),
});

const quantity = (otherwise: string, what: string) => s.part(s.optional(s.text, otherwise), what);

export const INSTALLATION = s.section("What is installed", s.INSTALLED, {
  namespaces: {
    type: "object",
    schema: s.pipe(
      s.textByRegion(namespace, { region0: "camunda-london", region1: "camunda-paris" }),
      s.different(
        (name) =>
          `are both ${name}: DNS tells the regions apart by their namespaces, give each its own`,
      ),
    ),
    text: "Namespace of each region. They must differ: DNS names tell the regions apart by it.",
    change: "never. It is in the DNS names of the brokers, and the volumes go with the namespace",
  },
  charts: {
    type: "object",
    schema: ({ generation: { charts } }: s.Context) =>
      s.object({
        camunda: s.part(
          s.optional(chart, charts.camunda),
          "of Camunda; other versions of the same major one only",
        ),
        elasticsearch: s.part(
          s.optional(chart, charts.elasticsearch),
          "of Elasticsearch, by default Bitnami's; other versions of the same major one only",
        ),
      }),
    text: "Helm charts `camunda` and `elasticsearch`, each with `chart` (a name, an `oci://` address, or a path to an archive), `repository` and `version`. Archives make a recovery independent of any chart repository. The [default of each generation](generations.md) is another one. What comes from a repository is [fetched once](eks.md#charts-and-images).",
    change: "one region at a time",
  },
  imageRegistry: {
    type: "string",
    schema: s.optional(s.text),
    text: "Registry that all images are taken from, instead of those of the charts: a mirror of yours in or near both regions.",
    change: "one region at a time",
  },
  sizing: {
    type: "object",
    schema: s.object({
      zeebe: s.part(
        s.object({
          cpu: quantity("512m", "CPU of a broker"),
          memory: quantity("2Gi", "memory of a broker"),
          heap: quantity("512m", "heap of a broker, from which JVM options are derived"),
          disk: quantity("32Gi", "disk of a broker"),
        }),
        "what a Zeebe broker gets",
      ),
      gateways: s.part(s.optional(s.count, 2), "Zeebe gateways in the region"),
      elasticsearch: s.part(
        s.object({
          nodes: s.part(s.optional(s.count, 2), "nodes of Elasticsearch in the region"),
          memory: quantity("2Gi", "memory of a node"),
          heap: quantity("1g", "heap of a node"),
          disk: quantity("64Gi", "disk of a node"),
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
    schema: s.optional(s.flag, false),
    text: "Install connectors. They run in both regions, so inbound events must be idempotent.",
    change: "at any time",
  },
  helmValues: {
    type: "object",
    schema: s.object({
      camunda: s.part(s.optional(s.anything, {}), "of the release of Camunda"),
      elasticsearch: s.part(s.optional(s.anything, {}), "of the release of Elasticsearch"),
    }),
    open: "a Secret of the cluster, which they name",
    text: "Values of your own for the releases `camunda` and `elasticsearch`, merged last; lists of `env` by name. Identity, Optimize, Console, Web Modeler and multi-tenancy are refused, since they do not work in two regions, as are more than one Operate or Tasklist, what a key of this page decides, and what moves an address: names, ports, paths, TLS and sign-in of brokers, gateways and Elasticsearch.",
    change: "one region at a time",
  },
  s3AccessKey: {
    type: "string",
    schema: s.optional(s.text),
    text: "Access key of S3 for Elasticsearch, where no role can be had. Without it a role is used on `eks`.",
    change:
      "at any time. Then restart Elasticsearch: `kubectl rollout restart statefulset/camunda-elasticsearch-master -n NAMESPACE`",
  },
  s3SecretKey: {
    type: "string",
    schema: s.optional(s.text),
    secret: true,
    text: "The secret key to `s3AccessKey`: `pulumi config set --secret s3SecretKey ...`",
    change: "as `s3AccessKey`",
  },
});
