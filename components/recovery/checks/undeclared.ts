import { shortened } from "../../base/bounded";
import { REGIONS } from "../../base/brokers";
import { Configuration, exporterIds, exporterStates } from "../../clients/topology";
import type { Session } from "../session";
import { byHand } from "./byHand";

/**
 * The exporters that are enabled and in no list of the configuration. A recovery does not touch them: where one writes
 * nobody has said. One that wrote to the lost region comes no further, and then no log is compacted.
 */
export function undeclaredExporters(configuration: Configuration, { settings }: Session): string[] {
  const declared = REGIONS.flatMap((region) => settings.exporters[region]);
  return exporterIds(configuration).filter(
    (id) => !declared.includes(id) && exporterStates(configuration, id).includes("ENABLED"),
  );
}

/** What an operator is to know of each of them while the other region is lost, a line each. */
export function undeclaredWarnings(configuration: Configuration, session: Session): string[] {
  const { generation, settings } = session;
  return undeclaredExporters(configuration, session).map((id) => {
    const disabling = byHand(session, "POST", generation.cluster.disableExporter(id).path);
    return `exporter ${shortened(id, 25)} is enabled, but not in exporters: if it writes to ${settings.peer}, the brokers' disks fill; declare it, or disable it: ${disabling}`;
  });
}
