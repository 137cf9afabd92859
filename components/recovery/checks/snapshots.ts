import { shortened } from "../../base/bounded";
import { Refusal } from "../../base/refusal";
import type { SnapshotInfo } from "../../clients/elasticsearch";

/**
 * Refuses a snapshot of another pause: exporting went on since, and what it holds is old, even where as many documents
 * are there now. A name that was used before, by an attempt that no state remembers, brings one.
 */
export function expectOfThisPause({ name, metadata }: SnapshotInfo, pause: string): void {
  if (metadata.pause !== pause) {
    throw new Refusal(
      `snapshot ${shortened(name, 40)} exists already and is not of this pause (attempt ${shortened(String(metadata.attempt ?? "unknown"), 20)}): set failback to a new name`,
    );
  }
}
