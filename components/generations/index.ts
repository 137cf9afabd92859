import { CAMUNDA_8_6 } from "./8.6";
import type { Generation } from "./generation";

const GENERATIONS: Record<string, Generation> = { "8.6": CAMUNDA_8_6 };

/** The versions of Camunda that this program knows: the values of `camundaVersion`. */
export const CAMUNDA_VERSIONS: readonly string[] = Object.keys(GENERATIONS);

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
