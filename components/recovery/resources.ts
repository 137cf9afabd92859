import type { DrainInputs, IncidentInputs } from "../base/declaration";
import { dynamicResource, DynamicResource, DynamicResourceClass } from "../base/dynamic";
import type { StepRecord } from "./providers/behaviour";
import type { ClusterHealthInputs } from "./providers/clusterHealth";
import type { ExporterInputs } from "./providers/exporter";
import type { ExportingInputs } from "./providers/exporting";
import type { ExportPauseInputs } from "./providers/exportPause";
import type { ExportResumeInputs } from "./providers/exportResume";
import type { FailbackGateInputs } from "./providers/failbackGate";
import type { MembershipInputs } from "./providers/membership";
import type { PeerConnectionInputs } from "./providers/peerConnection";
import type { RepositoryTrialInputs } from "./providers/repositoryTrial";
import type { SnapshotInputs } from "./providers/snapshot";
import type { SnapshotRepositoryInputs } from "./providers/snapshotRepository";
import type { SnapshotRestoreInputs } from "./providers/snapshotRestore";
import type { WebAppsInputs } from "./providers/webApps";
import type { WebAppsStopInputs } from "./providers/webAppsStop";

/** A step of the recovery: its inputs are what is declared, its `record` what was seen. */
export type StepResource<Inputs> = DynamicResource<Inputs, StepRecord>;

function step<Inputs extends object>(
  module: string,
  type: string,
): DynamicResourceClass<Inputs, StepRecord> {
  return dynamicResource(module, type);
}

/**
 * The loss that is declared, until its failback has finished. It is written before the fence closes, and the other
 * region's stack reads it: whoever sees the other's declaration stops. Taken back, it is `withdrawn`, and then goes.
 */
export const Incident = step<IncidentInputs>("incident", "Incident");
export type Incident = StepResource<IncidentInputs>;

/**
 * The planned switchover that is declared, until its failback has finished: who, when and why. It is no incident, and
 * nothing is forced because of it.
 */
export const Drain = step<DrainInputs>("drain", "Drain");
export type Drain = StepResource<DrainInputs>;

/**
 * Which brokers are members of the Zeebe cluster, and how many replicas each partition has.
 *
 * Fewer brokers: a lost region's are **forced out** (failover step 1), after the interlocks; a drained region's are
 * removed by an ordinary change, with the replication factor of one region. More: an
 * **ordinary** add with the replication factor (failback step 7), never forced. Deleting it leaves the
 * cluster as it is.
 */
export const BrokerMembership = step<MembershipInputs>("membership", "BrokerMembership");
export type BrokerMembership = StepResource<MembershipInputs>;

/**
 * The exporters of one region, in every partition: that to its Elasticsearch, and further ones. Disabled while that
 * region is lost (failover step 2) or drained; enabled again from the positions of the survivor's (failback step 5), so that
 * no record is skipped.
 */
export const Exporter = step<ExporterInputs>("exporter", "Exporter");
export type Exporter = StepResource<ExporterInputs>;

/**
 * Exporting as a whole: running on every broker. It owns the undo of the failback's pause: its `attempt`
 * changes when an attempt begins or is abandoned, and its update asserts the live state.
 */
export const Exporting = step<ExportingInputs>("exporting", "Exporting");
export type Exporting = StepResource<ExportingInputs>;

/** Failback step 1: the recreated region is there and clean, and the survivors are as the failover left them. */
export const FailbackGate = step<FailbackGateInputs>("failbackGate", "FailbackGate");

/** Failback step 2: exporting is paused. Processing goes on; what it does is exported after the resume. */
export const ExportPause = step<ExportPauseInputs>("exportPause", "ExportPause");

/** Failback step 3: the backup repository, registered in one region's Elasticsearch. */
export const SnapshotRepository = step<SnapshotRepositoryInputs>(
  "snapshotRepository",
  "SnapshotRepository",
);

/** Failback step 3: the snapshot of the surviving Elasticsearch. It stays in the repository afterwards. */
export const Snapshot = step<SnapshotInputs>("snapshot", "Snapshot");

/** Failback step 3: the snapshot restored in the recreated Elasticsearch, equal to the survivor's. */
export const SnapshotRestore = step<SnapshotRestoreInputs>("snapshotRestore", "SnapshotRestore");

/** Failback step 6: exporting is resumed, and the recreated Elasticsearch lacks no record. */
export const ExportResume = step<ExportResumeInputs>("exportResume", "ExportResume");

/** After an installation, and after a failback: every broker of both regions is a healthy member. */
export const ClusterHealth = step<ClusterHealthInputs>("clusterHealth", "ClusterHealth");

/** Whether pods of this region reach the other region's, proved from inside a pod: open, or cut by the fence. */
export const PeerConnection = step<PeerConnectionInputs>("peerConnection", "PeerConnection");

/** Operate and Tasklist of this region run (failback step 4 starts them again). */
export const WebApps = step<WebAppsInputs>("webApps", "WebApps");

/** Failback step 2: Operate and Tasklist of the surviving region stand still. */
export const WebAppsStop = step<WebAppsStopInputs>("webAppsStop", "WebAppsStop");

/** In normal operation: the snapshot repository of a failback can be used from this region's Elasticsearch. */
export const RepositoryTrial = step<RepositoryTrialInputs>("repositoryTrial", "RepositoryTrial");
