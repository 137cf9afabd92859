import { isRecord } from "../base/json";
import type { Lookup } from "./read";
import { entryOf, Key, KEYS } from "./table";

/** A file of the configuration, as it is written. */
export interface ConfigFile {
  /** `Pulumi.region0.yaml`. */
  name: string;
  text: string;
}

/** What YAML may make another number of: octal and hexadecimal ones, `1.10`, `1_000`, `1e3`. */
const REWRITTEN = /[\s[{,:][+-]?(0[\dxob]|[\d_]*\d_\d|\d+\.\d*0\b|[\d.]+e[+-]?\d)/i;

/**
 * Texts that were written as numbers without quotes, so that another text has arrived: an `0123` is 83 by then. And whole
 * numbers with a leading zero, which are octal to YAML: `010` is 8. Only the file knows it. Numbers that arrive as they are written are nobody's concern.
 *
 * @param files those that the configuration is read from, the stronger first
 * @param project name of the Pulumi project, with which a stack's keys begin
 */
export function rewrittenNumbers(
  files: readonly ConfigFile[],
  project: string,
  get: Lookup,
): string[] {
  const suspects = files.filter(({ text }) => REWRITTEN.test(text));
  if (suspects.length === 0) {
    return [];
  }
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded here, not at the top: for few
  const { isScalar, parseDocument, visit } = require("yaml") as typeof import("yaml");
  const problems = new Map<string, string>();
  for (const { name, text } of suspects) {
    visit(parseDocument(text), {
      Scalar(place, node, ancestors) {
        if (place === "key" || node.type !== "PLAIN" || node.source === undefined) {
          return;
        }
        const path = ancestors.flatMap((one) =>
          isRecord(one) && "key" in one && isScalar(one.key) ? [String(one.key.value)] : [],
        );
        const [key, ...parts] = configured(path, project) ?? [];
        const arrived = key === undefined ? undefined : arrivedAt(key, parts, get);
        if (
          key !== undefined &&
          arrived !== undefined &&
          isRewritten(node.source, arrived, meantBy(key, parts))
        ) {
          const where = [key, ...parts].join(".");
          const instead =
            meantBy(key, parts) === "number" ? Number(node.source) : `"${node.source}"`;
          problems.set(
            where,
            `${where} is ${arrived}: so YAML reads ${node.source} without quotes (${name}); write ${instead}`,
          );
        }
      },
    });
  }
  return [...problems.values()];
}

/** What a stack's file says of a key. */
export function writtenOf(key: Key, files: readonly ConfigFile[], project: string): unknown {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded here, not at the top: for few
  const { parse } = require("yaml") as typeof import("yaml");
  return files
    .map(({ text }) => {
      const whole = parse(text) as unknown;
      const { config } = isRecord(whole) ? whole : {};
      return isRecord(config) ? config[`${project}:${key}`] : undefined;
    })
    .find((value) => value !== undefined);
}

/** The key of this program that a place in a file belongs to, and the parts behind it. */
function configured([root, name = "", ...rest]: string[], project: string) {
  const key = KEYS.find((known) => name === known || name === `${project}:${known}`);
  // What is given to charts and search engines is theirs to read.
  const own = key !== undefined && key !== "helmValues" && key !== "snapshotRepository";
  const parts = rest.filter((part, at) => at > 0 || !["default", "value"].includes(part));
  return root === "config" && own ? ([key, ...parts] as [Key, ...string[]]) : undefined;
}

/** What has arrived there; nothing of a key that has secrets. */
function arrivedAt(key: Key, parts: readonly string[], get: Lookup): string | undefined {
  const { type, secret } = entryOf(key);
  const raw = get(key);
  if (raw === undefined || secret !== undefined) {
    return undefined;
  }
  if (parts.length === 0) {
    return type === "string" || type === "integer" ? raw : undefined;
  }
  try {
    const value = parts.reduce<unknown>(
      (whole, part) => (isRecord(whole) ? whole[part] : undefined),
      JSON.parse(raw),
    );
    return typeof value === "number" ? String(value) : undefined;
  } catch {
    return undefined;
  }
}

/** What is meant at a place; inside of an object that may be either. */
type Meant = "text" | "number" | "either";

function meantBy(key: Key, parts: readonly string[]): Meant {
  if (entryOf(key).type === "integer" || key === "timeouts") {
    return "number";
  }
  return parts.length === 0 ? "text" : "either";
}

/** Where it may be a number, a leading zero is text; where it surely is one, that counts when it made another one of it. */
function isRewritten(source: string, arrived: string, meant: Meant): boolean {
  const number = Number(arrived);
  const readings = [source, source.replaceAll("_", "")].flatMap((text) => [
    Number(text),
    /^[+-]?0[0-7]+$/.test(text) ? parseInt(text, 8) : NaN,
  ]);
  const same = Number.isFinite(number) && readings.includes(number) && source !== arrived;
  const isLeading = /^[+-]?0\d/.test(source);
  return (
    same && (meant === "text" || (isLeading && (meant === "either" || Number(source) !== number)))
  );
}
