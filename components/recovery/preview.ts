import { idsOfMap, sameIds } from "../base/brokers";
import { describeOperations } from "../clients/topology";
import { generationOf } from "../generations";
import type { Settings } from "../settings";
import type { RecordedState } from "../stack/stackState";
import { planMembership } from "./planner";
import { STEPS } from "./steps";
import { Facts, factsOf } from "./steps/step";
import { membershipFacts, membershipIntent, ONE_LOOK } from "./checks/membership";
import { briefSession } from "./session";
import { desiredMembership, Shape } from "./phase";
import { lossOf } from "./loss";

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
  if (shape !== "failed-over" && shape !== "failing-back") {
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
  const { failover, failback } = generationOf(settings.camundaVersion);
  const steps = (shape === "failed-over" ? failover : failback).flatMap((name) => {
    const says = STEPS[name].says?.(facts);
    return says === undefined ? [] : [{ name, says }];
  });
  const lines = steps.flatMap(({ name, says }, index) => [
    `  ${index + 1}. ${says}`,
    ...(name === "membership" ? asked.operations.map((operation) => `       ${operation}`) : []),
  ]);
  return {
    text: [
      `recovery plan: ${shape === "failed-over" ? `fail over from ${settings.lostRegion}` : `fail back to ${settings.lostRegion}, attempt ${settings.failback}`} (${source})`,
      ...incidentLines(settings, recorded),
      ...lines,
      ...(shape === "failed-over" ? lossLines(settings, recorded) : []),
      ...(asked.waits ? [`  note: up will wait for ${asked.waits}`] : []),
    ].join("\n"),
    ...(asked.refusal === undefined ? {} : { refusal: asked.refusal }),
  };
}

/** What the recovery is about: who has declared it, and why. */
function incidentLines(settings: Settings, { incident }: RecordedState): string[] {
  const { lostRegion, reason } = settings;
  const id = incident?.withdrawn === true ? undefined : incident;
  return [
    `  incident: ${id === undefined ? `${lostRegion} is declared lost` : `${id.id}, declared by ${id.who}`}${reason === undefined ? "" : `: ${reason}`}`,
  ];
}

function lossLines(settings: Settings, recorded: RecordedState): string[] {
  const { kind, follows } = lossOf(settings, recorded);
  return [
    `  loss of the ${kind} region, from which follows:`,
    ...follows.map((line) => `    - ${line}`),
  ];
}

async function askCluster({
  settings,
  shape,
  declaration,
}: Facts): Promise<{ operations: string[]; offline?: string; waits?: string; refusal?: string }> {
  const session = briefSession(settings);
  const desired = desiredMembership(settings, shape);
  try {
    const plan = planMembership(
      membershipFacts(await session.observe(), session, ONE_LOOK),
      membershipIntent(desired, declaration, session),
    );
    if (plan.kind === "refuse") {
      return { operations: [], refusal: plan.why };
    }
    if (plan.kind === "nothing") {
      return { operations: ["already so: nothing to do"] };
    }
    const planned = await session.zeebe.setBrokers(
      desired.ids,
      shape === "failed-over"
        ? { force: true, dryRun: true }
        : { replicationFactor: desired.replicationFactor, dryRun: true },
    );
    return {
      operations: describeOperations(planned.operations),
      ...(plan.kind === "wait" ? { waits: plan.for } : {}),
    };
  } catch (error) {
    return { operations: [], offline: error instanceof Error ? error.message : String(error) };
  }
}
