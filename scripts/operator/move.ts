import { Stop } from "../commandLine";
import { confirmed, say } from "./console";
import type { Interrupt } from "./interrupt";
import { Locked, RegionStack, RunOptions } from "./stack";

/** One move of a recovery: a change of the configuration, and the `up` that makes it true. */
export interface Move {
  /** What it does, for the person: `fail over from region1`. */
  title: string;
  /** Keys to set, or to remove (undefined). */
  config: Record<string, string | undefined>;
  /** How to take the declaration back after an `up` that has failed, when there is a way. */
  withdraw?: string;
}

/** How the moves are made. */
export interface MoveOptions extends RunOptions {
  yes: boolean;
  /** The command that was given, to be given again. */
  again: string;
}

/**
 * Makes a move as a careful person would: clear what a killed run has left, declare, look at the preview,
 * ask, `up`. Nothing stays declared that was not begun.
 *
 * @returns the outputs of the stack
 */
export async function make(
  move: Move,
  stack: RegionStack,
  options: MoveOptions,
  interrupt: Interrupt,
): Promise<Record<string, unknown>> {
  say(`${move.title}, on stack ${stack.name}`);
  await stack.clearLeftovers();
  const takeBack = await stack.configure(move.config);
  try {
    await agree(stack, options, interrupt);
  } catch (error) {
    await takeBack();
    throw error;
  }
  try {
    say("");
    await stack.up(options);
  } catch (error) {
    if (error instanceof Locked) {
      await takeBack();
      throw error;
    }
    throw error instanceof Stop
      ? new Stop(`${error.message}${goOn(move, options)}`, error.exitCode)
      : error;
  }
  return stack.outputs();
}

async function agree(
  stack: RegionStack,
  options: MoveOptions,
  interrupt: Interrupt,
): Promise<void> {
  const preview = await stack.preview(options);
  say(`\n${preview.text}\n`);
  if (Object.keys(preview.changes).length === 0) {
    say("nothing to change: this run only verifies");
    return;
  }
  if (!options.yes && !(await confirmed(stack.peer, interrupt))) {
    throw interrupt.signal.aborted
      ? new Stop("stopped on request: nothing was changed", 130)
      : new Stop("not confirmed: nothing was changed");
  }
  if (interrupt.signal.aborted) {
    throw new Stop("stopped on request: nothing was changed", 130);
  }
}

function goOn(move: Move, options: MoveOptions): string {
  return `\nwhat was done stays done; the same command goes on from there: ${options.again}${move.withdraw === undefined ? "" : `\n${move.withdraw}`}`;
}
