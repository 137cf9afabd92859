import { ACCESS } from "./access";
import { BUCKETS } from "./buckets";
import { CAMUNDA } from "./camunda";
import { ENCRYPTION } from "./encryption";
import { NETWORK } from "./network";
import { STATE_BACKEND } from "./stateBackend";
import type { RuleCases } from "../resources";

/** For every rule of the pack by its name. */
export const CASES: Record<string, RuleCases> = {
  ...ACCESS,
  ...BUCKETS,
  ...CAMUNDA,
  ...ENCRYPTION,
  ...NETWORK,
  ...STATE_BACKEND,
};
