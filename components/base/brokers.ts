import { listed } from "./bounded";

/** The two regions of a dual-region cluster, as Camunda's procedure names them. */
export type RegionName = "region0" | "region1";

/** Both regions, in the order of their index. */
export const REGIONS: readonly RegionName[] = ["region0", "region1"];

/** The other region. */
export function peerOf(region: RegionName): RegionName {
  return region === "region0" ? "region1" : "region0";
}

/**
 * The broker ids of a region: `id = ordinal * 2 + index of the region`, so region0 has the even and
 * region1 the odd ones. The rule of Camunda's Helm chart (`global.multiregion`), which the
 * procedure's broker lists stem from. This is the only place that knows it.
 */
export function brokerIds(region: RegionName, clusterSize: number): number[] {
  const index = REGIONS.indexOf(region);
  return Array.from({ length: clusterSize / 2 }, (_, ordinal) => ordinal * 2 + index);
}

/** All broker ids of the cluster, ascending. */
export function allBrokerIds(clusterSize: number): number[] {
  return Array.from({ length: clusterSize }, (_, id) => id);
}

/** The region that a broker belongs to. */
export function regionOfBroker(id: number): RegionName {
  return id % 2 === 0 ? "region0" : "region1";
}

/**
 * The broker that makes a cluster's configuration when no broker has one, and that is asked for it otherwise
 * as long as it is a member: the one with the lowest id.
 */
export const COORDINATOR = 0;

/** The name of a broker in previews and outputs: region and ordinal, `region1/0` for broker 1. */
export function brokerName(id: number): string {
  return `${regionOfBroker(id)}/${Math.floor(id / 2)}`;
}

/**
 * Brokers as a map keyed by name, so that a preview reads `- region1/1: "broker 3"`: of a list, Pulumi
 * would show shifted positions.
 */
export function brokerMap(ids: readonly number[]): Record<string, string> {
  return Object.fromEntries(
    [...ids].sort((a, b) => a - b).map((id) => [brokerName(id), `broker ${id}`]),
  );
}

/** The broker ids of a {@link brokerMap}, ascending. */
export function idsOfMap(map: Record<string, string>): number[] {
  return Object.values(map)
    .map((label) => Number(label.replace(/^broker /, "")))
    .sort((a, b) => a - b);
}

/** Whether two sets of broker ids are the same. */
export function sameIds(a: readonly number[], b: readonly number[]): boolean {
  const left = new Set(a);
  const right = new Set(b);
  return left.size === right.size && [...left].every((id) => right.has(id));
}

/** The ids of `a` that are not in `b`. */
export function without(a: readonly number[], b: readonly number[]): number[] {
  return a.filter((id) => !b.includes(id));
}

/** `broker 1 is` or `brokers 1, 3 are`, for messages; of many the first, as {@link listed}. */
export function brokersAre(ids: readonly number[]): string {
  return `${brokerList(ids)} ${ids.length > 1 ? "are" : "is"}`;
}

/** `broker 1` or `brokers 1, 3`, for messages; of many the first, as {@link listed}. */
export function brokerList(ids: readonly number[]): string {
  const sorted = [...ids].sort((a, b) => a - b);
  return sorted.length === 0
    ? "no broker"
    : `broker${sorted.length === 1 ? "" : "s"} ${listed(sorted.map(String))}`;
}
