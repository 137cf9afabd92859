import { generationOf } from "../generations";
import { REGIONS } from "../base/brokers";
import { isRecord } from "../base/json";
import { readEks } from "./eks";
import { refuseUnsupported } from "./helmValues";
import { readKubernetes } from "./kubernetes";
import type { Reader } from "./reader";
import { byRegion } from "./regions";
import type { Chart } from "../generations/generation";
import type { Installation, InstallationKey, Sizing } from "./types";

type Key = InstallationKey;

/** Reads what is to be installed, and collects in `read` what is wrong with it. */
export function readInstallation(
  read: Reader<Key>,
  platform: "eks" | "kubernetes",
  camundaVersion: string,
): Installation {
  const namespaces = byRegion(read, "namespaces", {
    region0: "camunda-london",
    region1: "camunda-paris",
  });
  for (const region of REGIONS) {
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespaces[region])) {
      read.wrong(
        `namespaces.${region}`,
        `is "${namespaces[region]}", not a name of a namespace: lower-case letters, digits and "-", 63 at most`,
      );
    }
  }
  if (namespaces.region0 === namespaces.region1) {
    read.wrong(
      "namespaces",
      `are both ${namespaces.region0}: DNS tells the regions apart by their namespaces, give each its own`,
    );
  }
  const helmValues = read.object("helmValues") ?? {};
  const installation: Installation = {
    cluster: platform === "eks" ? readEks(read) : readKubernetes(read),
    namespaces,
    charts: readCharts(read, camundaVersion),
    imageRegistry: read.text("imageRegistry"),
    sizing: readSizing(read),
    connectors: read.oneOf("connectors", ["true", "false"], "false") === "true",
    helmValues: {
      camunda: isRecord(helmValues.camunda) ? helmValues.camunda : {},
      elasticsearch: isRecord(helmValues.elasticsearch) ? helmValues.elasticsearch : {},
    },
    s3Keys: readS3Keys(read),
  };
  refuseUnsupported(read, generationOf(camundaVersion).chart, installation.helmValues.camunda);
  return installation;
}

function readCharts(read: Reader<Key>, camundaVersion: string): Installation["charts"] {
  const defaults = generationOf(camundaVersion).charts;
  const given = read.object("charts") ?? {};
  const of = (name: "camunda" | "elasticsearch"): Chart => {
    const otherwise = defaults[name];
    const value = given[name];
    if (value === undefined) {
      return otherwise;
    }
    if (!isRecord(value) || typeof value.chart !== "string") {
      read.wrong(
        `charts.${name}`,
        'must be an object with chart (a name, an oci:// address or a path), and repository and version: {"chart": "./camunda-platform-11.12.3.tgz"}',
      );
      return otherwise;
    }
    const local = /^[./]/.test(value.chart) || value.chart.endsWith(".tgz");
    if (!local && typeof value.version !== "string") {
      read.wrong(
        `charts.${name}.version`,
        "is missing: without it the newest chart would be taken, whatever day it is",
      );
    }
    const major = otherwise.version?.split(".")[0];
    if (typeof value.version === "string" && !value.version.startsWith(`${major}.`)) {
      read.wrong(
        `charts.${name}.version`,
        `is ${value.version}: Camunda ${camundaVersion} is installed by versions ${major}.x of that chart; change camundaVersion with it`,
      );
    }
    return {
      chart: value.chart,
      ...(typeof value.repository === "string" ? { repository: value.repository } : {}),
      ...(typeof value.version === "string" ? { version: value.version } : {}),
    };
  };
  return { camunda: of("camunda"), elasticsearch: of("elasticsearch") };
}

function readSizing(read: Reader<Key>): Sizing {
  const given = read.object("sizing") ?? {};
  const defaults: Sizing = {
    zeebe: { cpu: "512m", memory: "2Gi", heap: "512m", disk: "32Gi" },
    gateways: 2,
    elasticsearch: { nodes: 2, memory: "2Gi", heap: "1g", disk: "64Gi" },
  };
  const part = <T extends object>(name: "zeebe" | "elasticsearch", otherwise: T): T => {
    const value = given[name];
    if (value === undefined) {
      return otherwise;
    }
    if (!isRecord(value)) {
      read.wrong(`sizing.${name}`, `must be an object with ${Object.keys(otherwise).join(", ")}`);
      return otherwise;
    }
    for (const key of Object.keys(value)) {
      if (!(key in otherwise)) {
        read.wrong(
          `sizing.${name}.${key}`,
          `is not known: ${Object.keys(otherwise).join(", ")} are`,
        );
      }
    }
    return { ...otherwise, ...value };
  };
  for (const key of Object.keys(given)) {
    if (!(key in defaults)) {
      read.wrong(`sizing.${key}`, `is not known: ${Object.keys(defaults).join(", ")} are`);
    }
  }
  const sizing: Sizing = {
    zeebe: part("zeebe", defaults.zeebe),
    gateways: (given.gateways ?? defaults.gateways) as number,
    elasticsearch: part("elasticsearch", defaults.elasticsearch),
  };
  for (const [key, count] of [
    ["gateways", sizing.gateways],
    ["elasticsearch.nodes", sizing.elasticsearch.nodes],
  ] as const) {
    if (!Number.isInteger(count) || count < 1) {
      read.wrong(
        `sizing.${key}`,
        `must be a whole number of at least 1, not ${JSON.stringify(count)}`,
      );
    }
  }
  return sizing;
}

function readS3Keys(read: Reader<Key>): Installation["s3Keys"] {
  const accessKey = read.text("s3AccessKey");
  const secretKey = read.text("s3SecretKey");
  if ((accessKey === undefined) !== (secretKey === undefined)) {
    read.wrong(
      accessKey === undefined ? "s3AccessKey" : "s3SecretKey",
      "is missing: both keys go together; without them Elasticsearch takes a role",
    );
  }
  return accessKey !== undefined && secretKey !== undefined ? { accessKey, secretKey } : undefined;
}
