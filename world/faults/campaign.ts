import { createHash } from "node:crypto";
import { EngineProcess } from "./engine";
import type { Family } from "./failpoint";
import { LISTINGS } from "./lies";
import { CaseResult, FaultCase, runCase } from "./runCase";

/** How many of the cases of each family are run, and which. */
export interface Sample {
  /** Of all families together; each has its share as far as it has cases. */
  size: number;
  seed: number;
}

/** Lies are by far the most, and say the least each. */
const SHARES: Record<Family, number> = { lies: 0.5, kills: 0.2, events: 0.2, operators: 0.1 };

/** Cases in an order that depends on nothing but their names and the seed. */
function shuffled(cases: readonly FaultCase[], seed: number): FaultCase[] {
  const place = (one: FaultCase) => createHash("sha1").update(`${seed} ${one.name}`).digest("hex");
  return cases
    .map((one) => ({ one, at: place(one) }))
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .map(({ one }) => one);
}

/**
 * The cases of a sample. A case is in it by its own name and the seed, whichever others there are: one request more or
 * less in a clean run changes little.
 */
export function sampled(cases: readonly FaultCase[], { size, seed }: Sample): FaultCase[] {
  const all = shuffled(cases, seed);
  const chosen = Object.entries(SHARES).flatMap(([family, share]) =>
    all.filter(({ failpoint }) => failpoint.family === family).slice(0, Math.ceil(size * share)),
  );
  const others = all.filter((one) => !chosen.includes(one));
  const inOrder = new Set([...chosen, ...others].slice(0, size));
  return all.filter((one) => inOrder.has(one));
}

/** The work of a case, and the region that is lost in it. */
const workOf = ({ work, lost }: FaultCase) => `${work.name} ${lost}`;

/** What a case stands for: a share has one case of each. */
function standsFor({ work, failpoint }: FaultCase): string[] {
  const { family, kind, name, at = "" } = failpoint;
  const every = `${family} ${kind}`;
  if (family === "kills") {
    return [`${every} ${at}`];
  }
  // An answer that is lost, and one that is a false success, are worth a case of each change.
  if (kind === "undone" || kind.startsWith("done-")) {
    return [every, `${kind.split("-")[0]} ${at}`];
  }
  // That a region looks lost which lives must be tried in each way, and for as long as it takes.
  return work.name === "mistaken" &&
    LISTINGS.includes(kind) &&
    / \/v2\/topology .* always$/.test(name)
    ? [every, `${every} mistaken`]
    : [every];
}

/**
 * One case of each kind of fault, of kills and lost answers of each kind of change: of those that there are the one whose
 * work has fewest so far. A share that is small, and has everything in it.
 */
export function covering(cases: readonly FaultCase[], seed: number): FaultCase[] {
  const groups = new Map<string, FaultCase[]>();
  for (const one of shuffled(cases, seed)) {
    for (const group of standsFor(one)) {
      groups.set(group, [...(groups.get(group) ?? []), one]);
    }
  }
  const chosen: FaultCase[] = [];
  const count = (one: FaultCase) => chosen.filter((other) => workOf(other) === workOf(one)).length;
  // First those of which there are few: a case may stand for a larger group besides.
  for (const group of [...groups.values()].sort((a, b) => a.length - b.length)) {
    if (!group.some((one) => chosen.includes(one))) {
      chosen.push(group.reduce((best, one) => (count(one) < count(best) ? one : best)));
    }
  }
  return chosen;
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
