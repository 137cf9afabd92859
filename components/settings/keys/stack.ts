import * as v from "valibot";
import { REGIONS } from "../../base/brokers";
import { Entry, EVERYWHERE, object, oneOf, part, PLATFORMS } from "../schema";

const command = v.custom<string>(
  (value) => typeof value === "string" && value.trim() !== "",
  "must be a command, as text",
);
const hook = (when: string) => part(v.optional(command), when);

const hooks = {
  beforeFailover: hook("before the first request that changes the cluster"),
  afterFailover: hook("when the survivors work without the lost region"),
  beforeFailback: hook("before the gate, once for an attempt"),
  afterFailback: hook("when all brokers have joined again"),
};

/** Name of a hook. */
export type Hook = keyof typeof hooks;

/** Commands of the user's own around a recovery, run where Pulumi runs. */
export const HOOKS = Object.keys(hooks) as Hook[];

export const STACK = {
  region: {
    type: "string",
    platforms: EVERYWHERE,
    schema: oneOf(REGIONS),
    perStack: true,
    text: "The region that the stack owns, `region0` or `region1`. Every stack sets its own.",
    more: "Required, in the stack's own file.",
    change: "never",
  },
  peerStack: {
    type: "string",
    platforms: EVERYWHERE,
    schema: v.optional(v.string()),
    otherwise: "the name of this stack, with the region replaced",
    text: "Name of the stack that owns the other region. Default: the name of this stack with the region replaced. Read tolerantly: a peer that is missing or unreadable never blocks a recovery.",
    more: "Needed when the name of this stack does not hold its region.",
    change: "at any time",
  },
  platform: {
    type: "string",
    platforms: EVERYWHERE,
    schema: v.optional(oneOf(PLATFORMS), "eks"),
    text: "Who installs Camunda. `eks`: this program, with two EKS clusters, network, bucket and names. `kubernetes`: this program, in two clusters that are there. `endpoints`: somebody else; it is reached by URLs.",
    change: "never: what is installed would be deleted",
  },
  activeRegion: {
    type: "string",
    platforms: EVERYWHERE,
    schema: v.optional(oneOf(REGIONS), "region0"),
    text: "The region that serves the users while both are there. After the loss of the active region set it to the survivor: the recreated region is the passive one.",
    change:
      "in normal operation, on both stacks. After the loss of the active region only to the survivor: [why](recovery.md#active-and-passive-region)",
  },
  hooks: {
    type: "object",
    platforms: EVERYWHERE,
    schema: object(hooks),
    open: "the environment of pulumi, which commands see",
    text: `Commands of yours around a recovery: ${HOOKS.map((name) => `\`${name}\``).join(", ")}. Each runs once for a loss or an attempt and must end with 0 only when it is done; what comes after waits for it. Environment: CAMUNDA_LOST_REGION, CAMUNDA_SURVIVING_REGION, CAMUNDA_ACTIVE_REGION, CAMUNDA_FAILBACK_ATTEMPT.`,
    more: "See [hooks](recovery.md#hooks).",
    change: "at any time. The running recovery keeps the commands it has begun with",
  },
} satisfies Record<string, Entry>;
