import { LONGEST_LINE, readPart } from "../../components/base/operatorLine";
import type { EngineProcess, Left } from "./engine";
import type { Failpoint } from "./failpoint";
import { untruths, Watch } from "./invariants";
import { FaultScene } from "./scene";
import type { RegionName } from "../world";
import { Truth } from "./invariants";
import type { Work } from "./works";

/** A piece of work, the region that is lost in it, and what goes wrong. */
export interface FaultCase {
  name: string;
  work: Work;
  lost: RegionName;
  failpoint: Failpoint;
}

/** What became of a case. All but the first four are faults of the program. */
export const OUTCOMES = [
  /** It succeeded, and that is true. */
  "recovered",
  /** It was refused as an operator can read it, and the next run without the fault has done the work. */
  "refused",
  /** The same, by a new name for the attempt, which the refusal of the next run has asked for. */
  "new attempt",
  /** The place of the fault was not reached. */
  "not met",
  /** It succeeded, and that is not true in the world. */
  "wrong success",
  /** Something was done that may never be. */
  "harm",
  /** The next runs, without the fault, do not get the work done. */
  "not healed",
  /** What an operator reads is no line with a fact. */
  "unreadable",
  /** An error that nobody has caught. */
  "crash",
  /** It did not end within its time. */
  "hung",
] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** Outcomes with which the program may be content. */
export const GOOD: readonly Outcome[] = ["recovered", "refused", "new attempt", "not met"];

export interface CaseResult {
  name: string;
  family: Failpoint["family"];
  outcome: Outcome;
  /** What was seen, where it is a fault; of a refusal its text. */
  facts: string[];
  seconds: number;
}

export function nameOf(work: Work, lost: RegionName, { name }: Failpoint): string {
  return `${work.name} ${lost}: ${name}`;
}

/** Texts that no person has meant. */
const NOT_MEANT =
  /undefined|\bNaN\b|\[object |^\s*$|\n\s+at |TypeError|ReferenceError|RangeError|SyntaxError/;

/** Runs a case in a world of its own. */
export async function runCase(
  { name, work, lost, failpoint }: FaultCase,
  engine: EngineProcess,
): Promise<CaseResult> {
  const began = Date.now();
  const scene = await FaultScene.of(lost, engine);
  try {
    await work.prepare(scene);
    const judged = await judge(scene, work, failpoint);
    const seconds = Math.round((Date.now() - began) / 100) / 10;
    return { name, family: failpoint.family, ...judged, seconds };
  } finally {
    await scene.end();
  }
}

type Judged = Pick<CaseResult, "outcome" | "facts">;

async function judge(scene: FaultScene, work: Work, failpoint: Failpoint): Promise<Judged> {
  const watch = new Watch(scene, work.forces);
  const armed = failpoint.arm(scene);
  const left = await scene.up({ brisk: true });
  await armed.heal();
  const verdict = await ofRun(scene, work, left, failpoint, armed.hits);
  const healed =
    verdict.outcome === "refused" ? await healing(scene, work, left, verdict) : verdict;
  const breaches = watch.end();
  return breaches.length > 0 ? { outcome: "harm", facts: [...breaches, ...healed.facts] } : healed;
}

/** What the run itself has come to; a refusal may heal or not. */
async function ofRun(
  scene: FaultScene,
  work: Work,
  { ended, crashed, hung }: Left,
  { run }: Failpoint,
  hits: number,
): Promise<Judged> {
  if (crashed !== undefined) {
    return { outcome: "crash", facts: [crashed] };
  }
  if (hung) {
    return { outcome: "hung", facts: scene.engine.log.slice(-3) };
  }
  if (ended === undefined) {
    return run === "killed" && hits > 0
      ? { outcome: "refused", facts: ["killed"] }
      : { outcome: "crash", facts: ["the process of the run has ended by itself"] };
  }
  if (!ended.ok) {
    const wrong = ended.errors.flatMap(unreadable);
    return wrong.length > 0
      ? { outcome: "unreadable", facts: wrong }
      : { outcome: "refused", facts: ended.errors };
  }
  const wrong =
    work.truth === "refused" ? ["a success where none can be"] : await untruths(scene, work.truth);
  if (wrong.length > 0) {
    return { outcome: "wrong success", facts: wrong };
  }
  return { outcome: hits === 0 ? "not met" : "recovered", facts: [] };
}

/** Runs again without the fault, as the operator would. */
async function healing(
  scene: FaultScene,
  work: Work,
  { ended }: Left,
  refused: Judged,
): Promise<Judged> {
  const facts = [...refused.facts];
  work.takeBack?.(scene);
  // After a kill the documentation asks for a refresh.
  const refresh = ended === undefined ? { refresh: true } : {};
  let outcome: Outcome = "refused";
  let left = await scene.up(refresh);
  if (left.ended?.ok === false && left.ended.errors.some((line) => /new name/i.test(line))) {
    facts.push(...left.ended.errors);
    scene.set({ failback: "two" });
    outcome = "new attempt";
    left = await scene.up();
  }
  if (left.ended?.ok !== true) {
    const { errors = [left.crashed ?? (left.hung ? "hung" : "died")] } = left.ended ?? {};
    return { outcome: "not healed", facts: [...facts, "then:", ...errors] };
  }
  const wrong = await untruths(scene, (work.healed ?? work.truth) as Truth);
  return wrong.length > 0
    ? { outcome: "not healed", facts: [...facts, "then:", ...wrong] }
    : { outcome, facts };
}

/** What is wrong with an error as an operator reads it. */
function unreadable(error: string): string[] {
  const lines = error.split("\n");
  const long = lines.filter((line) => readPart(line).length > LONGEST_LINE);
  return [
    ...(NOT_MEANT.test(error) ? [`not meant for a person: ${error}`] : []),
    ...long.map((line) => `${line.length} characters: ${line}`),
  ];
}
