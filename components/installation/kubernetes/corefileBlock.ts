import { dynamicResource } from "../../base/dynamic";

/** Inputs of a {@link CorefileBlock}. */
export interface CorefileBlockInputs {
  /** Our server block in the Corefile. */
  block: string;
}

/**
 * Our block in the Corefile of a cluster whose DNS is not ours, between two marks. What others have in it
 * stays. Deleting it takes the block out; a refresh shows what somebody has changed of it.
 */
export const CorefileBlock = dynamicResource<CorefileBlockInputs>("corefileBlock", "CorefileBlock");
