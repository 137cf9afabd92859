import type { RegionName } from "../world";
import type { EngineProcess, StackState } from "./engine";
import { eventFailpoint, eventFailpoints } from "./eventFailpoints";
import type { Failpoint } from "./failpoint";
import { killingFailpoint, killingFailpoints } from "./killingFailpoints";
import { lyingFailpoint, lyingFailpoints } from "./lyingFailpoints";
import { operatorFailpoint, operatorFailpoints } from "./operatorFailpoints";
import { changesSomething } from "../camunda/embedded";
import { learn, LearntRequest } from "./requests";
import { FaultCase, nameOf } from "./runCase";
import { FaultScene } from "./scene";
import { Work, WORKS } from "./works";

const REGIONS: readonly RegionName[] = ["region0", "region1"];

/** Every case that there is, by what clean runs send. */
export async function allCases(engine: EngineProcess): Promise<FaultCase[]> {
  const cases: FaultCase[] = [];
  for (const work of WORKS) {
    for (const lost of REGIONS) {
      const { learnt, before, after } = await cleanRun(work, lost, engine);
      const failpoints: Failpoint[] = [
        ...lyingFailpoints(learnt),
        ...killingFailpoints(learnt),
        ...(work.truth === "refused" ? [] : eventFailpoints(learnt, work, lost)),
        ...operatorFailpoints(work, before, after),
      ];
      cases.push(...failpoints.map((failpoint) => caseOf(work, lost, failpoint)));
    }
  }
  return cases;
}

/** The case of a name; undefined when nothing is called so. */
export function caseNamed(name: string): FaultCase | undefined {
  const [, workName, lost, rest = ""] = /^(\w+) (region[01]): (.*)$/.exec(name) ?? [];
  const work = WORKS.find((one) => one.name === workName);
  const failpoint =
    lyingFailpoint(rest, changesSomething) ??
    killingFailpoint(rest) ??
    eventFailpoint(rest) ??
    operatorFailpoint(rest);
  return work && failpoint ? caseOf(work, lost as RegionName, failpoint) : undefined;
}

function caseOf(work: Work, lost: RegionName, failpoint: Failpoint): FaultCase {
  return { name: nameOf(work, lost, failpoint), work, lost, failpoint };
}

/** What a run sends when nothing goes wrong, and the state before and after it. */
async function cleanRun(
  work: Work,
  lost: RegionName,
  engine: EngineProcess,
): Promise<{ learnt: LearntRequest[]; before: StackState; after: StackState }> {
  const scene = await FaultScene.of(lost, engine);
  try {
    await work.prepare(scene);
    const before = scene.states[scene.survivor] ?? [];
    const learning = learn(scene);
    // What must end well has time for it on a busy machine.
    const { ended } = await scene.up({ brisk: work.truth === "refused" });
    const learnt = learning.end();
    if (ended?.ok !== (work.truth !== "refused")) {
      throw new Error(
        `a clean ${work.name} ended otherwise: ${ended?.errors.join("; ") ?? "died"}`,
      );
    }
    return { learnt, before, after: scene.states[scene.survivor] ?? [] };
  } finally {
    await scene.end();
  }
}
