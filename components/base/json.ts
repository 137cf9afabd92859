/** Whether a value is a JSON object (not an array, not null). */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What an answer says in a field, in a word, also when it leaves it out: an operator may read it. */
export function wordIn(value: unknown): string {
  return value === undefined || value === null ? "unknown" : String(value);
}
