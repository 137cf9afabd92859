import { isRecord } from "../base/json";

/**
 * Version of the outputs that pipelines read and that the next run reads again: raised by a change that breaks a
 * reader. Before version 1.0.0 of this package a state is not migrated: a change of the outputs or of the resources
 * may ask for a new stack. From 1.0.0 on it is: what a release has written, the next ones read.
 */
export const CONTRACT_VERSION = 1;

/** How the recovery of a stack stands, as its output `recovery` says. What is not verified yet is in no phase. */
export const PHASES = [
  "installing",
  "steady",
  "failed-over",
  "drained",
  "restored",
  "rejoining",
] as const;

/** See {@link PHASES} and docs/outputs.md. */
export type RecoveryPhase = (typeof PHASES)[number];

/** Phases in which a region is declared lost or drained, until `--finish`. */
const UNFINISHED: readonly (RecoveryPhase | undefined)[] = ["failed-over", "drained", "restored"];

/** The output `recovery` of an earlier run, as far as it is read again. The rest of it is kept as it was. */
export interface RecordedRecovery extends Record<string, unknown> {
  phase?: RecoveryPhase;
}

/** Reads the output `recovery` out of a stack's outputs: empty when it has none. */
export function recoveryOf(outputs: unknown): RecordedRecovery {
  const recovery = isRecord(outputs) && isRecord(outputs.recovery) ? outputs.recovery : {};
  const { phase, ...rest } = recovery;
  const known = PHASES.find((one) => one === phase);
  return known === undefined ? rest : { ...rest, phase: known };
}

/** Whether a loss or a drain was declared whose recovery is not finished. */
export function isUnfinished({ phase }: RecordedRecovery): boolean {
  return UNFINISHED.includes(phase);
}
