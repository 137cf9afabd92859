import { getDefault, safeParse } from "valibot";
import type { IssuePathItem } from "valibot";
import { shortened } from "../base/bounded";
import { isRecord } from "../base/json";
import { generationOf } from "../generations";
import { Problem, RULES } from "./rules";
import type { Context, Entry } from "./schema";
import { entryOf, Key, KEYS, TABLE, Values } from "./table";

/** All problems of a configuration, one line each. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      problems.length === 1
        ? `configuration: ${problems[0]}`
        : `${problems.length} problems in the configuration:\n${problems.map((p) => `  ${p}`).join("\n")}`,
    );
    this.name = "ConfigError";
  }
}

/** Looks up what is set: text, or JSON of what is structured. */
export type Lookup = (key: Key) => string | undefined;

/**
 * Reads the keys of the platform by the table, then asks the rules over several of them.
 *
 * @throws {@link ConfigError} with every problem at once, in the order of the table
 */
export function readValues(get: Lookup): Values {
  // Where one of these is wrong its default stands in, so that everything else is looked at.
  const context: Context = {
    platform: valueOf("platform", get) ?? getDefault(TABLE.platform.schema),
    generation: generationOf(
      valueOf("camundaVersion", get) ?? getDefault(TABLE.camundaVersion.schema),
    ),
  };
  const problems: Problem[] = [];
  const values: Partial<Record<Key, unknown>> = {};
  for (const key of KEYS) {
    const read = readKey(key, get, context);
    problems.push(...read.problems);
    if ("value" in read) {
      values[key] = read.value;
    }
  }
  for (const rule of RULES) {
    if (rule.keys.every((key) => key in values)) {
      problems.push(...rule.problems(values as Values, context));
    }
  }
  if (problems.length > 0) {
    throw new ConfigError(inOrder(problems).map(([place, text]) => `${place} ${text}`));
  }
  return values as Values;
}

/** The value of a key that others depend on, unless it is wrong. */
function valueOf<K extends "platform" | "camundaVersion">(key: K, get: Lookup) {
  const { success, output } = safeParse(TABLE[key].schema, decoded(TABLE[key].type, get(key)));
  return success ? (output as Values[K]) : undefined;
}

/** The value of a key; none where it is not looked at, or wrong. */
function readKey(
  key: Key,
  get: Lookup,
  context: Context,
): { value?: unknown; problems: Problem[] } {
  const { type, platforms, schema, elsewhere } = entryOf(key);
  if (!platforms.includes(context.platform)) {
    const refused = elsewhere !== undefined && decoded(type, get(key)) !== undefined;
    return { problems: refused ? [[key, elsewhere]] : [] };
  }
  const given = decoded(type, get(key));
  if (given === UNREADABLE) {
    return {
      problems: [[key, "must be structured (set it with --path, or in the stack's file)"]],
    };
  }
  const { success, output, issues } = safeParse(
    typeof schema === "function" ? schema(context) : schema,
    given,
    // Of one value one thing is said: a blank is no wrong name besides.
    { abortPipeEarly: true },
  );
  return success
    ? { value: output, problems: [] }
    : { problems: issues.map(({ path, message }) => [placeOf(key, path), message]) };
}

const UNREADABLE = Symbol("not JSON");

/** What is set, by its type; as it is where it is not of it. Nothing is set by an empty text, list or object. */
function decoded(type: Entry["type"], raw: string | undefined): unknown {
  if (raw === undefined || raw === "") {
    return undefined;
  }
  switch (type) {
    case "string":
      return raw;
    case "integer":
      return Number.isInteger(Number(raw)) ? Number(raw) : raw;
    case "boolean":
      return raw === "true" ? true : raw === "false" ? false : raw;
    default:
      try {
        const value = JSON.parse(raw) as unknown;
        return isEmpty(type, value) ? undefined : value;
      } catch {
        return UNREADABLE;
      }
  }
}

function isEmpty(type: Entry["type"], value: unknown): boolean {
  return type === "array"
    ? Array.isArray(value) && value.length === 0
    : isRecord(value) && Object.keys(value).length === 0;
}

/** `key.part[0]`, of long names the beginning. */
function placeOf(key: Key, path: readonly IssuePathItem[] = []): string {
  return path.reduce(
    (place, item) =>
      item.type === "array"
        ? `${place}[${String(item.key)}]`
        : `${place}.${shortened(String(item.key), 18)}`,
    key as string,
  );
}

function inOrder(problems: readonly Problem[]): Problem[] {
  const place = ([where]: Problem) => KEYS.indexOf(where.split(/[.[]/)[0] as Key);
  return [...problems].sort((a, b) => place(a) - place(b));
}
