/* eslint-disable @typescript-eslint/no-require-imports --
   The functions below are serialized: an import would be captured by value, with the whole module. */
import * as pulumi from "@pulumi/pulumi";

/**
 * Makes the dynamic provider of a resource type.
 *
 * What this returns is serialized into Pulumi's state, so it is kept to a stub that captures one string
 * and loads the logic when it is called. So the state does not change with the code (no
 * `~ __provider` in a preview), a refresh or a destroy runs today's code and not that of the day the
 * resource was created, and the logic is an ordinary module with classes and imports, which the
 * serializer would mangle.
 *
 * Consequences: the module's path is kept in the state and must not change without a re-exporting file
 * at the old place; and Pulumi must run in the repository (`main` unset, or the repository's root).
 * This function itself is frozen: every edit of it is a diff of every resource (test/unit/dynamic.test.ts).
 *
 * @param modulePath the logic, relative to the repository: exports `provider`, made by `implement`
 */
export function providerFor(modulePath: string): pulumi.dynamic.ResourceProvider {
  return {
    async configure(request) {
      return require("tsx/cjs/api")
        .require(modulePath, process.cwd() + "/index.ts")
        .provider.configure(request);
    },
    async create(inputs) {
      return require("tsx/cjs/api")
        .require(modulePath, process.cwd() + "/index.ts")
        .provider.create(inputs);
    },
    async update(id, olds, news) {
      return require("tsx/cjs/api")
        .require(modulePath, process.cwd() + "/index.ts")
        .provider.update(id, olds, news);
    },
    async read(id, props) {
      return require("tsx/cjs/api")
        .require(modulePath, process.cwd() + "/index.ts")
        .provider.read(id, props);
    },
    async delete(id, props) {
      return require("tsx/cjs/api")
        .require(modulePath, process.cwd() + "/index.ts")
        .provider.delete(id, props);
    },
  };
}
