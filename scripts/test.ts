import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import * as path from "node:path";
import { commandLine, endWith, expectNone } from "./commandLine";
import { Preparation } from "./test/preparation";
import { Processes } from "./test/processes";
import { testFiles, Tier, TIERS } from "./test/tiers";
import { REPOSITORY } from "./repository";

const names = (tiers: Tier[]) => tiers.map(({ name }) => name).join(", ");
const EVERY_TIME = TIERS.filter(({ runs }) => runs === "always");
const ALL = TIERS.filter(({ runs }) => runs !== "named");

const HELP = `npm test [-- TIER... [OPTIONS]]

Runs ${names(EVERY_TIME)}; with "all" ${names(ALL.filter((tier) => !EVERY_TIME.includes(tier)))} too; or the tiers that are named, of
${names(TIERS)}.
A tier that cannot run here is skipped with a line that says why; with CI=true that is a failure.
The last line is "N passed, N failed".

  --camunda DIR        for tier camunda: the folder that a Camunda 8.6 or later was unpacked to
  --elasticsearch DIR  an Elasticsearch for it, likewise
  --help

Exit code: 0 all passed, 1 not, 2 wrong command line.
`;

interface Numbers {
  passed: number;
  failed: number;
}

/** What the command line asks for. */
function chosen(): { tiers: Tier[]; env: Record<string, string> } {
  const options = { camunda: { type: "string" }, elasticsearch: { type: "string" } } as const;
  const { values, words } = commandLine(HELP, options, true);
  const unknown = words.filter((name) => name !== "all" && !TIERS.some((t) => t.name === name));
  const tiers = TIERS.filter(
    (tier) =>
      words.includes(tier.name) ||
      (words.includes("all") && ALL.includes(tier)) ||
      (words.length === 0 && EVERY_TIME.includes(tier)),
  );
  const given = Object.keys(values)[0];
  const camunda = tiers.find((tier) => tier.options !== undefined);
  expectNone([
    unknown.length > 0
      ? `no tier ${unknown.join(", ")}; the tiers are ${names(TIERS)}, all`
      : undefined,
    given !== undefined && camunda === undefined ? `--${given} is for tier camunda` : undefined,
  ]);
  return { tiers, env: camunda?.options?.(values) ?? {} };
}

/** Runs one tier in processes of its own: the mocks of one must not reach the engine of another. */
async function run(
  tier: Tier,
  processes: Processes,
  env: Record<string, string>,
): Promise<Numbers> {
  if (tier.program !== undefined) {
    const [name, ...args] = tier.program as [string, ...string[]];
    const file = path.join(REPOSITORY, "node_modules/.bin", name);
    const ok = (await processes.run(file, args)) === 0;
    return { passed: Number(ok), failed: Number(!ok) };
  }
  const folder = await tier.node?.();
  const node = folder === undefined ? process.execPath : path.join(folder, "node");
  const PATH = [folder, process.env.PATH].filter(Boolean).join(path.delimiter);
  const stats = path.join(processes.folder, `${tier.name}.json`);
  const code = await processes.run(
    node,
    [
      require.resolve("mocha/bin/mocha.js"),
      "--parallel",
      "--jobs",
      String(Math.round((tier.filesPerCore ?? 1) * Math.max(2, availableParallelism()))),
      "--reporter",
      path.join(REPOSITORY, "test/support/statsReporter.cjs"),
      ...testFiles(tier.tests ?? []),
    ],
    { env: { ...env, PATH, TIER_STATS_FILE: stats } },
  );
  const { passes, failures, pending } = JSON.parse(readFileSync(stats, "utf8")) as {
    passes: number;
    failures: number;
    pending: number;
  };
  if (passes === 0) {
    throw new Error(`tier ${tier.name} ran no test`);
  }
  // A pending test is one that does not run: here none may be. A test file that breaks outside of a test
  // fails the process, and no number of mocha's.
  const failed = failures + pending;
  return { passed: passes, failed: code !== 0 && failed === 0 ? 1 : failed };
}

async function main(processes: Processes): Promise<number> {
  const { tiers, env } = chosen();
  const missing = new Map<Tier, string>();
  const preparations = new Map<Tier, Preparation>();
  for (const tier of tiers) {
    const why = await tier.missing?.();
    if (why !== undefined) {
      missing.set(tier, why);
    } else if (tier.prepare !== undefined) {
      preparations.set(tier, new Preparation(tier.name, processes));
    }
  }
  const total: Numbers = { passed: 0, failed: 0 };
  const lines: string[] = [];
  for (const tier of tiers) {
    const why = missing.get(tier);
    if (why !== undefined) {
      lines.push(`tier ${tier.name}: skipped: ${why}`);
      total.failed += process.env.CI === "true" ? 1 : 0;
      continue;
    }
    console.log(`\ntier ${tier.name}`);
    const began = Date.now();
    const numbers = await Promise.resolve(preparations.get(tier)?.done(console.log))
      .then(() => run(tier, processes, env))
      .catch((error: Error) => {
        console.error(`error: ${error.message}`);
        return { passed: 0, failed: 1 };
      });
    total.passed += numbers.passed;
    total.failed += numbers.failed;
    const seconds = Math.round((Date.now() - began) / 1000);
    lines.push(
      `tier ${tier.name}: ${numbers.passed} passed, ${numbers.failed} failed in ${seconds} s`,
    );
  }
  console.log(`\n${lines.join("\n")}`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

const processes = new Processes();
// Also at the end by itself: a preparation may run that nobody waits for any more.
process.on("exit", () => processes.end());
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

endWith(main(processes));
