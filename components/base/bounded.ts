/** How many of a list are said: enough to see of what kind they are. */
const SHOWN = 4;

/**
 * The items of a list, or the first of them and how many more there are. What is shown, logged or kept in a
 * state stays as short for 512 partitions as for two.
 */
export function firstOf(items: readonly string[], shown = SHOWN): string[] {
  // "and 1 more" would be as long as the one.
  return items.length <= shown + 1
    ? [...items]
    : [...items.slice(0, shown), `and ${items.length - shown} more`];
}

/** A name of the user's, or the beginning of it: Kubernetes lets some have 253 characters. */
export function shortened(name: string, characters: number): string {
  return name.length <= characters ? name : `${name.slice(0, characters - 1)}…`;
}

/** {@link firstOf} in one line: `a, b, c, d, and 508 more`. */
export function listed(items: readonly string[], separator = ", "): string {
  return firstOf(items).join(separator);
}
