import * as pulumi from "@pulumi/pulumi";
import type { RegionName } from "./camunda/brokers";
import type { Settings } from "./config";
import { previewPlan } from "./recovery/preview";
import { Recovery, RecoveryStatus } from "./recovery/recovery";
import { runProblems, shapeOf } from "./recovery/shape";
import { readPeer, readRecorded } from "./stackState";

/**
 * What a stack exports: the contract with platform pipelines, which read it by StackReference. Fields
 * are added, never renamed; a change that breaks a reader raises `contractVersion`.
 */
export interface RegionOutputs {
  contractVersion: number;
  /** The region of this stack. */
  region: RegionName;
  /** The other region, and the stack that owns it. */
  peer: { region: RegionName; stack: string | undefined };
  /** Where Camunda answers in this region. */
  camunda: {
    version: string;
    gateway: string;
    management: string;
    elasticsearch: string;
    clusterSize: number;
    partitionCount: number;
  };
  /** The members of the cluster, by name. */
  brokers?: pulumi.Output<Record<string, string>>;
  /** State of both exporters, by id. */
  exporters?: pulumi.Output<Record<string, string>>;
  /** How the recovery stands. */
  recovery: pulumi.Output<RecoveryStatus> | RecoveryStatus;
  /** The snapshot repository that a failback uses. */
  snapshotRepository: { name: string; type: string };
}

/** One region of the dual-region cluster: everything that its stack owns. */
export class Region {
  private constructor(
    /** What the stack exports. */
    readonly outputs: RegionOutputs,
  ) {}

  /**
   * Reads what the run must know, refuses what must not be, and declares the region. Everything that is
   * awaited is awaited before the first resource: an error behind one would let the others go on.
   *
   * @throws `RunError` with every problem, one line each
   */
  static async create(name: string, settings: Settings): Promise<Region> {
    const [peer, recorded] = await Promise.all([readPeer(settings.peerStack), readRecorded()]);
    const shape = shapeOf(settings, peer);
    const problems = runProblems(settings, peer, recorded);
    const plan = pulumi.runtime.isDryRun()
      ? await previewPlan(settings, shape, recorded)
      : undefined;
    if (plan?.refusal !== undefined) {
      problems.push(plan.refusal);
    }
    if (problems.length > 0) {
      throw new pulumi.RunError(
        problems.length === 1
          ? `refused: ${problems[0]}`
          : `refused, ${problems.length} reasons:\n${problems.map((p) => `  ${p}`).join("\n")}`,
      );
    }
    if (!peer.known) {
      await pulumi.log.info(`the stack of ${settings.peer} is not known: ${peer.why}`);
    }
    if (shape === "rejoining") {
      await pulumi.log.info(
        `${settings.region} is the lost region by stack ${settings.peerStack}: it is failed back from there, this stack declares no recovery until then`,
      );
      return new Region({
        ...described(settings),
        recovery: { phase: "rejoining", lostRegion: settings.region },
      });
    }
    const recovery = new Recovery(`${name}-recovery`, { settings, shape, recorded, plan });
    return new Region({
      ...described(settings),
      brokers: recovery.brokers,
      exporters: recovery.exporters,
      recovery: recovery.status,
    });
  }
}

function described(settings: Settings) {
  const { gateway, management, elasticsearch } = settings.endpoints[settings.region];
  return {
    contractVersion: 1,
    region: settings.region,
    peer: { region: settings.peer, stack: settings.peerStack },
    camunda: {
      version: settings.camundaVersion,
      gateway,
      management,
      elasticsearch,
      clusterSize: settings.clusterSize,
      partitionCount: settings.partitionCount,
    },
    snapshotRepository: { name: settings.repository.name, type: settings.repository.type },
  };
}
