import { shortened } from "../../base/bounded";
import { Refusal } from "../../base/refusal";
import { limited } from "../../clients/poll";
import type { Session } from "../session";
import { byHand } from "./byHand";
import { ensureExporting, forgetPhases } from "./phases";

/** Of a step between the pause of exporting and its resume. */
export interface InPause {
  /**
   * When the pause began, ISO 8601, by the record of its step: whichever run the step is of, `exportPauseLimit` counts
   * from there. Absent where exporting is not paused.
   */
  pausedAt?: string;
}

/**
 * Does what must be done while exporting is paused, within what is left of `exportPauseLimit`. Past it exporting is
 * resumed, whatever was on its way, and the attempt is spent: what was exported since is in no snapshot of it.
 *
 * @param cameAbout asked past the limit, whether all is done but to resume: then the work only has to find it so
 * @throws {@link Refusal} past the limit
 */
export async function withinPause<T>(
  session: Session,
  { pausedAt }: InPause,
  work: () => Promise<T>,
  cameAbout?: () => Promise<boolean>,
): Promise<T> {
  if (pausedAt === undefined) {
    return work();
  }
  const { exportPauseLimit, failback = "" } = session.settings;
  const until = Date.parse(pausedAt) + exportPauseLimit * 1000;
  if (Date.now() < until) {
    try {
      return await limited(until, work);
    } catch (error) {
      if (Date.now() < until) {
        throw error;
      }
      session.log(`past exportPauseLimit (${exportPauseLimit} s): ${(error as Error).message}`);
    }
  }
  // What nothing answers is not known to be done.
  if (await cameAbout?.().catch(() => false)) {
    return work();
  }
  forgetPhases(session);
  await ensureExporting(session, () => undefined).catch((error: Error) => {
    throw new Refusal(
      `exportPauseLimit has passed, and resuming exporting failed (${error.message}); resume it by hand: ${byHand(session, "POST", session.generation.exporting.resume.path)}`,
    );
  });
  throw new Refusal(
    `attempt ${shortened(failback, 25)} is past exportPauseLimit (${exportPauseLimit} s), exporting runs again: remove failback, or set a new name and a larger limit`,
  );
}
