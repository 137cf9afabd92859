import * as pulumi from "@pulumi/pulumi";
import type { BrokerMap, RegionName } from "./base/brokers";
import { isInstalled, Settings } from "./settings";
import type {
  InstalledOutputs,
  InstalledRegion,
  InstalledRegionArgs,
} from "./installation/installedRegion";
import { refusalBeforehand } from "./recovery/interlocks/cluster";
import { lookAtCluster } from "./recovery/look";
import { upgradeOf, upgradePlan } from "./recovery/upgrade";
import { previewPlan } from "./recovery/preview";
import { Recovery, RecoveryOutputs, RecoveryStatus } from "./recovery/recovery";
import { lookAtReleases } from "./recovery/releases";
import { activeRegionOf, Shape, shapeOf } from "./recovery/phase";
import { declareTrial } from "./recovery/trial";
import { peerRefusal, runProblems } from "./recovery/interlocks/run";
import { CONTRACT_VERSION } from "./stack/contract";
import { backendPlace, backendWarnings } from "./stack/stateBackend";
import { fullName, PeerState, readPeer, readRecorded, RecordedState } from "./stack/stackState";
import { refusedRun } from "./base/operatorLine";
import { UserError } from "./base/userError";

/**
 * What a stack exports: the contract with platform pipelines, which read it by StackReference. Fields
 * are added, never renamed; a change that breaks a reader raises `contractVersion`.
 */
export interface RegionOutputs extends InstalledOutputs {
  contractVersion: number;
  /** The region that serves the users: the survivor of a loss, else as configured. */
  activeRegion: pulumi.Output<RegionName>;
  /** The region of this stack. */
  region: RegionName;
  /** The other region, and the stack that owns it. */
  peer: {
    region: RegionName;
    stack: string | undefined;
    /** Whether that stack was there, now or in an earlier run. */
    known: boolean;
  };
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
  brokers?: pulumi.Output<BrokerMap>;
  /** State of the exporters of both regions, by id. */
  exporters?: pulumi.Output<Record<string, string>>;
  /** How the recovery stands. */
  recovery: pulumi.Output<RecoveryStatus>;
  /** The snapshot repository that a failback uses. */
  snapshotRepository: { name: string; type: string };
}

/** What the fence must be, by what is declared. */
const FENCE: Partial<Record<Shape, InstalledRegionArgs["fence"]>> = {
  "failed-over": "closed",
  "failing-back": "opened",
};

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
   * @throws {@link UserError} with every problem, one line each
   */
  static async create(name: string, settings: Settings): Promise<Region> {
    const [peer, recorded] = await Promise.all([readPeer(settings.peerStack), readRecorded()]);
    const shape = shapeOf(settings, peer, recorded);
    const problems = runProblems(settings, peer, recorded, fullName(pulumi.getStack()));
    // Asking for a plan waits for a region that may be gone: a run that is refused already needs none.
    const plan =
      problems.length === 0 && pulumi.runtime.isDryRun()
        ? await previewPlan(settings, shape, recorded)
        : undefined;
    if (plan?.refusal !== undefined) {
      problems.push(plan.refusal);
    }
    // Whoever cannot ask the own cluster is to hear that, and not what it keeps from being known.
    const own =
      problems.length === 0 && shape === "failed-over" && isInstalled(settings)
        ? await lookAtReleases(settings, shape, recorded)
        : undefined;
    problems.push(...(own?.refusals ?? []));
    if (problems.length === 0) {
      const refusal = await refusalBeforehand(settings, shape, recorded);
      problems.push(...(refusal === undefined ? [] : [refusal]));
    }
    const [releases, look] =
      problems.length === 0
        ? await Promise.all([
            own ?? (isInstalled(settings) ? lookAtReleases(settings, shape, recorded) : undefined),
            lookAtCluster(settings, shape, recorded),
          ])
        : [];
    problems.push(...(look?.refusal === undefined ? [] : [look.refusal]));
    problems.push(...(releases?.refusals ?? []));
    if (problems.length > 0) {
      throw new UserError(refusedRun(problems));
    }
    if (!peer.known && peer.absent === true) {
      await pulumi.log.warn(
        `there is no stack of ${settings.peer} (${peer.why}): nobody sees what its operator declares`,
      );
    } else if (!peer.known) {
      await pulumi.log.info(`the stack of ${settings.peer} is not known: ${peer.why}`);
    }
    const upgrade = upgradeOf(settings, recorded);
    if (upgrade !== undefined && pulumi.runtime.isDryRun()) {
      await pulumi.log.info(upgradePlan(settings, upgrade));
    }
    const isKnown = peer.known || recorded.knownPeer === settings.peerStack;
    await warnOfBackend(settings);
    for (const warning of [...(look?.warnings ?? []), ...(releases?.warnings ?? [])]) {
      await pulumi.log.warn(warning);
    }
    const recovery =
      shape === "rejoining" || shape === "installing"
        ? undefined
        : new Recovery(`${name}-recovery`, {
            settings,
            shape,
            recorded,
            plan,
            confirm: () => confirm(settings),
          });
    const installed = isInstalled(settings)
      ? await install(name, {
          settings,
          fence: FENCE[shape],
          rejoining: shape === "rejoining",
          activeRegion: activeRegionOf(settings, shape),
          peer,
          recorded,
          descriptions: releases?.descriptions ?? {},
          first: recovery?.first ?? [],
        })
      : undefined;
    if (recovery === undefined) {
      const drained = isDrained(settings, peer, recorded);
      installed?.afterRecovery(installed.camunda);
      await pulumi.log.info(
        shape === "rejoining"
          ? `${settings.region} is the ${drained ? "drained" : "lost"} region by stack ${settings.peerStack}: it is failed back from there, this stack declares no recovery until then`
          : `${settings.region} is installed and waits for ${settings.peer}: run the up of the other stack, and then this one again (npm run up does both)`,
      );
      return new Region(
        outputsOf(settings, isKnown, installed, {
          recovery: pulumi
            .output(installed?.camunda.name)
            .apply(() => waiting(settings, shape === "rejoining" ? shape : "installing", drained)),
        }),
      );
    }
    const declared = recovery.declare(installed?.before ?? []);
    const others = installed?.afterRecovery(recovery) ?? [];
    declareTrial(settings, shape, recorded, [recovery, ...others]);
    return new Region(outputsOf(settings, isKnown, installed, declared));
  }
}

/** See {@link RecoveryArgs.confirm}. A peer that cannot be read stops nothing, as at the beginning of a run. */
async function confirm(settings: Settings): Promise<void> {
  const refusal = peerRefusal(settings, await readPeer(settings.peerStack));
  if (refusal !== undefined) {
    throw new UserError(refusedRun([refusal]));
  }
}

async function warnOfBackend({ installation }: Settings): Promise<void> {
  if (installation?.cluster.kind === "eks" && pulumi.runtime.isDryRun()) {
    const place = backendPlace(`Pulumi.${pulumi.getStack()}.yaml`);
    for (const warning of backendWarnings(place, installation.cluster)) {
      await pulumi.log.warn(warning);
    }
  }
}

/** Declares what the platform installs. Its SDK is loaded only where it is used: each costs time and memory. */
async function install(name: string, args: InstalledRegionArgs): Promise<InstalledRegion> {
  /* eslint-disable @typescript-eslint/no-require-imports -- loaded here, not at the top */
  const { cluster } = args.settings.installation;
  if (cluster.kind === "eks") {
    const { EksRegion } =
      require("./installation/eks/eksRegion") as typeof import("./installation/eks/eksRegion");
    return EksRegion.create(name, { ...args, eks: cluster });
  }
  const { KubernetesRegion } =
    require("./installation/kubernetes/kubernetesRegion") as typeof import("./installation/kubernetes/kubernetesRegion");
  return new KubernetesRegion(name, { ...args, cluster });
}

/** How a region stands whose stack declares no recovery. */
function waiting(
  settings: Settings,
  shape: "rejoining" | "installing",
  drained: boolean,
): RecoveryStatus {
  const { region } = settings;
  const out = drained ? { drainRegion: region } : { lostRegion: region };
  return {
    phase: shape,
    activeRegion: activeRegionOf(settings, shape),
    ...(shape === "rejoining" ? out : {}),
  };
}

/** Whether the other region's stack has drained this one, by what it says now or has said last. */
function isDrained({ region }: Settings, peer: PeerState, { recovery }: RecordedState): boolean {
  return (peer.known ? peer.drainedRegion : recovery?.drainRegion) === region;
}

function outputsOf(
  settings: Settings,
  isKnown: boolean,
  installed: InstalledRegion | undefined,
  made: Partial<RecoveryOutputs> & Pick<RecoveryOutputs, "recovery">,
): RegionOutputs {
  return {
    ...described(settings, isKnown),
    ...installed?.outputs,
    ...made,
    activeRegion: made.recovery.apply(({ activeRegion }) => activeRegion),
  };
}

function described(settings: Settings, isKnown: boolean) {
  const { gateway, management, elasticsearch } = settings.endpoints[settings.region];
  return {
    contractVersion: CONTRACT_VERSION,
    region: settings.region,
    peer: { region: settings.peer, stack: settings.peerStack, known: isKnown },
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
