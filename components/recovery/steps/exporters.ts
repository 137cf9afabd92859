import type * as pulumi from "@pulumi/pulumi";
import { peerOf, RegionName } from "../../base/brokers";
import * as resources from "../resources";
import type { Step } from "./step";

/**
 * Failover: the exporter of the lost region is disabled. Failback: it is enabled, from the position of the
 * survivor's, whose own exporter a recovery never touches, but looks at: without it nothing is exported.
 */
export const exporters: Step = {
  says({ settings, shape, lost, survivor }) {
    const ids = settings.exporters;
    return shape === "failed-over"
      ? `disable exporter ${ids[lost]} in every partition`
      : `enable exporter ${ids[lost]}, initialised from ${ids[survivor]}`;
  },
  declare({ settings, shape, lost, survivor, declaration }, scene, after) {
    const declared = (region: RegionName, first: pulumi.Resource[]) =>
      new resources.Exporter(
        `exporter-${region}`,
        {
          exporters: {
            [settings.exporters[region]]:
              shape === "failed-over" && region === lost ? "DISABLED" : "ENABLED",
          },
          region,
          initializeFrom: settings.exporters[peerOf(region)],
          declaration,
        },
        scene.after(first),
      );
    // The survivor's first: found disabled, it goes on where the lost region's is, as long as that one is enabled.
    const own = declared(survivor, after);
    const other = declared(lost, [...after, own]);
    scene.made.exporters = { [survivor]: own, [lost]: other } as Record<
      RegionName,
      resources.Exporter
    >;
    scene.made.declared.push(own.declaration, other.declaration);
    return [own, other];
  },
};
