import type { Declaration, DrainInputs, IncidentInputs, LastAttempt } from "../base/declaration";
import { idsOfMap, sameIds } from "../base/brokers";
import type { Settings } from "../settings";
import type { RecordedState } from "../stack/stackState";
import { desiredMembership, leavesOut, RecoveryShape, Shape } from "./phase";

/** Name of the last attempt when there was none. */
const NO_ATTEMPT = "none";

/** Beginning of its name when it is not known. */
const UNKNOWN = "unknown at ";

/** What this run declares of the recovery, as data: the one writer of it. */
export function declarationOf(
  settings: Settings,
  shape: RecoveryShape,
  recorded: RecordedState,
): Declaration {
  const { lostRegion: lost, drainRegion: drained } = settings;
  if (shape === "steady") {
    return { kind: shape };
  }
  const out = {
    ...(lost === undefined ? {} : { lost }),
    ...(drained === undefined ? {} : { drained }),
  };
  if (shape === "failing-back") {
    return { kind: shape, ...out, attempt: settings.failback };
  }
  const { attempt, abandoned } = lastAttempt(settings, shape, recorded);
  return { kind: shape, ...out, ...(abandoned ? { abandoned: attempt } : {}) };
}

/** The drain that this run declares. Undefined: none. */
export function drainOf(
  settings: Settings,
  shape: Shape,
  recorded: RecordedState,
): DrainInputs | undefined {
  const { drainRegion: drained, reason } = settings;
  if (drained === undefined) {
    return undefined;
  }
  const after = afterOf(settings, shape, recorded, recorded.drain);
  return {
    drained,
    ...(reason === undefined ? {} : { reason }),
    ...(after === undefined ? {} : { after }),
  };
}

/** What a failback ends: the recorded incident, or the recorded drain, of the region that is declared to be out. */
export function endedBy(
  { lostRegion, drainRegion }: Settings,
  { incident, drain }: RecordedState,
): { incident: string } | { drain: string } | undefined {
  if (lostRegion !== undefined) {
    return incident === undefined || incident.withdrawn === true
      ? undefined
      : { incident: incident.id };
  }
  return drain?.drained === drainRegion && drain !== undefined ? { drain: drain.id } : undefined;
}

/**
 * The incident that this run declares: the loss, or that its declaration is taken back. That is an update, at the
 * beginning of a run: Pulumi deletes last, and the other region's stack waits for just this. Undefined: none.
 */
export function incidentOf(
  settings: Settings,
  shape: Shape,
  recorded: RecordedState,
): IncidentInputs | undefined {
  const { incident: before, declaration } = recorded;
  if (shape === "steady") {
    const forced = declaration !== undefined && declaration.kind !== "steady";
    return before === undefined || before.withdrawn === true || forced
      ? undefined
      : { ...incidentInputs(before), withdrawn: true };
  }
  const { lostRegion: lost, reason } = settings;
  if (lost === undefined || (shape !== "failed-over" && shape !== "failing-back")) {
    return undefined;
  }
  const after = afterOf(settings, shape, recorded, before);
  return incidentInputs({ lost, reason, after, overrides: settings.overrides });
}

function incidentInputs({ lost, reason, after, overrides }: IncidentInputs): IncidentInputs {
  return {
    lost,
    ...(reason === undefined ? {} : { reason }),
    ...(after === undefined ? {} : { after }),
    overrides: { ...overrides },
  };
}

/**
 * The attempt after which a region is declared lost or drained: one that has made it a member again and was not finished,
 * or what is recorded of it.
 */
function afterOf(
  settings: Settings,
  shape: Shape,
  { declaration, brokers = {} }: RecordedState,
  before: { after?: string } | undefined,
): string | undefined {
  const isOnceMore =
    leavesOut(shape) &&
    declaration?.kind === "failing-back" &&
    sameIds(idsOfMap(brokers), desiredMembership(settings, "steady").ids);
  return isOnceMore ? declaration.attempt : before?.after;
}

/** Whether this run begins an incident that is not the recorded one. */
export function beginsIncident(settings: Settings, shape: Shape, recorded: RecordedState): boolean {
  const now = incidentOf(settings, shape, recorded);
  const before = recorded.incident;
  return (
    now !== undefined &&
    now.withdrawn !== true &&
    (before === undefined || before.withdrawn === true || now.after !== before.after)
  );
}

/**
 * The last failback attempt and how it stands, as the persistent resources carry it. It changes when an
 * attempt begins and when one is abandoned, and only then: so abandoning updates them (and their update
 * asserts the live state), also when the attempt was killed so early that nothing but its gate is in the
 * state; and finishing changes nothing of it.
 */
export function lastAttempt(
  settings: Settings,
  shape: Shape,
  recorded: RecordedState,
): LastAttempt {
  if (settings.failback !== undefined) {
    return { attempt: settings.failback, abandoned: false };
  }
  if (leavesOut(shape) && recorded.gateAttempt !== undefined) {
    return { attempt: recorded.gateAttempt, abandoned: true };
  }
  if (recorded.unreadable) {
    // Not knowing what was before, assert the live state: an update that finds nothing to do is harmless.
    return { attempt: `${UNKNOWN}${Date.now()}`, abandoned: false };
  }
  return recorded.lastAttempt ?? { attempt: NO_ATTEMPT, abandoned: false };
}

/**
 * The names of all attempts before one: none may be used again, for their snapshots lie in the repository. An attempt
 * that was killed early is in its gate alone, so both carry them.
 */
export function attemptsBefore(attempt: string, { usedAttempts }: RecordedState): string[] {
  return (usedAttempts ?? []).filter(
    (name) => name !== attempt && name !== NO_ATTEMPT && !name.startsWith(UNKNOWN),
  );
}

/** The last attempt for the commands of a user, which run again when it changes. */
export function attemptForCommands({ attempt, abandoned }: LastAttempt): string {
  return abandoned ? `${attempt} abandoned` : attempt;
}
