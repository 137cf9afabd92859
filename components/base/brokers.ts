import { listed } from "./bounded";

/** The two regions of a dual-region cluster, as Camunda's procedure names them. */
export type RegionName = "region0" | "region1";

/** Both regions, in the order of their index. */
export const REGIONS: readonly RegionName[] = ["region0", "region1"];

/** The other region. */
export function peerOf(region: RegionName): RegionName {
  return region === "region0" ? "region1" : "region0";
}

/** How a generation of Camunda numbers the brokers of two regions. */
export interface Numbering {
  /** The id of a region's broker by its ordinal, from 0 on: that of its pod. */
  idOf(region: RegionName, ordinal: number): number;
  /** The region that a broker belongs to, and its ordinal there. */
  placeOf(id: number): { region: RegionName; ordinal: number };
  /**
   * The broker that makes a cluster's configuration when no broker has one, and that is asked for it otherwise
   * as long as it is a member.
   */
  coordinator: number;
}

/** The ids of the brokers in both regions. */
export class BrokerIds {
  /** {@link Numbering.coordinator} */
  readonly coordinator: number;

  constructor(private readonly numbering: Numbering) {
    this.coordinator = numbering.coordinator;
  }

  /** The broker ids of a region, by ordinal. */
  of(region: RegionName, clusterSize: number): number[] {
    return Array.from({ length: clusterSize / 2 }, (_, ordinal) =>
      this.numbering.idOf(region, ordinal),
    );
  }

  /** The broker ids of both regions. */
  byRegion(clusterSize: number): Record<RegionName, number[]> {
    return { region0: this.of("region0", clusterSize), region1: this.of("region1", clusterSize) };
  }

  /** All broker ids of the cluster, ascending. */
  all(clusterSize: number): number[] {
    return REGIONS.flatMap((region) => this.of(region, clusterSize)).sort((a, b) => a - b);
  }

  /** The region that a broker belongs to. */
  regionOf(id: number): RegionName {
    return this.numbering.placeOf(id).region;
  }

  /** The place of a broker in its region, from 0 on: the ordinal of its pod. */
  ordinalOf(id: number): number {
    return this.numbering.placeOf(id).ordinal;
  }

  /** The name of a broker in previews and outputs: region and ordinal, `region1/0`. */
  nameOf(id: number): string {
    return `${this.regionOf(id)}/${this.ordinalOf(id)}`;
  }

  /** Brokers by name, so that a preview reads `- region1/1: 3`: of a list, Pulumi would show shifted positions. */
  mapOf(ids: readonly number[]): BrokerMap {
    return Object.fromEntries(ascending(ids).map((id) => [this.nameOf(id), id]));
  }
}

/** The ids of brokers by their names: `{"region1/0": 1}`. */
export type BrokerMap = Record<string, number>;

/** The broker ids of a {@link BrokerMap}, ascending. */
export function idsOfMap(map: BrokerMap): number[] {
  return ascending(Object.values(map));
}

function ascending(ids: readonly number[]): number[] {
  return [...ids].sort((a, b) => a - b);
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
