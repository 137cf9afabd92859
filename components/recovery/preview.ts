import { idsOfMap, sameIds, without } from "../base/brokers";
import { Declared, goesOn } from "../base/declaration";
import { Refusal } from "../base/refusal";
import { Refused, Unreachable } from "../clients/http";
import { describeOperations, describePending } from "../clients/topology";
import { generationOf } from "../generations";
import type { Settings } from "../settings";
import type { RecordedState } from "../stack/stackState";
import { MembershipIntent, planMembership } from "./planner";
import { STEPS } from "./steps";
import { Facts, factsOf } from "./steps/step";
import { beginsIncident, drainOf } from "./declaration";
import { warningsWhileOut } from "./look";
import { expectOurs } from "./checks/changes";
import { expectHeadRoom, headRoomLines } from "./checks/headRoom";
import { changeOf, ownPlan } from "./checks/memberChange";
import { membershipFacts, membershipIntent, ONE_LOOK } from "./checks/membership";
import { notWhole } from "./checks/whole";
import { briefSession, Observation, Session } from "./session";
import { desiredMembership, leavesOut, procedureOf, Shape } from "./phase";
import { kindOfDrain, lossOf } from "./loss";
import { messageOf } from "../base/messageOf";

/** What a preview says beside the membership. */
export interface PreviewPlan {
  text: string;
  /** Why `up` would refuse, when the cluster's answer shows it already. */
  refusal?: string;
}

/**
 * The plan of a recovery for `pulumi preview`: our steps, and beneath the membership change what the
 * cluster itself says it would do (`dryRun=true`, which changes nothing). Nothing to do: undefined. No
 * answer in time: the same steps, labelled as offline.
 */
export async function previewPlan(
  settings: Settings,
  shape: Shape,
  recorded: RecordedState,
): Promise<PreviewPlan | undefined> {
  if (!leavesOut(shape) && shape !== "failing-back") {
    return undefined;
  }
  const desired = desiredMembership(settings, shape);
  const before = recorded.brokers === undefined ? undefined : idsOfMap(recorded.brokers);
  if (before !== undefined && sameIds(before, desired.ids)) {
    return undefined;
  }
  const facts = factsOf(settings, shape, recorded);
  const asked = await askCluster(facts);
  const source = asked.offline
    ? `offline: ${asked.offline}`
    : "asked of the cluster with dryRun=true, which changes nothing";
  const steps = procedureOf(generationOf(settings.camundaVersion), shape).flatMap((name) => {
    const says = STEPS[name].says?.(facts);
    return says === undefined ? [] : [{ name, says }];
  });
  const lines = steps.flatMap(({ name, says }, index) => [
    `  ${index + 1}. ${says}`,
    ...(name === "membership" ? asked.operations.map((operation) => `       ${operation}`) : []),
  ]);
  return {
    text: [
      `recovery plan: ${titleOf(facts)} (${source})`,
      ...(settings.lostRegion === undefined ? drainLines(facts) : incidentLines(facts)),
      ...lines,
      ...(shape === "failed-over" ? lossLines(settings, recorded) : []),
      ...(shape === "drained" ? drainedLines(settings, recorded) : []),
      ...(asked.disks ?? []).map((line) => `  ${line}`),
      ...(asked.waits ? [`  note: up will wait for ${asked.waits}`] : []),
      ...(asked.notes ?? []).map((warning) => `  note: ${warning}`),
    ].join("\n"),
    ...(asked.refusal === undefined ? {} : { refusal: asked.refusal }),
  };
}

function titleOf({ shape, lost, attempt }: Facts): string {
  switch (shape) {
    case "failed-over":
      return `fail over from ${lost}`;
    case "drained":
      return `drain ${lost}, which is alive`;
    default:
      return `fail back to ${lost}, attempt ${attempt}`;
  }
}

/** What the recovery is about: who has declared it, and why. */
function incidentLines({ settings, shape, recorded }: Facts): string[] {
  const declared = beginsIncident(settings, shape, recorded) ? undefined : recorded.incident;
  return declaredLines("incident", declared, `${settings.lostRegion} is declared lost`, settings);
}

function drainLines({ settings, shape, recorded }: Facts): string[] {
  const { drain } = recorded;
  const now = drainOf(settings, shape, recorded);
  const declared =
    drain !== undefined && now !== undefined && goesOn(drain, now) ? drain : undefined;
  return declaredLines("drain", declared, `of ${settings.drainRegion}, no loss`, settings);
}

function declaredLines(
  kind: string,
  declared: Declared | undefined,
  otherwise: string,
  { reason }: Settings,
): string[] {
  return [
    `  ${kind}: ${declared === undefined ? otherwise : `${declared.id}, declared by ${declared.who}`}${reason === undefined ? "" : `: ${reason}`}`,
  ];
}

function lossLines(settings: Settings, recorded: RecordedState): string[] {
  const { kind, follows } = lossOf(settings, recorded);
  return followLines(`loss of the ${kind} region`, follows);
}

function drainedLines(settings: Settings, recorded: RecordedState): string[] {
  const { kind, follows } = kindOfDrain(settings, recorded);
  return followLines(`drain of the ${kind} region`, follows);
}

function followLines(of: string, follows: readonly string[]): string[] {
  return [`  ${of}, from which follows:`, ...follows.map((line) => `    - ${line}`)];
}

/** What the cluster says of what is declared. */
interface Asked {
  /** What it would do itself. */
  operations: string[];
  /** Why it says nothing. */
  offline?: string;
  /** What `up` will wait for. */
  waits?: string;
  /** Why `up` would refuse. */
  refusal?: string;
  /** What an operator is to know besides. */
  notes?: string[];
  /** How much room the disks have for a failback. */
  disks?: string[];
}

/** Asks what `up` asks before it sends anything, as far as it can be asked once and of those that are there. */
async function askCluster(facts: Facts): Promise<Asked> {
  const { settings, shape, declaration } = facts;
  const session = briefSession(settings);
  const intent = membershipIntent(desiredMembership(settings, shape), declaration, session);
  const change = changeOf(session, intent);
  try {
    const observation = await session.observe();
    const notes = warningsWhileOut(observation, session);
    const { pendingChange } = observation.configuration;
    if (pendingChange !== undefined) {
      expectOurs(session, pendingChange, change.isOurs);
      return { operations: [], notes, waits: `${describePending(pendingChange)} to end` };
    }
    const known = membershipFacts(observation, session, ONE_LOOK);
    const plan = planMembership(known, intent);
    if (plan.kind === "refuse") {
      return { operations: [], refusal: plan.why };
    }
    if (plan.kind === "nothing") {
      return { operations: ["already so: nothing to do"], notes };
    }
    const planned = await ownPlan(session, change, without(known.members, intent.brokers), 0);
    const waits =
      plan.kind === "wait"
        ? plan.for
        : plan.kind === "remove" && plan.remove.length > 0
          ? await wholeness(session, intent, observation)
          : undefined;
    const disks = await disksOf(facts, session);
    return {
      operations: describeOperations(planned.operations),
      notes,
      ...(waits === undefined ? {} : { waits }),
      ...(disks === undefined ? {} : { disks }),
    };
  } catch (error) {
    return error instanceof Refusal
      ? { operations: [], refusal: error.message }
      : { operations: [], offline: messageOf(error) };
  }
}

/** What is to be mended before a drain, in words; undefined when nothing is. */
async function wholeness(
  session: Session,
  intent: MembershipIntent,
  observation: Observation,
): Promise<string | undefined> {
  const obstacle = await notWhole(session, intent, observation).catch((error: unknown) => {
    if (error instanceof Refused || error instanceof Unreachable) {
      return { seen: error.message };
    }
    throw error;
  });
  return obstacle === undefined ? undefined : `the cluster to be whole: ${obstacle.seen}`;
}

/** The disks, while the gate of the attempt is still to come, which refuses for them. */
async function disksOf(
  { shape, lost, attempt, recorded }: Facts,
  session: Session,
): Promise<string[] | undefined> {
  return shape === "failing-back" && recorded.gateAttempt !== attempt
    ? headRoomLines(await expectHeadRoom(session, lost, 0), lost)
    : undefined;
}
