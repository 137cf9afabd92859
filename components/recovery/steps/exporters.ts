import { peerOf, RegionName } from "../../base/brokers";
import * as resources from "../resources";
import type { Step } from "./step";

/**
 * Failover: the exporter of the lost region is disabled. Failback: it is enabled, from the position of the
 * survivor's, whose own exporter a recovery never touches.
 */
export const exporters: Step = {
  says({ settings, shape, lost, survivor }) {
    const ids = settings.exporters;
    return shape === "failed-over"
      ? `disable exporter ${ids[lost]} in every partition`
      : `enable exporter ${ids[lost]}, initialised from ${ids[survivor]}`;
  },
  declare({ settings, shape, lost, declaration }, scene, after) {
    const declared = (region: RegionName) =>
      new resources.Exporter(
        `exporter-${region}`,
        {
          exporters: {
            [settings.exporters[region]]:
              shape === "failed-over" && region === lost ? "DISABLED" : "ENABLED",
          },
          region,
          initializeFrom: settings.exporters[peerOf(region)],
          ...(region === lost ? { declaration } : {}),
        },
        scene.after(after),
      );
    const { region0, region1 } = (scene.made.exporters = {
      region0: declared("region0"),
      region1: declared("region1"),
    });
    return [region0, region1];
  },
};
