import { REGIONS } from "../components/base/brokers";
import { recoveryOf } from "../components/stack/contract";
import { commandLine, Stop } from "./commandLine";
import { folderOf, npmRun, npmRunPulumi, Place } from "./operator/commands";
import { confirmed, expectSomebody, runCommand, say, watchOf } from "./operator/console";
import type { Interrupt } from "./operator/interrupt";
import { RegionStack, Stacks } from "./operator/stack";

const HELP = `npm run up -- [options]

Runs both stacks in turn until neither has anything to change: a first installation, where each needs what
the other has made (region0: network and cluster; region1: its own, and requests the peering; region0:
accepts it; then both find the cluster complete), a change of the configuration, or a region that has been
recreated while the other one is failed over.

A region that is declared lost is left alone until its stack is made anew.

  --yes           do not ask before each run
  --stacks A,B    names of the stacks of region0 and region1 (default: region0,region1)
  --dir DIR       folder of Pulumi.yaml and the stacks' files (default: this repository)
  --help

Exit code: 0 done, 1 not done, 2 wrong command line, 130 stopped on request.
`;

/** A first installation takes two rounds, and one in which nothing changes. More would never end. */
const MOST_ROUNDS = 4;

async function up(interrupt: Interrupt): Promise<void> {
  const { values } = commandLine(HELP, {
    yes: { type: "boolean", default: false },
    stacks: { type: "string" },
    dir: { type: "string" },
  });
  expectSomebody(values.yes);
  const place: Place = { dir: values.dir, stack: undefined, stacks: values.stacks };
  const names = values.stacks?.split(",").map((name) => name.trim()) ?? REGIONS;
  if (names.length !== 2) {
    throw new Stop(`--stacks must name two stacks, not ${values.stacks}`, 2);
  }
  const stacks = await Stacks.in(folderOf(place), watchOf(interrupt));
  const opened: RegionStack[] = [];
  for (const name of names) {
    opened.push(await stacks.open(name, "--stacks A,B"));
  }
  const both = inOrder(opened);
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    let changed = false;
    for (const stack of both) {
      const other = both.find((candidate) => candidate !== stack) as RegionStack;
      if (await isLost(stack, other, place)) {
        continue;
      }
      changed = (await run(stack, round, values.yes, interrupt)) || changed;
    }
    if (!changed) {
      say(
        `\nneither stack has anything to change\n${(await Promise.all(both.map(line))).join("\n")}`,
      );
      return;
    }
  }
  throw new Stop(
    `after ${MOST_ROUNDS} rounds there is still something to change: look at what the last preview shows; to go on: ${npmRun("up", [], place)}`,
  );
}

/** One stack of each region, region0 first: region1 needs its network to request the peering. */
function inOrder(stacks: readonly RegionStack[]): RegionStack[] {
  const both = REGIONS.flatMap((region) => stacks.filter((stack) => stack.region === region));
  if (both[0]?.region === both[1]?.region) {
    throw new Stop(
      `stacks ${both.map(({ name }) => name).join(" and ")} are both of ${both[0]?.region}: --stacks must name one of each region`,
      2,
    );
  }
  return both;
}

/** Whether a stack is that of a region which the other declares lost, and which was not made anew. */
async function isLost(stack: RegionStack, other: RegionStack, place: Place): Promise<boolean> {
  const { lostRegion } = await other.config();
  if (lostRegion !== stack.region) {
    return false;
  }
  const { phase } = recoveryOf(await stack.outputs());
  if (
    phase === undefined ||
    phase === "rejoining" ||
    recoveryOf(await other.outputs()).phase === "restored"
  ) {
    return false;
  }
  say(
    `stack ${stack.name}: ${stack.region} is declared lost by stack ${other.name}: left alone; to recreate it: ${npmRunPulumi(["stack", "rm", "--force", "--preserve-config"], stack.name, place)}, then pulumi stack init ${stack.name}, then ${npmRun("up", [], place)}`,
  );
  return true;
}

/** @returns whether the run has changed something */
async function run(
  stack: RegionStack,
  round: number,
  yes: boolean,
  interrupt: Interrupt,
): Promise<boolean> {
  say(`\nround ${round}: stack ${stack.name}`);
  const preview = await stack.preview();
  if (Object.keys(preview.changes).length === 0) {
    say("nothing to change");
    return false;
  }
  say(preview.text);
  if (!yes && !(await confirmed(stack.region, interrupt))) {
    throw interrupt.signal.aborted
      ? new Stop("stopped on request: nothing was changed by this run", 130)
      : new Stop("not confirmed: nothing was changed by this run");
  }
  await stack.up();
  return true;
}

async function line(stack: RegionStack): Promise<string> {
  const outputs = await stack.outputs();
  const { phase } = recoveryOf(outputs);
  return `  ${stack.name}: ${String(phase ?? "not installed")}, active region ${String(outputs.activeRegion ?? "unknown")}`;
}

runCommand(up);
