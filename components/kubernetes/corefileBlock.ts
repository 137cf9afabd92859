import * as pulumi from "@pulumi/pulumi";
import { providerFor } from "../recovery/dynamic";
import type { CorefileBlockInputs } from "../recovery/providers/corefileBlock";

const provider = providerFor("./components/recovery/providers/corefileBlock.ts");

/**
 * Our block in the Corefile of a cluster whose DNS is not ours, between two marks. What others have in it
 * stays. Deleting it takes the block out; a refresh shows what somebody has changed of it.
 */
export class CorefileBlock extends pulumi.dynamic.Resource {
  declare readonly block: pulumi.Output<string>;

  constructor(
    name: string,
    args: { [K in keyof CorefileBlockInputs]: pulumi.Input<CorefileBlockInputs[K]> },
    options: pulumi.CustomResourceOptions,
  ) {
    super(
      provider,
      name,
      { ...args, record: undefined, schema: undefined },
      options,
      "camunda",
      "CorefileBlock",
    );
  }
}
