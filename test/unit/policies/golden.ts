import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import type { PolicyResource } from "../../../policies/rules/model";

const EXPECTED = path.join(__dirname, "..", "..", "golden", "expected");

/** The golden resource graphs by the name of their file. */
export function goldenGraphs(): Map<string, PolicyResource[]> {
  return new Map(
    readdirSync(EXPECTED)
      .filter((file) => file.endsWith(".json"))
      .sort()
      .map((file) => [path.basename(file, ".json"), read(path.join(EXPECTED, file))]),
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

function read(file: string): PolicyResource[] {
  const resources = JSON.parse(readFileSync(file, "utf8")) as {
    type: string;
    name: string;
    inputs: Record<string, unknown>;
    dependsOn: string[];
  }[];
  return resources.map(({ type, name, inputs, dependsOn }) => ({
    type,
    name,
    props: inputs,
    dependsOn,
  }));
}
