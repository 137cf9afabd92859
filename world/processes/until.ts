import { setTimeout as sleep } from "node:timers/promises";
import { OwnProcess } from "./processes";

/** How long {@link until} waits, and what ends it before. */
export interface Wait {
  /** 30 by default. */
  seconds?: number;
  /** Milliseconds between two looks; 10 by default. */
  everyMs?: number;
  /** Processes that the condition needs: the wait ends when one of them does. */
  processes?: readonly OwnProcess[];
  /** Whether what could bring it about has been stopped. */
  stopped?: () => boolean;
}

/**
 * Looks until a condition holds: it says `true`, or else what is missing. What it throws counts as missing, too:
 * servers do not answer at first.
 *
 * @throws Error when it cannot hold any more, or at the deadline: with what was missing last, and the ends of the
 * logs of the processes
 */
export async function until(
  what: string,
  holds: () => boolean | string | Promise<boolean | string>,
  { seconds = 30, everyMs = 10, processes = [], stopped = () => false }: Wait = {},
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await look(holds);
    if (seen === true) {
      return;
    }
    const ended = processes.filter(({ alive }) => !alive);
    if (ended.length > 0) {
      const list = ended.map(({ name, ending }) => `${name} ended (${ending})`).join(", ");
      throw new Error(`${what}: ${list}\n${logs(ended)}`);
    }
    if (stopped()) {
      throw new Error(`${what}: what it needs was stopped`);
    }
    if (Date.now() > deadline) {
      const missing = seen === false ? "" : `; ${seen}`;
      throw new Error(`${what}: not within ${seconds} s${missing}\n${logs(processes)}`.trimEnd());
    }
    await sleep(everyMs);
  }
}

/** Why a request got no answer, in one line. */
export function whyNoAnswer(error: unknown): string {
  const cause = (error as Error).cause;
  return cause instanceof Error && cause.message ? cause.message : (error as Error).message;
}

async function look(
  holds: () => boolean | string | Promise<boolean | string>,
): Promise<boolean | string> {
  try {
    return await holds();
  } catch (error) {
    return whyNoAnswer(error);
  }
}

function logs(processes: readonly OwnProcess[]): string {
  return processes.map((own) => `  last lines of ${own.name}:\n${own.tail()}`).join("\n");
}
