import { CAMUNDA_8_6 } from "./8.6";
import { CAMUNDA_8_7 } from "./8.7";
import type { BrokerIds } from "../base/brokers";
import type { Generation } from "./generation";

/** The generations, by the version of Camunda that the configuration names. */
export const GENERATIONS: Record<string, Generation> = {
  "8.6": CAMUNDA_8_6,
  "8.7": CAMUNDA_8_7,
};

/** The versions of Camunda that this program knows: the values of `camundaVersion`. */
export const CAMUNDA_VERSIONS: readonly string[] = Object.keys(GENERATIONS);

/** The generation that is meant when the configuration names none. */
export const DEFAULT_VERSION = "8.6";

/**
 * The generation of a version of Camunda, `8.6`.
 *
 * @throws Error with one line when this program does not know the version
 */
export function generationOf(camundaVersion: string): Generation {
  const generation = GENERATIONS[camundaVersion];
  if (generation === undefined) {
    throw new Error(
      `camundaVersion is ${camundaVersion}: this program knows ${CAMUNDA_VERSIONS.join(", ")}`,
    );
  }
  return generation;
}

/**
 * Whether a gateway or a broker is of this generation, by the version that it answers with (`8.7.37`): `old` when its
 * patch is below the least one.
 */
export function fits({ versions }: Generation, version: string): "yes" | "old" | "no" {
  const [, minor, patch] = /^(\d+\.\d+)\.(\d+)/.exec(version) ?? [];
  if (minor !== versions.minor) {
    return "no";
  }
  return Number(patch) < versions.patch ? "old" : "yes";
}

/** Whether what answers with a version is of this generation, or of another one that is asked in the very same way. */
export function isAskedAlike(
  { versions, cluster, exporting, ids }: Generation,
  version: string,
): boolean {
  return Object.values(GENERATIONS).some(
    (one) =>
      fits(one, version) !== "no" &&
      (one.versions.minor === versions.minor ||
        (one.cluster === cluster && one.exporting === exporting && one.ids === ids)),
  );
}

/** The version whose charts install it, by the version of Camunda's chart; undefined when no generation's does. */
export function versionOfChart(chartVersion: string): string | undefined {
  const major = (version?: string) => version?.split(".")[0];
  return CAMUNDA_VERSIONS.find(
    (version) => major(generationOf(version).charts.camunda.version) === major(chartVersion),
  );
}

/** Whether one version is older than another one. */
export function isBefore(one: string, other: string): boolean {
  return CAMUNDA_VERSIONS.indexOf(one) < CAMUNDA_VERSIONS.indexOf(other);
}

/** The generation of the minor before, of those that this program knows. */
export function previousOf(camundaVersion: string): Generation | undefined {
  return GENERATIONS[CAMUNDA_VERSIONS[CAMUNDA_VERSIONS.indexOf(camundaVersion) - 1] ?? ""];
}

/** The minor that follows, of those that this program knows. */
export function nextVersion(camundaVersion: string): string | undefined {
  return CAMUNDA_VERSIONS[CAMUNDA_VERSIONS.indexOf(camundaVersion) + 1];
}

/** The numbering of the brokers of a configured cluster. */
export function idsOf({ camundaVersion }: { camundaVersion: string }): BrokerIds {
  return generationOf(camundaVersion).ids;
}

/** Name of the variable of a broker's environment that tells it something of an exporter, by the exporter's id. */
export function exporterVariable(
  { prefix }: Generation["exporter"],
  id: string,
  end: string,
): string {
  return `${prefix}_${id.toUpperCase()}_${end}`;
}
