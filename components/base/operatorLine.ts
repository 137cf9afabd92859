import { shortened } from "./bounded";
import { Refusal } from "./refusal";
import { messageOf } from "./messageOf";

/** So long may a line be that an operator reads: two lines of a terminal. */
export const LONGEST_LINE = 160;

/** A command at the end is to be copied: it must be whole, and is not read. */
const COMMAND = /: (aws eks|kubectl|curl) .*$/;

/** What is read of a line: all but a command at its end. */
export function readPart(line: string): string {
  return line.replace(COMMAND, "");
}

/**
 * The one line of an error, with what is to be added to it. Where it would be too long, what was answered or seen gives
 * way: in a {@link Refusal}, which has its way out at the end, what it quotes; of every other error the end.
 */
export function operatorLine(error: unknown, addition = ""): string {
  const text = messageOf(error).replace(/\s*\n\s*/g, " ");
  const room = LONGEST_LINE - addition.length;
  if (!(error instanceof Refusal)) {
    return shortened(text, room) + addition;
  }
  const read = readPart(text);
  return squeezed(read, room) + addition + text.slice(read.length);
}

/** What is read of a run that is refused as a whole: a line for each reason, however many there are. */
export function refusedRun(reasons: readonly string[]): string {
  return reasons.length === 1
    ? operatorLine(new Refusal(`refused: ${reasons[0]}`))
    : [
        `refused, ${reasons.length} reasons:`,
        ...reasons.map((reason) => operatorLine(new Refusal(`  ${reason}`))),
      ].join("\n");
}

/**
 * What a refusal quotes stands in parentheses, and may have some of its own, not all of them closed: what servers answer
 * is shortened before. A place in the documentation is none.
 */
function quotationsIn(text: string): string[] {
  const found: string[] = [];
  let from = text.indexOf("(");
  while (from !== -1) {
    const end = closing(text, from) ?? closingByWhatFollows(text, from);
    if (end === undefined) {
      break;
    }
    found.push(text.slice(from, end + 1));
    from = text.indexOf("(", end);
  }
  return found.filter((one) => !one.startsWith("(docs/"));
}

function closing(text: string, from: number): number | undefined {
  let open = 0;
  for (let at = from; at < text.length; at++) {
    open += text[at] === "(" ? 1 : text[at] === ")" ? -1 : 0;
    if (open === 0) {
      return at;
    }
  }
  return undefined;
}

function closingByWhatFollows(text: string, from: number): number | undefined {
  const found = /\)(?=[:;,]|$)/.exec(text.slice(from));
  return found === null ? undefined : from + found.index;
}

/** A text whose longest quotation gives way as far as there is no room for it. */
function squeezed(text: string, room: number): string {
  const tooLong = text.length - room;
  const [longest] = quotationsIn(text).sort((a, b) => b.length - a.length);
  if (tooLong <= 0 || longest === undefined) {
    return text;
  }
  const quotation = longest.slice(1, -1);
  return text.replace(longest, () => `(${shortened(quotation, quotation.length - tooLong)})`);
}
