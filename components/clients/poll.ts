import { shortened } from "../base/bounded";
import { Refusal } from "../base/refusal";
import { Unreachable } from "./http";

/**
 * What a probe saw: the value that was waited for, or what stands in its way in a few words. `againMs`: how long
 * another look would see nothing new.
 */
export type Seen<T> = { done: true; value: T } | { done: false; seen: string; againMs?: number };

/** Where progress lines go. In a provider process: standard output, which Pulumi shows as messages. */
export type Log = (line: string) => void;

/** So long may the line be that an operator reads. What was seen last is in the log as a whole. */
const LONGEST = 132;

/** The time ran out. Names what was waited for and what was seen last. */
export class DeadlineExceeded extends Error {
  constructor(
    readonly what: string,
    readonly seconds: number,
    readonly lastSeen: string,
  ) {
    super(shortened(`waited ${seconds} s for ${what}; last seen: ${lastSeen}`, LONGEST));
    this.name = "DeadlineExceeded";
  }
}

/**
 * The text of the refusal when the time has run out, from what was seen last; undefined when that tells an operator
 * nothing to do.
 */
export type Refuse = (lastSeen: string, seconds: number) => string | undefined;

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 2_000;
const PROGRESS_EVERY_MS = 15_000;

/**
 * Probes until the thing is done or the deadline has passed. Fast at first (a forced removal takes
 * 50 ms), then slower, at most every 2 s. The engine has no time limit for dynamic resources, so every
 * wait of a provider goes through here.
 *
 * A server that does not answer counts as "not yet"; every other error of the probe ends the wait.
 *
 * @throws {@link Refusal} at the deadline, with the text of `refuse`; {@link DeadlineExceeded} when there is none
 */
export async function waitFor<T>(
  what: string,
  seconds: number,
  log: Log,
  probe: () => Promise<Seen<T>>,
  { refuse }: { refuse?: Refuse } = {},
): Promise<T> {
  const start = Date.now();
  const deadline = start + seconds * 1000;
  let delay = FIRST_DELAY_MS;
  let nextProgress = start + PROGRESS_EVERY_MS;
  for (;;) {
    const seen = await probe().catch((error: unknown): Seen<T> => {
      if (error instanceof Unreachable) {
        return { done: false, seen: error.message };
      }
      throw error;
    });
    if (seen.done) {
      return seen.value;
    }
    const now = Date.now();
    const progress = () =>
      log(
        `waiting for ${what} (${Math.round((now - start) / 1000)} s of ${seconds} s): ${seen.seen}`,
      );
    if (now >= deadline) {
      progress();
      const refusal = refuse?.(seen.seen, seconds);
      throw refusal === undefined
        ? new DeadlineExceeded(what, seconds, seen.seen)
        : new Refusal(refusal);
    }
    if (now >= nextProgress) {
      progress();
      nextProgress += PROGRESS_EVERY_MS;
    }
    const pause = Math.min(seen.againMs ?? delay, deadline - now);
    await new Promise((resolve) => setTimeout(resolve, pause));
    delay = Math.min(delay * 1.5, LONGEST_DELAY_MS);
  }
}
