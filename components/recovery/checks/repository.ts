import { listed, shortened } from "../../base/bounded";
import type { RegionName } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import type { Repository } from "../../clients/elasticsearch";
import type { Session } from "../session";

/**
 * A repository of that name which points elsewhere is somebody's: registering over it would hide their backups.
 * But one that is read-only has none of this cluster's: it is left of a failback that went the other way, and
 * points to where the other region's Elasticsearch wrote then.
 *
 * @returns what it has otherwise than the configuration, in words
 */
export function refuseForeign(
  session: Session,
  region: RegionName,
  existing: Repository | undefined,
): string[] {
  const { name, type, settings } = session.settings.repository;
  if (existing === undefined) {
    return [];
  }
  const differing = Object.entries(settings)
    .filter(([key, value]) => key !== "readonly" && existing.settings[key] !== String(value))
    .map(
      ([key, value]) => `${key} is ${existing.settings[key] ?? "not set"}, not ${String(value)}`,
    );
  if (existing.type !== type) {
    differing.unshift(`type is ${existing.type}, not ${type}`);
  }
  if (differing.length > 0 && existing.settings.readonly !== "true") {
    throw new Refusal(
      `repository ${name} in ${region} has other settings (${shortened(listed(differing), 38)}): give snapshotRepository another name`,
    );
  }
  return differing;
}
