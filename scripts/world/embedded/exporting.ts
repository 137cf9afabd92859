import { Cluster } from "./cluster";
import { LogRecord } from "./log";
import { RegionName } from "../world";
import { SearchStore } from "./searchStore";

/** Records that one exporter writes in one go. */
const batch = 1000;

/** Writes what the leaders of all partitions can export at the moment. */
export function pump(
  cluster: Cluster,
  searchOf: (region: RegionName) => SearchStore | undefined,
): void {
  const sides = new Set([cluster.sideOf("region0"), cluster.sideOf("region1")]);
  for (const side of sides) {
    for (const [partitionId, leaderId] of side.leaders) {
      const leader = cluster.broker(leaderId);
      const phase = cluster.phaseOf(leader, partitionId);
      if (phase === "PAUSED") continue;
      const exporters = side.configuration.members
        .get(leaderId)
        ?.partitions.get(partitionId)?.exporters;
      for (const [exporterId, { state }] of exporters ?? []) {
        const { settings } = cluster;
        const region = settings.exportTarget
          ? settings.exportTarget(leader.region, exporterId)
          : settings.exporters[exporterId]?.region;
        if (state !== "ENABLED" || !region) continue;
        if (!settings.exportTarget && cluster.isCut && region !== leader.region) continue;
        const search = searchOf(region);
        if (search) exportTo(search, cluster, partitionId, exporterId, phase === "EXPORTING");
      }
    }
  }
}

function exportTo(
  search: SearchStore,
  cluster: Cluster,
  partitionId: number,
  exporterId: string,
  commits: boolean,
): void {
  const log = cluster.log(partitionId);
  const position = log.exporters.get(exporterId);
  if (!position) return;
  const records = log.after(position.exported).slice(0, batch);
  if (records.length === 0) return;
  const now = Date.now();
  position.writesAt ??= now + cluster.settings.bulkDelayMs;
  if (now < position.writesAt) return;
  position.writesAt = undefined;
  if (!log.opened.has(exporterId)) {
    search.createTemplates();
    log.opened.add(exporterId);
  }
  const refused = records.findIndex(
    (record: LogRecord) => !search.write(record.index, record.id, { ...record.source }),
  );
  const written = refused === -1 ? records : records.slice(0, refused);
  position.exported = written.at(-1)?.position ?? position.exported;
  // A soft pause exports, but does not remember it: a restart exports the same again.
  if (commits) position.committed = position.exported;
}
