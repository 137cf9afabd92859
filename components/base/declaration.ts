import { RegionName, REGIONS } from "./brokers";
import { isRecord } from "./json";

const KINDS = ["steady", "failed-over", "drained", "failing-back"] as const;

/**
 * What a stack with a recovery declares. An input of the resources that bring it about: a preview shows what
 * decides, and another declaration is an update, which looks at the cluster anew. From the configuration a
 * provider takes only how to reach things, and how long to wait.
 */
export interface Declaration {
  /**
   * - `steady`: both regions are members.
   * - `failed-over`: the other region is lost and forced out.
   * - `drained`: the other region is alive and was taken out by an ordinary change.
   * - `failing-back`: the steps of a failback, then both regions.
   */
  kind: (typeof KINDS)[number];
  /** The region that is declared lost; none while `steady`, nor of a drain. */
  lost?: RegionName;
  /** The region that is drained; none while `steady`, nor of a loss. */
  drained?: RegionName;
  /** The attempt to fail back that is declared; only while `failing-back`. */
  attempt?: string;
  /**
   * The attempt that was abandoned in this loss or drain. What it did before it was killed is in no state: so that it was
   * abandoned is another declaration.
   */
  abandoned?: string;
}

/** The last attempt to fail back, and how it ended. */
export interface LastAttempt {
  /** Its name; `none` when there was none. */
  attempt: string;
  /** Whether it was abandoned, while its loss or drain was declared on. */
  abandoned: boolean;
}

/**
 * A declared loss, as a stack keeps it from its first moment until a failback has finished: one forced removal at
 * most. What decides is in these inputs; who began it, and when, is in the record.
 */
export interface IncidentInputs {
  /** The region that is declared lost. */
  lost: RegionName;
  /** Why, in the words of `reason`; absent without. */
  reason?: string;
  /**
   * The attempt to fail back by which the incident before this one ended, when the region was lost once more before
   * that was finished: so that it is another one.
   */
  after?: string;
  /** The written reasons that this incident goes on by, by the name of the refusal. They are gone with it. */
  overrides: Record<string, string>;
  /** The declaration was taken back before anybody was forced out. */
  withdrawn?: true;
}

/** A planned switchover, as a stack keeps it from its first moment until a failback has finished. Never an incident. */
export interface DrainInputs {
  /** The region that is drained. */
  drained: RegionName;
  /** Why, in the words of `reason`; absent without. */
  reason?: string;
  /** The attempt to fail back by which the drain before this one ended, as an incident has it. */
  after?: string;
}

/**
 * Whether what is declared is still what is recorded: it ends when a failback has, and the next one is another, also when
 * that was not finished. What was not read of the state is no sign of another one.
 */
export function goesOn(before: { after?: string }, now: { after?: string }): boolean {
  return now.after === undefined || now.after === before.after;
}

/** What was noted when a loss or a drain was declared. */
export interface Declared {
  /** Region and time of the declaration: `region1-2026-11-21T12:45:22.198Z`. */
  id: string;
  /** When it was declared, ISO 8601. */
  startedAt: string;
  /** Who has declared it: `user@host` of the run. */
  who: string;
  /** What identifies the cluster: the gateway of the region that stays. */
  cluster: string;
}

/** An incident as a state has it. */
export interface RecordedIncident extends IncidentInputs, Declared {}

/** A drain as a state has it. */
export interface RecordedDrain extends DrainInputs, Declared {}

/** Reads an incident out of a state; undefined when there is none in it. */
export function readIncident(outputs: unknown): RecordedIncident | undefined {
  const declared = readDeclared(outputs);
  const lost = isRecord(outputs) ? REGIONS.find((one) => one === outputs.lost) : undefined;
  if (!isRecord(outputs) || declared === undefined || lost === undefined) {
    return undefined;
  }
  const { reason, after, overrides } = outputs;
  return {
    ...declared,
    lost,
    ...(typeof reason === "string" ? { reason } : {}),
    ...(typeof after === "string" ? { after } : {}),
    overrides: isRecord(overrides)
      ? Object.fromEntries(Object.entries(overrides).map(([key, text]) => [key, String(text)]))
      : {},
    ...(outputs.withdrawn === true ? { withdrawn: true } : {}),
  };
}

/** Reads a drain out of a state; undefined when there is none in it. */
export function readDrain(outputs: unknown): RecordedDrain | undefined {
  const declared = readDeclared(outputs);
  const drained = isRecord(outputs) ? REGIONS.find((one) => one === outputs.drained) : undefined;
  if (!isRecord(outputs) || declared === undefined || drained === undefined) {
    return undefined;
  }
  const { reason, after } = outputs;
  return {
    ...declared,
    drained,
    ...(typeof reason === "string" ? { reason } : {}),
    ...(typeof after === "string" ? { after } : {}),
  };
}

function readDeclared(outputs: unknown): Declared | undefined {
  const record = isRecord(outputs) && isRecord(outputs.record) ? outputs.record : undefined;
  const observed = record !== undefined && isRecord(record.observed) ? record.observed : undefined;
  return observed === undefined
    ? undefined
    : {
        id: String(observed.id),
        startedAt: String(record?.startedAt),
        who: String(observed.who),
        cluster: String(observed.cluster),
      };
}

/** Reads a declaration out of a state; undefined when there is none in it. */
export function readDeclaration(value: unknown): Declaration | undefined {
  if (!isRecord(value)) {
    return undefined;
  }
  const kind = KINDS.find((one) => one === value.kind);
  const lost = REGIONS.find((one) => one === value.lost);
  const drained = REGIONS.find((one) => one === value.drained);
  if (kind === undefined || (kind !== "steady" && (lost ?? drained) === undefined)) {
    return undefined;
  }
  return {
    kind,
    ...(lost === undefined ? {} : { lost }),
    ...(drained === undefined ? {} : { drained }),
    ...(typeof value.attempt === "string" ? { attempt: value.attempt } : {}),
    ...(typeof value.abandoned === "string" ? { abandoned: value.abandoned } : {}),
  };
}

/** Reads the last attempt out of the outputs of what carries it; undefined when it is not there. */
export function readLastAttempt(outputs: unknown): LastAttempt | undefined {
  return isRecord(outputs) && typeof outputs.attempt === "string"
    ? { attempt: outputs.attempt, abandoned: outputs.abandoned === true }
    : undefined;
}

/** Whether two declare the same, but for an attempt that was abandoned meanwhile. */
export function sameDeclaration(
  one: Declaration | undefined,
  other: Declaration | undefined,
): boolean {
  return (
    one?.kind === other?.kind &&
    one?.lost === other?.lost &&
    one?.drained === other?.drained &&
    one?.attempt === other?.attempt
  );
}

/** Whether both are the same one, the abandoned attempt included. */
export function isDeclaration(one: Declaration | undefined, other: Declaration): boolean {
  return sameDeclaration(one, other) && one?.abandoned === other.abandoned;
}
