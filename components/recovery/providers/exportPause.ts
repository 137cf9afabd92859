import { named } from "../../camunda/brokers";
import { implement } from "./behaviour";
import { Refusal } from "./session";
import {
  awaitPhase,
  distinct,
  ensureExporting,
  exportedPositions,
  members,
  readPhases,
  requestPhase,
} from "./phases";

/** Inputs of an `ExportPause`. */
export interface ExportPauseInputs {
  /** Name of the failback attempt. */
  attempt: string;
}

/** Procedure, failback step 2: pause exporting, so that the snapshot holds all that was exported. */
export const provider = implement<ExportPauseInputs>({
  id: (inputs) => `export-pause-${inputs.attempt}`,
  attempt: (inputs) => inputs.attempt,
  async converge(_inputs, { session, begin }) {
    const brokers = await members(session);
    const before = distinct(await readPhases(session, brokers));
    if (before.length === 1 && before[0] === "PAUSED") {
      const phases = await awaitPhase(session, brokers, "PAUSED");
      return {
        how: "already true",
        observed: { exporterPhase: "PAUSED", exported: exportedPositions(phases) },
      };
    }
    begin();
    if (before.includes("SOFT_PAUSED")) {
      // A hard pause on top of a soft one has corrupted the brokers' pause file (camunda/camunda#55838).
      await ensureExporting(session, begin);
    }
    session.log(`pausing exporting on ${named(brokers)}`);
    try {
      await requestPhase(session, brokers, "PAUSED", () => session.zeebe.pauseExporting());
      const phases = await awaitPhase(session, brokers, "PAUSED");
      return {
        how: "done",
        observed: { exporterPhase: "PAUSED", exported: exportedPositions(phases) },
      };
    } catch (error) {
      // Half a pause is worse than none: some partitions would go on exporting into the snapshot.
      session.log("the pause failed: resuming exporting");
      await ensureExporting(session, begin).catch((second: Error) => {
        throw new Refusal(
          `${(error as Error).message}; and resuming exporting failed too: ${second.message}; resume it by hand: curl -X POST ${session.zeebe.endpoints.management}/actuator/exporting/resume`,
        );
      });
      throw error;
    }
  },
  async release(_inputs, session) {
    await ensureExporting(session, () => session.log("exporting was still paused"));
  },
});
