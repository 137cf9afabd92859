import { ZONES } from "./eksZones";
import type { RegionName } from "../base/brokers";
import { host, subnet } from "../base/cidr";
import type { EksSettings } from "./types";

/** Name of a region's EKS cluster. */
export function clusterName(eks: Pick<EksSettings, "prefix">, region: RegionName): string {
  return `${eks.prefix}-${region}`;
}

/**
 * Name of a region's backup bucket. Computed, so that the other region's role can name it without asking;
 * account and AWS region are in it because names of buckets are global.
 */
export function bucketName(eks: EksSettings, region: RegionName): string {
  const suffix = eks.bucketSuffix === undefined ? "" : `-${eks.bucketSuffix}`;
  return `${eks.prefix}-elastic-backup-${eks.awsAccount}-${eks.awsRegions[region]}${suffix}`;
}

/** Name of the client that Elasticsearch reaches a region's bucket with. Both regions know both. */
export function s3Client(region: RegionName): string {
  return region;
}

/** Endpoint of S3 in a region: the default one would be in us-east-1. */
export function s3Endpoint(awsRegion: string): string {
  return `s3.${awsRegion}.amazonaws.com`;
}

/** A subnet of a region: zones are counted from 0. */
export interface SubnetPlan {
  kind: "private" | "public" | "dns";
  zone: number;
  cidr: string;
}

/**
 * The subnets of a VPC: an eighth for the nodes of each zone, an eighth for its public side, and of the
 * last eighth a small one in each zone for the DNS entry point, where nothing else can take its address.
 */
export function subnetPlan(vpc: string): SubnetPlan[] {
  const zones = Array.from({ length: ZONES }, (_, zone) => zone);
  const last = subnet(vpc, 3, 7);
  const lastBits = Number(last.split("/")[1]);
  return [
    ...zones.map((zone) => ({ kind: "private" as const, zone, cidr: subnet(vpc, 3, zone) })),
    ...zones.map((zone) => ({ kind: "public" as const, zone, cidr: subnet(vpc, 3, ZONES + zone) })),
    ...zones.map((zone) => ({
      kind: "dns" as const,
      zone,
      cidr: subnet(last, 28 - lastBits, 2 ** (28 - lastBits) - 1 - zone),
    })),
  ];
}

/**
 * Addresses of a region's DNS entry point, one in each zone. By arithmetic from the VPC's CIDR: both stacks
 * know both regions' without asking, and a recreated region has the same. AWS keeps the first four.
 */
export function dnsAddresses(vpc: string): string[] {
  return subnetPlan(vpc)
    .filter(({ kind }) => kind === "dns")
    .map(({ cidr }) => host(cidr, 4));
}
