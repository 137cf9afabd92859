import { REGIONS, RegionName } from "../components/base/brokers";
import { INCIDENT_OVERRIDES } from "../components/settings";
import { isUnfinished, recoveryOf } from "../components/stack/contract";
import type { RecordedState } from "../components/stack/stackState";
import { nextAttempt } from "./operator/attempt";
import { commandLine, Stop } from "./commandLine";
import { folderOf, npmRun, npmRunPulumi, Place } from "./operator/commands";
import { expectSomebody, runCommand, say, watchOf } from "./operator/console";
import type { Interrupt } from "./operator/interrupt";
import { make, Move } from "./operator/move";
import { RegionStack, Stacks } from "./operator/stack";
import { recordOf, summaryOf, usersWereMoved } from "./operator/summary";
import { RECOVERY_TARGETS } from "./operator/targets";
import { messageOf } from "../components/base/messageOf";

const HELP = `npm run failback -- [options]

Fails back to the recreated or the drained region: snapshot and restore of Elasticsearch, its exporters enabled, its
brokers added. Shows the preview and asks first. Run again after an interruption, it goes on from what is there.

  --attempt NAME  name of this attempt (default: the one that runs, else today's date)
  --finish        after a failback that was successful: removes lostRegion or drainRegion, and failback
  --abandon       takes a failback back that cannot be completed: exporting runs again, the region stays out
  --yes           do not ask
  --stack NAME    stack of the region that survived (default: the one whose lostRegion or drainRegion is set)
  --dir DIR       folder of Pulumi.yaml and the stacks' files (default: this repository)
  --no-refresh    do not look at the cluster before planning: when that fails, and no run was killed
  --help

Exit code: 0 done, 1 not done, 2 wrong command line, 130 stopped on request.
`;

/** What the command line asks for. */
interface Request {
  attempt: string | undefined;
  finish: boolean;
  abandon: boolean;
  place: Place;
}

async function failback(interrupt: Interrupt): Promise<void> {
  const { values } = commandLine(HELP, {
    attempt: { type: "string" },
    finish: { type: "boolean", default: false },
    abandon: { type: "boolean", default: false },
    yes: { type: "boolean", default: false },
    stack: { type: "string" },
    dir: { type: "string" },
    "no-refresh": { type: "boolean", default: false },
  });
  const { attempt, finish, abandon, yes } = values;
  if ([attempt !== undefined, finish, abandon].filter(Boolean).length > 1) {
    throw new Stop("--attempt, --finish and --abandon exclude each other", 2);
  }
  expectSomebody(yes);
  const place: Place = { dir: values.dir, stack: values.stack };
  const request: Request = { attempt, finish, abandon, place };
  const stacks = await Stacks.in(folderOf(place), watchOf(interrupt));
  const stack = await stacks.open(place.stack ?? (await findStack(stacks, place)));
  const config = await stack.config();
  const recorded = await stack.recorded();
  const move = finish
    ? finishing(stack, config, recorded, request)
    : abandon
      ? abandoning(stack, config, recorded, request)
      : failingBack(stack, config, recorded, request);
  const flag = finish ? ["--finish"] : abandon ? ["--abandon"] : [];
  const outputs = await make(
    move,
    stack,
    {
      yes,
      refresh: !values["no-refresh"],
      targets: RECOVERY_TARGETS,
      again: npmRun("failback", flag, place),
    },
    interrupt,
  );
  say(`\n${recoveryOf(outputs).phase}\n${summaryOf(outputs)}\n`);
  say(next(outputs, stack, request));
}

/** The stack with a recovery that is not over. */
async function findStack(stacks: Stacks, place: Place): Promise<RegionName> {
  const found: RegionName[] = [];
  const unread: RegionName[] = [];
  for (const name of REGIONS) {
    const recovering = await stacks.isRecovering(name).catch((error: unknown) => {
      // The state of a lost region may be out of reach: the other stack is the one that recovers.
      const [why = ""] = messageOf(error).split("\n");
      say(`stack ${name} cannot be read: ${why.replace(`stack ${name}: `, "")}`);
      unread.push(name);
      return false;
    });
    if (recovering) {
      found.push(name);
    }
  }
  const [only, other] = found;
  if (only === undefined && unread.length > 0) {
    throw new Stop(
      `whether a region is declared lost or drained is not known, since stack ${unread.join(" and ")} cannot be read (see above)`,
    );
  }
  if (only === undefined || other !== undefined) {
    throw new Stop(
      only === undefined
        ? `neither stack ${REGIONS.join(" nor ")} declares a region lost or drained: nothing to fail back (another stack: --stack NAME; a failover: ${npmRun("failover", ["--lost", "REGION"], place)})`
        : `both stacks declare a region lost or drained: --stack NAME with the one of the region that survived`,
      2,
    );
  }
  return only;
}

function failingBack(
  stack: RegionStack,
  config: Record<string, string>,
  recorded: RecordedState,
  { attempt, place }: Request,
): Move {
  const { lostRegion: lost, drainRegion: drained } = config;
  const out = lost ?? drained;
  if (out === undefined) {
    throw new Stop(
      `stack ${stack.name} declares no region lost or drained: nothing to fail back (a failover: ${npmRun("failover", ["--lost", stack.peer], place)})`,
    );
  }
  const recovery = recorded.recovery ?? {};
  if (!isUnfinished(recovery)) {
    const phase = recovery.phase ?? "unknown";
    throw new Stop(
      lost === undefined
        ? `the phase of stack ${stack.name} is ${phase}, not drained: the drain has not ended; go on with ${npmRunPulumi(["up"], stack.name, place)}`
        : `the phase of stack ${stack.name} is ${phase}, not failed-over: the failover has not ended; go on with ${npmRun("failover", ["--lost", lost], place)}`,
    );
  }
  const name = attempt ?? config.failback ?? nextAttempt(new Date(), recorded);
  return {
    title: `failback: to the ${lost === undefined ? "drained" : "recreated"} ${out}, attempt ${name}`,
    config: { failback: name },
    withdraw: `to abandon this attempt: ${npmRun("failback", ["--abandon"], place)}`,
  };
}

function finishing(
  stack: RegionStack,
  config: Record<string, string>,
  { recovery = {}, gateAttempt }: RecordedState,
  { place }: Request,
): Move {
  // A finish that was killed has removed the keys already, the phase then still says restored.
  const done =
    recovery.phase === "restored" &&
    (recovery.failback ?? "") === (config.failback ?? gateAttempt ?? "");
  const out = config.lostRegion ?? config.drainRegion;
  if (!done && out === undefined && recovery.phase === "steady") {
    throw new Stop(
      `stack ${stack.name} is steady and declares no region lost or drained: no failback is left to finish`,
    );
  }
  if (!done) {
    throw new Stop(
      `the phase of stack ${stack.name} is ${recovery.phase ?? "unknown"}, not restored: the failback has not ended; go on with ${npmRun("failback", [], place)}`,
    );
  }
  return {
    title: `finish: failback ${String(recovery.failback)} to ${outOf(recovery)} is over`,
    config: {
      failback: undefined,
      lostRegion: undefined,
      drainRegion: undefined,
      reason: undefined,
      ...reasonsOf(config),
      // The recreated region is the passive one: ending the failback must not move the users back.
      ...(recovery.activeRegion === undefined || recovery.activeRegion === config.activeRegion
        ? {}
        : { activeRegion: String(recovery.activeRegion) }),
    },
  };
}

/** The region that was lost or drained. */
function outOf({ lostRegion, drainRegion }: Record<string, unknown>): string {
  return String(lostRegion ?? drainRegion);
}

/** The written reasons that were for this incident: they go with it. */
function reasonsOf({ overrides = "{}" }: Record<string, string>): Move["config"] {
  const written = recordOf(JSON.parse(overrides));
  return Object.fromEntries(
    INCIDENT_OVERRIDES.filter((name) => name in written).map((name) => [
      `overrides.${name}`,
      undefined,
    ]),
  );
}

function abandoning(
  stack: RegionStack,
  config: Record<string, string>,
  { recovery = {}, gateAttempt }: RecordedState,
  { place }: Request,
): Move {
  const attempt = config.failback ?? gateAttempt;
  if (attempt === undefined) {
    throw new Stop(`stack ${stack.name} has no failback to abandon`);
  }
  if (recovery.phase === "restored" && recovery.failback === attempt) {
    throw new Stop(
      `failback ${attempt} has ended, ${outOf(recovery)} is a member again: ${npmRun("failback", ["--finish"], place)}`,
    );
  }
  return {
    title: `abandon: failback ${attempt}, ${config.lostRegion ?? config.drainRegion} stays ${config.lostRegion === undefined ? "drained" : "lost"}`,
    config: { failback: undefined },
  };
}

function next(outputs: Record<string, unknown>, stack: RegionStack, { place }: Request): string {
  const peer = recordOf(outputs.peer).stack;
  switch (recoveryOf(outputs).phase) {
    case "restored":
      return `next
  1. the stack of ${stack.peer} may run again: ${npmRunPulumi(["up"], typeof peer === "string" ? peer : "NAME", place)}
  2. ${npmRun("failback", ["--finish"], place)}`;
    case "failed-over":
    case "drained":
      return `next
  1. mend what kept the failback from ending; ${stack.peer} needs empty disks and an empty Elasticsearch again
  2. ${npmRun("failback", [], place)}`;
    default: {
      if (!usersWereMoved(recoveryOf(outputs))) {
        return "nothing more to do";
      }
      const other = typeof peer === "string" ? peer : "NAME";
      return `next
  1. the same active region for the other stack: ${npmRunPulumi(["config", "set", "activeRegion", String(outputs.activeRegion)], other, place)}
  2. ${npmRunPulumi(["up"], other, place)}`;
    }
  }
}

runCommand(failback);
