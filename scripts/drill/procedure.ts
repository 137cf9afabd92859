import { generationOf } from "../../components/generations";
import type { ChangeRequest, StepName } from "../../components/generations/generation";
import { snapshotName } from "../../components/recovery/names";
import type { ClusterShape, RegionName } from "../../world/world";

/** One loss of a region, as far as the requests of its recovery follow from it. */
export interface Rehearsal {
  camundaVersion: string;
  shape: ClusterShape;
  lost: RegionName;
  survivor: RegionName;
  /** Ids of the exporters of each region, in alphabetical order, in which they are changed. */
  exporters: Record<RegionName, readonly string[]>;
  /** Name of the snapshot repository. */
  repository: string;
  /** Name of the attempt to fail back. */
  attempt: string;
}

/** The requests of some steps that change something, each with the region that gets it: `region0 POST /path`. */
type Requests = Partial<Record<StepName, readonly string[]>>;

/** What a failover sends, in the order of its generation. */
export function failoverRequests(rehearsal: Rehearsal): string[] {
  const { cluster, failover } = generationOf(rehearsal.camundaVersion);
  const { exporters, lost } = rehearsal;
  return inOrder(failover, {
    membership: [atSurvivor(rehearsal, forced(rehearsal))],
    exporters: exporters[lost].map((id) => atSurvivor(rehearsal, cluster.disableExporter(id))),
  });
}

/** What a failback sends, in the order of its generation. */
export function failbackRequests(rehearsal: Rehearsal): string[] {
  const { cluster, exporting, failback } = generationOf(rehearsal.camundaVersion);
  const { lost, survivor, exporters } = rehearsal;
  const repository = `/_snapshot/${rehearsal.repository}`;
  const snapshot = `${repository}/${snapshotName(lost, rehearsal.attempt)}`;
  return inOrder(failback, {
    gate: [survivor, lost].flatMap((region) => trialRequests(region, rehearsal.repository)),
    "export-pause": [atSurvivor(rehearsal, exporting.pause)],
    "snapshot-source": [`${survivor} PUT ${repository}`],
    snapshot: [`${survivor} PUT ${snapshot}`],
    "snapshot-target": [`${lost} PUT ${repository}`],
    restore: [`${lost} POST ${snapshot}/_restore`],
    exporters: exporters[lost].map((id, place) =>
      atSurvivor(rehearsal, cluster.enableExporter(id, exporters[survivor][place] ?? "")),
    ),
    "export-resume": [atSurvivor(rehearsal, exporting.resume)],
    membership: [atSurvivor(rehearsal, returned(rehearsal))],
  });
}

/** How a region's Elasticsearch tries a snapshot repository that is not registered, and forgets it. */
export function trialRequests(region: RegionName, repository: string): string[] {
  return ["PUT", "DELETE"].map((method) => `${region} ${method} /_snapshot/${repository}-trial`);
}

/** How the lost brokers are forced out. */
export function forced({
  camundaVersion,
  survivor,
  shape,
}: Pick<Rehearsal, "camundaVersion" | "survivor" | "shape">): ChangeRequest {
  const { cluster, ids } = generationOf(camundaVersion);
  return cluster.members(ids.of(survivor, shape.clusterSize), { force: true });
}

/** How the brokers of both regions are made members again. */
export function returned({
  camundaVersion,
  shape,
}: Pick<Rehearsal, "camundaVersion" | "shape">): ChangeRequest {
  const { cluster, ids } = generationOf(camundaVersion);
  const { clusterSize, replicationFactor } = shape;
  return cluster.members(ids.all(clusterSize), { replicationFactor });
}

/**
 * How many resources a failback has that a steady stack has not: they go when it is finished. Its steps without
 * hooks, and the incident.
 */
export function temporaryResources(
  camundaVersion: string,
  { webApps }: { webApps: boolean },
): number {
  const { failover, failback } = generationOf(camundaVersion);
  const steps = failback.filter(
    (step) =>
      !failover.includes(step) &&
      !/^(before|after)-/.test(step) &&
      (webApps || step !== "web-apps-stop"),
  );
  return steps.length + 1;
}

function atSurvivor({ survivor }: Rehearsal, { path }: ChangeRequest): string {
  return `${survivor} POST ${path}`;
}

function inOrder(steps: readonly StepName[], requests: Requests): string[] {
  return steps.flatMap((step) => requests[step] ?? []);
}
