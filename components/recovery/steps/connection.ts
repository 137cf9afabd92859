import * as resources from "../resources";
import type { Step } from "./step";

/**
 * Where the network is ours: the fence is closed, or open, proved from inside a pod before anything else. A drain needs
 * no proof, and while it lasts the region may be away: what was proved before stays as it is.
 */
export const connection: Step = {
  says({ settings, shape, lost }) {
    if (settings.installation === undefined || shape === "drained") {
      return undefined;
    }
    return shape === "failed-over"
      ? `close the fence to ${lost}, and prove it from inside a pod`
      : `open the fence to ${lost}, and reach it from inside a pod`;
  },
  declare({ settings, shape, declaration }, scene, after) {
    if (settings.installation === undefined) {
      return after;
    }
    const state = shape === "failed-over" ? "cut" : "open";
    const inputs = { state, declaration } as const;
    const drained = shape === "drained";
    const made = new resources.PeerConnection("peer-connection", inputs, {
      ...scene.after(after),
      ...(drained ? { ignoreChanges: ["declaration"] } : {}),
    });
    if (!drained) {
      scene.made.declared.push(made.declaration);
    }
    return [made];
  },
};
