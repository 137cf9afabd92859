import type { InPause } from "../checks/pauseLimit";
import { ensureReplicas, webAppsOf } from "../checks/webApps";
import { implement } from "./behaviour";

/** Inputs of `WebApps`. */
export interface WebAppsInputs extends InPause {
  /** Pods of Operate and of Tasklist in this stack's region: 1. More would import records twice. */
  replicas: number;
  /** The last failback attempt, as `Exporting` has it. */
  attempt: string;
  /** Whether that attempt was abandoned. */
  abandoned: boolean;
}

/**
 * Operate and Tasklist of this stack's region run. It owns the undo of the failback's stop: its `attempt`
 * changes when an attempt begins and when one is abandoned, and its update scales them back.
 */
export const provider = implement<WebAppsInputs>({
  id: () => "web-apps",
  converge: (inputs, { session, begin }) => ensureReplicas(session, inputs.replicas, begin),
  async live(inputs, session) {
    for (const name of webAppsOf(session)) {
      const found = await session.kubernetes().deployment(session.namespace(), name);
      if (found?.wanted !== inputs.replicas) {
        return { ...inputs, replicas: found?.wanted ?? 0 };
      }
    }
    return inputs;
  },
});
