import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { REGIONS } from "../../components/base/brokers";
import { RECOVERY_TARGETS } from "../../scripts/operator/targets";
import { REPOSITORY } from "../../scripts/repository";

interface Job {
  needs?: string;
  environment?: string;
  permissions?: Record<string, string>;
  strategy?: { "fail-fast": boolean; matrix: { include: { stack: string }[] } };
  steps: {
    name?: string;
    uses?: string;
    run?: string;
    if?: string;
    with?: Record<string, string>;
  }[];
}

interface Workflow {
  name: string;
  on: Record<string, { inputs?: Record<string, { options?: string[] }> }>;
  concurrency: { group: string; "cancel-in-progress": boolean };
  jobs: Record<string, Job>;
}

const FOLDER = path.join(REPOSITORY, ".github", "workflows");
const text = (file: string) => readFileSync(path.join(FOLDER, file), "utf8");
const workflow = (file: string) => parse(text(file)) as Workflow;
const files = readdirSync(FOLDER).filter((file) => file.endsWith(".yml"));
const scripts = Object.keys(
  (JSON.parse(readFileSync(path.join(REPOSITORY, "package.json"), "utf8")) as { scripts: object })
    .scripts,
);

function runs(file: string): string[] {
  return Object.values(workflow(file).jobs).flatMap(({ steps }) =>
    steps.map(({ run }) => run).filter((run) => run !== undefined),
  );
}

/** Names of npm's scripts in a text. */
function npmScripts(run: string): string[] {
  return [...run.matchAll(/\bnpm (?:run )?((?:--\S+ )*)([\w:-]+)/g)]
    .map((match) => match[2] ?? "")
    .filter((name) => name !== "ci");
}

function targets(run: string): string[] {
  return [...run.matchAll(/--target '([^']+)'/g)].map((match) => match[1] ?? "");
}

describe("the GitHub workflows", () => {
  it("are the expected ones", () => {
    assert.deepEqual(files.sort(), ["ci.yml", "drift.yml", "recovery.yml"]);
  });

  for (const file of files) {
    it(`${file} runs only scripts that package.json has`, () => {
      const named = runs(file).flatMap(npmScripts);
      assert.ok(named.length > 0);
      assert.deepEqual(
        named.filter((name) => !scripts.includes(name)),
        [],
      );
    });

    it(`${file} puts no input into a shell by its text`, () => {
      runs(file).forEach((run) => assert.doesNotMatch(run, /\$\{\{/));
    });
  }

  it("are read for their scripts as they are written", () => {
    assert.deepEqual(npmScripts("npm run a && npm run --silent b:c -- d\nnpm test\nnpm ci"), [
      "a",
      "b:c",
      "test",
    ]);
  });

  it("look at the recovery as npm run failover does", () => {
    for (const file of ["recovery.yml", "drift.yml"]) {
      const previews = runs(file).filter((run) => / preview /.test(run));
      assert.equal(previews.length, 1);
      assert.deepEqual(targets(previews[0] ?? ""), RECOVERY_TARGETS);
      assert.match(previews[0] ?? "", / --refresh /);
    }
  });

  it("drift asks every stack, changes nothing and fails at a difference", () => {
    const { jobs, concurrency } = workflow("drift.yml");
    const { strategy } = jobs.drift ?? assert.fail("no job");
    assert.deepEqual(
      strategy?.matrix.include.map(({ stack }) => stack),
      [...REGIONS],
    );
    assert.equal(strategy?.["fail-fast"], false);
    const all = runs("drift.yml").join("\n");
    assert.match(all, /--expect-no-changes/);
    assert.deepEqual(npmScripts(all), ["setup", "pulumi"]);
    assert.deepEqual(
      [...all.matchAll(/pulumi -- (\w+)/g)].map((match) => match[1]),
      ["preview"],
    );
    assert.doesNotMatch(text("drift.yml"), /continue-on-error|contents: write/);
    assert.notEqual(concurrency.group, workflow("recovery.yml").concurrency.group);
  });

  it("recovery waits for the approval between preview and up, and never runs twice at once", () => {
    const { jobs, concurrency, on } = workflow("recovery.yml");
    assert.deepEqual(Object.keys(jobs), ["preview", "up"]);
    assert.equal(jobs.up?.needs, "preview");
    assert.equal(jobs.up?.environment, "recovery");
    assert.equal(jobs.preview?.environment, undefined);
    assert.deepEqual(concurrency, { group: "recovery", "cancel-in-progress": false });
    assert.deepEqual(Object.keys(on), ["workflow_dispatch"]);
    assert.deepEqual(on.workflow_dispatch?.inputs?.lost?.options, [...REGIONS]);
  });

  it("recovery does in both jobs each action that can be chosen", () => {
    const { jobs, on } = workflow("recovery.yml");
    const options = on.workflow_dispatch?.inputs?.action?.options ?? [];
    assert.ok(options.length > 0);
    for (const job of ["preview", "up"]) {
      const cases = (jobs[job]?.steps ?? [])
        .filter(({ run }) => run?.includes('case "$ACTION"'))
        .flatMap(({ run }) => [...(run ?? "").matchAll(/^\s*(\w+)\)/gm)].map((match) => match[1]));
      assert.deepEqual(cases, options);
    }
  });

  it("recovery previews a finish with the users where they are, with the survivor", () => {
    const declare = (workflow("recovery.yml").jobs.preview?.steps ?? [])
      .map(({ run }) => run ?? "")
      .find((run) => run.includes('case "$ACTION"'));
    const finish = /\bfinish\)([^;]*);;/.exec(declare ?? "")?.[1] ?? "";
    const configured = [...finish.matchAll(/config (rm|set) (.*)$/gm)].map((match) => match[2]);
    assert.deepEqual(configured, [
      'failback -s "$SURVIVOR"',
      'lostRegion -s "$SURVIVOR"',
      'drainRegion -s "$SURVIVOR"',
      'activeRegion "$SURVIVOR" -s "$SURVIVOR"',
    ]);
  });

  it("recovery works in each job on the branch as it is now", () => {
    for (const { steps } of Object.values(workflow("recovery.yml").jobs)) {
      const checkouts = steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"));
      assert.deepEqual(
        checkouts.map(({ with: inputs }) => inputs),
        [{ ref: "${{ github.ref_name }}" }],
      );
    }
  });

  it("name in the list of what is to be set up each variable and secret that they use", () => {
    const header = text("recovery.yml").split(/^name:/m)[0] ?? "";
    for (const file of files) {
      const used = [...text(file).matchAll(/\b(?:vars|secrets)\.(\w+)/g)].map(([, name]) => name);
      for (const name of used) {
        assert.match(header, new RegExp(`^# .*\\b${name}\\b`, "m"), `${file}: ${name}`);
      }
    }
  });

  it("recovery keeps the declaration also when up has failed", () => {
    const last = workflow("recovery.yml").jobs.up?.steps.at(-1);
    assert.equal(last?.if, "always()");
    assert.match(last?.run ?? "", /git push/);
  });
});
