import { distinct, ensureExporting, readPhases } from "../checks/phases";
import { implement } from "./behaviour";

/** Inputs of `Exporting`. */
export interface ExportingInputs {
  /** `running`: every broker exports every partition. */
  exporting: string;
  /**
   * The last failback attempt. Changes, or `abandoned` does, whenever an attempt begins or is
   * abandoned, so that an update asserts the live state then: a pause that an interrupted run has left
   * is in no state at all.
   */
  attempt: string;
  /** Whether that attempt was abandoned. */
  abandoned: boolean;
}

export const provider = implement<ExportingInputs>({
  id: () => "exporting",
  async converge(_inputs, { session, begin }) {
    const { resumed, phases } = await ensureExporting(session, begin);
    return {
      how: resumed ? "done" : "already true",
      observed: { brokers: [...phases.keys()], exporterPhase: "EXPORTING" },
    };
  },
  async live(inputs, session) {
    // The brokers of this region hold a replica of every partition, and a pause reaches every broker:
    // so they show it, and a refresh does not need the other region.
    const found = distinct(await readPhases(session, session.own));
    const running = found.length === 1 && found[0] === "EXPORTING";
    // Brokers without a partition say nothing: that is not running.
    const otherwise = found.length === 0 ? "unknown" : found.join("/").toLowerCase();
    return { ...inputs, exporting: running ? "running" : otherwise };
  },
});
