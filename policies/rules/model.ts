/**
 * Stands for a value that is not known in a preview. A rule lets it pass: the same rule sees the value
 * itself when `up` comes to the resource.
 */
export const UNKNOWN: unique symbol = Symbol("unknown");

/** A resource as a rule sees it: from the policy engine, or from a resource graph of the tests. */
export interface PolicyResource {
  /** Pulumi's token, `aws:s3/bucket:Bucket`. */
  type: string;
  /** Name in the program. */
  name: string;
  /** Inputs, or in a rule on the whole stack outputs; {@link UNKNOWN} where they are not known yet. */
  props: Record<string, unknown>;
  /** Names of the resources that it depends on. */
  dependsOn: readonly string[];
}

/** What a rule knows besides the resources. */
export interface Surroundings {
  /** Address of the state backend, as far as it can be seen. */
  backendUrl: string | undefined;
  /** AWS region that the environment names. */
  defaultAwsRegion: string | undefined;
  /** AWS regions of both regions, as the policy's configuration lists them. */
  awsRegions: readonly string[];
}

/** A rule that is broken. */
export interface Violation {
  /** The resource that breaks it; none when it is the stack as a whole. */
  resource: PolicyResource | undefined;
  /** What is wrong, the rule, and the way out, in one line. */
  message: string;
}

interface RuleBase {
  /** Unique; the key in a policy configuration. */
  name: string;
  /** What must hold, in one sentence. */
  description: string;
  /** `mandatory` stops the run; `advisory` is shown only. */
  level: "mandatory" | "advisory";
}

/** A rule on one resource alone: checked before the resource is made. */
export interface ResourceRule extends RuleBase {
  kind: "resource";
  /** What is wrong with a resource; nothing for one that the rule is not about. */
  check(resource: PolicyResource): string[];
}

/** A rule on resources together: checked at the end of a preview or an `up`. */
export interface StackRule extends RuleBase {
  kind: "stack";
  check(resources: readonly PolicyResource[], surroundings: Surroundings): Violation[];
}

/** A rule of the pack. */
export type Rule = ResourceRule | StackRule;

/** Nothing but the resources: what a test of a graph has. */
export const NO_SURROUNDINGS: Surroundings = {
  backendUrl: undefined,
  defaultAwsRegion: undefined,
  awsRegions: [],
};

/** Runs a rule on a whole graph, without the policy engine. */
export function violationsOf(
  rule: Rule,
  resources: readonly PolicyResource[],
  surroundings: Surroundings = NO_SURROUNDINGS,
): Violation[] {
  return rule.kind === "stack"
    ? rule.check(resources, surroundings)
    : resources.flatMap((resource) =>
        rule.check(resource).map((message) => ({ resource, message })),
      );
}

/** Whether a resource is of an AWS type; of a type with a second version, either. */
export function isAws(resource: PolicyResource, module: string, name: string): boolean {
  const match = /^aws:([\w-]+)\/\w+:(\w+)$/.exec(resource.type);
  return match?.[1] === module && (match[2] === name || match[2] === `${name}V2`);
}

/** A record, or an empty one. */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** A list; one value alone is a list of one, as in policies of IAM. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

/** Whether a value is true; the text `true` counts, as Kubernetes and launch templates write it. */
export function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}

/** Whether a value that must be there is there, or may be when it gets known. */
export function isUnknown(value: unknown): boolean {
  return value === UNKNOWN;
}
