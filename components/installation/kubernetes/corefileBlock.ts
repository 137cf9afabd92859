import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../recovery/dynamic";
import type { CorefileBlockInputs } from "../../recovery/providers/corefileBlock";

/**
 * Our block in the Corefile of a cluster whose DNS is not ours, between two marks. What others have in it
 * stays. Deleting it takes the block out; a refresh shows what somebody has changed of it.
 */
export class CorefileBlock extends DynamicResource {
  declare readonly block: pulumi.Output<string>;

  constructor(
    name: string,
    args: { [K in keyof CorefileBlockInputs]: pulumi.Input<CorefileBlockInputs[K]> },
    options: pulumi.CustomResourceOptions,
  ) {
    super("corefileBlock", "CorefileBlock", name, args, options);
  }
}
