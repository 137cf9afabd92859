import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import * as path from "node:path";
import { Preparation } from "./test/preparation";
import { Processes } from "./test/processes";
import { testFiles, Tier, TIERS } from "./test/tiers";
import { REPOSITORY } from "./repository";

const names = (tiers: Tier[]) => tiers.map(({ name }) => name).join(", ");
const EVERY_TIME = TIERS.filter(({ runs }) => runs === "always");
const ALL = TIERS.filter(({ runs }) => runs !== "named");

const HELP = `npm test [-- TIER... [OPTIONS]]

Runs ${names(EVERY_TIME)}; with "all" ${names(ALL.filter((tier) => !EVERY_TIME.includes(tier)))} too; or the tiers that are named, of
${names(TIERS)}. OPTIONS are those of the tier that is named last.
A tier that cannot run here is skipped with a line that says why; with CI=true that is a failure.
The last line is "N passed, N failed".
`;

interface Numbers {
  passed: number;
  failed: number;
}

/** What the command line asks for. */
function chosen(args: string[]): { tiers: Tier[]; env: Record<string, string> } {
  const end = args.findIndex((arg) => arg.startsWith("-"));
  const named = end < 0 ? args : args.slice(0, end);
  const options = end < 0 ? [] : args.slice(end);
  const unknown = named.filter((name) => name !== "all" && !TIERS.some((t) => t.name === name));
  if (unknown.length > 0) {
    throw new Error(`no tier ${unknown.join(", ")}; the tiers are ${names(TIERS)}, all`);
  }
  const tiers = TIERS.filter(
    (tier) =>
      named.includes(tier.name) ||
      (named.includes("all") && ALL.includes(tier)) ||
      (named.length === 0 && EVERY_TIME.includes(tier)),
  );
  if (options.length === 0) {
    return { tiers, env: {} };
  }
  const last = TIERS.find(({ name }) => name === named.at(-1));
  if (last?.options === undefined) {
    const who = last === undefined ? "npm test" : `tier ${last.name}`;
    throw new Error(`${who} has no option ${options[0]}`);
  }
  return { tiers, env: last.options(options) };
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

async function main(args: string[], processes: Processes): Promise<number> {
  if (args.includes("--help")) {
    console.log(HELP);
    return 0;
  }
  const { tiers, env } = chosen(args);
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

main(process.argv.slice(2), processes).then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(`error: ${error.message}`);
    process.exit(2);
  },
);
