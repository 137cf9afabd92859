import { randomUUID } from "node:crypto";
import { brokerList } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import { waitFor } from "../../clients/poll";
import { byHand } from "../checks/byHand";
import { documentCount } from "../checks/documents";
import {
  allAre,
  awaitPhase,
  distinct,
  ensureExporting,
  exportedPositions,
  Look,
  lookAtAll,
  requestPhase,
  unasked,
} from "../checks/phases";
import { withinPause } from "../checks/pauseLimit";
import type { Session } from "../session";
import { implement, Outcome } from "./behaviour";

/** Inputs of an `ExportPause`. */
export interface ExportPauseInputs {
  /** Name of the failback attempt. */
  attempt: string;
  /**
   * When the gate of this attempt began, ISO 8601. A pause that is found, of which a run that was killed has left no
   * record, counts from then.
   */
  gateAt: string;
}

/** Procedure, failback step 2: pause exporting, so that the snapshot holds all that was exported. */
export const provider = implement<ExportPauseInputs>({
  id: (inputs) => `export-pause-${inputs.attempt}`,
  attempt: (inputs) => inputs.attempt,
  async converge({ gateAt }, { session, begin }) {
    const found = await lookAtAll(session);
    const paused = distinct(found.phases).includes("PAUSED");
    const pausedAt = paused ? gateAt : new Date().toISOString();
    const outcome = await withinPause(session, { pausedAt }, () => pause(session, found, begin));
    // By the record the steps that follow, of whichever run, know since when.
    const seconds = Math.round((Date.now() - Date.parse(pausedAt)) / 100) / 10;
    return { ...outcome, startedAt: pausedAt, seconds };
  },
  async release(_inputs, session) {
    await ensureExporting(session, () => session.log("exporting was still paused"));
  },
});

async function pause(session: Session, found: Look, begin: () => void): Promise<Outcome> {
  if (allAre("PAUSED", found, session)) {
    return { how: "already true", observed: await verify(session, found) };
  }
  begin();
  if (distinct(found.phases).includes("SOFT_PAUSED")) {
    // A hard pause on top of a soft one has corrupted the brokers' pause file (camunda/camunda#55838).
    await ensureExporting(session, begin);
  }
  session.log(`pausing exporting on ${brokerList([...found.replicas.keys()])}`);
  try {
    await requestPhase(session, "PAUSED", () => session.zeebe.pauseExporting());
    return { how: "done", observed: await verify(session, unasked(found)) };
  } catch (error) {
    // Half a pause is worse than none: some partitions would go on exporting into the snapshot.
    session.log(`the pause failed (${(error as Error).message}): resuming exporting`);
    await ensureExporting(session, begin).catch((second: Error) => {
      throw new Refusal(
        `the pause failed, and resuming exporting too (${second.message}); resume it by hand: ${byHand(session, "POST", session.generation.exporting.resume.path)}`,
      );
    });
    throw error;
  }
}

/**
 * Paused on every replica, and the exporters have written what they had collected until then. The `pause` of the record
 * names this very pause: a snapshot carries it, and one of any other pause is none of this attempt's. A run that was
 * killed before the record was written has taken no snapshot, and names the pause anew.
 */
async function verify(session: Session, found: Look): Promise<Record<string, unknown>> {
  const { phases } = await awaitPhase(session, "PAUSED", found);
  const records = await awaitSettled(session);
  return {
    pause: randomUUID(),
    exporterPhase: "PAUSED",
    exported: exportedPositions(phases),
    records,
  };
}

/** Waits until the surviving Elasticsearch has held the same number of records for a while. */
async function awaitSettled(session: Session): Promise<number> {
  const { exporting, settle } = session.settings.timeouts;
  const elasticsearch = session.elasticsearch(session.settings.region);
  let last = { records: -1, since: 0 };
  return waitFor(
    `the exporters to have written all for ${settle} s`,
    exporting + settle,
    session.log,
    async () => {
      const records = documentCount(await elasticsearch.indices.documents([session.records]));
      if (records !== last.records) {
        last = { records, since: performance.now() };
      }
      const left = last.since + settle * 1000 - performance.now();
      return left <= 0
        ? { done: true, value: records }
        : {
            done: false,
            seen: `${records} records, unchanged for less than ${settle} s`,
            againMs: left,
          };
    },
  );
}
