import { LONGEST_LINE, readPart } from "../../components/base/operatorLine";
import type { EngineProcess, Left } from "./engine";
import { until } from "../processes/until";
import type { Failpoint } from "./failpoint";
import { untruths, Watch } from "./invariants";
import { FaultScene } from "./scene";
import type { RegionName } from "../world";
import { Truth } from "./invariants";
import type { Task, Work } from "./works";

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
  /** The same, after the operator has done what the refusal of the next run has told: a new name, a declaration less. */
  "as told",
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
export const GOOD: readonly Outcome[] = ["recovered", "refused", "as told", "not met"];

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
  let watch = new Watch(scene, work.forces);
  const armed = failpoint.arm(scene);
  const left = (await failpoint.run?.(scene)) ?? [await scene.up({ brisk: true })];
  await armed.heal();
  const turns = armed.hits > 0 ? failpoint.turns : undefined;
  const task = turns ?? work;
  const verdict = await ofRun(scene, task, left, failpoint, armed.hits);
  const breaches: string[] = [];
  if (turns !== undefined) {
    breaches.push(...watch.end());
    watch = new Watch(scene, turns.forces);
  }
  const goesOn =
    verdict.outcome === "refused" || (turns !== undefined && verdict.outcome === "recovered");
  const healed = goesOn ? await healing(scene, task, left, verdict) : verdict;
  breaches.push(...watch.end());
  return breaches.length > 0 ? { outcome: "harm", facts: [...breaches, ...healed.facts] } : healed;
}

/** What the run itself has come to; a refusal may heal or not. */
async function ofRun(
  scene: FaultScene,
  task: Task,
  left: readonly Left[],
  { kills, partial }: Failpoint,
  hits: number,
): Promise<Judged> {
  const crashed = left.flatMap((one) => one.crashed ?? []);
  if (crashed.length > 0) {
    return { outcome: "crash", facts: crashed };
  }
  if (left.some(({ hung }) => hung)) {
    return { outcome: "hung", facts: scene.engine.log.slice(-3) };
  }
  const ended = left.flatMap((one) => one.ended ?? []);
  if (ended.length < left.length) {
    return kills && hits > 0
      ? { outcome: "refused", facts: ["killed"] }
      : { outcome: "crash", facts: ["the process of the run has ended by itself"] };
  }
  const errors = ended.flatMap((one) => one.errors);
  const wrongLines = errors.flatMap(unreadable);
  if (wrongLines.length > 0) {
    return { outcome: "unreadable", facts: wrongLines };
  }
  if (partial || ended.some(({ ok }) => !ok)) {
    return { outcome: "refused", facts: errors };
  }
  const wrong =
    task.truth === "refused" ? ["a success where none can be"] : await untruths(scene, task.truth);
  const told = ended.flatMap(({ warnings }) => warnings.filter((line) => REFRESH.test(line)));
  if (wrong.length > 0) {
    return told.length > 0
      ? { outcome: "refused", facts: [...told, ...wrong] }
      : { outcome: "wrong success", facts: wrong };
  }
  return { outcome: hits === 0 ? "not met" : "recovered", facts: [] };
}

/** What says that a state is not to be believed. */
const REFRESH = /up --refresh/;

/** So many runs may a recovery take after the one that met the fault. */
const MOST_RUNS = 5;

/** What a refusal can tell an operator to do before the next run. */
const WAYS_OUT: readonly [RegExp, (scene: FaultScene, run: number) => unknown][] = [
  // That run takes the declaration back before anything else, which is all that is asked of it.
  [/declares region\d, .*, and up there/, (scene) => scene.up({ region: scene.lost, brisk: true })],
  [/new name/i, (scene, run) => scene.set({ failback: `again-${run}` })],
  [/let it end, or cancel it/, letEndOrCancel],
  // The one that could show and cancel it is gone with region0: it comes back with its disks.
  [/no coordinator answers/, ({ world, lost }) => world.recreate(lost, "old")],
  [/recreate it empty/, ({ world, lost }) => world.recreate(lost)],
  [/remove failback|abandon this attempt/, (scene) => scene.unset(["failback"])],
  [/remove lostRegion/, (scene) => scene.unset(["lostRegion"])],
];

/** With a broker that is gone an ordinary change never ends. */
async function letEndOrCancel({ world, survivor, lost }: FaultScene): Promise<void> {
  if (world.isSearching(lost)) {
    const isOver = () => world.cluster(survivor).pendingChange === undefined;
    await until("the pending change to end", isOver);
  } else {
    await world.cancelChange();
  }
}

/** Runs again without the fault, as the operator would, and does what a refusal then says. */
async function healing(
  scene: FaultScene,
  task: Task,
  before: readonly Left[],
  refused: Judged,
): Promise<Judged> {
  const facts = [...refused.facts];
  const truth = (task.healed ?? task.truth) as Truth;
  task.takeBack?.(scene);
  // After a kill the documentation asks for a refresh, and so does a warning.
  const asksForRefresh = ({ ended }: Left) =>
    ended === undefined || ended.warnings.some((line) => REFRESH.test(line));
  let options = before.some(asksForRefresh) ? { refresh: true } : {};
  let outcome: Outcome = "refused";
  for (let run = 1; run <= MOST_RUNS; run++) {
    const left = await scene.up(options);
    options = {};
    let told: string[];
    if (left.ended?.ok === true) {
      told = await untruths(scene, truth);
      if (told.length === 0) {
        return { outcome, facts };
      }
      if (task.begin === undefined) {
        return { outcome: "not healed", facts: [...facts, "then:", ...told] };
      }
      task.begin(scene, `again-${run}`);
    } else {
      told = left.ended?.errors ?? [left.crashed ?? (left.hung ? "hung" : "died")];
      const way = WAYS_OUT.find(([pattern]) => told.some((line) => pattern.test(line)));
      if (way === undefined) {
        return { outcome: "not healed", facts: [...facts, "then:", ...told] };
      }
      await way[1](scene, run);
    }
    facts.push("then:", ...told);
    outcome = "as told";
  }
  return { outcome: "not healed", facts };
}

/** What is wrong with an error as an operator reads it. */
export function unreadable(error: string): string[] {
  const lines = error.split("\n");
  const long = lines.filter((line) => readPart(line).length > LONGEST_LINE);
  return [
    ...(NOT_MEANT.test(error) ? [`not meant for a person: ${error}`] : []),
    ...long.map((line) => `${line.length} characters: ${line}`),
  ];
}
