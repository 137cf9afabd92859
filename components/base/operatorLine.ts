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

/** What a refusal quotes stands in parentheses; a place in the documentation is none. */
const QUOTED = /\((?!docs\/)[^()]*\)/g;

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

/** A text whose longest quotation gives way as far as there is no room for it. */
function squeezed(text: string, room: number): string {
  const tooLong = text.length - room;
  const [longest] = (text.match(QUOTED) ?? []).sort((a, b) => b.length - a.length);
  if (tooLong <= 0 || longest === undefined) {
    return text;
  }
  const quotation = longest.slice(1, -1);
  return text.replace(longest, () => `(${shortened(quotation, quotation.length - tooLong)})`);
}
