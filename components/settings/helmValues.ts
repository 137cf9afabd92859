import { isRecord } from "../base/json";
import type { Generation } from "../generations/generation";
import type { InstallationKey as Key } from "./types";
import type { Reader } from "./reader";

/** Refuses in the user's own values what does not work in two regions, and what keys of this program decide. */
export function refuseUnsupported(
  read: Reader<Key>,
  chart: Generation["chart"],
  values: Record<string, unknown>,
): void {
  const at = (path: string) =>
    path
      .split(".")
      .reduce<unknown>((value, part) => (isRecord(value) ? value[part] : undefined), values);
  for (const [part, why] of Object.entries(chart.unsupported)) {
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
  for (const [path, why] of Object.entries(chart.refused)) {
    if (at(path) !== undefined) {
      read.wrong(`helmValues.camunda.${path}`, why);
    }
  }
  for (const [path, key] of Object.entries(chart.decided)) {
    if (at(path) !== undefined) {
      read.wrong(
        `helmValues.camunda.${path}`,
        `is decided by ${key}, by which broker ids and the recovery are computed: leave it out here`,
      );
    }
  }
  for (const app of chart.webApps) {
    const value = values[app];
    if (isRecord(value) && value.replicas !== undefined && value.replicas !== 1) {
      read.wrong(
        `helmValues.camunda.${app}.replicas`,
        `is ${String(value.replicas)}: one ${app} a region, more would import records twice`,
      );
    }
  }
}
