// What may be fetched: see scripts/thirdParty.ts, which needs npm's packages; this does not.
import { readFileSync } from "node:fs";
import path from "node:path";

const LIST = path.join(import.meta.dirname, "thirdParty.json");

/**
 * The version of something that is fetched, as its registry has it.
 *
 * @param {string} registry
 * @param {string} name
 * @returns {string}
 */
export function versionOf(registry, name) {
  const groups = JSON.parse(readFileSync(LIST, "utf8"));
  const version = groups.find((group) => group.registry === registry && name in group.packages)
    ?.packages[name];
  if (version === undefined) throw new Error(`${name} (${registry}) is not in ${LIST}`);
  return version;
}
