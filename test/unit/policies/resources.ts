import type { PolicyResource } from "../../../policies/rules/model";

/** A resource of a graph, with what a rule looks at. */
export function resource(
  type: string,
  props: Record<string, unknown>,
  name = "it",
  dependsOn: string[] = [],
): PolicyResource {
  return { type, name, props, dependsOn };
}

/** A policy document with these statements, as JSON. */
export function document(...statements: Record<string, unknown>[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

/** Type of a resource of this program. */
export function dynamic(type: string): string {
  return `pulumi-nodejs:dynamic/camunda:${type}`;
}
