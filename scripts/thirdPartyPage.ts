import { readFileSync } from "node:fs";
import * as path from "node:path";
import { format, resolveConfig } from "prettier";
import { Registry, THIRD_PARTY } from "./thirdParty";
import { REPOSITORY } from "./repository";

/** The page that is made of the list, from the repository's root. */
export const PAGE = "docs/third-party.md";

const INTRODUCTION = `# What is fetched

Everything that set-up, tests, drills and CI of this project download has a licence that the Open Source Initiative has approved. Nothing is fetched that is not on this page, but what these name themselves where a section says so: what fetches takes names and versions from \`scripts/setup/thirdParty.json\`, which this page is made of (\`npm run docs\`), and a test looks for anything else.

Camunda's brokers and Elasticsearch are not among it: their vendors' terms are not open source. Who has them can name a folder with them (\`npm run drill -- --camunda DIR\`). Who installs them by \`pulumi up\` takes images from where the configuration and the charts say: the user's clusters fetch these, under the terms that the user has with Camunda and Elastic.

Node.js, npm, Go, Maven, Python and other programs that are expected on PATH are the machine's.
`;

const SECTIONS: Record<Registry, [title: string, text: string]> = {
  npm: [
    "npm",
    "The direct dependencies, and a Node.js that only the tests fetch. What they bring along is in `package-lock.json`, and a test reads the licence of each there. Two of them are data, under licences for data, which are not on the OSI's list: `spdx-exceptions` (CC-BY-3.0) and `spdx-license-ids` (CC0-1.0), lists of names of licences that Pulumi's SDK brings along.",
  ],
  go: [
    "Go modules",
    "By Go's module proxy, with what each requires by its own `go.mod`. The licence files of the 560 modules in what was built on 28 November 2026 were read: Apache-2.0, BSD, ISC, MIT and MPL-2.0; two name theirs in a README.",
  ],
  maven: ["Maven Central", "Without what these would bring along: all of it is here."],
  pypi: ["PyPI", "Without what these would bring along: all of it is here."],
  debian: ["Debian", "By `apt-get download`, unpacked into the cache, not installed."],
  pulumi: ["Pulumi", "By the CLI and its SDK, from where they take their releases."],
  helm: ["Helm charts", "Charts only; the images in them are the user's."],
  "github-actions": ["GitHub Actions", "Used by the workflows."],
};

/** The page, in the form that prettier gives it. */
export async function thirdPartyPage(): Promise<string> {
  const sections = Object.entries(SECTIONS).map(([registry, [title, text]]) => {
    const rows = THIRD_PARTY.filter((entry) => entry.registry === registry).map(
      ({ name, version, license, for: purpose }) =>
        `| \`${name}\` | ${version} | ${license} | ${purpose} |`,
    );
    const head = "| name | version | licence | what for |\n| --- | --- | --- | --- |";
    return `## ${title}\n\n${text}\n\n${head}\n${rows.join("\n")}\n`;
  });
  const file = path.join(REPOSITORY, PAGE);
  const config = await resolveConfig(file);
  return format([INTRODUCTION, ...sections].join("\n"), { ...config, filepath: file });
}

/** The page as it is in the repository. */
export function writtenPage(): string {
  return readFileSync(path.join(REPOSITORY, PAGE), "utf8");
}
