import { isRecord } from "../base/json";
import type { Lookup } from "./read";
import { entryOf, Key, KEYS } from "./table";
import { ConfigFile, writtenOf } from "./written";

/** What is wrong with the keys that are set as secrets: what is in some of them is in the state in clear. */
export function openSecrets(secret: readonly string[]): string[] {
  return KEYS.filter((key) => secret.includes(key)).flatMap((key) => {
    const { open } = entryOf(key);
    return open === undefined
      ? []
      : [
          `${key} is set as a secret, but is in the state in clear: set it without --secret, and keep what is secret in ${open}`,
        ];
  });
}

/**
 * What is wrong with secrets that are set in clear: they would be so in the stack's file, which is committed. Of an
 * object Pulumi says only whether there is a secret in it: which of its parts are, the stack's file says.
 *
 * @param keys that are set
 * @param isSecret whether Pulumi has something of a key encrypted
 * @param files that the configuration is read from; where the stack's is not among them, `isSecret` is all that is known
 * @param project name of the Pulumi project, with which a stack's keys begin
 */
export function plainSecrets(
  keys: readonly string[],
  isSecret: (key: string) => boolean,
  get: Lookup,
  files: readonly ConfigFile[],
  project: string,
): string[] {
  return KEYS.filter((key) => keys.includes(key) && (get(key) ?? "") !== "").flatMap((key) => {
    const { secret } = entryOf(key);
    if (secret === undefined) {
      return [];
    }
    if (secret === true) {
      return isSecret(key)
        ? []
        : [`${key} is set in clear: change it, then pulumi config set --secret ${key}`];
    }
    const value = isSecret(key) ? writtenOf(key, files, project) : arrived(key, get);
    return inClear(value, key, secret).map(
      (place) =>
        `${place} is set in clear: change it, then pulumi config set --path --secret ${place}`,
    );
  });
}

function arrived(key: Key, get: Lookup): unknown {
  try {
    return JSON.parse(get(key) ?? "") as unknown;
  } catch {
    // What is not structured is refused as that.
    return undefined;
  }
}

/** The places of the parts of these names that are not encrypted. */
function inClear(value: unknown, place: string, names: readonly string[]): string[] {
  if (!isRecord(value) || isEncrypted(value)) {
    return [];
  }
  return Object.entries(value).flatMap(([name, part]) => {
    const here = `${place}.${name}`;
    return names.includes(name) && !isEncrypted(part) ? [here] : inClear(part, here, names);
  });
}

/** As Pulumi writes it into a file. */
function isEncrypted(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).join() === "secure";
}
