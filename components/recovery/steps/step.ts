import * as pulumi from "@pulumi/pulumi";
import { peerOf, RegionName } from "../../base/brokers";
import type { Declaration, LastAttempt } from "../../base/declaration";
import type { Settings } from "../../settings";
import type { RecordedState } from "../../stack/stackState";
import type { StepRecord } from "../providers/behaviour";
import type * as resources from "../resources";
import { RecoveryShape } from "../phase";
import { attemptsBefore, declarationOf, lastAttempt } from "../declaration";

/** What a run declares, and what it knows: all that a step decides from. */
export interface Facts {
  settings: Settings;
  shape: RecoveryShape;
  /** What this stack has recorded. */
  recorded: RecordedState;
  declaration: Declaration;
  last: LastAttempt;
  /** The names of the attempts before it. */
  earlier: string[];
  /** The region that is lost or drained; while steady the other one. */
  lost: RegionName;
  /** The region that stays: this stack's. */
  survivor: RegionName;
  /** Name of the attempt to fail back that is declared; empty without one. */
  attempt: string;
}

/** The facts of a run. */
export function factsOf(settings: Settings, shape: RecoveryShape, recorded: RecordedState): Facts {
  const lost = settings.outRegion ?? settings.peer;
  const last = lastAttempt(settings, shape, recorded);
  return {
    settings,
    shape,
    recorded,
    declaration: declarationOf(settings, shape, recorded),
    last,
    earlier: attemptsBefore(last.attempt, recorded),
    lost,
    survivor: peerOf(lost),
    attempt: settings.failback ?? "",
  };
}

/** The resources that the outputs are derived from. */
export interface Made {
  membership?: resources.BrokerMembership;
  exporters?: Record<RegionName, resources.Exporter>;
  exporting?: resources.Exporting;
  /** What each part that makes the phase true was last brought about for. */
  declared: pulumi.Output<Declaration>[];
  /** The records of a failback, by what they are of. */
  records: Record<string, pulumi.Output<StepRecord>>;
}

/** Where the resources of a run are declared. */
export interface Scene {
  /** Options of a resource that comes after others: a child of the recovery, after what the stack has installed. */
  after(resources: readonly pulumi.Resource[]): pulumi.CustomResourceOptions;
  /** As {@link after}, once it was asked directly before whether the other region's operator declares the opposite. */
  confirmed(resources: readonly pulumi.Resource[]): pulumi.CustomResourceOptions;
  readonly made: Made;
  /** Since when exporting is paused, by the record of the pause: between that step and the resume. */
  pausedAt?: pulumi.Output<string>;
}

/** What a step must know that may come while exporting is paused. */
export function inPause({ pausedAt }: Scene): { pausedAt?: pulumi.Output<string> } {
  return pausedAt === undefined ? {} : { pausedAt };
}

/** One step of a procedure. */
export interface Step {
  /** What an operator reads of it in the plan of a preview; undefined when there is nothing to say. */
  says?(facts: Facts): string | undefined;
  /**
   * Declares its resources, where the step applies.
   *
   * @param after what the step before it has left
   * @returns what the next step comes after
   */
  declare(facts: Facts, scene: Scene, after: pulumi.Resource[]): pulumi.Resource[];
}
