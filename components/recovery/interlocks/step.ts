import type { RegionName } from "../../base/brokers";
import { OVERRIDES } from "../../settings";
import type { Interlock } from "./interlock";

/** What a step asks where it is: only there it is known. */
interface StepInterlock<Facts> extends Interlock {
  /** The fact, and the one way out. */
  refusal(facts: Facts): string;
}

/** Asked by the connection between the regions, before a broker is forced out. */
export const FENCE_UNPROVED: StepInterlock<{ peer: RegionName; why: string }> = {
  name: "fence-unproved",
  protects: OVERRIDES["fence-unproved"],
  override: "fence-unproved",
  refusal: ({ peer, why }) =>
    `the fence to ${peer} is not proved: ${why}; mend it, or set overrides.fence-unproved`,
};

/** Asked by an exporter that is found disabled. */
export const EXPORT_GAP: StepInterlock<{ id: string }> = {
  name: "export-gap",
  protects: OVERRIDES["export-gap"],
  override: "export-gap",
  refusal: ({ id }) =>
    `exporter ${id} is disabled: enabling it outside a failback leaves a gap where it writes; fail back, or write why into overrides.export-gap`,
};

export const STEP_INTERLOCKS: readonly Interlock[] = [FENCE_UNPROVED, EXPORT_GAP];
