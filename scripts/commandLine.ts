import { parseArgs, ParseArgsConfig } from "node:util";
import { messageOf } from "../components/base/messageOf";

/** An end that is the person's to know, not a defect: one line, and an exit code. */
export class Stop extends Error {
  /** @param exitCode 1 not done, 2 wrong command line, 130 stopped on request */
  constructor(
    message: string,
    readonly exitCode: 1 | 2 | 130 = 1,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "Stop";
  }
}

type Options = NonNullable<ParseArgsConfig["options"]>;

/** What a command line says, by the options that it may have. */
interface Read<T extends Options> {
  values: ReturnType<typeof parseArgs<{ options: T }>>["values"];
  /** Words that belong to no option. */
  words: string[];
}

/**
 * Reads the command line of this process. With `--help` it prints the text, and the process ends.
 *
 * @param words whether words that belong to no option may be there
 * @throws Stop when something is wrong with it
 */
export function commandLine<T extends Options>(help: string, options: T, words = false): Read<T> {
  if (process.argv.includes("--help")) {
    console.log(help);
    process.exit(0);
  }
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: words });
    return { values, words: positionals };
  } catch (error) {
    const message = messageOf(error);
    // The second sentence is about words that look like options.
    throw new Stop(`${message.split(/\n|\. /)[0]}; see --help`, 2);
  }
}

/** Refuses a command line with everything that is wrong with it. */
export function expectNone(problems: readonly (string | undefined)[]): void {
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0) {
    throw new Stop(found.join("; "), 2);
  }
}

/** What is wrong with an option that takes one of some words. */
export function notOneOf(name: string, value: string | undefined, allowed: readonly string[]) {
  return value === undefined || allowed.includes(value)
    ? undefined
    : `${name} must be ${allowed.join(" or ")}, not ${value}`;
}

/** What is wrong with an option that takes a whole number. */
export function notWhole(name: string, value: string, least: number, even = false) {
  const number = Number(value);
  return Number.isInteger(number) && number >= least && !(even && number % 2 === 1)
    ? undefined
    : `${name} must be ${even ? "even and " : ""}at least ${least}, not ${value}`;
}

/** Ends this process as a command does: its error as one line, its exit code right. */
export function endWith(command: Promise<number | void>): void {
  command.then(
    (code) => process.exit(code ?? 0),
    (error: unknown) => {
      console.error(`error: ${describe(error)}`);
      process.exit(error instanceof Stop ? error.exitCode : 1);
    },
  );
}

function describe(error: unknown): string {
  if (error instanceof Stop) {
    return error.message;
  }
  // A defect of ours: here the place is what helps.
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
