import assert from "node:assert/strict";
import { ConfigError, Key, readSettings, Settings } from "../../components/settings";
import type { RegionEndpoints, RegionName } from "../../world/world";
import { expectLine } from "./failure";

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
    platform: "endpoints",
    region: "region0",
    clusterSize: 4,
    partitionCount: 2,
    endpoints: nowhere,
    snapshotRepository: { type: "s3", settings: { bucket: "camunda-backup" } },
    ...overrides,
  };
}

/** What the clients of each region sign in with, by what `credentials` says. */
export function credentialsOf(credentials: unknown): NonNullable<Settings["credentials"]> {
  const found = readSettings(lookup(rawConfig({ credentials }))).credentials;
  if (found === undefined) {
    throw new Error("endpoints has credentials");
  }
  return found;
}

/** A whole and correct configuration of two EKS regions. */
export function eksConfig(overrides: Raw = {}): Raw {
  return {
    platform: "eks",
    region: "region0",
    clusterSize: 4,
    partitionCount: 2,
    awsAccount: "123456789012",
    ...overrides,
  };
}

/** A whole and correct configuration of two clusters that are there. */
export function kubernetesConfig(overrides: Raw = {}): Raw {
  return {
    platform: "kubernetes",
    region: "region0",
    clusterSize: 4,
    partitionCount: 2,
    contexts: { region0: "cluster-london", region1: "cluster-paris" },
    cidrs: {
      region0: {
        nodes: ["10.10.0.0/20"],
        pods: ["10.12.0.0/14", "100.64.0.0/16"],
        services: ["10.20.0.0/20"],
      },
      region1: {
        nodes: ["10.30.0.0/20"],
        pods: ["10.32.0.0/14", "100.65.0.0/16"],
        services: ["10.40.0.0/20"],
      },
    },
    dns: { kind: "coredns", addresses: { region0: ["10.10.0.10"], region1: ["10.30.0.10"] } },
    snapshotRepository: { type: "gcs", settings: { bucket: "camunda-backup" } },
    ...overrides,
  };
}

/** The problems of a configuration. */
export function problemsOf(changes: Raw): readonly string[] {
  try {
    readSettings(lookup(rawConfig(changes)));
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    error.problems.forEach((problem) => expectLine(problem, []));
    return error.problems;
  }
  return assert.fail("the configuration was accepted");
}

/** Endpoints of which those of region0 have changed. */
export function changed(endpoint: Record<string, unknown>): unknown {
  return { ...nowhere, region0: { ...nowhere.region0, ...endpoint } };
}
