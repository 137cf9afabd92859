import * as pulumi from "@pulumi/pulumi";
import {
  IncidentInputs,
  isDeclaration,
  readDeclaration,
  RecordedDrain,
  RecordedIncident,
} from "../base/declaration";
import { isRecord } from "../base/json";
import { BrokerMap, idsOfMap, RegionName, REGIONS, sameIds } from "../base/brokers";
import { generationOf } from "../generations";
import type { StepName } from "../generations/generation";
import type { Settings } from "../settings";
import type { RecoveryPhase } from "../stack/contract";
import type { RecordedState } from "../stack/stackState";
import type { PreviewPlan } from "./preview";
import type { StepRecord } from "./providers/behaviour";
import { declarationOf, drainOf, incidentOf } from "./declaration";
import * as resources from "./resources";
import { activeRegionOf, desiredMembership, leavesOut, procedureOf, RecoveryShape } from "./phase";
import { kindOfDrain, lossOf } from "./loss";
import { STEPS } from "./steps";
import { Facts, factsOf, Made, Scene } from "./steps/step";

/** Arguments of {@link Recovery}. */
export interface RecoveryArgs {
  settings: Settings;
  shape: RecoveryShape;
  /**
   * Looks once more whether the other region's operator has declared this region lost. Asked when the incident is
   * written and the fence is proved, directly before the forced removal.
   *
   * @throws {@link UserError} when it is so
   */
  confirm(this: void): Promise<void>;
  /** What this stack has recorded. */
  recorded: RecordedState;
  /** What to say beside the membership in a preview. */
  plan?: PreviewPlan;
}

/** What the removal of a region's brokers has left. */
interface AfterRemoval {
  /** The version of the cluster's configuration after it, where the cluster has told it. */
  configurationVersion?: number;
  /** The cluster's id of the removal, when this program has done it. */
  changeId?: number;
  /** The brokers that were removed; absent when that was done by hand. */
  removed?: number[];
  /** The brokers that stayed. */
  kept?: number[];
  /** State of the exporters of both regions after it, by id. */
  exporters?: Record<string, string>;
}

/** A declared loss and what was done about it, for platform pipelines and for the failback that ends it. */
export interface Incident extends Omit<RecordedIncident, "after" | "withdrawn">, AfterRemoval {}

/** A declared drain and what was done, for platform pipelines and for the failback that ends it. */
export interface Drain extends RecordedDrain, AfterRemoval {}

/** How the recovery of this stack stands, for platform pipelines. */
export interface RecoveryStatus {
  /**
   * `steady`, `failed-over`, `drained` or `restored`; `rejoining` on the recreated or drained region's own stack;
   * `installing` while the other region is not there yet.
   */
  phase: RecoveryPhase;
  /** The region that serves the users. */
  activeRegion: RegionName;
  /** Whether the other region is cut off by the fence. Unknown on platform `endpoints`, which has none. */
  fenced?: boolean;
  /** The region that is lost, until the failback has finished. */
  lostRegion?: string;
  /** The loss that this recovery is about, until its failback is finished. */
  incident?: Incident;
  /** The region that is drained, until the failback has finished. Never beside `lostRegion`. */
  drainRegion?: string;
  /** The drain that this recovery is about, until its failback is finished. */
  drain?: Drain;
  /** Since when the phase holds, ISO 8601. */
  since?: string;
  /** The running attempt to fail back. */
  failback?: string;
  /** The last failover, with its measured durations. */
  lastFailover?: unknown;
  /** The last drain, with its measured durations. */
  lastDrain?: unknown;
  /** The last failback, with its measured durations. */
  lastFailback?: unknown;
  /** Reasons that an operator has written to override a refusal. */
  overrides?: Record<string, string>;
}

/** What a stack exports of its recovery. */
export interface RecoveryOutputs {
  /** The members, by name. */
  brokers: pulumi.Output<BrokerMap>;
  /** State of the exporters of both regions, by id. */
  exporters: pulumi.Output<Record<string, string>>;
  /** How it stands. */
  recovery: pulumi.Output<RecoveryStatus>;
}

/**
 * The recovery of a dual-region cluster as resources, in the order of Camunda's procedure.
 *
 * Persistent: {@link resources.BrokerMembership}, one {@link resources.Exporter} for each region,
 * {@link resources.Exporting} and the web applications. Temporary, while an attempt to fail back is
 * declared: its steps. Pulumi deletes last, so every act of a recovery is a create or an update.
 */
export class Recovery extends pulumi.ComponentResource {
  /** What is written before anything else of the run is done: what is declared lost or drained, or that it is taken back. */
  readonly first: pulumi.Resource[];
  private readonly incident: resources.Incident | undefined;
  private readonly drain: resources.Drain | undefined;

  constructor(
    name: string,
    private readonly args: RecoveryArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("camunda8:recovery:Recovery", name, {}, options);
    const inputs = incidentOf(args.settings, args.shape, args.recorded);
    this.incident =
      inputs === undefined
        ? undefined
        : new resources.Incident("incident", inputs, { parent: this });
    const drained = drainOf(args.settings, args.shape, args.recorded);
    this.drain =
      drained === undefined ? undefined : new resources.Drain("drain", drained, { parent: this });
    this.first = [this.incident, this.drain].filter((one) => one !== undefined);
  }

  /**
   * Declares the steps.
   *
   * @param installed what the stack has installed and fenced: everything of the recovery comes after it
   * @returns what the stack exports of it
   */
  declare(installed: readonly pulumi.Resource[]): RecoveryOutputs {
    const { args } = this;
    const facts = factsOf(args.settings, args.shape, args.recorded);
    const made: Made = { declared: [], records: {} };
    declare(facts, this.first, {
      made,
      after: (resources) => ({ parent: this, dependsOn: [...installed, ...resources] }),
      confirmed: (resources) => ({
        parent: this,
        dependsOn: this.confirmed([...this.first, ...installed, ...resources]),
      }),
    });
    const { membership, exporters, exporting } = made;
    if (membership === undefined || exporters === undefined || exporting === undefined) {
      throw new Error(`a procedure without membership, exporters or exporting`);
    }
    if (args.plan) {
      void pulumi.log.info(args.plan.text, membership);
    }
    const outputs: RecoveryOutputs = {
      brokers: membership.record.apply(() => membership.brokers),
      exporters: pulumi
        .all(REGIONS.map((region) => exporters[region].exporters))
        .apply((maps) => Object.assign({}, ...maps) as Record<string, string>),
      recovery: statusOf(args, this.incident ?? this.drain, {
        membership,
        exporters,
        exporting,
        declared: made.declared,
        records: made.records,
      }),
    };
    this.registerOutputs(outputs);
    return outputs;
  }

  /** The resources, once they are there and nobody is seen to declare the opposite. A preview does nothing, so asks nobody. */
  private confirmed(all: pulumi.Resource[]): pulumi.Input<pulumi.Input<pulumi.Resource>[]> {
    return pulumi.runtime.isDryRun()
      ? all
      : pulumi.all(all.map(({ urn }) => urn)).apply(async () => {
          await this.args.confirm();
          return all;
        });
  }
}

/**
 * What an attempt has paused or stopped, outside of a failback. Nothing waits for it, and it waits for membership
 * only, so that an exporter that cannot be changed does not keep an abandoned failback paused.
 */
const UNDO: readonly StepName[] = ["exporting", "web-apps"];

/** Declares the steps of the procedure in its order, each after what the one before has left. */
function declare(facts: Facts, first: pulumi.Resource[], scene: Scene): void {
  const { settings, shape } = facts;
  const failingBack = shape === "failing-back";
  let after = first;
  for (const name of procedureOf(generationOf(settings.camundaVersion), shape)) {
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
    leavesOut(shape) &&
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
  declared: resources.Incident | resources.Drain | undefined,
  made: Required<Made>,
): pulumi.Output<RecoveryStatus> {
  const earlier = recorded.recovery ?? {};
  const declaration = declarationOf(settings, shape, recorded);
  return pulumi
    .all([
      declared?.record,
      made.membership.record,
      made.exporters.region0.record,
      made.exporters.region1.record,
      pulumi.output(made.records),
      pulumi.all(made.declared),
      made.exporting.record,
    ])
    .apply(([begun, membership, exporter0, exporter1, steps, parts, exporting]): RecoveryStatus => {
      if (
        membership === undefined ||
        exporter0 === undefined ||
        exporter1 === undefined ||
        exporting === undefined ||
        (declared !== undefined && begun === undefined) ||
        !parts.every((part) => isDeclaration(readDeclaration(part), declaration))
      ) {
        // A resource whose operation has failed half way is kept without a record, one that was left out by a
        // target has that of an earlier declaration: nothing new is true.
        return { phase: "unknown", ...earlier } as unknown as RecoveryStatus;
      }
      const standing = {
        activeRegion: activeRegionOf(settings, shape),
        ...(settings.installation === undefined ? {} : { fenced: shape === "failed-over" }),
      };
      const exporterOfLost = settings.outRegion === "region0" ? exporter0 : exporter1;
      const history = {
        ...(earlier.lastFailover === undefined ? {} : { lastFailover: earlier.lastFailover }),
        ...(earlier.lastDrain === undefined ? {} : { lastDrain: earlier.lastDrain }),
        ...(earlier.lastFailback === undefined ? {} : { lastFailback: earlier.lastFailback }),
      };
      const overrides =
        Object.keys(settings.overrides).length > 0
          ? { overrides: settings.overrides as Record<string, string> }
          : {};
      const seconds = Math.round((membership.seconds + exporterOfLost.seconds) * 10) / 10;
      const { drainRegion } = settings;
      if (drainRegion !== undefined && begun !== undefined) {
        const drain = drainStatus(drainRegion, settings.reason, begun, earlier.drain);
        if (shape === "drained") {
          const left = { ...drain, ...afterRemoval(membership, [exporter0, exporter1]) };
          return {
            phase: "drained",
            ...standing,
            drainRegion,
            drain: left,
            since: membership.startedAt,
            ...history,
            lastDrain: {
              drain: left,
              drainRegion,
              ...kindOfDrain(settings, recorded, left.id),
              membership,
              exporter: exporterOfLost,
              seconds,
            },
            ...overrides,
          };
        }
        return {
          phase: "restored",
          ...standing,
          drainRegion,
          drain,
          since: endOf(membership),
          failback: settings.failback,
          ...history,
          lastFailback: {
            drain: drain.id,
            attempt: settings.failback,
            ...steps,
            exporter: exporterOfLost,
            membership,
          },
          ...overrides,
        };
      }
      const inputs = incidentOf(settings, shape, recorded);
      const noted = isRecord(earlier.incident) ? earlier.incident : {};
      const incident =
        inputs === undefined || begun === undefined || inputs.withdrawn === true
          ? undefined
          : incidentStatus(inputs, begun, noted);
      if (shape === "failed-over" && incident !== undefined) {
        const after = { ...incident, ...afterRemoval(membership, [exporter0, exporter1]) };
        return {
          phase: "failed-over",
          ...standing,
          lostRegion: settings.lostRegion,
          incident: after,
          since: membership.startedAt,
          ...history,
          lastFailover: {
            incident: after,
            lostRegion: settings.lostRegion,
            loss: lossOf(settings, recorded, after.id),
            membership,
            exporter: exporterOfLost,
            seconds,
          },
          ...overrides,
        };
      }
      if (shape === "failing-back" && incident !== undefined) {
        return {
          phase: "restored",
          ...standing,
          lostRegion: settings.lostRegion,
          incident,
          since: endOf(membership),
          failback: settings.failback,
          ...history,
          lastFailback: {
            incident: incident.id,
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

/** What is declared, and what was noted of it before, when that is of the same incident. */
function incidentStatus(
  { lost, reason, overrides }: IncidentInputs,
  { startedAt, observed }: StepRecord,
  noted: Record<string, unknown>,
): Incident {
  return {
    ...(noted.id === observed.id ? (noted as unknown as Incident) : {}),
    id: String(observed.id),
    lost,
    startedAt,
    who: String(observed.who),
    cluster: String(observed.cluster),
    ...(reason === undefined ? {} : { reason }),
    overrides,
  };
}

/** What is declared, and what was noted of the same drain before. */
function drainStatus(
  drained: RegionName,
  reason: string | undefined,
  { startedAt, observed }: StepRecord,
  noted: unknown,
): Drain {
  return {
    ...(isRecord(noted) && noted.id === observed.id ? (noted as unknown as Drain) : {}),
    id: String(observed.id),
    drained,
    startedAt,
    who: String(observed.who),
    cluster: String(observed.cluster),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** What the removal has left, for the failback to find again. What this run has not done itself stays as it was noted. */
function afterRemoval(membership: StepRecord, exporters: StepRecord[]): AfterRemoval {
  const { removed, members } = membership.observed as { removed?: number[]; members?: number[] };
  const states = exporters.map(({ observed }) => observed.exporters as Record<string, string>);
  const versions = exporters.flatMap(({ observed: { configurationVersion } }) =>
    typeof configurationVersion === "number" ? [configurationVersion] : [],
  );
  return {
    ...(versions.length === 0 ? {} : { configurationVersion: Math.max(...versions) }),
    ...(membership.changeId === undefined ? {} : { changeId: membership.changeId }),
    ...(removed === undefined ? {} : { removed }),
    ...(members === undefined ? {} : { kept: members }),
    exporters: Object.assign({}, ...states) as Record<string, string>,
  };
}

function endOf(record: StepRecord): string {
  return new Date(Date.parse(record.startedAt) + record.seconds * 1000).toISOString();
}
