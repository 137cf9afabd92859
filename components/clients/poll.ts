import { AsyncLocalStorage } from "node:async_hooks";
import { Refusal } from "../base/refusal";
import { isForbidden, isTransient, Refused } from "./answers";

/**
 * What a probe saw: the value that was waited for, or what stands in its way in a few words. `againMs`: how long
 * another look would see nothing new.
 */
export type Seen<T> = { done: true; value: T } | { done: false; seen: string; againMs?: number };

/** Where progress lines go. In a provider process: standard output, which Pulumi shows as messages. */
export type Log = (line: string) => void;

/** The time ran out. Names what was waited for and what was seen last. */
export class DeadlineExceeded extends Error {
  constructor(
    readonly what: string,
    readonly seconds: number,
    readonly lastSeen: string,
  ) {
    super(`waited ${seconds} s for ${what}; last seen: ${lastSeen}`);
    this.name = "DeadlineExceeded";
  }
}

/** The moment until which the waits of some work may last has passed: see {@link limited}. */
export class LimitPassed extends Error {
  constructor(what: string) {
    super(`no time is left to wait for ${what}`);
    this.name = "LimitPassed";
  }
}

/** Until when the waits of what is running may last, in milliseconds since 1970. */
const limits = new AsyncLocalStorage<number>();

/**
 * Ends every wait of some work at a moment, whatever deadline it has of its own.
 *
 * @param until in milliseconds since 1970
 * @throws {@link LimitPassed} from the wait that is running then, or begins later
 */
export function limited<T>(until: number, work: () => Promise<T>): Promise<T> {
  return limits.run(until, work);
}

/**
 * The text of the refusal when the time has run out, from what was seen last; undefined when that tells an operator
 * nothing to do.
 */
export type Refuse = (lastSeen: string, seconds: number) => string | undefined;

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 2_000;
const PROGRESS_EVERY_MS = 15_000;

/** For so long refused credentials may be a token that is just exchanged. */
const EXCHANGED_WITHIN_MS = 3_000;

/** For so long a single question is asked again. */
const ASKED_AGAIN_SECONDS = 5;

/** How long a server has been failing with the same status. */
class Failing {
  private status: number | undefined;
  private since = 0;

  /** What stands in the way of a look, in words. Rethrows what ends the wait. */
  seen(error: unknown): string {
    const now = Date.now();
    if (!(error instanceof Refused)) {
      this.clear();
    } else if (this.status !== error.status) {
      this.status = error.status;
      this.since = now;
    }
    if (!isTransient(error) && !(isForbidden(error) && now - this.since < EXCHANGED_WITHIN_MS)) {
      throw error;
    }
    const seconds = Math.round((now - this.since) / 1000);
    return error instanceof Refused && seconds > 0
      ? `answered ${error.status} for ${seconds} s: ${error.request}: ${error.reason}`
      : error.message;
  }

  clear(): void {
    this.status = undefined;
  }
}

/**
 * Probes until the thing is done or the deadline has passed. Fast at first (a forced removal takes
 * 50 ms), then slower, at most every 2 s. The engine has no time limit for dynamic resources, so every
 * wait of a provider goes through here.
 *
 * What may pass by itself ({@link isTransient}) counts as "not yet", and the line at the deadline says since when it
 * lasts; refused credentials do for a moment only. Every other error of the probe ends the wait.
 *
 * @throws {@link Refusal} at the deadline, with the text of `refuse`; {@link DeadlineExceeded} when there is none;
 *   {@link LimitPassed} when it is {@link limited}
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
  const limit = limits.getStore() ?? Infinity;
  let delay = FIRST_DELAY_MS;
  let nextProgress = start + PROGRESS_EVERY_MS;
  const failing = new Failing();
  for (;;) {
    if (Date.now() >= limit) {
      throw new LimitPassed(what);
    }
    const seen = await probe().then(
      (answer) => {
        failing.clear();
        return answer;
      },
      (error: unknown): Seen<T> => ({ done: false, seen: failing.seen(error) }),
    );
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
    const pause = Math.min(seen.againMs ?? delay, deadline - now, Math.max(0, limit - now));
    await new Promise((resolve) => setTimeout(resolve, pause));
    delay = Math.min(delay * 1.5, LONGEST_DELAY_MS);
  }
}

/**
 * Asks a single question, outside of a wait, and again for a few seconds while what stands in its way may pass by
 * itself. Only for what changes nothing.
 *
 * @param seconds how long it is asked again at most: 0 asks once
 * @throws what stood in its way last
 */
export async function asked<T>(
  what: string,
  log: Log,
  ask: () => Promise<T>,
  seconds = ASKED_AGAIN_SECONDS,
): Promise<T> {
  let last: unknown;
  const probe = async (): Promise<Seen<T>> => {
    try {
      return { done: true, value: await ask() };
    } catch (error) {
      last = error;
      throw error;
    }
  };
  return waitFor(what, seconds, log, probe).catch((error: unknown) => {
    throw error instanceof DeadlineExceeded ? last : error;
  });
}
