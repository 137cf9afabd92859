import type { PolicyResource } from "../../../policies/rules/model";
import { goldenGraph, goldenNames } from "../../golden/expected";

/** The golden resource graphs by the name of their file. */
export function goldenGraphs(): Map<string, PolicyResource[]> {
  return new Map(
    goldenNames().map((name) => [
      name,
      goldenGraph(name).map(({ inputs, ...resource }) => ({ ...resource, props: inputs })),
    ]),
  );
}

/**
 * The types of which no graph has a resource. A rule on a type that is nowhere is kept by accident.
 *
 * @param types tokens such as `aws:s3/bucket:Bucket`
 */
export function missingTypes(
  graphs: Iterable<readonly PolicyResource[]>,
  types: readonly string[],
): string[] {
  const present = new Set([...graphs].flatMap((graph) => graph.map(({ type }) => type)));
  return types.filter((type) => !present.has(type));
}
