import * as pulumi from "@pulumi/pulumi";

/** The version of the contract that this program was written for. */
export const CONTRACT_VERSION = 1;

/** A region of the cluster. */
export type Region = "region0" | "region1";

/** What this program takes of the outputs of a region's stack. Fields it does not need are not named. */
export interface Contract {
  /** Raised by a change that breaks a reader. */
  contractVersion: number;
  /** The region whose stack says this. */
  region: Region;
  /** The region that serves the users. */
  activeRegion: Region;
  /** Where Camunda answers in the region of this stack. */
  camunda: { gateway: string };
  recovery: {
    /** `steady` is the only one without a region too few. */
    phase: string;
    /** The region that the other one has forced out, until the failback is finished. */
    lostRegion?: string;
    /** The region that the other one has taken out for a maintenance, until the failback is finished. */
    drainRegion?: string;
    /** Whether the network to the other region is cut. */
    fenced?: boolean;
  };
}

/** What the platform does with it. */
export interface Verdict {
  activeRegion: Region;
  /** Zeebe's REST API in the active region, as the contract writes addresses. */
  activeGateway: string;
  /** Whether the loss of one more region would stop the cluster. */
  degraded: boolean;
  /** Whether planned work (upgrades, load tests, maintenance of a region) may begin. */
  maySchedule: boolean;
  /** The reason for the two, for people. */
  why: string;
}

/**
 * Decides from the contracts of both stacks, or of one of them.
 *
 * A lost region's own stack does not know that it is lost, and goes on saying `steady`; so does that of a drained one
 * until it runs. So the one that calls the other one lost or drained is believed, and one stack alone is never taken
 * for an all-clear.
 *
 * @throws `RunError` with one line, when the contracts do not say enough to act on
 */
export function judge(contracts: readonly Contract[]): Verdict {
  contracts.forEach(expectKnown);
  const [first, second, ...more] = contracts;
  if (first === undefined || more.length > 0 || first.region === second?.region) {
    const given = contracts.map(({ region }) => region).join(", ") || "none";
    throw userError(
      `stacks must name the stack of region0, of region1, or of each; it names ${given}`,
    );
  }
  const survivors = contracts.filter(({ region, recovery: { lostRegion, drainRegion } }) => {
    const out = lostRegion ?? drainRegion;
    return out !== undefined && out !== region;
  });
  if (survivors.length > 1) {
    throw userError(
      "both stacks call the other region lost or drained: nothing is done before a person has decided which one goes on",
    );
  }
  const told = survivors[0] ?? first;
  const active = contracts.find(({ region }) => region === told.activeRegion);
  if (active === undefined) {
    throw userError(
      `the active region is ${told.activeRegion}, and its stack is not asked: add it to stacks`,
    );
  }
  const unsteady = contracts.find(({ recovery }) => recovery.phase !== "steady");
  const fenced = contracts.some(({ recovery }) => recovery.fenced === true);
  const degraded = unsteady !== undefined || fenced;
  return {
    activeRegion: told.activeRegion,
    activeGateway: active.camunda.gateway,
    degraded,
    maySchedule: !degraded && second !== undefined,
    why: reason(told, unsteady, fenced, second !== undefined),
  };
}

/** One line for people. Without its stack, for which Node 20 would need minutes in the engine's program. */
function userError(message: string): pulumi.RunError {
  const error = new pulumi.RunError(message);
  error.stack = "";
  return error;
}

function expectKnown({ contractVersion, region }: Contract): void {
  if (contractVersion !== CONTRACT_VERSION) {
    throw userError(
      `the stack of ${String(region ?? "an unknown region")} has contractVersion ${String(contractVersion ?? "not set")}, this program knows ${CONTRACT_VERSION}: read what has changed and adapt it`,
    );
  }
}

function reason(
  told: Contract,
  unsteady: Contract | undefined,
  fenced: boolean,
  both: boolean,
): string {
  if (told.recovery.phase !== "steady") {
    const { phase, lostRegion, drainRegion } = told.recovery;
    const lost = lostRegion === undefined ? "" : `, lost: ${lostRegion}`;
    return `${told.region} says ${phase}${lost}${drainRegion === undefined ? "" : `, drained: ${drainRegion}`}`;
  }
  if (unsteady !== undefined) {
    return `${unsteady.region} says ${unsteady.recovery.phase}`;
  }
  if (fenced) {
    return "the network between the regions is cut";
  }
  return both
    ? "both regions are steady"
    : `${told.region} says steady, the other stack was not asked: it may call ${told.region} lost`;
}
