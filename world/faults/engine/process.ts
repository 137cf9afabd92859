/* What the forked process runs: one `up` after the other, as it is told. */
import { Ended, PlayedEngine, Run } from "./playedEngine";
import type { Checkpoint } from "./state";

/** What the process says. */
export type Said = { checkpoint: Checkpoint } | { ended: Ended } | { crashed: string };

const say = (said: Said) => process.send?.(said);

for (const event of ["unhandledRejection", "uncaughtException"] as const) {
  process.on(event, (error: unknown) => {
    say({ crashed: String(error instanceof Error ? error.stack : error) });
  });
}

process.on("message", (run: Run) => {
  PlayedEngine.up(run, (checkpoint) => say({ checkpoint })).then(
    (ended) => say({ ended }),
    (error: unknown) => say({ crashed: String(error instanceof Error ? error.stack : error) }),
  );
});
process.on("disconnect", () => process.exit());
