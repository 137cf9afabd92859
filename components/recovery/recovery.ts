import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { brokerMap, idsOfMap, peerOf, RegionName, REGIONS, sameIds } from "../base/brokers";
import type { Declaration, LastAttempt } from "../base/declaration";
import type { Hook, Settings } from "../settings";
import type { RecordedState } from "../stack/stackState";
import { snapshotName } from "./names";
import type { PreviewPlan } from "./preview";
import type { StepRecord } from "./providers/behaviour";
import * as resources from "./resources";
import {
  activeRegionOf,
  attemptForCommands,
  declarationOf,
  desiredMembership,
  lastAttempt,
  lossOf,
  RecoveryShape,
} from "./shape";

/** Arguments of {@link Recovery}. */
export interface RecoveryArgs {
  settings: Settings;
  shape: RecoveryShape;
  /** What the stack has installed and fenced: everything of the recovery comes after it. */
  after?: pulumi.Resource[];
  /** What this stack has recorded. */
  recorded: RecordedState;
  /** What to say beside the membership in a preview. */
  plan?: PreviewPlan;
}

/** How the recovery of this stack stands, for platform pipelines. */
export interface RecoveryStatus {
  /**
   * `steady`, `failed-over` or `restored`; `rejoining` on the recreated region's own stack; `installing`
   * while the other region is not there yet.
   */
  phase: string;
  /** The region that serves the users. */
  activeRegion: RegionName;
  /** Whether the other region is cut off by the fence. Unknown on platform `endpoints`, which has none. */
  fenced?: boolean;
  /** The region that is lost, until the failback has finished. */
  lostRegion?: string;
  /** The loss that this recovery is about: the lost region and when it was forced out. */
  incident?: string;
  /** Since when the phase holds, ISO 8601. */
  since?: string;
  /** The running attempt to fail back. */
  failback?: string;
  /** The last failover, with its measured durations. */
  lastFailover?: unknown;
  /** The last failback, with its measured durations. */
  lastFailback?: unknown;
  /** Reasons that an operator has written to override a refusal. */
  overrides?: Record<string, string>;
}

/**
 * The recovery of a dual-region cluster as resources, in the order of Camunda's procedure.
 *
 * Persistent: {@link resources.BrokerMembership}, one {@link resources.Exporter} for each region,
 * {@link resources.Exporting} and the web applications. Temporary, while an attempt to fail back is
 * declared: its steps. Pulumi deletes last, so every act of a recovery is a create or an update.
 */
export class Recovery extends pulumi.ComponentResource {
  /** The members, by name. */
  readonly brokers: pulumi.Output<Record<string, string>>;
  /** State of both exporters, by id. */
  readonly exporters: pulumi.Output<Record<string, string>>;
  /** The contract's `recovery`. */
  readonly status: pulumi.Output<RecoveryStatus>;

  constructor(name: string, args: RecoveryArgs, options?: pulumi.ComponentResourceOptions) {
    super("camunda8:recovery:Recovery", name, {}, options);
    const declared = new Declared(this, args);
    const made = args.shape === "failing-back" ? declared.failback() : declared.state();
    if (args.plan) {
      void pulumi.log.info(args.plan.text, made.membership);
    }
    this.brokers = made.membership.record.apply(() => made.membership.brokers);
    this.exporters = pulumi
      .all(REGIONS.map((region) => made.exporters[region].exporters))
      .apply((maps) => Object.assign({}, ...maps) as Record<string, string>);
    this.status = statusOf(args, made);
    this.registerOutputs({
      brokers: this.brokers,
      exporters: this.exporters,
      status: this.status,
    });
  }
}

/** The resources that the outputs are derived from. */
interface Made {
  membership: resources.BrokerMembership;
  exporters: Record<RegionName, resources.Exporter>;
  exporting: resources.Exporting;
  /** The steps of a failback, by what they are. */
  steps: Record<string, { record: pulumi.Output<StepRecord> }>;
}

/** Declares the resources of one run. */
class Declared {
  private readonly lost: RegionName;
  private readonly survivor: RegionName;
  private readonly attempt: string;
  private readonly last: LastAttempt;
  private readonly declaration: Declaration;

  constructor(
    private readonly parent: pulumi.Resource,
    private readonly args: RecoveryArgs,
  ) {
    const { settings } = args;
    this.lost = settings.lostRegion ?? settings.peer;
    this.survivor = peerOf(this.lost);
    this.attempt = settings.failback ?? "";
    this.last = lastAttempt(settings, args.shape, args.recorded);
    this.declaration = declarationOf(settings, args.shape, args.recorded);
  }

  /**
   * Steady or failed over. Membership first: an exporter change would wait for dead members for ever.
   * Resuming and the web applications wait for membership only, so that an exporter that cannot be
   * changed does not keep an abandoned failback paused.
   */
  state(): Made {
    const failedOver = this.args.shape === "failed-over";
    const connected = this.peerConnection(failedOver ? "cut" : "open", []);
    const health = this.health(connected);
    const ready = failedOver ? this.hook("beforeFailover", connected) : health;
    const membership = this.membership(ready);
    const exporters = {
      region0: this.exporter("region0", [membership]),
      region1: this.exporter("region1", [membership]),
    };
    // When an attempt is abandoned before it has added a broker, what it has paused or stopped must not wait for
    // the proof of a fence. Once the lost brokers are members, they must go first: they answer for no replica.
    const { settings, recorded } = this.args;
    const survivors = desiredMembership(settings, "failed-over").ids;
    const undo =
      failedOver &&
      settings.installation !== undefined &&
      recorded.gateAttempt !== undefined &&
      sameIds(idsOfMap(recorded.brokers ?? {}), survivors)
        ? []
        : [membership];
    const exporting = this.exporting(undo);
    this.webApps(undo);
    if (failedOver) {
      this.hook("afterFailover", [membership, exporters.region0, exporters.region1]);
    }
    return { membership, exporters, exporting, steps: {} };
  }

  /** The steps of Camunda's failback procedure, each after the one before. */
  failback(): Made {
    const { settings, recorded } = this.args;
    this.health([]);
    const attempt = this.attempt;
    const repository = settings.repository.name;
    const snapshot = snapshotName(this.lost, attempt);
    const gate = new resources.FailbackGate(
      "failback-gate",
      { attempt, recreated: this.lost, incident: String(recorded.recovery?.incident ?? "unknown") },
      this.after(this.hook("beforeFailback", this.peerConnection("open", []))),
    );
    const stopped = this.stopWebApps([gate]);
    const pause = new resources.ExportPause(
      "export-pause",
      { attempt },
      this.after([gate, ...stopped]),
    );
    const source = new resources.SnapshotRepository(
      `snapshot-repository-${this.survivor}`,
      { attempt, region: this.survivor, repository, readonly: false },
      this.after([pause]),
    );
    const taken = new resources.Snapshot(
      "snapshot",
      { attempt, repository, snapshot },
      this.after([source]),
    );
    const target = new resources.SnapshotRepository(
      `snapshot-repository-${this.lost}`,
      { attempt, region: this.lost, repository, readonly: true, snapshot },
      this.after([taken]),
    );
    const restored = new resources.SnapshotRestore(
      "snapshot-restore",
      { attempt, repository, snapshot },
      this.after([target]),
    );
    const started = this.webApps([restored]);
    const lostExporter = this.exporter(this.lost, [restored, ...started]);
    const survivorExporter = this.exporter(this.survivor, [restored]);
    const resume = new resources.ExportResume(
      "export-resume",
      { attempt },
      this.after([lostExporter, survivorExporter]),
    );
    const exporting = this.exporting([resume]);
    const membership = this.membership([exporting]);
    this.hook("afterFailback", [membership]);
    const exporters = {
      [this.lost]: lostExporter,
      [this.survivor]: survivorExporter,
    } as Record<RegionName, resources.Exporter>;
    return {
      membership,
      exporters,
      exporting,
      steps: { gate, pause, snapshot: taken, restore: restored, resume },
    };
  }

  private membership(dependsOn: pulumi.Resource[]): resources.BrokerMembership {
    const desired = desiredMembership(this.args.settings, this.args.shape);
    return new resources.BrokerMembership(
      "broker-membership",
      {
        brokers: brokerMap(desired.ids),
        replicationFactor: desired.replicationFactor,
        declaration: this.declaration,
      },
      this.after(dependsOn),
    );
  }

  private exporter(region: RegionName, dependsOn: pulumi.Resource[]): resources.Exporter {
    const { settings, shape } = this.args;
    const disabled = shape === "failed-over" && region === this.lost;
    return new resources.Exporter(
      `exporter-${region}`,
      {
        exporters: { [settings.exporters[region]]: disabled ? "DISABLED" : "ENABLED" },
        region,
        initializeFrom: settings.exporters[peerOf(region)],
        // The exporter of this stack's own region is never touched by its recovery.
        ...(region === this.lost ? { declaration: this.declaration } : {}),
      },
      this.after(dependsOn),
    );
  }

  private exporting(dependsOn: pulumi.Resource[]): resources.Exporting {
    return new resources.Exporting(
      "exporting",
      { exporting: "running", ...this.last },
      this.after(dependsOn),
    );
  }

  /** On a platform with a network of ours: the fence is in place, or open, before anything else. */
  private peerConnection(state: "open" | "cut", dependsOn: pulumi.Resource[]): pulumi.Resource[] {
    return this.args.settings.installation === undefined
      ? dependsOn
      : [
          new resources.PeerConnection(
            "peer-connection",
            {
              state,
              declaration: this.declaration,
            },
            this.after(dependsOn),
          ),
        ];
  }

  /**
   * What this stack has installed must have become a cluster before it is called steady. Looked at once: its
   * record stays, and a preview of a failover shows no deletion.
   */
  private health(dependsOn: pulumi.Resource[]): pulumi.Resource[] {
    const { settings, shape, recorded } = this.args;
    const desired = desiredMembership(settings, "steady");
    const declared =
      settings.installation !== undefined && (shape === "steady" || recorded.healthy === true);
    return !declared
      ? dependsOn
      : [
          new resources.ClusterHealth(
            "cluster-health",
            {
              brokers: brokerMap(desired.ids),
              replicationFactor: desired.replicationFactor,
            },
            this.after(dependsOn),
          ),
        ];
  }

  /** A command of the user's, run once for each loss or attempt. What comes after it waits for it. */
  private hook(name: Hook, dependsOn: pulumi.Resource[]): pulumi.Resource[] {
    const { settings, shape } = this.args;
    const create = settings.hooks[name];
    return create === undefined
      ? dependsOn
      : [
          new Command(
            `hook-${name}`,
            {
              create,
              environment: {
                CAMUNDA_LOST_REGION: this.lost,
                CAMUNDA_SURVIVING_REGION: this.survivor,
                CAMUNDA_ACTIVE_REGION: activeRegionOf(settings, shape),
                // Changes when an attempt is abandoned, so that the hooks of the failover run again.
                CAMUNDA_FAILBACK_ATTEMPT:
                  this.declaration.abandoned === undefined
                    ? this.attempt
                    : attemptForCommands(this.last),
              },
            },
            // An edited command is for the next loss, not to be run in the middle of this one.
            { ...this.after(dependsOn), ignoreChanges: ["create"] },
          ),
        ];
  }

  /** Starts Operate and Tasklist again when an attempt begins or is abandoned: by scaling, or by the user's command. */
  private webApps(dependsOn: pulumi.Resource[]): pulumi.Resource[] {
    const { installation, webApps } = this.args.settings;
    if (installation !== undefined) {
      const inputs = { replicas: 1, ...this.last };
      return [new resources.WebApps("web-apps", inputs, this.after(dependsOn))];
    }
    return webApps === undefined
      ? []
      : [
          new Command(
            "web-apps",
            {
              create: webApps.start,
              environment: { CAMUNDA_FAILBACK_ATTEMPT: attemptForCommands(this.last) },
            },
            this.after(dependsOn),
          ),
        ];
  }

  private stopWebApps(dependsOn: pulumi.Resource[]): pulumi.Resource[] {
    const { installation, webApps } = this.args.settings;
    if (installation !== undefined) {
      const inputs = { attempt: this.attempt };
      return [new resources.WebAppsStop("web-apps-stop", inputs, this.after(dependsOn))];
    }
    return webApps === undefined
      ? []
      : [
          new Command(
            "web-apps-stop",
            {
              create: webApps.stop,
              // Also when the stack is destroyed half way: nothing else would start them again.
              delete: webApps.start,
              environment: { CAMUNDA_FAILBACK_ATTEMPT: this.attempt },
            },
            // An edited command must not stop them once more after the attempt has gone on.
            { ...this.after(dependsOn), ignoreChanges: ["create"] },
          ),
        ];
  }

  private after(dependsOn: pulumi.Resource[]): pulumi.CustomResourceOptions {
    return { parent: this.parent, dependsOn: [...(this.args.after ?? []), ...dependsOn] };
  }
}

/**
 * Derived from what the resources have verified, so that an `up` that has failed keeps the status of the
 * one before.
 */
function statusOf(
  { settings, shape, recorded }: RecoveryArgs,
  made: Made,
): pulumi.Output<RecoveryStatus> {
  const earlier = recorded.recovery ?? {};
  return pulumi
    .all([
      made.membership.record,
      made.exporters.region0.record,
      made.exporters.region1.record,
      pulumi.output(
        Object.fromEntries(Object.entries(made.steps).map(([step, made]) => [step, made.record])),
      ),
      made.exporting.record,
    ])
    .apply(([membership, exporter0, exporter1, steps]) => {
      if (membership === undefined || exporter0 === undefined || exporter1 === undefined) {
        // A resource whose operation has failed half way is kept without a record: nothing new is true.
        return { phase: "unknown", ...earlier } as unknown as RecoveryStatus;
      }
      const standing = {
        activeRegion: activeRegionOf(settings, shape),
        ...(settings.installation === undefined ? {} : { fenced: shape === "failed-over" }),
      };
      const exporterOfLost = settings.lostRegion === "region0" ? exporter0 : exporter1;
      const history = {
        ...(earlier.lastFailover === undefined ? {} : { lastFailover: earlier.lastFailover }),
        ...(earlier.lastFailback === undefined ? {} : { lastFailback: earlier.lastFailback }),
      };
      const overrides =
        Object.keys(settings.overrides).length > 0
          ? { overrides: settings.overrides as Record<string, string> }
          : {};
      if (shape === "failed-over") {
        const incident = `${settings.lostRegion}-${membership.startedAt}`;
        return {
          phase: "failed-over",
          ...standing,
          lostRegion: settings.lostRegion,
          incident,
          since: membership.startedAt,
          ...history,
          lastFailover: {
            incident,
            lostRegion: settings.lostRegion,
            loss: lossOf(settings, recorded, incident),
            membership,
            exporter: exporterOfLost,
            seconds: Math.round((membership.seconds + exporterOfLost.seconds) * 10) / 10,
          },
          ...overrides,
        };
      }
      if (shape === "failing-back") {
        const incident = String(earlier.incident ?? "unknown");
        return {
          phase: "restored",
          ...standing,
          lostRegion: settings.lostRegion,
          incident,
          since: endOf(membership),
          failback: settings.failback,
          ...history,
          lastFailback: {
            incident,
            attempt: settings.failback,
            ...steps,
            exporter: exporterOfLost,
            membership,
          },
          ...overrides,
        };
      }
      return { phase: "steady", ...standing, since: endOf(membership), ...history, ...overrides };
    });
}

function endOf(record: StepRecord): string {
  return new Date(Date.parse(record.startedAt) + record.seconds * 1000).toISOString();
}
