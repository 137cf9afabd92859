import type { RegionName } from "../base/brokers";

/**
 * Beginning of the name of every snapshot that a failback to a region takes. What a cluster has restored
 * from one is this region's copy; the survivor's own data came from elsewhere, if from a snapshot at all.
 */
export function snapshotPrefix(lostRegion: RegionName): string {
  return `failback-${lostRegion}-`;
}

/**
 * Name of the snapshot of an attempt. Elasticsearch wants lower case. The attempt is in it, so that the
 * snapshot of an abandoned attempt is never taken for that of the next.
 */
export function snapshotName(lostRegion: RegionName, attempt: string): string {
  return `${snapshotPrefix(lostRegion)}${attempt.toLowerCase()}`;
}

/** What a failback ends, for a line: `incident region1-2026-11-21T12:45:22.198Z`, or the same of a drain. */
export function nameOf({ incident, drain }: { incident?: string; drain?: string }): string {
  return drain === undefined ? `incident ${incident ?? "unknown"}` : `drain ${drain}`;
}
