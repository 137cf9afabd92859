import type { ExportTarget } from "./exportTarget";
import { Cluster, ExportingPhase } from "./cluster";
import { ExporterPosition, PartitionLog } from "./log";
import { RegionName } from "../../world";

/** Records that one exporter collects at most. */
const BATCH = 1000;

/** How long after a refusal an exporter tries again. */
const RETRY_MS = 250;

/** Lets the exporters of all leaders collect what they may, and write what they have collected. */
export function pump(
  cluster: Cluster,
  targetOf: (region: RegionName, exporterId: string) => ExportTarget | undefined,
): void {
  const sides = new Set([cluster.sideOf("region0"), cluster.sideOf("region1")]);
  for (const side of sides) {
    for (const [partitionId, leaderId] of side.leaders) {
      const leader = cluster.broker(leaderId);
      const phase = cluster.phaseOf(leader, partitionId);
      const exporters = side.configuration.members
        .get(leaderId)
        ?.partitions.get(partitionId)?.exporters;
      for (const [exporterId, { state }] of exporters ?? []) {
        const { settings } = cluster;
        const region = settings.exportTarget
          ? settings.exportTarget(leader.region, exporterId)
          : settings.exporters[exporterId]?.region;
        if (state !== "ENABLED" || !region) {
          continue;
        }
        const log = cluster.log(partitionId);
        const position = log.exporters.get(exporterId);
        if (!position) {
          continue;
        }
        // A pause stops what is read of the log: what was collected before is still written.
        if (phase !== "PAUSED") {
          collect(log, position);
        }
        if (!settings.exportTarget && cluster.isCut && region !== leader.region) {
          continue;
        }
        const target = targetOf(region, exporterId);
        if (target) {
          flush(target, cluster, log, exporterId, phase);
        }
      }
    }
  }
}

function collect(log: PartitionLog, position: ExporterPosition): void {
  position.collected = Math.min(log.lastPosition, Math.max(position.exported, 0) + BATCH);
}

function flush(
  target: ExportTarget,
  cluster: Cluster,
  log: PartitionLog,
  exporterId: string,
  phase: ExportingPhase,
): void {
  const position = log.exporters.get(exporterId);
  if (!position || position.writing || position.collected <= position.exported) {
    return;
  }
  const now = Date.now();
  position.writesAt ??= now + cluster.settings.bulkDelayMs;
  if (now < position.writesAt) {
    return;
  }
  const records = log.between(position.exported, position.collected);
  const written = (count: number) => {
    position.writing = false;
    position.writesAt = count < records.length ? Date.now() + RETRY_MS : undefined;
    // It was disabled, or enabled from elsewhere, while it wrote.
    if (count === 0 || log.exporters.get(exporterId) !== position) {
      return;
    }
    log.opened.add(exporterId);
    position.exported = records[count - 1]?.position ?? position.exported;
    // A soft pause exports, but does not remember it: a restart exports the same again.
    if (phase !== "SOFT_PAUSED") {
      position.committed = position.exported;
    }
  };
  const count = target.export(records, !log.opened.has(exporterId));
  if (typeof count === "number") {
    written(count);
  } else {
    position.writing = true;
    void count.then(written);
  }
}
