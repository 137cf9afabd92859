import type { RegionName } from "../camunda/brokers";

/** Beginning of the name of every snapshot that a failback takes: what begins so is ours. */
export const SNAPSHOT_PREFIX = "failback-";

/**
 * Name of the snapshot of an attempt. Elasticsearch wants lower case. The attempt is in it, so that the
 * snapshot of an abandoned attempt is never taken for that of the next.
 */
export function snapshotName(lostRegion: RegionName, attempt: string): string {
  return `${SNAPSHOT_PREFIX}${lostRegion}-${attempt.toLowerCase()}`;
}

/** The indices that Zeebe's exporter writes, and whose documents carry a position. */
export const RECORDS = "zeebe-record*";
