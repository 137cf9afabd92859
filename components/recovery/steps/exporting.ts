import * as resources from "../resources";
import type { Step } from "./step";

/**
 * Exporting runs. It owns the undo of a pause that an attempt has left: begun or abandoned, it is asserted. So it is
 * of a failover: what was paused when a region was lost would stay so.
 */
export const exporting: Step = {
  declare({ last, earlier, declaration }, scene, after) {
    const inputs = { exporting: "running", ...last, earlier, declaration };
    scene.made.exporting = new resources.Exporting("exporting", inputs, scene.after(after));
    scene.made.declared.push(scene.made.exporting.declaration);
    return [scene.made.exporting];
  },
};
