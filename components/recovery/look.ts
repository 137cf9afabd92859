import { messageOf } from "../base/messageOf";
import * as pulumi from "@pulumi/pulumi";
import { shortened } from "../base/bounded";
import { brokerList, brokersAre, idsOfMap, sameIds, without } from "../base/brokers";
import { isDeclaration } from "../base/declaration";
import { fits, generationOf, idsOf, nextVersion } from "../generations";
import { exporterStates, memberIds } from "../clients/topology";
import type { Settings } from "../settings";
import type { RecordedState } from "../stack/stackState";
import { distinct, readPhases } from "./checks/phases";
import { oldPatch } from "./patches";
import { undeclaredWarnings } from "./checks/undeclared";
import { declarationOf } from "./declaration";
import { desiredMembership, Shape } from "./phase";
import { briefSession, Observation, Session } from "./session";
import { upgradeOf } from "./upgrade";

/** What a look at the cluster has found against what is recorded. */
export interface Look {
  /** Why nothing may be begun, one line. */
  refusal?: string;
  /** What an operator should know, one line each. */
  warnings: string[];
}

/**
 * Looks at the cluster in a run that would change nothing of the recovery, and so would look nowhere: a state of before
 * a failover calls a cluster steady that has half of its members, and an address that has stopped answering would be
 * found on the day it is needed. A run that does change something looks by itself, but not at an exporter that nobody
 * has declared: that is looked for in every `up` while a region is out; a preview has it in its plan.
 *
 * Refused is what this run would say falsely of the members. That nobody answers never is: other things must go on.
 */
export async function lookAtCluster(
  settings: Settings,
  shape: Shape,
  recorded: RecordedState,
): Promise<Look> {
  // An upgrade has looked already, at a cluster that is still of another generation.
  if (
    shape === "rejoining" ||
    shape === "installing" ||
    upgradeOf(settings, recorded) !== undefined
  ) {
    return { warnings: [] };
  }
  const back = shape === "failed-over" ? undefined : await goingBack(settings, shape);
  if (back !== undefined) {
    return { refusal: back, warnings: [] };
  }
  const desired = desiredMembership(settings, shape);
  const isPlanned =
    recorded.brokers === undefined || !sameIds(idsOfMap(recorded.brokers), desired.ids);
  const changes =
    isPlanned ||
    recorded.verified !== true ||
    !isDeclaration(recorded.declaration, declarationOf(settings, shape, recorded));
  if ((changes && shape === "steady") || (isPlanned && pulumi.runtime.isDryRun())) {
    return { warnings: [] };
  }
  const session = briefSession(settings);
  let seen: Observation;
  try {
    seen = await session.observe();
  } catch (error) {
    const why = messageOf(error);
    return { warnings: changes ? [] : [`looked at the cluster in vain: ${why}`] };
  }
  const whileOut = shape === "steady" ? [] : warningsWhileOut(seen, session);
  if (changes) {
    return { warnings: whileOut };
  }
  const members = memberIds(seen.configuration);
  const absent = without(desired.ids, members);
  const others = without(members, desired.ids);
  if (absent.length > 0) {
    const own = absent.filter((id) => idsOf(settings).regionOf(id) === settings.region);
    return {
      refusal:
        own.length > 0
          ? `${brokerList(own)} of ${settings.region} are no members any more: forced out or drained; up of the other stack says which (docs/recovery.md#recreate-the-region)`
          : `${brokersAre(absent)} no members: this state is older than a failover or a drain; bring back the newer one, or ${wayOut(settings, shape)}`,
      warnings: [],
    };
  }
  return {
    warnings: [
      ...whileOut,
      ...(await exportingWarnings(session)),
      ...(others.length > 0
        ? [
            `${brokerList(others)} are members, recorded are ${brokerList(desired.ids)}: failed back elsewhere? then remove ${settings.lostRegion === undefined ? "drainRegion" : "lostRegion"}; else up --refresh`,
          ]
        : []),
      ...(others.length === 0 && seen.topology.replicationFactor !== desired.replicationFactor
        ? [
            `the replication factor is ${seen.topology.replicationFactor}, declared is ${desired.replicationFactor}: pulumi up --refresh looks at it`,
          ]
        : []),
      ...Object.entries(recorded.exporters).flatMap(([id, state]) => {
        const states = exporterStates(seen.configuration, id);
        return states.every((one) => one === state)
          ? []
          : [
              `exporter ${shortened(id, 40)} is ${states.join(" and ")}, recorded is ${state}: pulumi up --refresh looks at it`,
            ];
      }),
    ],
  };
}

/**
 * Why brokers of this region would go back to the minor before. A run that was killed in an upgrade has not recorded it:
 * then only they show it, and Helm would apply the release of before again.
 */
async function goingBack(settings: Settings, shape: Shape): Promise<string | undefined> {
  const { camundaVersion, installation, region } = settings;
  const next = nextVersion(camundaVersion);
  if (installation === undefined || next === undefined) {
    return undefined;
  }
  const { own, zeebe } = briefSession(settings);
  // What does not answer is said by who needs it.
  const topology = await zeebe.topology().catch(() => undefined);
  const later = topology?.brokers.find(
    ({ id, version }) => own.includes(id) && fits(generationOf(next), version) !== "no",
  );
  return later === undefined
    ? undefined
    : `broker ${later.id} of ${region} is of version ${later.version}, camundaVersion is ${camundaVersion}: none goes back; set ${next}${shape === "steady" ? "" : ", and pulumi up --refresh"}`;
}

/** What an operator is to know while a region is out, whatever the run does. */
export function warningsWhileOut(
  { configuration, topology }: Observation,
  session: Session,
): string[] {
  const { generation, settings } = session;
  const { gatewayVersion } = topology;
  const old = oldPatch(topology, "pulumi up --refresh after each one");
  return [
    ...undeclaredWarnings(configuration, session),
    ...(fits(generation, gatewayVersion) === "no"
      ? [
          `the gateway is of version ${gatewayVersion}, camundaVersion is ${settings.camundaVersion}: a failover goes on with it, a failback will not`,
        ]
      : []),
    ...(old === undefined ? [] : [old]),
  ];
}

/** A pause of an attempt that the state does not know: a state of before it was imported, or somebody has paused by hand. */
async function exportingWarnings(session: Session): Promise<string[]> {
  try {
    // The region's own brokers hold a replica of every partition, and a pause reaches every broker.
    const phases = distinct(await readPhases(session, session.own));
    const others = phases.filter((phase) => phase !== "EXPORTING");
    return others.length === 0
      ? []
      : [
          `exporting is ${others.join(" and ")}, the brokers' disks fill: pulumi up --refresh resumes it`,
        ];
  } catch (error) {
    return [`whether exporting runs is not known: ${messageOf(error)}`];
  }
}

/** What adopts what has been done. */
function wayOut({ peer }: Settings, shape: Shape): string {
  return shape === "failing-back"
    ? "remove failback, and up"
    : `set lostRegion or drainRegion ${peer}, and up`;
}
