import type { InPause } from "../checks/pauseLimit";
import { ensureReplicas } from "../checks/webApps";
import { implement } from "./behaviour";

/** Inputs of a `WebAppsStop`. */
export interface WebAppsStopInputs extends InPause {
  /** Name of the failback attempt. */
  attempt: string;
}

/**
 * Procedure, failback step 2: Operate and Tasklist of the surviving region write to Elasticsearch
 * themselves, so they stand still while it is snapshotted.
 */
export const provider = implement<WebAppsStopInputs>({
  id: (inputs) => `web-apps-stop-${inputs.attempt}`,
  attempt: (inputs) => inputs.attempt,
  converge: (_inputs, { session, begin }) => ensureReplicas(session, 0, begin),
  async release(_inputs, session) {
    // A stack that is destroyed in the middle of a failback: nothing else would start them again.
    for (const name of Object.values(session.generation.objects.webApps)) {
      const found = await session.kubernetes().deployment(session.namespace(), name);
      if (found?.wanted === 0) {
        await session.kubernetes().scale(session.namespace(), name, 1);
      }
    }
  },
});
