import type * as pulumi from "@pulumi/pulumi";
import { peerOf, RegionName } from "../../base/brokers";
import type { Settings } from "../../settings";
import { leavesOut } from "../phase";
import * as resources from "../resources";
import { inPause, Step } from "./step";

/** The exporters of a region, each with the other region's whose position it takes over: by its place in the list. */
function sourcesOf({ exporters }: Settings, region: RegionName): [id: string, source: string][] {
  const sources = exporters[peerOf(region)];
  return exporters[region].map((id, place) => [id, sources[place] ?? ""]);
}

/**
 * Failover and drain: the exporters of the other region are disabled. Failback: they are enabled, from the positions of the
 * survivor's, whose own exporters a recovery never touches, but looks at: without them nothing is exported.
 */
export const exporters: Step = {
  says({ settings, shape, lost }) {
    const ids = settings.exporters[lost];
    return leavesOut(shape)
      ? `disable exporter${ids.length > 1 ? "s" : ""} ${ids.join(", ")} in every partition`
      : sourcesOf(settings, lost)
          .map(([id, source]) => `enable exporter ${id}, initialised from ${source}`)
          .join("; ");
  },
  declare({ settings, shape, lost, survivor, declaration }, scene, after) {
    const declared = (region: RegionName, first: pulumi.Resource[]) => {
      const sources = sourcesOf(settings, region);
      const state = leavesOut(shape) && region === lost ? "DISABLED" : "ENABLED";
      return new resources.Exporter(
        `exporter-${region}`,
        {
          exporters: Object.fromEntries(sources.map(([id]) => [id, state])),
          region,
          initializeFrom: Object.fromEntries(sources),
          declaration,
          ...inPause(scene),
        },
        scene.after(first),
      );
    };
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
