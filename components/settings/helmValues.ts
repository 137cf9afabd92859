import { isRecord } from "../base/json";
import type { InstallationKey as Key } from "./types";
import type { Reader } from "./reader";

/** What Camunda does not support in two regions (concept page, limitations), refused where it is asked for. */
const UNSUPPORTED: Record<string, string> = {
  identity: "Identity (with multi-tenancy and access control) does not work in two regions",
  identityKeycloak: "Identity does not work in two regions",
  optimize: "Optimize does not work in two regions: it needs Identity",
  console: "Console needs Identity, which does not work in two regions",
  webModeler: "Web Modeler stands alone and is not part of a region: install it elsewhere",
};

/** What keys of this program say already. Said a second time in the values, the two would disagree some day. */
const DECIDED: [path: string, key: string][] = [
  ["global.multiregion", "region"],
  ["zeebe.clusterSize", "clusterSize"],
  ["zeebe.partitionCount", "partitionCount"],
  ["zeebe.replicationFactor", "replicationFactor"],
  ["elasticsearch.enabled", "charts.elasticsearch"],
];

/** Refuses in the user's own values what does not work in two regions, and what keys of this program decide. */
export function refuseUnsupported(read: Reader<Key>, values: Record<string, unknown>): void {
  for (const [part, why] of Object.entries(UNSUPPORTED)) {
    const value = values[part];
    if (isRecord(value) && value.enabled === true) {
      read.wrong(`helmValues.camunda.${part}.enabled`, `is true: ${why}; leave it off`);
    }
  }
  const global = isRecord(values.global) ? values.global : {};
  const multitenancy = isRecord(global.multitenancy) ? global.multitenancy : {};
  if (multitenancy.enabled === true) {
    read.wrong(
      "helmValues.camunda.global.multitenancy.enabled",
      "is true: multi-tenancy does not work in two regions; leave it off",
    );
  }
  if (isRecord(values.zeebe) && values.zeebe.extraInitContainers !== undefined) {
    read.wrong(
      "helmValues.camunda.zeebe.extraInitContainers",
      "is ignored by the chart beside initContainers, which this program uses: write yours under initContainers",
    );
  }
  for (const [path, key] of DECIDED) {
    const found = path
      .split(".")
      .reduce<unknown>((value, part) => (isRecord(value) ? value[part] : undefined), values);
    if (found !== undefined) {
      read.wrong(
        `helmValues.camunda.${path}`,
        `is decided by ${key}, by which broker ids and the recovery are computed: leave it out here`,
      );
    }
  }
  for (const app of ["operate", "tasklist"]) {
    const value = values[app];
    if (isRecord(value) && value.replicas !== undefined && value.replicas !== 1) {
      read.wrong(
        `helmValues.camunda.${app}.replicas`,
        `is ${String(value.replicas)}: one ${app} a region, more would import records twice`,
      );
    }
  }
}
