import * as readline from "node:readline/promises";
import { endWith, Stop } from "../commandLine";
import { Interrupt } from "./interrupt";
import type { Watch } from "./stack";

/** Refuses when there is nobody to ask. Called first, so that nothing is changed before. */
export function expectSomebody(yes: boolean): void {
  if (!yes && !process.stdin.isTTY) {
    throw new Stop("there is no terminal to ask in: look at the preview first, then add --yes", 2);
  }
}

/** Asks for a word. False when another one is typed, or none. */
export async function confirmed(word: string, interrupt: Interrupt): Promise<boolean> {
  const prompt = readline.createInterface({ input: process.stdin, output: process.stdout });
  // In a prompt Ctrl-C is a key, not a signal, and closes it as Ctrl-D does.
  prompt.on("SIGINT", () => {
    say("");
    interrupt.trigger();
  });
  const closed = new Promise<string>((resolve) => prompt.on("close", () => resolve("")));
  try {
    const answer = prompt
      .question(`Type ${word} to go on: `, { signal: interrupt.signal })
      .catch((error: unknown) => {
        if (interrupt.signal.aborted) {
          return "";
        }
        throw error;
      });
    const typed = await Promise.race([answer, closed]);
    if (typed === "") {
      say("");
    }
    return typed.trim() === word;
  } finally {
    prompt.close();
  }
}

/** Whom the commands ask and tell: where there is no terminal, nobody is asked. */
export function watchOf(interrupt: Interrupt): Watch {
  return {
    interrupt,
    say,
    ...(process.stdin.isTTY ? { ask: (word: string) => confirmed(word, interrupt) } : {}),
  };
}

/** Prints a line for the person. */
export function say(line: string): void {
  console.log(line);
}

/** Runs a command of this folder: its errors as one line, its exit code right. */
export function runCommand(command: (interrupt: Interrupt) => Promise<void>): void {
  for (const stream of [process.stdout, process.stderr]) {
    // A terminal that was closed: the recovery goes on, there is only nobody to tell.
    stream.on("error", () => undefined);
  }
  endWith(command(new Interrupt(say).listen()));
}
