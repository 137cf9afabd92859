import * as pulumi from "@pulumi/pulumi";

/**
 * What a user has to put right: the engine shows the message and nothing else.
 *
 * It has no stack. The engine's program formats every error that ends it with `util.inspect`, though it
 * shows a `RunError` by its message, and Node 20 needs minutes for a stack with the path of a scoped
 * package in it, as every stack below `@pulumi/pulumi` has.
 */
export class UserError extends pulumi.RunError {
  constructor(message: string) {
    super(message);
    this.stack = "";
  }
}
