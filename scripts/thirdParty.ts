import { readFileSync } from "node:fs";
import * as path from "node:path";

/** From which kind of place something is fetched. */
export type Registry =
  "npm" | "go" | "maven" | "pypi" | "debian" | "pulumi" | "helm" | "github-actions";

/** Something that is fetched, by us or by a run of the program. */
export interface ThirdParty {
  registry: Registry;
  name: string;
  /** As its registry has it: Go's begin with `v`. */
  version: string;
  /** An SPDX expression. */
  license: string;
  /** Who needs it, and what for. */
  for: string;
}

/** The list, inside the folder of this file. Plain JSON: set-up reads it before npm's packages are there. */
const LIST = "setup/thirdParty.json";

interface Group extends Omit<ThirdParty, "name" | "version"> {
  packages: Record<string, string>;
}

/** All that is fetched: set-up, tests, drills and workflows, and by `pulumi up`. */
export const THIRD_PARTY: readonly ThirdParty[] = (
  JSON.parse(readFileSync(path.join(__dirname, LIST), "utf8")) as Group[]
).flatMap(({ packages, ...common }) =>
  Object.entries(packages).map(([name, version]) => ({ ...common, name, version })),
);

/**
 * An entry of the list: what fetches takes name and version from here, so that nothing is fetched that is
 * not in it.
 *
 * @throws Error when the list has no such entry
 */
export function thirdParty(registry: Registry, name: string): ThirdParty {
  const found = THIRD_PARTY.find((entry) => entry.registry === registry && entry.name === name);
  if (found === undefined) {
    throw new Error(`${name} (${registry}) is not in scripts/${LIST}: nothing else is fetched`);
  }
  return found;
}

/** The entries of a registry that are needed for the same. */
export function thirdPartyFor(registry: Registry, purpose: string): ThirdParty[] {
  return THIRD_PARTY.filter((entry) => entry.registry === registry && entry.for === purpose);
}

/** Licences of the Open Source Initiative's list that occur here, by their SPDX ids. */
const OSI = [
  ...["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0", "GPL-2.0-only"],
  ...["ISC", "MIT", "MIT-0", "MPL-2.0", "Python-2.0", "Unlicense"],
];

/** Whether an SPDX expression says that something may be had under licences that the OSI has approved. */
export function isOpenSource(license: string): boolean {
  const expression = license.replace(/^\((.*)\)$/, "$1");
  return expression.split(" OR ").some((choice) =>
    choice.split(" AND ").every((id) =>
      // An exception adds a permission.
      OSI.includes(id.replace(/ WITH [\w.-]+$/, "")),
    ),
  );
}
