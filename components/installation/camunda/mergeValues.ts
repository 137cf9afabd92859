import { isRecord } from "../../base/json";

type Named = Record<string, unknown> & { name: string };

/**
 * Merges values of the user's own into those of this program, theirs last. Helm itself would replace a list as a whole,
 * so that one more environment variable would drop all the others.
 *
 * - Maps are merged deep.
 * - Lists of named objects (`env`, `extraEnvVars`, `extraVolumes`): one of a name that is there replaces it
 *   as a whole and at its place, others follow. An empty list adds nothing.
 * - Any other list, text, number or `null` replaces what was there. `null` makes Helm drop the chart's own default.
 */
export function mergeValues(
  base: Record<string, unknown>,
  custom: Record<string, unknown>,
): Record<string, unknown> {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(custom)) {
    merged.set(key, merged.has(key) ? mergeValue(merged.get(key), value) : value);
  }
  return Object.fromEntries(merged);
}

function mergeValue(base: unknown, custom: unknown): unknown {
  if (isRecord(base) && isRecord(custom)) {
    return mergeValues(base, custom);
  }
  if (isNamedList(base) && base.length > 0 && isNamedList(custom)) {
    const byName = new Map([...base, ...custom].map((item) => [item.name, item]));
    return [...byName.values()];
  }
  return custom;
}

function isNamedList(value: unknown): value is Named[] {
  return (
    Array.isArray(value) && value.every((item) => isRecord(item) && typeof item.name === "string")
  );
}
