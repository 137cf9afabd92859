import * as resources from "../resources";
import type { Step } from "./step";

/** Exporting runs. It owns the undo of a pause that an attempt has left: begun or abandoned, it is asserted. */
export const exporting: Step = {
  declare({ last }, scene, after) {
    const inputs = { exporting: "running", ...last };
    scene.made.exporting = new resources.Exporting("exporting", inputs, scene.after(after));
    return [scene.made.exporting];
  },
};
