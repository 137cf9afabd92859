import { idsOf } from "../../generations";
import * as resources from "../resources";
import { desiredMembership } from "../phase";
import type { Step } from "./step";

/**
 * What this stack has installed must have become a cluster before it is called steady. Looked at once: its
 * record stays, and a preview of a failover shows no deletion. So nothing of a recovery waits for it.
 */
export const health: Step = {
  declare({ settings, shape, recorded }, scene, after) {
    const installed = settings.installation !== undefined;
    if (!installed || (shape !== "steady" && recorded.healthy !== true)) {
      return after;
    }
    const { ids, replicationFactor } = desiredMembership(settings, "steady");
    const inputs = { brokers: idsOf(settings).mapOf(ids), replicationFactor };
    const made = new resources.ClusterHealth("cluster-health", inputs, scene.after(after));
    return shape === "steady" ? [made] : after;
  },
};
