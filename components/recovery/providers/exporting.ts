import type { Declaration } from "../../base/declaration";
import { asked } from "../../clients/poll";
import { allAre, distinct, ensureExporting, lookOnce } from "../checks/phases";
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
  /** What is declared, as `BrokerMembership` has it: each declaration is verified anew. */
  declaration: Declaration;
  /** The names of the attempts before it: the state is what remembers them. */
  earlier: string[];
}

export const provider = implement<ExportingInputs>({
  id: () => "exporting",
  async converge(_inputs, { session, begin }) {
    const { resumed, look } = await ensureExporting(session, begin);
    return {
      how: resumed ? "done" : "already true",
      observed: { brokers: [...look.phases.keys()], exporterPhase: "EXPORTING" },
    };
  },
  async live(inputs, session) {
    // The brokers of this region hold a replica of every partition, and a pause reaches every broker:
    // so they show it, and a refresh does not need the other region.
    const look = await asked("whether exporting runs", session.log, () =>
      lookOnce(session, session.own),
    );
    if (allAre("EXPORTING", look, session)) {
      return { ...inputs, exporting: "running" };
    }
    const paused = distinct(look.phases).filter((phase) => phase !== "EXPORTING");
    // What is not reported is not known to run.
    return { ...inputs, exporting: paused.join("/").toLowerCase() || "unknown" };
  },
});
