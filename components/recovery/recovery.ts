import * as pulumi from "@pulumi/pulumi";
import { BrokerMap, idsOfMap, RegionName, REGIONS, sameIds } from "../base/brokers";
import { generationOf } from "../generations";
import type { StepName } from "../generations/generation";
import type { Settings } from "../settings";
import type { RecoveryPhase } from "../stack/contract";
import type { RecordedState } from "../stack/stackState";
import type { PreviewPlan } from "./preview";
import type { StepRecord } from "./providers/behaviour";
import { activeRegionOf, desiredMembership, RecoveryShape } from "./phase";
import { lossOf } from "./loss";
import { STEPS } from "./steps";
import { Facts, factsOf, Made, Scene } from "./steps/step";

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
  phase: RecoveryPhase;
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
  readonly brokers: pulumi.Output<BrokerMap>;
  /** State of both exporters, by id. */
  readonly exporters: pulumi.Output<Record<string, string>>;
  /** The contract's `recovery`. */
  readonly status: pulumi.Output<RecoveryStatus>;

  constructor(name: string, args: RecoveryArgs, options?: pulumi.ComponentResourceOptions) {
    super("camunda8:recovery:Recovery", name, {}, options);
    const facts = factsOf(args.settings, args.shape, args.recorded);
    const made: Made = { records: {} };
    declare(facts, {
      made,
      after: (resources) => ({ parent: this, dependsOn: [...(args.after ?? []), ...resources] }),
    });
    const { membership, exporters, exporting } = made;
    if (membership === undefined || exporters === undefined || exporting === undefined) {
      throw new Error(`a procedure without membership, exporters or exporting`);
    }
    if (args.plan) {
      void pulumi.log.info(args.plan.text, membership);
    }
    this.brokers = membership.record.apply(() => membership.brokers);
    this.exporters = pulumi
      .all(REGIONS.map((region) => exporters[region].exporters))
      .apply((maps) => Object.assign({}, ...maps) as Record<string, string>);
    this.status = statusOf(args, { membership, exporters, exporting, records: made.records });
    this.registerOutputs({
      brokers: this.brokers,
      exporters: this.exporters,
      status: this.status,
    });
  }
}

/**
 * What an attempt has paused or stopped, outside of a failback. Nothing waits for it, and it waits for membership
 * only, so that an exporter that cannot be changed does not keep an abandoned failback paused.
 */
const UNDO: readonly StepName[] = ["exporting", "web-apps"];

/** Declares the steps of the procedure in its order, each after what the one before has left. */
function declare(facts: Facts, scene: Scene): void {
  const { settings, shape } = facts;
  const { failover, failback } = generationOf(settings.camundaVersion);
  const failingBack = shape === "failing-back";
  let after: pulumi.Resource[] = [];
  for (const name of failingBack ? failback : failover) {
    if (!failingBack && UNDO.includes(name)) {
      const { membership } = scene.made;
      STEPS[name].declare(facts, scene, undoFirst(facts) || !membership ? [] : [membership]);
    } else {
      after = STEPS[name].declare(facts, scene, after);
    }
  }
}

/**
 * When an attempt is abandoned before it has added a broker, what it has paused or stopped must not wait for
 * the proof of a fence. Once the lost brokers are members, they must go first: they answer for no replica.
 */
function undoFirst({ settings, shape, recorded }: Facts): boolean {
  return (
    shape === "failed-over" &&
    settings.installation !== undefined &&
    recorded.gateAttempt !== undefined &&
    sameIds(idsOfMap(recorded.brokers ?? {}), desiredMembership(settings, shape).ids)
  );
}

/**
 * Derived from what the resources have verified, so that an `up` that has failed keeps the status of the
 * one before.
 */
function statusOf(
  { settings, shape, recorded }: RecoveryArgs,
  made: Required<Made>,
): pulumi.Output<RecoveryStatus> {
  const earlier = recorded.recovery ?? {};
  return pulumi
    .all([
      made.membership.record,
      made.exporters.region0.record,
      made.exporters.region1.record,
      pulumi.output(made.records),
      made.exporting.record,
    ])
    .apply(([membership, exporter0, exporter1, steps]): RecoveryStatus => {
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
