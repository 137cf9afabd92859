import { isRecord } from "../base/json";
import type { Settings } from "../settings";
import type { RecordedState } from "../stack/stackState";

/** What a loss or a drain is for the users, and what follows from it (concept page, region loss). */
export interface Loss {
  /** The region that went served the users (`active`), or stood by (`passive`). */
  kind: "active" | "passive";
  /** What is to be done, or what need not be. */
  follows: string[];
}

/**
 * The kind of drain that is declared: the region lives, and what it holds alone stays behind. What the record of the same
 * drain says stays, whatever is configured since.
 */
export function kindOfDrain(settings: Settings, recorded: RecordedState, drain?: string): Loss {
  const last = recorded.recovery?.lastDrain;
  if (isRecord(last) && drain !== undefined && isRecord(last.drain) && last.drain.id === drain) {
    const { kind, follows } = last as unknown as Loss;
    return { kind, follows };
  }
  const { drainRegion, activeRegion, region } = settings;
  return drainRegion === activeRegion
    ? {
        kind: "active",
        follows: [
          `route the users to ${region}, which is the active region now`,
          "batch operations of Operate that have not completed stay behind: create them again",
          "task assignments of Tasklist stay behind: assign the tasks again",
        ],
      }
    : { kind: "passive", follows: [`the users stay with ${region}: nothing to reroute`] };
}

/** The kind of loss that is declared. What the record of the same incident says stays, whatever is configured since. */
export function lossOf(settings: Settings, recorded: RecordedState, incident?: string): Loss {
  const last = recorded.recovery?.lastFailover;
  if (
    isRecord(last) &&
    incident !== undefined &&
    isRecord(last.incident) &&
    last.incident.id === incident &&
    isRecord(last.loss)
  ) {
    return last.loss as unknown as Loss;
  }
  const survivor = settings.region;
  return settings.lostRegion === settings.activeRegion
    ? {
        kind: "active",
        follows: [
          `reroute the users to ${survivor}, which is the active region now`,
          "batch operations of Operate that had not completed are gone: create them again",
          "task assignments of Tasklist are gone: assign the tasks again",
        ],
      }
    : {
        kind: "passive",
        follows: [`the users stay with ${survivor}: nothing to reroute, nothing is lost`],
      };
}
