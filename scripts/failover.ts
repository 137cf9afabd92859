import { peerOf } from "../components/base/brokers";
import { recoveryOf } from "../components/stack/contract";
import { commandLine, Stop } from "./commandLine";
import { folderOf, isRegion, npmRun, npmRunPulumi, Place } from "./operator/commands";
import { expectSomebody, runCommand, say, watchOf } from "./operator/console";
import type { Interrupt } from "./operator/interrupt";
import { make } from "./operator/move";
import { RegionStack, Stacks } from "./operator/stack";
import { brokersOf, summaryOf } from "./operator/summary";
import { AFTER_FAILOVER_TARGETS, FAILOVER_TARGETS } from "./operator/targets";
import { messageOf } from "../components/base/messageOf";

const HELP = `npm run failover -- --lost region0|region1 [options]

Declares a region lost on the stack of the other one and runs that stack: its brokers are forced out of the
cluster, its exporter is disabled. Shows the preview and asks first. Run again after an interruption, it
goes on from what is there.

  --lost REGION   the region that is lost
  --yes           do not ask
  --stack NAME    stack of the region that survives (default: the name of that region)
  --dir DIR       folder of Pulumi.yaml and the stacks' files (default: this repository)
  --no-refresh    do not look at the cluster before planning: when that fails, and no run was killed
  --help

Exit code: 0 done, 1 not done, 2 wrong command line, 130 stopped on request.
`;

async function failover(interrupt: Interrupt): Promise<void> {
  const { values } = commandLine(HELP, {
    lost: { type: "string" },
    yes: { type: "boolean", default: false },
    stack: { type: "string" },
    dir: { type: "string" },
    "no-refresh": { type: "boolean", default: false },
  });
  const { lost, yes } = values;
  if (!isRegion(lost)) {
    throw new Stop(
      `--lost must be region0 or region1${lost === undefined ? "" : `, not ${lost}`}`,
      2,
    );
  }
  expectSomebody(yes);
  const place: Place = { dir: values.dir, stack: values.stack };
  const stacks = await Stacks.in(folderOf(place), watchOf(interrupt));
  const stack = await stacks.open(place.stack ?? peerOf(lost));
  if (stack.region === lost) {
    throw new Stop(
      `stack ${stack.name} is the stack of ${lost}: a failover runs on the stack of the region that survives`,
      2,
    );
  }
  const before = await stack.config();
  if (before.failback !== undefined) {
    throw new Stop(
      `stack ${stack.name} is in failback ${before.failback}: end it with ${npmRun("failback", ["--finish"], place)}, or take it back with ${npmRun("failback", ["--abandon"], place)}`,
    );
  }
  const outputs = await make(
    {
      title: `failover: ${lost} is lost, ${stack.region} goes on`,
      // A region that is lost while it is drained is no drained one any more.
      config: { lostRegion: lost, drainRegion: undefined },
      withdraw: `to take the declaration back, as long as no broker was forced out: ${npmRunPulumi(["config", "rm", "lostRegion"], stack.name, place)}, then ${npmRunPulumi(["up"], stack.name, place)}, which opens the fence where there is one`,
    },
    stack,
    {
      yes,
      refresh: !values["no-refresh"],
      targets: FAILOVER_TARGETS,
      again: npmRun("failover", ["--lost", lost], place),
    },
    interrupt,
  );
  say(`\nfailed over\n${summaryOf(outputs)}\n`);
  // Only where the program has installed the region there is a fence, and names.
  if (recoveryOf(outputs).fenced === true) {
    await afterwards(stack, place);
  }
  say(`next
  1. recreate ${lost}: ${brokersOf(lost, outputs)} with empty disks, and an empty Elasticsearch
  2. ${npmRun("failback", [], place)}`);
}

/** What belongs to a failover and must not be able to end it. */
async function afterwards(stack: RegionStack, place: Place): Promise<void> {
  try {
    await stack.up({ targets: AFTER_FAILOVER_TARGETS });
  } catch (error) {
    say(
      `warning: DNS names of ${stack.peer} could not be made to fail at once (${messageOf(error)}): pods that look for it wait some seconds; later: ${npmRunPulumi(["up"], stack.name, place)}`,
    );
  }
  const { traffic } = await stack.config();
  if (traffic !== undefined && traffic !== "{}") {
    say(
      `the weights of the users' records are not written yet: ${npmRunPulumi(["up"], stack.name, place)}\n`,
    );
  }
}

runCommand(failover);
