import type { Key } from "../../components/config";
import type { RegionEndpoints, RegionName } from "../../scripts/world/world";

/** Raw configuration as a stack has it: texts, and whatever else as JSON. */
export type Raw = Partial<Record<Key, unknown>>;

/** Looks a key up as Pulumi does: structured values as JSON text. */
export function lookup(raw: Raw): (key: Key) => string | undefined {
  return (key) => {
    const value = raw[key];
    return value === undefined || typeof value === "string" ? value : JSON.stringify(value);
  };
}

/** Endpoints where nothing answers, for what only reads the configuration. */
export const nowhere: Record<RegionName, RegionEndpoints> = {
  region0: endpointsOf(0),
  region1: endpointsOf(1),
};

function endpointsOf(index: number): RegionEndpoints {
  const host = `http://region${index}.test`;
  return {
    gateway: `${host}:8080`,
    management: `${host}:9600`,
    brokers: { [index]: `${host}:9601`, [index + 2]: `${host}:9602` },
    elasticsearch: `${host}:9200`,
  };
}

/** A whole and correct configuration of the smallest cluster. */
export function rawConfig(overrides: Raw = {}): Raw {
  return {
    region: "region0",
    clusterSize: 4,
    partitionCount: 2,
    endpoints: nowhere,
    snapshotRepository: { type: "s3", settings: { bucket: "camunda-backup" } },
    ...overrides,
  };
}
