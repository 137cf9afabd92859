import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "./dynamic";
import type { StepRecord } from "./providers/behaviour";
import type { ClusterHealthInputs } from "./providers/clusterHealth";
import type { ElasticsearchHealthInputs } from "./providers/elasticsearchHealth";
import type { ExporterInputs } from "./providers/exporter";
import type { ExportingInputs } from "./providers/exporting";
import type { ExportPauseInputs } from "./providers/exportPause";
import type { ExportResumeInputs } from "./providers/exportResume";
import type { FailbackGateInputs } from "./providers/failbackGate";
import type { MembershipInputs } from "./providers/membership";
import type { PeerConnectionInputs } from "./providers/peerConnection";
import type { SnapshotInputs } from "./providers/snapshot";
import type { SnapshotRepositoryInputs } from "./providers/snapshotRepository";
import type { SnapshotRestoreInputs } from "./providers/snapshotRestore";
import type { WebAppsInputs } from "./providers/webApps";
import type { WebAppsStopInputs } from "./providers/webAppsStop";

type Inputs<T> = { [K in keyof T]: pulumi.Input<T[K]> };

/** A step of the recovery: its inputs are what is declared, its `record` what was seen. */
abstract class RecoveryResource extends DynamicResource {
  /** What was done and seen when the state was last verified. Known only after the operation. */
  declare readonly record: pulumi.Output<StepRecord>;
}

/**
 * Which brokers are members of the Zeebe cluster, and how many replicas each partition has.
 *
 * Fewer brokers: the lost region's are **forced out** (failover step 1), after the interlocks. More: an
 * **ordinary** add with the replication factor (failback step 7), never forced. Deleting it leaves the
 * cluster as it is.
 */
export class BrokerMembership extends RecoveryResource {
  declare readonly brokers: pulumi.Output<Record<string, string>>;
  declare readonly replicationFactor: pulumi.Output<number>;

  constructor(name: string, args: Inputs<MembershipInputs>, options: pulumi.CustomResourceOptions) {
    super("membership", "BrokerMembership", name, args, options);
  }
}

/**
 * The exporter to one region's Elasticsearch, in every partition. Disabled while that region is lost
 * (failover step 2); enabled again from the position of the survivor's (failback step 5), so that no
 * record is skipped.
 */
export class Exporter extends RecoveryResource {
  declare readonly exporters: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: Inputs<ExporterInputs>, options: pulumi.CustomResourceOptions) {
    super("exporter", "Exporter", name, args, options);
  }
}

/**
 * Exporting as a whole: running on every broker. It owns the undo of the failback's pause: its `attempt`
 * changes when an attempt begins or is abandoned, and its update asserts the live state.
 */
export class Exporting extends RecoveryResource {
  declare readonly exporting: pulumi.Output<string>;
  declare readonly attempt: pulumi.Output<string>;

  constructor(name: string, args: Inputs<ExportingInputs>, options: pulumi.CustomResourceOptions) {
    super("exporting", "Exporting", name, args, options);
  }
}

/** Failback step 1: the recreated region is there and clean, and the survivors are as the failover left them. */
export class FailbackGate extends RecoveryResource {
  constructor(
    name: string,
    args: Inputs<FailbackGateInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("failbackGate", "FailbackGate", name, args, options);
  }
}

/** Failback step 2: exporting is paused. Processing goes on; what it does is exported after the resume. */
export class ExportPause extends RecoveryResource {
  constructor(
    name: string,
    args: Inputs<ExportPauseInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("exportPause", "ExportPause", name, args, options);
  }
}

/** Failback step 3: the backup repository, registered in one region's Elasticsearch. */
export class SnapshotRepository extends RecoveryResource {
  constructor(
    name: string,
    args: Inputs<SnapshotRepositoryInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("snapshotRepository", "SnapshotRepository", name, args, options);
  }
}

/** Failback step 3: the snapshot of the surviving Elasticsearch. It stays in the repository afterwards. */
export class Snapshot extends RecoveryResource {
  constructor(name: string, args: Inputs<SnapshotInputs>, options: pulumi.CustomResourceOptions) {
    super("snapshot", "Snapshot", name, args, options);
  }
}

/** Failback step 3: the snapshot restored in the recreated Elasticsearch, equal to the survivor's. */
export class SnapshotRestore extends RecoveryResource {
  constructor(
    name: string,
    args: Inputs<SnapshotRestoreInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("snapshotRestore", "SnapshotRestore", name, args, options);
  }
}

/** Failback step 6: exporting is resumed, and the recreated Elasticsearch lacks no record. */
export class ExportResume extends RecoveryResource {
  constructor(
    name: string,
    args: Inputs<ExportResumeInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("exportResume", "ExportResume", name, args, options);
  }
}

/** After an installation, and after a failback: every broker of both regions is a healthy member. */
export class ClusterHealth extends RecoveryResource {
  constructor(
    name: string,
    args: Inputs<ClusterHealthInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("clusterHealth", "ClusterHealth", name, args, options);
  }
}

/** After an installation, and after a change of their number: every node of this region's Elasticsearch is ready. */
export class ElasticsearchHealth extends RecoveryResource {
  constructor(
    name: string,
    args: Inputs<ElasticsearchHealthInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("elasticsearchHealth", "ElasticsearchHealth", name, args, options);
  }
}

/** Whether pods of this region reach the other region's, proved from inside a pod: open, or cut by the fence. */
export class PeerConnection extends RecoveryResource {
  constructor(
    name: string,
    args: Inputs<PeerConnectionInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("peerConnection", "PeerConnection", name, args, options);
  }
}

/** Operate and Tasklist of this region run (failback step 4 starts them again). */
export class WebApps extends RecoveryResource {
  constructor(name: string, args: Inputs<WebAppsInputs>, options: pulumi.CustomResourceOptions) {
    super("webApps", "WebApps", name, args, options);
  }
}

/** Failback step 2: Operate and Tasklist of the surviving region stand still. */
export class WebAppsStop extends RecoveryResource {
  constructor(
    name: string,
    args: Inputs<WebAppsStopInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("webAppsStop", "WebAppsStop", name, args, options);
  }
}
