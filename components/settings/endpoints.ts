import { bucketName, s3Client } from "./eksNames";
import { ClusterShape, endpointsOf } from "./addresses";
import { RegionName, REGIONS } from "../base/brokers";
import { generationOf, idsOf } from "../generations";
import { isRecord } from "../base/json";
import type { Installation, Key, RegionEndpoints, Settings } from "./types";
import type { Reader } from "./reader";

/** Reads where both regions answer: computed where this program installs them, else given. */
export function readEndpoints(
  read: Reader<Key>,
  cluster: ClusterShape,
  installation: Installation | undefined,
): Record<RegionName, RegionEndpoints> {
  if (installation !== undefined) {
    return {
      region0: endpointsOf(installation, "region0", cluster),
      region1: endpointsOf(installation, "region1", cluster),
    };
  }
  const { clusterSize } = cluster;
  const all = read.object("endpoints");
  const byRegion = (region: RegionName): RegionEndpoints => {
    const value = all?.[region];
    if (!isRecord(value)) {
      read.wrong(
        `endpoints.${region}`,
        "is missing: where the gateway, management, brokers and elasticsearch of that region answer",
      );
      return { gateway: "", management: "", brokers: {}, elasticsearch: "" };
    }
    const brokers = isRecord(value.brokers) ? value.brokers : {};
    const expected = idsOf(cluster).of(region, clusterSize).map(String);
    const given = Object.keys(brokers);
    if (given.length !== expected.length || !expected.every((id) => given.includes(id))) {
      read.wrong(
        `endpoints.${region}.brokers`,
        `has ${given.length > 0 ? given.join(", ") : "no broker"}: with clusterSize ${clusterSize} the brokers of ${region} are ${expected.join(", ")}`,
      );
    }
    for (const key of Object.keys(value)) {
      if (!["gateway", "management", "brokers", "elasticsearch"].includes(key)) {
        read.wrong(
          `endpoints.${region}.${key}`,
          "is not known: gateway, management, brokers, elasticsearch are",
        );
      }
    }
    return {
      gateway: read.url(`endpoints.${region}.gateway`, value.gateway),
      management: read.url(`endpoints.${region}.management`, value.management),
      brokers: Object.fromEntries(
        Object.entries(brokers).map(([id, url]) => [
          id,
          read.url(`endpoints.${region}.brokers.${id}`, url),
        ]),
      ),
      elasticsearch: read.url(`endpoints.${region}.elasticsearch`, value.elasticsearch),
    };
  };
  const endpoints = { region0: byRegion("region0"), region1: byRegion("region1") };
  expectDistinct(read, endpoints);
  return endpoints;
}

/** One region's address under the other's name would let a failback restore over the survivor. */
function expectDistinct(read: Reader<Key>, endpoints: Settings["endpoints"]): void {
  for (const name of ["gateway", "management", "elasticsearch"] as const) {
    const url = endpoints.region0[name];
    if (url !== "" && url === endpoints.region1[name]) {
      read.wrong(`endpoints.region1.${name}`, "is that of region0: each region has its own");
    }
  }
  const seen = new Map<string, string>();
  for (const region of REGIONS) {
    for (const [id, url] of Object.entries(endpoints[region].brokers)) {
      const other = url === "" ? undefined : seen.get(url);
      if (other !== undefined) {
        read.wrong(
          `endpoints.${region}.brokers.${id}`,
          `is that of broker ${other}: each broker has its own management API`,
        );
      }
      seen.set(url, id);
    }
  }
}

/** Reads the exporters' ids, each its own. */
export function readExporters(
  read: Reader<Key>,
  camundaVersion: string,
  installed: boolean,
): Record<RegionName, string> {
  const given = read.object("exporters") ?? {};
  const { ids } = generationOf(camundaVersion).exporter;
  const exporters = {
    region0: String(given.region0 ?? ids.region0),
    region1: String(given.region1 ?? ids.region1),
  };
  for (const region of REGIONS) {
    if (installed && !/^[a-z][a-z0-9]*$/.test(exporters[region])) {
      read.wrong(
        `exporters.${region}`,
        `is "${exporters[region]}": lower-case letters and digits, since names of environment variables are made of it`,
      );
    }
  }
  if (exporters.region0 === exporters.region1) {
    read.wrong(
      "exporters",
      `names ${exporters.region0} for both regions: each has its own exporter`,
    );
  }
  return exporters;
}

/**
 * On `eks` it is the survivor's own bucket, through the client that both Elasticsearches have for it: the
 * recreated region reads it there, and no loss of a region takes the backup along.
 */
export function readRepository(
  read: Reader<Key>,
  installation: Installation | undefined,
  survivor: RegionName,
): Settings["repository"] {
  if (installation?.cluster.kind === "eks") {
    return {
      name: "camunda_backup",
      type: "s3",
      settings: {
        bucket: bucketName(installation.cluster, survivor),
        client: s3Client(survivor),
        base_path: "backups",
      },
    };
  }
  const given = read.object("snapshotRepository");
  if (given === undefined || typeof given.type !== "string" || !isRecord(given.settings)) {
    read.wrong(
      "snapshotRepository",
      'must be an object with name, type and settings, as Elasticsearch registers it: {"name": "camunda_backup", "type": "s3", "settings": {"bucket": "..."}}',
    );
    return { name: "", type: "", settings: {} };
  }
  if ("access_key" in given.settings || "secret_key" in given.settings) {
    read.wrong(
      "snapshotRepository.settings",
      "holds keys of S3 in clear: put them into the keystore of Elasticsearch and name its client here",
    );
  }
  return {
    name: String(given.name ?? "camunda_backup"),
    type: given.type,
    settings: given.settings,
  };
}
