/**
 * What a recovery consists of: its steps, and the fence and DNS of the other region. Only these are
 * refreshed and changed by it: nothing else may move while a region is lost, and the network of a lost
 * region cannot be looked at.
 */
export const RECOVERY_TARGETS = ["**Recovery$**", "**PeerFence**", "**DnsChaining$**"];

/**
 * What a failover consists of (the fence with its component, which may be made on the day): nothing that could end it without being needed for it. The engine starts no
 * other step when one has failed.
 */
export const FAILOVER_TARGETS = ["**Recovery$**", "**PeerFence**"];

/** What follows a failover: DNS names of the lost region fail at once, and brokers of this one wait for nobody. */
export const AFTER_FAILOVER_TARGETS = [
  "**DnsChaining$**",
  "**CamundaRelease$kubernetes:core/v1:ConfigMap**",
];
