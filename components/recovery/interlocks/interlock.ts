import type { Override, Settings } from "../../settings";

/** A condition under which a recovery does not go on, and nothing of it is begun. */
export interface Interlock {
  /** Its name, also the heading in docs/errors.md. */
  name: string;
  /** What would happen without it. */
  protects: string;
  /** The key of `overrides` whose written reason passes it; without one nothing does. */
  override?: Override;
}

/** Whether a written reason passes it. */
export function isPassed({ override }: Interlock, { overrides }: Settings): boolean {
  return override !== undefined && overrides[override] !== undefined;
}
