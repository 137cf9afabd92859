import { readFileSync } from "node:fs";
import * as path from "node:path";
import { format, resolveConfig } from "prettier";
import { getDefault, getDescription } from "valibot";
import { stringify } from "yaml";
import { DEFAULT_VERSION, generationOf } from "../components/generations";
import { Entry, Platform, PLATFORMS, plain, Schema } from "../components/settings/schema";
import { entryOf, Key, KEYS, SECTIONS } from "../components/settings/table";
import { REPOSITORY } from "./repository";

/** What is made of the table of the configuration's keys, from the repository's root. */
export const PROJECT = "Pulumi.yaml";
export const CONFIGURATION = "docs/configuration.md";

const INTRODUCTION = `# Configuration

Keys are set in \`Pulumi.yaml\` (shared, as \`default\`) or on a stack (\`pulumi config set KEY VALUE -s STACK\`; parts of objects with \`--path\`, as in \`pulumi config set --path timeouts.snapshot 7200 -s region0\`). What both stacks share stands in \`Pulumi.yaml\` only, so that they cannot disagree. An object that a stack sets replaces the whole object of \`Pulumi.yaml\`; parts that it leaves out have their defaults. In a file a date, a version like \`1.30\` and a number that begins with 0 want quotes: YAML makes something else of them, and what it has made is refused by name.

\`\`\`yaml
timeouts:
  default: { snapshot: 7200, restore: 7200 }
\`\`\`

An unknown key is an error, and so is an unknown part of an object. All problems are reported at once, before the first resource: [errors](errors.md#configuration).

A key of another platform than the stack's is not looked at, where nothing else is said.

_One region at a time_ means: set it on one stack, run its \`up\`, wait until its pods are ready, then the other stack, then move the value to \`Pulumi.yaml\` ([upgrades](eks.md#upgrades)). _Never_ means: once the stack is up, a change would replace what holds the data, or part the two regions.

This page and the keys of \`Pulumi.yaml\` are made of the table that the program reads by (\`npm run docs\`).
`;

/** A row of the table of an object's parts. */
interface Row {
  part: string;
  otherwise: string;
  meaning: string | undefined;
}

/** What the schemas of valibot have of each other. */
type Nested = Schema & { wrapped?: Schema; pipe?: Schema[]; entries?: Record<string, Schema> };

function schemaOf({ schema }: Entry, platform: Platform): Schema {
  const generation = generationOf(DEFAULT_VERSION);
  return typeof schema === "function" ? schema({ platform, generation }) : schema;
}

/** The parts of an object that have a text, and theirs. */
function rowsOf({ entries, pipe = [], wrapped }: Nested, before = ""): Row[] {
  if (entries === undefined) {
    const inner = [...pipe.slice(1), ...(wrapped === undefined ? [] : [wrapped])];
    return inner.map((one) => rowsOf(one, before)).find((rows) => rows.length > 0) ?? [];
  }
  return Object.entries(entries).flatMap(([name, schema]) => {
    const meaning = getDescription(schema);
    const own = { part: before + name, otherwise: inLine(getDefault(schema)), meaning };
    return [...(meaning === undefined ? [] : [own]), ...rowsOf(schema, `${before}${name}.`)];
  });
}

/** A value in one line, as YAML has it; nothing of an empty one, but for a list. */
function inLine(value: unknown): string {
  if (value === undefined || value === "" || JSON.stringify(value) === "{}") {
    return "";
  }
  return `\`${stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trim()}\``;
}

/** Without the column of defaults where no part has one. */
function tableOf(rows: readonly Row[]): string {
  const defaults = rows.some(({ otherwise }) => otherwise !== "");
  const line = (part: string, otherwise: string, meaning: string) =>
    `| ${part} |${defaults ? ` ${otherwise} |` : ""} ${meaning} |`;
  return [
    line("part", "default", "meaning"),
    line("---", "---", "---"),
    ...rows.map(({ part, otherwise, meaning }) => line(`\`${part}\``, otherwise, meaning ?? "")),
    "",
  ].join("\n");
}

/** The tables of an object's parts: one, or one for each platform where they differ. */
function partsOf(entry: Entry): string {
  const tables = entry.platforms
    .map((platform) => ({ platform, rows: rowsOf(schemaOf(entry, platform)) }))
    .filter(({ rows }) => rows.length > 0)
    .map(({ platform, rows }) => ({ platform, table: tableOf(rows) }));
  const [first] = tables;
  return first === undefined
    ? ""
    : tables.every(({ table }) => table === first.table)
      ? first.table
      : tables.map(({ platform, table }) => `On \`${platform}\`:\n\n${table}`).join("\n");
}

function keyOf(key: Key): string {
  const entry = entryOf(key);
  const { type, platforms, text, change } = entry;
  const [platform = "eks"] = platforms;
  const parts = partsOf(entry);
  const value = inLine(getDefault(schemaOf(entry, platform)));
  const what = type === "array" ? "array of strings" : type;
  const otherwise = value !== "" ? value : parts.includes("| default") ? "of its parts" : "none";
  const where =
    platforms.length === PLATFORMS.length ? "all" : platforms.map((it) => `\`${it}\``).join(", ");
  return `### \`${key}\`

${text}

- Type: ${what}. Default: ${otherwise}
- Platforms: ${where}
- May be changed: ${change}

${parts}`;
}

async function pretty(file: string, text: string): Promise<string> {
  const place = path.join(REPOSITORY, file);
  return format(text, { ...(await resolveConfig(place)), filepath: place });
}

/** The page of all keys, in the form that prettier gives it. */
export function configurationPage(): Promise<string> {
  const sections = SECTIONS.map(
    ({ title, keys }) => `## ${title}\n\n${(Object.keys(keys) as Key[]).map(keyOf).join("\n")}`,
  );
  return pretty(CONFIGURATION, [INTRODUCTION, ...sections].join("\n"));
}

/** `Pulumi.yaml`, of which the beginning stays as it is, in the form that prettier gives it. */
export function projectFile(): Promise<string> {
  const config = Object.fromEntries(
    KEYS.map((key) => {
      const entry = entryOf(key);
      const { type, schema, text, perStack } = entry;
      // What is set here is set: a default of the platform's or of the generation's would be that of one for all.
      const own = typeof schema === "function" ? undefined : getDefault(schema);
      const otherwise = own ?? { object: {}, array: [] }[type as string] ?? "";
      return [
        key,
        {
          // A type of Pulumi's would let it refuse first, and without a word of what to write. It takes one from the
          // default: of texts none.
          ...(perStack ? { type } : { default: otherwise }),
          description: plain(text),
        },
      ];
    }),
  );
  const [head] = readFileSync(path.join(REPOSITORY, PROJECT), "utf8").split(/^(?:#.*\n)*config:/m);
  const note =
    "# The keys are those of docs/configuration.md. What both stacks share is set here, as default.";
  return pretty(PROJECT, `${head}${note}\n${stringify({ config }, { lineWidth: 100 })}`);
}
