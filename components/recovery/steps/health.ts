import { idsOf } from "../../generations";
import * as resources from "../resources";
import { desiredMembership } from "../phase";
import type { Step } from "./step";

/**
 * What this stack has installed must have become a cluster before it is called steady, and be one again after an
 * upgrade. Looked at then only: its record stays, and a preview of a failover shows no deletion. So nothing of a
 * recovery waits for it.
 */
export const health: Step = {
  declare({ settings, shape, recorded }, scene, after) {
    const { verified } = recorded.camunda ?? {};
    if (settings.installation === undefined || (shape !== "steady" && verified === undefined)) {
      return after;
    }
    const { ids, replicationFactor } = desiredMembership(settings, "steady");
    // While a region is out it is what it was: to look again would be to wait for that region.
    const camundaVersion = (shape === "steady" ? undefined : verified) ?? settings.camundaVersion;
    const inputs = { brokers: idsOf(settings).mapOf(ids), replicationFactor, camundaVersion };
    const made = new resources.ClusterHealth("cluster-health", inputs, scene.after(after));
    return shape === "steady" ? [made] : after;
  },
};
