import { zoneIds } from "./eksZones";
import { REGIONS } from "../base/brokers";
import { isRecord } from "../base/json";
import type { EksSettings, InstallationKey as Key, Traffic } from "./types";
import { byRegion, readCidrs } from "./regions";
import type { Reader } from "./reader";

/** China, GovCloud, the isolated ones, and the European Sovereign Cloud. */
const OTHER_PARTITIONS = /^(cn|us-gov|us-iso\w*|eu-isoe|eusc)-/;

/** The g behind the number of the generation, and the first of all. */
const GRAVITON = /^(a1\.|[a-z]+\d+g)/;

/** Reads what is said of two EKS clusters, and collects in `read` what is wrong with it. */
export function readEks(read: Reader<Key>): EksSettings {
  const prefix = read.text("prefix") ?? "camunda";
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(prefix)) {
    read.wrong(
      "prefix",
      `is "${prefix}": lower-case letters, digits and "-", 20 at most, since bucket and role names begin with it`,
    );
  }
  const account = read.text("awsAccount") ?? "";
  if (!/^\d{12}$/.test(account)) {
    read.wrong(
      "awsAccount",
      `must be the 12 digits of the AWS account of both regions${account === "" ? "" : `, not "${account}"`}: names are computed from it (aws sts get-caller-identity)`,
    );
  }
  const awsRegions = byRegion(read, "awsRegions", { region0: "eu-west-2", region1: "eu-west-3" });
  for (const region of REGIONS) {
    if (OTHER_PARTITIONS.test(awsRegions[region])) {
      read.wrong(
        `awsRegions.${region}`,
        `is ${awsRegions[region]}, of another partition than aws: ARNs, names of services and ids of zones are made for aws here; choose a region like eu-west-2`,
      );
    } else if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(awsRegions[region])) {
      read.wrong(
        `awsRegions.${region}`,
        `is "${awsRegions[region]}", not an AWS region like eu-west-2`,
      );
    } else {
      const problem = zoneProblem(awsRegions[region]);
      if (problem !== undefined) {
        read.wrong(`awsRegions.${region}`, problem);
      }
    }
  }
  if (awsRegions.region0 === awsRegions.region1) {
    read.wrong(
      "awsRegions",
      `are both ${awsRegions.region0}: the loss of that region would take the whole cluster; choose two`,
    );
  }
  const kubernetesVersion = read.text("kubernetesVersion") ?? "1.35";
  if (!/^1\.(2[89]|3\d)$/.test(kubernetesVersion)) {
    read.wrong("kubernetesVersion", `is "${kubernetesVersion}", not a version of EKS like 1.35`);
  }
  const cidrs = readCidrs(
    read,
    {
      region0: { vpc: "10.192.0.0/16", services: "10.190.0.0/16" },
      region1: { vpc: "10.202.0.0/16", services: "10.200.0.0/16" },
    },
    ["vpc", "services"],
  ) as EksSettings["cidrs"];
  return {
    kind: "eks",
    prefix,
    account,
    awsRegions,
    cidrs,
    natGateways: read.oneOf("natGateways", ["single", "per-zone"], "single"),
    kubernetesVersion,
    nodes: readNodes(read),
    administrators: readList(
      read,
      "administrators",
      /^arn:aws:iam::\d{12}:(role|user)\//,
      [],
      "an ARN of an IAM role or user (arn:aws:iam::ACCOUNT:role/NAME)",
    ),
    apiAccessCidrs: readList(
      read,
      "apiAccessCidrs",
      /^\d+\.\d+\.\d+\.\d+\/\d+$/,
      ["0.0.0.0/0"],
      "a CIDR",
    ),
    bucketEncryption: read.oneOf("bucketEncryption", ["AES256", "aws:kms"], "AES256"),
    bucketSuffix: readSuffix(read),
    traffic: readTraffic(read),
  };
}

function zoneProblem(awsRegion: string): string | undefined {
  try {
    zoneIds(awsRegion);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function readNodes(read: Reader<Key>): EksSettings["nodes"] {
  const given = read.object("nodes") ?? {};
  const nodes = { instanceType: "m6i.xlarge", min: 1, desired: 4, max: 10, diskGb: 20, ...given };
  for (const key of ["min", "desired", "max", "diskGb"] as const) {
    if (!Number.isInteger(nodes[key]) || nodes[key] < 1) {
      read.wrong(`nodes.${key}`, `must be a whole number of at least 1, not ${String(nodes[key])}`);
    }
  }
  if (nodes.min > nodes.desired || nodes.desired > nodes.max) {
    read.wrong(
      "nodes",
      `has min ${nodes.min}, desired ${nodes.desired}, max ${nodes.max}: min <= desired <= max must hold`,
    );
  }
  if (GRAVITON.test(String(nodes.instanceType))) {
    read.wrong(
      "nodes.instanceType",
      `is ${nodes.instanceType}, a Graviton: the nodes' image is for x86_64; choose a type like m6i.xlarge`,
    );
  }
  for (const key of Object.keys(given)) {
    if (!["instanceType", "min", "desired", "max", "diskGb"].includes(key)) {
      read.wrong(`nodes.${key}`, "is not known: instanceType, min, desired, max, diskGb are");
    }
  }
  return nodes;
}

function readTraffic(read: Reader<Key>): Traffic | undefined {
  const given = read.object("traffic");
  if (given === undefined || Object.keys(given).length === 0) {
    return undefined;
  }
  const targets = isRecord(given.targets) ? given.targets : {};
  if (
    typeof given.zoneId !== "string" ||
    typeof given.name !== "string" ||
    typeof targets.region0 !== "string" ||
    typeof targets.region1 !== "string"
  ) {
    read.wrong(
      "traffic",
      "must have zoneId, name, and targets.region0 and targets.region1: the public host names of your entry points",
    );
    return undefined;
  }
  return {
    zoneId: given.zoneId,
    name: given.name,
    targets: { region0: targets.region0, region1: targets.region1 },
    healthCheckPath: String(given.healthCheckPath ?? "/"),
  };
}

function readSuffix(read: Reader<Key>): string | undefined {
  const suffix = read.text("bucketSuffix");
  if (suffix !== undefined && !/^[a-z0-9]{1,12}$/.test(suffix)) {
    read.wrong("bucketSuffix", `is "${suffix}": 1 to 12 lower-case letters and digits`);
  }
  return suffix;
}

function readList(
  read: Reader<Key>,
  key: Key,
  pattern: RegExp,
  otherwise: string[],
  what: string,
): string[] {
  const value = read.json(key);
  if (value === undefined) {
    return otherwise;
  }
  if (!Array.isArray(value)) {
    read.wrong(key, "must be a list");
    return otherwise;
  }
  value.forEach((item, index) => {
    if (typeof item !== "string" || !pattern.test(item)) {
      read.wrong(`${key}[${index}]`, `is ${JSON.stringify(item)}, not ${what}`);
    }
  });
  return value.map(String);
}
