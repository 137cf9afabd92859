import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { kubernetesAvailable } from "./world/kubernetes/real/prepare";
import { REPOSITORY } from "./workspace";

/** A tier of the tests: what it needs, and where it is. */
interface Tier {
  name: string;
  files: string[];
  /** Why it cannot run here, or undefined. */
  missing?: () => Promise<string | undefined>;
}

const TIERS: Tier[] = [
  { name: "unit", files: ["test/unit/**/*.test.ts", "test/golden/*.test.ts"] },
  {
    name: "contract",
    files: ["test/contract/embedded.test.ts", "test/contract/kubernetesStandIn.test.ts"],
  },
  { name: "engine", files: ["test/engine/**/*.test.ts"] },
  {
    name: "kubernetes",
    files: ["test/kubernetes/*.test.ts"],
    missing: async () => {
      const available = await kubernetesAvailable();
      return available.ok ? undefined : available.why;
    },
  },
];

const HELP = `npm test [-- TIER ...]

Runs the tiers of the tests, all or the named ones: ${TIERS.map((tier) => tier.name).join(", ")}.
A tier that cannot run here is skipped with a line that says why; with CI=true that is a failure.
`;

interface Numbers {
  passes: number;
  failures: number;
  pending: number;
}

let running: ReturnType<typeof spawn> | undefined;

/** Runs one tier in a process of its own: the mocks of one must not reach the engine of another. */
async function run(tier: Tier): Promise<Numbers> {
  const folder = mkdtempSync(path.join(tmpdir(), "tier-"));
  const file = path.join(folder, "stats.json");
  try {
    running = spawn(
      process.execPath,
      [
        require.resolve("mocha/bin/mocha.js"),
        "--reporter",
        path.join(REPOSITORY, "test/support/statsReporter.cjs"),
        ...tier.files,
      ],
      { cwd: REPOSITORY, stdio: "inherit", env: { ...process.env, TIER_STATS_FILE: file } },
    );
    const [code] = (await once(running, "exit")) as [number | null];
    const numbers = JSON.parse(readFileSync(file, "utf8")) as Numbers;
    if (numbers.passes === 0) {
      throw new Error(`tier ${tier.name} ran no test`);
    }
    // A test file that breaks outside of a test fails the process, and no number of mocha's.
    return code !== 0 && numbers.failures === 0 ? { ...numbers, failures: 1 } : numbers;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const named = process.argv.slice(2);
  if (named.includes("--help")) {
    console.log(HELP);
    return 0;
  }
  const unknown = named.filter((name) => !TIERS.some((tier) => tier.name === name));
  if (unknown.length > 0) {
    console.error(
      `error: no tier ${unknown.join(", ")}; the tiers are ${TIERS.map((t) => t.name).join(", ")}`,
    );
    return 2;
  }
  const total: Numbers = { passes: 0, failures: 0, pending: 0 };
  const lines: string[] = [];
  for (const tier of TIERS.filter(({ name }) => named.length === 0 || named.includes(name))) {
    const why = await tier.missing?.();
    if (why !== undefined) {
      lines.push(`${tier.name}: skipped: ${why}`);
      total.failures += process.env.CI === "true" ? 1 : 0;
      continue;
    }
    console.log(`\ntier ${tier.name}`);
    const began = Date.now();
    const numbers = await run(tier).catch((error: Error) => {
      console.error(`error: ${error.message}`);
      return { passes: 0, failures: 1, pending: 0 };
    });
    total.passes += numbers.passes;
    // A pending test is one that does not run: here none may be.
    total.failures += numbers.failures + numbers.pending;
    lines.push(
      `${tier.name}: ${numbers.passes} passed, ${numbers.failures + numbers.pending} failed in ${Math.round((Date.now() - began) / 1000)} s`,
    );
  }
  console.log(`\n${lines.map((line) => `tier ${line}`).join("\n")}`);
  console.log(`${total.passes} passed, ${total.failures} failed`);
  return total.failures === 0 ? 0 : 1;
}

// Ctrl-C reaches the tier too: it ends, and the numbers are printed.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => running?.kill("SIGTERM"));

void main().then((code) => {
  process.exitCode = code;
});
