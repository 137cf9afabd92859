import type { RegionName } from "../../world";
import type { Incoming, Reply } from "../../exchange";

/**
 * How the brokers of another generation are numbered, asked and answer. A translation around what was recorded of
 * 8.6: what a change does to a cluster is the same.
 */
export interface Dialect {
  /** What the gateway and the brokers call themselves. */
  version: string;
  regionOf(brokerId: number): RegionName;
  /** A request to the management API, as 8.6 would have been asked. */
  asked(request: Incoming): Incoming;
  /** What was answered to it, as this generation says it. */
  answered(reply: Reply, request: Incoming): Reply;
}

/** 8.6 itself. Brokers of region 0 have the even ids, those of region 1 the odd ones. */
export const RECORDED: Dialect = {
  version: "8.6.0",
  regionOf: (brokerId) => (brokerId % 2 === 0 ? "region0" : "region1"),
  asked: (request) => request,
  answered: (reply) => reply,
};

/** By generation. Those that were not recorded answer as they are documented to: see LIMITS.md. */
export const DIALECTS: Record<string, Dialect> = {
  "8.6": RECORDED,
  "8.7": { ...RECORDED, version: "8.7.37" },
};
