import { createHash } from "node:crypto";
import { EngineProcess } from "./engine";
import { CaseResult, FaultCase, runCase } from "./runCase";

/** How many of the cases of each family are run, and which. */
export interface Sample {
  /** Of all families together; each has its share as far as it has cases. */
  size: number;
  seed: number;
}

/** Lies are by far the most, and say the least each. */
const SHARES = { lies: 0.75, kills: 0.25 };

/**
 * The cases of a sample. A case is in it by its own name and the seed, whichever others there are: one request more or
 * less in a clean run changes little.
 */
export function sampled(cases: readonly FaultCase[], { size, seed }: Sample): FaultCase[] {
  const place = (one: FaultCase) => createHash("sha1").update(`${seed} ${one.name}`).digest("hex");
  const shuffled = cases
    .map((one) => ({ one, at: place(one) }))
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .map(({ one }) => one);
  const chosen = Object.entries(SHARES).flatMap(([family, share]) =>
    shuffled
      .filter(({ failpoint }) => failpoint.family === family)
      .slice(0, Math.ceil(size * share)),
  );
  const others = shuffled.filter((one) => !chosen.includes(one));
  const inOrder = new Set([...chosen, ...others].slice(0, size));
  return shuffled.filter((one) => inOrder.has(one));
}

/**
 * Runs cases, several side by side: mostly each waits.
 *
 * @param jobs how many at a time
 * @param said gets each result at once
 */
export async function runCases(
  cases: readonly FaultCase[],
  jobs: number,
  said: (result: CaseResult) => void = () => undefined,
): Promise<CaseResult[]> {
  const left = [...cases];
  const results: CaseResult[] = [];
  const work = async () => {
    const engine = new EngineProcess();
    try {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const result = await runCase(next, engine);
        results.push(result);
        said(result);
      }
    } finally {
      engine.kill();
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return results;
}
