import { writeFileSync } from "node:fs";
import { allCases, caseNamed } from "../world/faults/cases";
import { runCases, sampled } from "../world/faults/campaign";
import { EngineProcess } from "../world/faults/engine";
import { FAMILIES } from "../world/faults/failpoint";
import { reportOf, textOfReport } from "../world/faults/report";
import { FaultCase } from "../world/faults/runCase";
import { commandLine, endWith, expectNone, notWhole, Stop } from "./commandLine";

const HELP = `npm run test:faults -- [options]

Lets anything fail at any moment, and counts what becomes of it: pieces of work of a recovery, in both directions, each
with wrong answers to every request, kills and events of the cluster at every change, and slips of operators. What
counts as true is what the embedded world was asked and how it stands, never what the program says.
world/faults/README.md.

  --sample N      how many cases (default 300); all: every one, which takes hours
  --seed S        which ones (default 1)
  --only TEXT     only cases whose name has it
  --family NAME   only ${FAMILIES.join(", ")}
  --case NAME     one case, by its whole name, with what was said in it
  --jobs N        cases at a time (default 4): they mostly wait
  --list          the names of the sample, without running them
  --json FILE     writes the report as JSON, too
  --help
`;

async function main(): Promise<number> {
  const { values } = commandLine(HELP, {
    sample: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    family: { type: "string" },
    case: { type: "string" },
    jobs: { type: "string", default: "4" },
    list: { type: "boolean", default: false },
    json: { type: "string" },
  });
  expectNone([
    FAMILIES.some((one) => one === (values.family ?? one))
      ? undefined
      : `--family must be one of: ${FAMILIES.join(", ")}`,
    values.sample === "all" ? undefined : notWhole("--sample", values.sample, 1),
    notWhole("--seed", values.seed, 0),
    notWhole("--jobs", values.jobs, 1),
  ]);
  const began = Date.now();
  const engine = new EngineProcess();
  const seed = Number(values.seed);
  try {
    const cases =
      values.case === undefined ? await chosen(engine, { ...values, seed }) : [named(values.case)];
    if (values.list) {
      console.log(cases.map(({ name }) => name).join("\n"));
      return 0;
    }
    let done = 0;
    const results = await runCases(cases, Number(values.jobs), ({ name, outcome, seconds }) => {
      console.error(`${++done}/${cases.length} ${outcome} (${seconds} s): ${name}`);
    });
    const report = reportOf(results, seed, Math.round((Date.now() - began) / 1000));
    console.log(textOfReport(report));
    if (values.case !== undefined) {
      console.log(results.flatMap(({ facts }) => facts).join("\n"));
    }
    if (values.json !== undefined) {
      writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
    }
    return report.faults.length === 0 ? 0 : 1;
  } finally {
    engine.kill();
  }
}

async function chosen(
  engine: EngineProcess,
  {
    sample,
    seed,
    only,
    family,
  }: { sample: string; seed: number; only: string; family?: string | undefined },
): Promise<FaultCase[]> {
  const cases = (await allCases(engine)).filter(
    ({ name, failpoint }) =>
      name.includes(only) && (family === undefined || failpoint.family === family),
  );
  console.error(`${cases.length} cases`);
  return sampled(cases, { size: sample === "all" ? cases.length : Number(sample), seed });
}

function named(name: string): FaultCase {
  const found = caseNamed(name);
  if (found === undefined) {
    throw new Stop(`no case is called ${name}; --list shows some`, 2);
  }
  return found;
}

endWith(main());
