import * as pulumi from "@pulumi/pulumi";

/** A resource: its inputs as outputs, and `record`, known only after the operation. */
export type DynamicResource<Inputs, Seen> = pulumi.CustomResource & {
  readonly [K in keyof Inputs]: pulumi.Output<Inputs[K]>;
} & {
  /** What was done and seen when the state was last verified. */
  readonly record: pulumi.Output<Seen>;
};

/** The class of a resource type. */
export type DynamicResourceClass<Inputs, Seen> = new (
  name: string,
  args: { [K in keyof Inputs]: pulumi.Input<Inputs[K]> },
  options: pulumi.CustomResourceOptions,
) => DynamicResource<Inputs, Seen>;

/**
 * Resources whose logic is in this repository, as Pulumi's dynamic resources, but with a text of our own for what
 * they keep in the state.
 *
 * `pulumi.dynamic.Resource` serializes a provider's functions as the compiler of the day has made them: the
 * text, and with it every resource, would change with TypeScript, with the loader, and with the SDK. Ours
 * is one line that loads providers/load.js when the engine calls. So the state does not change with the
 * code (no `~ __provider` in a preview), a refresh or a destroy runs today's code and not that of the day
 * the resource was created, and the logic is an ordinary module.
 *
 * Consequences: the module's path is kept in the state and must not change without a re-exporting file
 * at the old place; and Pulumi must run in the repository (`main` unset, or the repository's root).
 *
 * @param module the logic: name of a file in providers/, without its extension
 * @param type of the resource, in the module `camunda`
 */
export function dynamicResource<Inputs extends object, Seen = unknown>(
  module: string,
  type: string,
): DynamicResourceClass<Inputs, Seen> {
  return class extends pulumi.CustomResource {
    constructor(name: string, args: object, options: pulumi.CustomResourceOptions) {
      super(
        `pulumi-nodejs:dynamic/camunda:${type}`,
        name,
        { ...args, record: undefined, schema: undefined, __provider: providerText(module) },
        options,
      );
    }
  } as unknown as DynamicResourceClass<Inputs, Seen>;
}

/**
 * What the state keeps of the logic: source of a CommonJS module whose `handler` makes the provider, as the
 * SDK's own process for dynamic resources expects it. Frozen: every edit is a diff of every resource.
 */
export function providerText(module: string): string {
  return `exports.handler = () => require(process.cwd() + "/components/recovery/providers/load.js")("${module}");`;
}
