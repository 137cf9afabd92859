import { RegionName, REGIONS } from "../base/brokers";
import { cidrProblems } from "../base/cidr";
import { isRecord } from "../base/json";
import type { InstallationKey as Key, RegionCidrs } from "./types";
import type { Reader } from "./reader";

/** Reads the blocks of addresses of both regions, which must not overlap. */
export function readCidrs(
  read: Reader<Key>,
  defaults: Partial<Record<RegionName, Record<string, string>>>,
  kinds: readonly string[],
): Record<RegionName, RegionCidrs> {
  const given = read.object("cidrs") ?? {};
  const all: Record<string, string> = {};
  const of = (region: RegionName): RegionCidrs => {
    const own = isRecord(given[region]) ? given[region] : {};
    for (const key of Object.keys(own)) {
      if (!kinds.includes(key)) {
        read.wrong(
          `cidrs.${region}.${key}`,
          `is not known on this platform: ${kinds.join(", ")} are`,
        );
      }
    }
    const entries = kinds.map((kind) => {
      const value = own[kind] ?? defaults[region]?.[kind];
      if (typeof value !== "string") {
        read.wrong(`cidrs.${region}.${kind}`, `is missing: the CIDR of the ${kind} of that region`);
        return [kind, ""];
      }
      all[`cidrs.${region}.${kind}`] = value;
      return [kind, value];
    });
    return Object.fromEntries(entries) as RegionCidrs;
  };
  const cidrs = { region0: of("region0"), region1: of("region1") };
  cidrProblems(all).forEach(({ key, problem }) => read.wrong(key, problem));
  return cidrs;
}

/** Reads a text for each region. */
export function byRegion(
  read: Reader<Key>,
  key: Key,
  otherwise: Record<RegionName, string>,
): Record<RegionName, string> {
  const given = read.object(key) ?? {};
  for (const name of Object.keys(given)) {
    if (!(REGIONS as readonly string[]).includes(name)) {
      read.wrong(`${key}.${name}`, "is not known: region0 and region1 are");
    }
  }
  return {
    region0: String(given.region0 ?? otherwise.region0),
    region1: String(given.region1 ?? otherwise.region1),
  };
}
