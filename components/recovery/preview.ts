import { idsOfMap, named, sameIds, without } from "../camunda/brokers";
import { describeOperation, memberIds, partitionsWithout, seenIds } from "../camunda/topology";
import type { Settings } from "../config";
import type { RecordedState } from "../stackState";
import { snapshotName } from "./names";
import { planMembership } from "./planner";
import { Session } from "./providers/session";
import { desiredMembership, Shape } from "./shape";

/** A preview must not wait for a dead region: one request takes at most this long, in seconds. */
const REQUEST_SECONDS = 2;

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
  if (shape === "steady" || shape === "rejoining") {
    return undefined;
  }
  const desired = desiredMembership(settings, shape);
  const before = recorded.brokers === undefined ? undefined : idsOfMap(recorded.brokers);
  if (before !== undefined && sameIds(before, desired.ids)) {
    return undefined;
  }
  const asked = await askCluster(settings, shape);
  const source = asked.offline
    ? `offline: ${asked.offline}`
    : "asked of the cluster with dryRun=true, which changes nothing";
  const lines = shape === "failed-over" ? failoverSteps(settings) : failbackSteps(settings);
  const operations = asked.operations.map((operation) => `       ${operation}`);
  const at = lines.findIndex((line) =>
    line.includes(shape === "failed-over" ? "force out" : "add broker"),
  );
  lines.splice(at + 1, 0, ...operations);
  return {
    text: [
      `recovery plan: ${shape === "failed-over" ? `fail over from ${settings.lostRegion}` : `fail back to ${settings.lostRegion}, attempt ${settings.failback}`} (${source})`,
      ...lines,
      ...(asked.waits ? [`  note: up will wait: ${asked.waits}`] : []),
    ].join("\n"),
    ...(asked.refusal === undefined ? {} : { refusal: asked.refusal }),
  };
}

function failoverSteps(settings: Settings): string[] {
  const survivors = desiredMembership(settings, "failed-over").ids;
  const all = desiredMembership(settings, "steady").ids;
  return [
    `  1. force out ${named(without(all, survivors))} of ${settings.lostRegion}, keep ${named(survivors)}; replication factor ${settings.replicationFactor} -> 2`,
    `  2. disable exporter ${settings.exporters[settings.lostRegion ?? settings.peer]} in every partition`,
  ];
}

function failbackSteps(settings: Settings): string[] {
  const lost = settings.lostRegion ?? settings.peer;
  const { repository, exporters, region } = settings;
  const snapshot = snapshotName(lost, settings.failback ?? "");
  const all = desiredMembership(settings, "failing-back");
  const steps = [
    `check that ${lost} is recreated and clean`,
    ...(settings.webApps ? [`stop the web applications of ${region}`] : []),
    "pause exporting on every broker",
    `snapshot Elasticsearch of ${region} into ${repository.name} as ${snapshot}`,
    `restore ${snapshot} in Elasticsearch of ${lost}`,
    ...(settings.webApps ? [`start the web applications of ${region}`] : []),
    `enable exporter ${exporters[lost]}, initialised from ${exporters[region]}`,
    `resume exporting, and wait until ${lost} lacks no record`,
    `add ${named(without(all.ids, desiredMembership(settings, "failed-over").ids))} with replication factor ${all.replicationFactor}`,
  ];
  return steps.map((step, index) => `  ${index + 1}. ${step}`);
}

async function askCluster(
  settings: Settings,
  shape: Shape,
): Promise<{ operations: string[]; offline?: string; waits?: string; refusal?: string }> {
  const session = new Session(
    { ...settings, timeouts: { ...settings.timeouts, request: REQUEST_SECONDS } },
    () => undefined,
  );
  const desired = desiredMembership(settings, shape);
  try {
    const { configuration, topology } = await session.observe();
    const plan = planMembership(
      {
        members: memberIds(configuration),
        seen: seenIds(topology),
        replicationFactor: topology.replicationFactor,
        partitionsLost: partitionsWithout(configuration, session.own, settings.partitionCount),
      },
      {
        brokers: desired.ids,
        replicationFactor: desired.replicationFactor,
        region: settings.region,
        clusterSize: settings.clusterSize,
        lostRegion: settings.lostRegion,
        failback: settings.failback,
      },
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
      operations: planned.operations.map(describeOperation),
      ...(plan.kind === "wait" ? { waits: plan.refusal } : {}),
    };
  } catch (error) {
    return { operations: [], offline: error instanceof Error ? error.message : String(error) };
  }
}
