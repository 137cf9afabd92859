import type { RegionName } from "../../base/brokers";
import { parseCidr, within } from "../../base/cidr";
import { zoneIds } from "../eksZones";
import * as s from "../schema";

/** China, GovCloud, the isolated ones, and the European Sovereign Cloud. */
const OTHER_PARTITIONS = /^(cn|us-gov|us-iso\w*|eu-isoe|eusc)-/;

/** The g behind the number of the generation, and the first of all. */
const GRAVITON = /^(a1\.|[a-z]+\d+g)/;

const awsRegion = s.pipe(
  s.text,
  s.wrong((name) => {
    if (OTHER_PARTITIONS.test(name)) {
      return `is ${s.quoted(name)}, of another partition than aws: choose a region like eu-west-2`;
    }
    if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(name)) {
      return `is ${s.quoted(name)}, not an AWS region like eu-west-2`;
    }
    try {
      zoneIds(name);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }),
);

const nodes = s.pipe(
  s.object({
    instanceType: s.part(
      s.optional(
        s.pipe(
          s.text,
          s.check(
            (type) => !GRAVITON.test(type),
            ({ input }) =>
              `is ${s.quoted(input)}, a Graviton: the nodes' image is for x86_64; choose a type like m6i.xlarge`,
          ),
        ),
        "m6i.xlarge",
      ),
      "type of the instances, for x86_64: not Graviton",
    ),
    min: s.part(s.optional(s.count, 1), "nodes at least"),
    desired: s.part(
      s.optional(s.count, 4),
      "nodes wanted: at least half of `clusterSize`, `sizing.elasticsearch.nodes` and `sizing.gateways`",
    ),
    autoscaler: s.part(
      s.optional(s.flag, false),
      "whether something else sets the number of nodes between `min` and `max`: then `desired` is the number that they begin with, and no run scales them back",
    ),
    max: s.part(s.optional(s.count, 10), "nodes at most"),
    diskGb: s.part(s.optional(s.count, 20), "disk of a node, in GiB"),
  }),
  s.check(
    ({ min, desired, max }) => min <= desired && desired <= max,
    ({ input: { min, desired, max } }) =>
      `has min ${min}, desired ${desired}, max ${max}: min <= desired <= max must hold`,
  ),
);

/** Where a block of addresses may lie. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

/** A private block of addresses, of a size. */
function block(largest: number, smallest: number) {
  return s.pipe(
    s.text,
    s.wrong((value) => {
      const parsed = parseCidr(value);
      if (parsed === undefined) {
        return `is ${s.quoted(value)}, not a CIDR like 10.192.0.0/16 (no address bits behind the network part)`;
      }
      if (!PRIVATE.some((range) => within(value, range))) {
        return `is ${value}, not within ${PRIVATE.join(", ")}: choose a private one`;
      }
      return parsed.bits < largest || parsed.bits > smallest
        ? `is ${value}: it must be a /${largest} to /${smallest}`
        : undefined;
    }),
  );
}

type Sizes = readonly [largest: number, smallest: number];

/** One block, of a default. */
function one([largest, smallest]: Sizes, otherwise: string, what: string) {
  return s.part(
    s.optional(block(largest, smallest), otherwise),
    `CIDR of ${what}, a /${largest} to /${smallest}`,
  );
}

/** All blocks of something. */
function all([largest, smallest]: Sizes, what: string) {
  return s.part(
    s.pipe(
      s.array(block(largest, smallest), "must be a list of CIDRs, also of one: [10.192.0.0/16]"),
      s.check((list) => list.length > 0, "is empty: the fence is made of its blocks"),
    ),
    `CIDRs of ${what}, each a /${largest} to /${smallest}`,
  );
}

const EKS_CIDRS: Record<RegionName, { vpc: string; services: string }> = {
  region0: { vpc: "10.192.0.0/16", services: "10.190.0.0/16" },
  region1: { vpc: "10.202.0.0/16", services: "10.200.0.0/16" },
};

const SERVICES: Sizes = [12, 24];

const eksCidrs = s.object(
  s.byRegion((region) =>
    s.object({
      vpc: one([16, 20], EKS_CIDRS[region].vpc, "the VPC, of which pods have their addresses"),
      services: one(SERVICES, EKS_CIDRS[region].services, "the cluster IPs of services"),
    }),
  ),
);

const kubernetesCidrs = s.object(
  s.byRegion(() =>
    s.object({
      nodes: all([8, 24], "the nodes of that region"),
      pods: all([8, 24], "the pods of that region"),
      services: all(SERVICES, "the services of that region"),
    }),
  ),
);

function listOf(form: RegExp, what: string) {
  return s.array(
    s.custom<string>(
      (item) => typeof item === "string" && form.test(item),
      ({ input }) => `is ${s.quoted(input)}, not ${what}`,
    ),
    "must be a list",
  );
}

export const EKS = s.section("EKS", ["eks"], {
  awsAccount: {
    type: "string",
    schema: s.pipe(
      s.optional(s.string(), ""),
      s.regex(
        /^\d{12}$/,
        ({ input: account }) =>
          `must be the 12 digits of the AWS account of both regions${account === "" ? "" : `, not ${s.quoted(account)}`} (aws sts get-caller-identity)${/^\d+$/.test(account) ? ", in quotes if it begins with 0" : ""}`,
      ),
    ),
    text: "The 12 digits of the AWS account of both regions. Names of buckets and roles have it in them. Required: these names are computed, not looked up.",
    change: "never",
  },
  awsRegions: {
    type: "object",
    schema: s.pipe(
      s.textByRegion(awsRegion, { region0: "eu-west-2", region1: "eu-west-3" }),
      s.different(
        (name) =>
          `are both ${name}: the loss of that region would take the whole cluster; choose two`,
      ),
    ),
    text: "AWS region of each region: two different ones with three zones for EKS, of the partition `aws`.",
    change: "never",
  },
  prefix: {
    type: "string",
    schema: s.optional(
      s.matching(
        /^[a-z][a-z0-9-]{0,19}$/,
        (it) =>
          `is ${it}: lower-case letters, digits and "-", 20 at most, since bucket and role names begin with it`,
      ),
      "camunda",
    ),
    text: "Beginning of the names of everything in AWS: lower-case letters, digits, `-`, 20 at most.",
    change: "never. Clusters and buckets have it in their names",
  },
  cidrs: {
    type: "object",
    platforms: s.INSTALLED,
    schema: ({ platform }: s.Context) => (platform === "eks" ? eksCidrs : kubernetesCidrs),
    text: "Address blocks of each region; none may overlap with another, and all must be private. On `eks`: `vpc` and `services`. On `kubernetes`: `nodes`, `pods` and `services`, all required and each a list of every block that there is, since the fence is made of them.",
    change:
      "on `eks` never. On `kubernetes`, with a block that the cluster has got, on both stacks while no region is declared lost",
  },
  natGateways: {
    type: "string",
    schema: s.optional(s.oneOf(["single", "per-zone"]), "per-zone"),
    text: "NAT gateways: `per-zone`, or `single` for the region, which costs less. With a single one the loss of its zone takes the way to STS and to images from all zones: no pod gets its role any more.",
    change: "at any time. Connections to the internet break",
  },
  kubernetesVersion: {
    type: "string",
    schema: s.optional(
      s.matching(
        /^1\.(2[89]|3\d)$/,
        (it) => `is ${it}, not a version of EKS like "1.30", in quotes`,
      ),
      "1.35",
    ),
    text: "Version of Kubernetes, of cluster and nodes.",
    change: "one region at a time, to the next minor version. EKS takes none back",
  },
  nodes: {
    type: "object",
    schema: nodes,
    text: "Node group of a region. Brokers never share a node, nor do nodes of Elasticsearch, nor gateways.",
    change:
      "`min`, `desired`, `max` at any time. `instanceType` and `diskGb` one region at a time: every node is replaced, one after the other",
  },
  administrators: {
    type: "array",
    schema: s.optional(
      listOf(
        /^arn:aws:iam::\d{12}:(role|user)\//,
        "an ARN of an IAM role or user (arn:aws:iam::ACCOUNT:role/NAME)",
      ),
      [],
    ),
    text: "ARNs of IAM roles or users that administrate the clusters besides their creator. The creator must not be among them.",
    change: "at any time",
  },
  apiAccessCidrs: {
    type: "array",
    schema: s.optional(listOf(/^\d+\.\d+\.\d+\.\d+\/\d+$/, "a CIDR"), ["0.0.0.0/0"]),
    text: "From where the Kubernetes API is reached publicly. Empty: from within the VPC only. Then Pulumi must run there.",
    change: "at any time",
  },
  clusterLogs: {
    type: "array",
    schema: s.optional(
      s.array(
        s.oneOf(["api", "audit", "authenticator", "controllerManager", "scheduler"]),
        "must be a list",
      ),
      ["api", "audit", "authenticator"],
    ),
    text: "Logs of the control plane that EKS writes to CloudWatch, for whoever looks after an incident. EKS makes their group and keeps them for ever: set a retention there. Empty: none.",
    change: "at any time",
  },
  bucketEncryption: {
    type: "string",
    schema: s.optional(s.oneOf(["AES256", "aws:kms"]), "AES256"),
    text: "Encryption of the backup bucket: `AES256` (keys of S3) or `aws:kms` (a key of the region).",
    change:
      "at any time, for both regions. What is in the bucket stays as it is, and readable; the key stays too",
  },
  bucketSuffix: {
    type: "string",
    schema: s.optional(
      s.matching(/^[a-z0-9]{1,12}$/, (it) => `is ${it}: 1 to 12 lower-case letters and digits`),
    ),
    text: "End of the names of both backup buckets, to have others than those that are there: 1 to 12 lower-case letters and digits.",
    change:
      "not while `failback` is set, and for both regions at once: both stacks get a new bucket, or [the one that is there](eks.md#the-bucket-that-is-there); the old ones stay in AWS",
  },
  traffic: {
    type: "object",
    schema: s.optional(
      s.parts({
        zoneId: s.part(s.text, "id of the public hosted zone"),
        name: s.part(s.text, "name that users know, `camunda.example.com`"),
        targets: s.part(
          s.parts(
            s.byRegion((region) =>
              s.part(s.text, `public host name of the entry point of ${region}`),
            ),
          ),
          "public host names of your entry points, ingresses or load balancers",
        ),
        healthCheckPath: s.part(
          s.optional(s.text, "/"),
          "path that the health check asks over HTTPS",
        ),
      }),
    ),
    text: "Route 53 records that send users to the active region. Optional. [How they work](eks.md#traffic).",
    change: "at any time",
  },
});
