import * as readline from "node:readline/promises";
import { parseArgs, ParseArgsConfig } from "node:util";
import { EngineError } from "./engine";
import { Interrupt } from "./interrupt";

/** An end that is the person's to know, not a defect: one line, and an exit code. */
export class Stop extends Error {
  constructor(
    message: string,
    readonly exitCode: 1 | 2 | 130 = 1,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "Stop";
  }
}

/** Parses the command line; what is wrong with it is a {@link Stop}. */
export function parse<T extends NonNullable<ParseArgsConfig["options"]>>(
  options: T,
): ReturnType<typeof parseArgs<{ options: T }>>["values"] {
  try {
    return parseArgs({ args: process.argv.slice(2), options }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Stop(`${message.split("\n")[0]}; see --help`, 2);
  }
}

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
  command(new Interrupt(say).listen()).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(`error: ${describe(error)}`);
      process.exit(error instanceof Stop ? error.exitCode : 1);
    },
  );
}

function describe(error: unknown): string {
  if (error instanceof Stop || error instanceof EngineError) {
    return error.message;
  }
  // A defect of ours: here the place is what helps.
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
