import {
  boolean,
  check,
  custom,
  description,
  getDescription,
  never,
  number,
  objectWithRest,
  optional,
  picklist,
  pipe,
  rawCheck,
  record,
  regex,
  string,
  transform,
  union,
} from "valibot";
import type { BaseIssue, GenericSchema, InferInput, ObjectEntries, ObjectSchema } from "valibot";
import { shortened } from "../base/bounded";
import { RegionName } from "../base/brokers";
import { isRecord } from "../base/json";
import type { Generation } from "../generations/generation";

export type { InferInput } from "valibot";
export { array, check, custom, optional, pipe, regex, string, transform } from "valibot";

/** Who installs Camunda. */
export const PLATFORMS = ["eks", "kubernetes", "endpoints"] as const;

/** How Camunda comes to a region. */
export type Platform = (typeof PLATFORMS)[number];

/** Schemas of an object's parts. */
export type Entries = ObjectEntries;

/** A schema of a value, or of a part of one. */
export type Schema = GenericSchema<unknown, unknown>;

/** What a schema may depend on: both are read first. */
export interface Context {
  platform: Platform;
  generation: Generation;
}

/** What the table says of a key. */
export interface Entry {
  /** As Pulumi knows it. What is structured arrives as JSON. */
  type: "string" | "integer" | "boolean" | "object" | "array";
  /** Where the key means something. Elsewhere it is not looked at. */
  platforms: readonly Platform[];
  /**
   * Type, default and rule. An issue's message goes on after the key, in one line that is short enough with it. Parts
   * carry their own default, and their text as a description.
   */
  schema: Schema | ((context: Context) => Schema);
  /** What it is, in Markdown, with links as in docs/: in docs/configuration.md, and in `Pulumi.yaml`. */
  text: string;
  /** When it may be changed, in Markdown. */
  change: string;
  /** Every stack sets its own, and Pulumi asks for it: `Pulumi.yaml` has no default. */
  perStack?: true;
  /** The value is never said, in no message, and must be encrypted: all of it, or the parts of these names. */
  secret?: true | readonly string[];
  /** The value is in the state in clear, so it is refused as a secret: where its secrets belong instead. */
  open?: string;
  /** What is wrong with it on another platform. */
  elsewhere?: string;
}

/** Keys that are told together, with the platforms of those that do not name others. */
export function section<const K extends Record<string, Omit<Entry, "platforms"> & Partial<Entry>>>(
  title: string,
  platforms: readonly Platform[],
  keys: K,
) {
  return {
    title,
    keys: Object.fromEntries(
      Object.entries(keys).map(([key, entry]) => [key, { platforms, ...entry }]),
    ) as K,
  };
}

/** All platforms; those where this program installs Camunda. */
export const EVERYWHERE = PLATFORMS;
export const INSTALLED = ["eks", "kubernetes"] as const;

/** So much of a value, or of the name of a part, that a user finds it: a line stays a line. */
export function quoted(value: unknown): string {
  return typeof value === "string"
    ? JSON.stringify(shortened(value, 30))
    : shortened(JSON.stringify(value) ?? "nothing", 32);
}

/** A rule of several: what is wrong with a value, if anything. */
export function wrong<T>(problemOf: (value: T) => string | undefined) {
  return rawCheck<T>(({ dataset, addIssue }) => {
    const message = dataset.typed ? problemOf(dataset.value) : undefined;
    if (message !== undefined) {
      addIssue({ message });
    }
  });
}

/** One of some words. */
export function oneOf<const T extends readonly string[]>(words: T) {
  const choice = words.join(" or ");
  return picklist(words, ({ input }) =>
    input === undefined ? `is missing: ${choice}` : `must be ${choice}, not ${quoted(input)}`,
  );
}

/** As Pulumi writes what YAML takes for a date. */
const DATE = /^(\d{4}-\d\d-\d\d)( \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC)$/;

/** What cannot have been meant as a text. */
function slip(value: string): string | undefined {
  const [, day, time] = DATE.exec(value) ?? [];
  if (day !== undefined) {
    const meant = time === " 00:00:00 +0000 UTC" ? JSON.stringify(day) : "it";
    return `is a date to YAML, since it has no quotes: write ${meant}${meant === "it" ? " in quotes" : " with them"}`;
  }
  if (value.trim() === "") {
    return "is blank: write something, or leave it out";
  }
  return value === value.trim() ? undefined : "begins or ends with a blank: take it away";
}

/** Text, and what YAML takes for a number or a boolean, as it is written. */
export const text = pipe(
  union([string(), number(), boolean()], ({ input }) => `must be text, not ${quoted(input)}`),
  transform(String),
  wrong(slip),
);

/** A secret: nothing of it is said. */
export const secret = custom<string>(
  (value) => typeof value === "string" && value.trim() !== "" && !/\p{Cc}/u.test(value),
  "must be text in one line",
);

/** A secret that is sent as it is, in one header. */
export function token(what: string) {
  return pipe(
    secret,
    check((value) => /^[\w.~+/-]+=*$/.test(value), `is not ${what}`),
  );
}

/** Text of a form. */
export function matching(form: RegExp, problem: (value: string) => string) {
  return pipe(
    text,
    regex(form, ({ input }) => problem(quoted(input))),
  );
}

/** A whole number of which something holds. */
export function whole(
  otherwise: number,
  holds: (value: number) => boolean,
  problem: (value: number) => string,
) {
  const schema = number(({ input }) => `must be a whole number, not ${quoted(input)}`);
  const rule = check(holds, ({ input }) => problem(input));
  return optional(pipe(schema, rule), otherwise);
}

/** Yes or no. */
export const flag = boolean(({ input }) => `must be true or false, not ${quoted(input)}`);

/** A command of the user's. */
export const command = custom<string>(
  (value) => typeof value === "string" && value.trim() !== "",
  "must be a command, as text",
);

/** More than any region has of anything: what is larger is a slip. */
const MOST = 1000;

/** How many of something there are. */
export const count = custom<number>(
  (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST,
  ({ input }) => `must be a whole number from 1 to ${MOST}, not ${quoted(input)}`,
);

/** An object as it is given. */
export const anything = custom<Record<string, unknown>>(isRecord, "must be an object");

/** Values by names of the user's. */
export function named<S extends Schema>(schema: S) {
  return record(string(), schema, "must be an object");
}

/** A part of an object, with what it is: for the page, and for whoever has left it out. */
export function part<S extends Schema>(schema: S, what: string) {
  return pipe(schema, description(what));
}

/** So many characters of the names of an object's parts have room in a line. */
const LONGEST_LIST = 110;

/** An object of parts, and no others. */
export function parts<E extends ObjectEntries>(entries: E) {
  const names = shortened(Object.keys(entries).join(", "), LONGEST_LIST);
  const missing = ({ path }: BaseIssue<unknown>) => {
    const schema = entries[String(path?.at(-1)?.key)];
    const what = schema === undefined ? undefined : getDescription(schema);
    return what === undefined ? "is missing" : `is missing: ${plain(what)}`;
  };
  const unknown = never(`is none of ${names}`);
  return pipe(
    custom<InferInput<ObjectSchema<E, undefined>>>(
      isRecord,
      ({ input }) => `${input === undefined ? "is missing:" : "must be"} an object with ${names}`,
    ),
    objectWithRest(entries, unknown, missing) as unknown as ObjectSchema<E, undefined>,
  );
}

/** {@link parts} that all have a default, or are asked for one by one. */
export function object<E extends ObjectEntries>(entries: E) {
  // Any other type of the default would let the compiler expect that there may be none.
  return optional(parts(entries), {} as never);
}

/** A value for each region. */
export function byRegion<S extends Schema>(of: (region: RegionName) => S) {
  return { region0: of("region0"), region1: of("region1") };
}

/** Text for each region; what is left out is that of the default. */
export function textByRegion<S extends GenericSchema<string | number | boolean, string>>(
  schema: S,
  otherwise: Record<RegionName, string>,
) {
  return optional(parts(byRegion((region) => optional(schema, otherwise[region]))), otherwise);
}

/** The regions must not have the same. */
export function different(problem: (value: string) => string) {
  return check(
    ({ region0, region1 }: Record<RegionName, string>) => region0 !== region1,
    ({ input }) => problem(input.region0),
  );
}

/** Markdown as plain text. */
export function plain(markdown: string): string {
  return markdown.replace(/`/g, "").replace(/\[([^\]]+)\]\(([^)]+)\)/g, "$1 (docs/$2)");
}
