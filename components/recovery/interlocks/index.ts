import { CLUSTER_INTERLOCKS } from "./cluster";
import type { Interlock } from "./interlock";
import { RUN_INTERLOCKS } from "./run";
import { STEP_INTERLOCKS } from "./step";

/** All of them, in the order in which they are asked. */
export const INTERLOCKS: readonly Interlock[] = [
  ...RUN_INTERLOCKS,
  ...CLUSTER_INTERLOCKS,
  ...STEP_INTERLOCKS,
];
