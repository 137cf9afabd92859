import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { CAMUNDA_VERSIONS, generationOf } from "../../components/generations";
import type { StepName } from "../../components/generations/generation";
import { HOOKS, OVERRIDES } from "../../components/settings";
import { INTERLOCKS } from "../../components/recovery/interlocks";
import {
  CONFIGURATION,
  configurationPage,
  PROJECT,
  projectFile,
} from "../../scripts/configurationPage";
import { GENERATIONS_PAGE, generationsPage, SHOWN } from "../../scripts/generationsPage";
import { REPOSITORY } from "../../scripts/repository";

const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  ...fs
    .readdirSync(path.join(REPOSITORY, "docs"))
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`),
];

/** What a step is in the table of who does it by hand; without it, there is nothing to be done by hand. */
const BY_HAND: Partial<Record<StepName, string>> = {
  membership: "BrokerMembership",
  exporters: "Exporter",
  gate: "FailbackGate",
  "web-apps-stop": "web-apps-stop",
  "export-pause": "ExportPause",
  "snapshot-source": "SnapshotRepository",
  snapshot: "Snapshot",
  "snapshot-target": "SnapshotRepository",
  restore: "SnapshotRestore",
  "web-apps": "web-apps",
  "export-resume": "ExportResume",
  exporting: "Exporting",
};

function read(file: string): string {
  return fs.readFileSync(path.join(REPOSITORY, file), "utf8");
}

/** The names in the first column of the tables of a page whose first column is headed so. */
function named(page: string, heading: string): string[] {
  const tables = page.match(/(?:^\|.*\n)+/gm) ?? [];
  return tables
    .filter((table) => table.startsWith(`| ${heading} `))
    .flatMap((table) => [...table.matchAll(/^\| `([\w-]+)`/gm)].map((match) => match[1] ?? ""));
}

/** What a link leads to that is not a page of its own on the web. Code is no link. */
function linksOf(page: string): string[] {
  const prose = page.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "code");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? "")
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors that a page's headings get, by GitHub's rule. */
function anchorsOf(page: string): string[] {
  const prose = page.replace(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-"),
  );
}

/** The links of a page that lead nowhere. */
function broken(file: string, page: string): string[] {
  return linksOf(page).filter((target) => {
    const [to = "", anchor] = target.split("#");
    const goal = to === "" ? file : path.join(path.dirname(file), to);
    if (goal !== file && !fs.existsSync(path.join(REPOSITORY, goal))) {
      return true;
    }
    const headings = goal === file ? page : anchor === undefined ? "" : read(goal);
    return anchor !== undefined && !anchorsOf(headings).includes(anchor);
  });
}

/** The scripts that a page tells to run. */
function scriptsOf(page: string): string[] {
  return [...page.matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)].map((match) => match[1] ?? "");
}

describe("the documentation", () => {
  for (const [file, made, of] of [
    [PROJECT, projectFile, "the table of keys"],
    [CONFIGURATION, configurationPage, "the table of keys"],
    [GENERATIONS_PAGE, generationsPage, "the generations"],
  ] as const) {
    it(`has a ${file} that is made of ${of} (npm run docs)`, async () => {
      assert.equal(read(file), await made());
    });
  }

  it("says of every generation what was shown of it", () => {
    assert.deepEqual(Object.keys(SHOWN), CAMUNDA_VERSIONS);
  });

  it("has every hook, and no other", () => {
    assert.deepEqual(named(read("docs/recovery.md"), "hook").sort(), [...HOOKS].sort());
  });

  for (const file of PAGES) {
    it(`${file} links to what is there`, () => {
      assert.deepEqual(broken(file, read(file)), []);
    });

    it(`${file} tells to run scripts that are there`, () => {
      const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
      assert.deepEqual(
        scriptsOf(read(file)).filter((name) => scripts[name] === undefined),
        [],
      );
    });
  }

  it("has every place that a message of the program sends an operator to", () => {
    const sources = fs
      .readdirSync(path.join(REPOSITORY, "components"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => read(path.join("components", file)));
    const places = sources.flatMap((text) =>
      [...text.matchAll(/docs\/[\w-]+\.md(?:#[\w-]+)?/g)].map(([place]) => place),
    );
    assert.ok(places.length > 0, places.join(", "));
    const page = places.map((place) => `[there](${place})`).join(" ");
    assert.deepEqual(broken("README.md", page), []);
  });

  it("has an interlock for everything that can be passed", () => {
    const passed = new Set(INTERLOCKS.flatMap(({ override }) => override ?? []));
    assert.deepEqual([...passed].sort(), Object.keys(OVERRIDES).sort());
  });

  it("has every interlock, what it protects from, and what passes it", () => {
    const page = read("docs/errors.md");
    const begin = page.indexOf("\n## Before the first resource\n");
    const section = page.slice(begin, page.indexOf("\n## The cluster is not", begin));
    const told = section
      .split("\n### ")
      .slice(1)
      .map((text) => ({
        name: text.split("\n")[0],
        protects: INTERLOCKS.map(({ protects }) => protects).find((one) => text.includes(one)),
        override: /`overrides\.([\w-]+)`/.exec(text)?.[1],
      }));
    assert.deepEqual(
      told,
      INTERLOCKS.map(({ name, protects, override }) => ({ name, protects, override })),
    );
  });

  it("tells whoever does it by hand the steps in the order of the generation, and no other", () => {
    const told = [
      ...read("docs/recovery.md").matchAll(/^\| (?:failover|failback)? *\d? *\| ([^|]+?) *\|/gm),
    ].flatMap(([, cell = ""]) => [...cell.matchAll(/`([\w-]+)`/g)].map((match) => match[1]));
    const { failover, failback } = generationOf("8.6");
    const done = [
      ...failover.filter((step) => ["membership", "exporters"].includes(step)),
      ...failback,
    ];
    assert.deepEqual(
      told,
      done.flatMap((step) => BY_HAND[step] ?? []),
    );
  });

  it("would be found to be wrong", () => {
    assert.deepEqual(named("| key | |\n| --- | --- |\n| `one` | `two` |\n", "key"), ["one"]);
    const page = "# Here\n[a](nowhere.md) [b](#there) [c](#here) [d](errors.md#gone) `[e](f)`";
    assert.deepEqual(broken("docs/page.md", page), ["nowhere.md", "#there", "errors.md#gone"]);
    assert.deepEqual(scriptsOf("`npm run no-such -- --yes`, npm run --silent up"), [
      "no-such",
      "up",
    ]);
  });
});
