import * as pulumi from "@pulumi/pulumi";

/**
 * A resource whose logic is in this repository, as Pulumi's dynamic resources, but with a text of our own for what
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
 */
export abstract class DynamicResource extends pulumi.CustomResource {
  /**
   * @param module the logic: name of a file in providers/, without its extension
   * @param type of the resource, in the module `camunda`
   */
  constructor(
    module: string,
    type: string,
    name: string,
    inputs: object,
    options: pulumi.CustomResourceOptions,
  ) {
    super(
      `pulumi-nodejs:dynamic/camunda:${type}`,
      name,
      { ...inputs, record: undefined, schema: undefined, __provider: providerText(module) },
      options,
    );
  }
}

/**
 * What the state keeps of the logic: source of a CommonJS module whose `handler` makes the provider, as the
 * SDK's own process for dynamic resources expects it. Frozen: every edit is a diff of every resource.
 */
export function providerText(module: string): string {
  return `exports.handler = () => require(process.cwd() + "/components/recovery/providers/load.js")("${module}");`;
}
