import {
  Policies,
  PolicyPack,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import { RULES } from "./rules";
import { PolicyResource, ResourceRule, StackRule, Surroundings, UNKNOWN } from "./rules/model";

/** Reads through the engine's proxy, which throws at what a preview does not know yet. */
function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const read = (key: string | number): unknown => {
    try {
      return plain((value as Record<string | number, unknown>)[key]);
    } catch (error) {
      if (error instanceof Error && error.constructor.name === "UnknownValueError") {
        return UNKNOWN;
      }
      throw error;
    }
  };
  return Array.isArray(value)
    ? Array.from({ length: value.length }, (_, index) => read(index))
    : Object.fromEntries(Object.keys(value).map((key) => [key, read(key)]));
}

function resourcePolicy(rule: ResourceRule): ResourceValidationPolicy {
  return {
    name: rule.name,
    description: rule.description,
    enforcementLevel: rule.level,
    validateResource: ({ type, name, props }, report) => {
      const resource: PolicyResource = {
        type,
        name,
        props: plain(props) as Record<string, unknown>,
        dependsOn: [],
      };
      rule.check(resource).forEach((message) => report(message));
    },
  };
}

function stackPolicy(rule: StackRule): StackValidationPolicy {
  return {
    name: rule.name,
    description: rule.description,
    enforcementLevel: rule.level,
    configSchema: {
      properties: { awsRegions: { type: "array", items: { type: "string" }, default: [] } },
    },
    validateStack: (args, report) => {
      const resources = args.resources.map(
        ({ type, name, props, dependencies }): PolicyResource => ({
          type,
          name,
          props: plain(props) as Record<string, unknown>,
          dependsOn: dependencies.map((dependency) => dependency.name),
        }),
      );
      const surroundings: Surroundings = {
        // Where a login has set the backend instead, the engine does not tell a policy.
        backendUrl: process.env.PULUMI_BACKEND_URL,
        defaultAwsRegion: process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION,
        awsRegions: args.getConfig<{ awsRegions?: string[] }>().awsRegions ?? [],
      };
      const urns = new Map(
        resources.map((resource, index) => [resource, args.resources[index]?.urn]),
      );
      for (const { resource, message } of rule.check(resources, surroundings)) {
        report(message, resource && urns.get(resource));
      }
    },
  };
}

const policies: Policies = RULES.map((rule) =>
  rule.kind === "resource" ? resourcePolicy(rule) : stackPolicy(rule),
);

new PolicyPack("camunda-dual-region", { policies });
