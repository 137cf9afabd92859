import type { PolicyResource, Surroundings } from "../../../policies/rules/model";

/** Graphs that break a rule, each with the line that says so, and graphs that keep it. */
export interface RuleCases {
  breaks: [
    what: string,
    graph: PolicyResource[],
    message: RegExp,
    around?: Partial<Surroundings>,
  ][];
  keeps: [what: string, graph: PolicyResource[], around?: Partial<Surroundings>][];
}

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

export const arn = "arn:aws:s3:::camunda-backup";
export const root = { AWS: "arn:aws:iam::123456789012:root" };
export const cluster = (props: Record<string, unknown>) =>
  resource("aws:eks/cluster:Cluster", props);
