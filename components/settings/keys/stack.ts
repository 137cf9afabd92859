import { REGIONS } from "../../base/brokers";
import * as s from "../schema";

const hook = (when: string) => s.part(s.optional(s.command), when);

const hooks = {
  beforeFailover: hook("before the forced removal, after the fence is proved"),
  afterFailover: hook(
    "after the forced removal, when the exporters of the lost region are disabled",
  ),
  beforeDrain: hook("before the brokers of the drained region are removed"),
  afterDrain: hook("after they are removed, when the exporters of the drained region are disabled"),
  beforeFailback: hook("before the first step, after the other region is reached"),
  afterFailback: hook("after all brokers are members again"),
};

/** Name of a hook. */
export type Hook = keyof typeof hooks;

/** Commands of the user's own around a recovery, run where Pulumi runs. */
export const HOOKS = Object.keys(hooks) as Hook[];

export const STACK = s.section("The stack", s.EVERYWHERE, {
  region: {
    type: "string",
    schema: s.oneOf(REGIONS),
    perStack: true,
    text: "The region that the stack owns, `region0` or `region1`. Required: every stack sets its own, in its own file.",
    change: "never",
  },
  peerStack: {
    type: "string",
    schema: s.optional(s.text),
    text: "Name of the stack that owns the other region; without it that of this stack with the region replaced. Read tolerantly: a peer that is missing or unreadable never blocks a recovery; in normal operation one that never was there is refused. Needed when the name of this stack does not hold its region.",
    change: "at any time",
  },
  platform: {
    type: "string",
    schema: s.optional(s.oneOf(s.PLATFORMS), "eks"),
    text: "Who installs Camunda. `eks`: this program, with two EKS clusters, network, bucket and DNS. `kubernetes`: this program, in two clusters that are there. `endpoints`: somebody else; it is reached by URLs.",
    change: "never. What is installed would be deleted",
  },
  activeRegion: {
    type: "string",
    schema: s.optional(s.oneOf(REGIONS), "region0"),
    text: "The region that serves the users while both are there. After the loss of the active region set it to the survivor: the recreated region is the passive one.",
    change:
      "in normal operation, on both stacks. After the loss of the active region only to the survivor: [why](recovery.md#active-and-passive-region)",
  },
  hooks: {
    type: "object",
    schema: s.object(hooks),
    open: "the environment of pulumi, which commands see",
    text: `Commands of yours around a recovery: ${HOOKS.map((name) => `\`${name}\``).join(", ")}. Each runs once for a loss, a drain or an attempt and must end with 0 only when it is done; what comes after waits for it. Environment: \`CAMUNDA_LOST_REGION\` or \`CAMUNDA_DRAINED_REGION\`, \`CAMUNDA_SURVIVING_REGION\`, \`CAMUNDA_ACTIVE_REGION\`, \`CAMUNDA_FAILBACK_ATTEMPT\`. [Which runs when](recovery.md#hooks).`,
    change: "at any time. The running recovery keeps the commands it has begun with",
  },
});
