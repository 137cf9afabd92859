import { ensureExporting } from "../checks/phases";
import { catchUp } from "../checks/records";
import { awaitWritten } from "../checks/written";
import { implement } from "./behaviour";

/** Inputs of an `ExportResume`. */
export interface ExportResumeInputs {
  /** Name of the failback attempt. */
  attempt: string;
}

/**
 * Procedure, failback step 6: resume exporting, then prove that the recreated Elasticsearch misses no
 * record. The procedure knows no check here; an exporter that was enabled without `initializeFrom` shows
 * nowhere else.
 */
export const provider = implement<ExportResumeInputs>({
  id: (inputs) => `export-resume-${inputs.attempt}`,
  attempt: (inputs) => inputs.attempt,
  async converge(_inputs, { session, begin }) {
    const { resumed, look } = await ensureExporting(session, begin);
    const seconds = session.settings.timeouts.catchUp;
    // Before they have, neither Elasticsearch has the records of the pause, and to compare them would prove nothing.
    await awaitWritten(session, seconds, look);
    return {
      how: resumed ? "done" : "already true",
      observed: {
        exporterPhase: "EXPORTING",
        ...(await catchUp(session, seconds)),
      },
    };
  },
});
