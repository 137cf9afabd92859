import type { Declaration, LastAttempt } from "../base/declaration";
import type { Settings } from "../settings";
import type { RecordedState } from "../stack/stackState";
import type { RecoveryShape, Shape } from "./phase";

/** What this run declares of the recovery, as data: the one writer of it. */
export function declarationOf(
  settings: Settings,
  shape: RecoveryShape,
  recorded: RecordedState,
): Declaration {
  const lost = settings.lostRegion;
  if (shape === "steady" || lost === undefined) {
    return { kind: "steady" };
  }
  if (shape === "failing-back") {
    return { kind: shape, lost, attempt: settings.failback };
  }
  const { attempt, abandoned } = lastAttempt(settings, shape, recorded);
  return { kind: shape, lost, ...(abandoned ? { abandoned: attempt } : {}) };
}

/**
 * The last failback attempt and how it stands, as the persistent resources carry it. It changes when an
 * attempt begins and when one is abandoned, and only then: so abandoning updates them (and their update
 * asserts the live state), also when the attempt was killed so early that nothing but its gate is in the
 * state; and finishing changes nothing.
 */
export function lastAttempt(
  settings: Settings,
  shape: Shape,
  recorded: RecordedState,
): LastAttempt {
  if (settings.failback !== undefined) {
    return { attempt: settings.failback, abandoned: false };
  }
  if (shape === "failed-over" && recorded.gateAttempt !== undefined) {
    return { attempt: recorded.gateAttempt, abandoned: true };
  }
  if (recorded.unreadable) {
    // Not knowing what was before, assert the live state: an update that finds nothing to do is harmless.
    return { attempt: `unknown at ${Date.now()}`, abandoned: false };
  }
  return recorded.lastAttempt ?? { attempt: "none", abandoned: false };
}

/** The last attempt for the commands of a user, which run again when it changes. */
export function attemptForCommands({ attempt, abandoned }: LastAttempt): string {
  return abandoned ? `${attempt} abandoned` : attempt;
}
