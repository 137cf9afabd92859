import { isUnknown, PolicyResource, record, Rule, StackRule, Violation } from "./model";

const RELEASE = /^kubernetes:helm\.sh\/v[34]:(Release|Chart)$/;

/** Half of the brokers and two of four replicas of every partition in each region: what a recovery counts on. */
export const clusterShape: Rule = {
  kind: "resource",
  name: "cluster-shape",
  description:
    "Camunda's Helm values have an even clusterSize of at least 4 and replicationFactor 4 in two regions.",
  level: "mandatory",
  check(resource) {
    const values = record(resource.props.values);
    if (!RELEASE.test(resource.type) || !isCamunda(resource, values)) {
      return [];
    }
    const { clusterSize, replicationFactor, partitionCount } = record(values.zeebe);
    const { regions, regionId } = record(record(values.global).multiregion);
    const size = Number(clusterSize);
    return [
      ...unless(
        isUnknown(clusterSize) || (size >= 4 && size % 2 === 0),
        `values.zeebe.clusterSize is ${shown(clusterSize)}: it must be even and at least 4, half in each region`,
      ),
      ...unless(
        isUnknown(replicationFactor) || Number(replicationFactor) === 4,
        `values.zeebe.replicationFactor is ${shown(replicationFactor)}: it must be 4, two replicas in each region`,
      ),
      ...unless(
        isUnknown(partitionCount) || Number(partitionCount) >= 1,
        `values.zeebe.partitionCount is ${shown(partitionCount)}: it must be at least 1`,
      ),
      ...unless(
        isUnknown(regions) || Number(regions) === 2,
        `values.global.multiregion.regions is ${shown(regions)}: it must be 2`,
      ),
      ...unless(
        isUnknown(regionId) || [0, 1].some((id) => String(id) === String(regionId)),
        `values.global.multiregion.regionId is ${shown(regionId)}: it must be 0 or 1`,
      ),
    ];
  },
};

/** What a stack declares of the cluster, in every phase of a recovery. */
export const membershipShape: Rule = {
  kind: "resource",
  name: "membership-shape",
  description:
    "Members of both regions are as many each, with replicationFactor 4; members of one region alone have 2.",
  level: "mandatory",
  check(resource) {
    if (resource.type !== "pulumi-nodejs:dynamic/camunda:BrokerMembership") {
      return [];
    }
    const { brokers, replicationFactor } = resource.props;
    if (isUnknown(brokers) || isUnknown(replicationFactor)) {
      return [];
    }
    const names = Object.keys(record(brokers));
    const [zero, one] = ["region0/", "region1/"].map(
      (prefix) => names.filter((name) => name.startsWith(prefix)).length,
    ) as [number, number];
    const both = zero > 0 && one > 0;
    const factor = both ? 4 : 2;
    return [
      ...unless(
        both ? zero === one && zero >= 2 : zero + one >= 2,
        `has ${zero} brokers of region0 and ${one} of region1: as many of each and at least 2, or all of one region alone`,
      ),
      ...unless(
        Number(replicationFactor) === factor,
        `has replicationFactor ${shown(replicationFactor)}: with members of ${both ? "both regions" : "one region"} it must be ${factor}`,
      ),
    ];
  },
};

const REPOSITORY = "pulumi-nodejs:dynamic/camunda:SnapshotRepository";

/** Two clusters that write to one repository destroy it. */
export const snapshotSettings: StackRule = {
  kind: "stack",
  name: "snapshot-settings",
  description:
    "Of the snapshot repositories of a failback one is written to, the other one is read-only and waits for a named snapshot.",
  level: "mandatory",
  check(resources) {
    const repositories = resources.filter(({ type }) => type === REPOSITORY);
    const writers = repositories.filter(({ props }) => props.readonly === false);
    const problems = (at: PolicyResource): string[] => [
      ...unless(
        typeof at.props.readonly === "boolean" || isUnknown(at.props.readonly),
        `${at.name} does not say readonly: true in the recreated region, false in the surviving one`,
      ),
      ...unless(
        at.props.readonly !== true || Boolean(at.props.snapshot),
        `${at.name} is read-only and names no snapshot: it would be registered before there is one, and would not see it`,
      ),
    ];
    return [
      ...repositories.flatMap((at) =>
        problems(at).map((message): Violation => ({ resource: at, message })),
      ),
      ...(writers.length > 1
        ? [
            {
              resource: undefined,
              message: `${writers
                .map(({ name }) => name)
                .sort()
                .join(
                  " and ",
                )} are written to by two clusters, which destroys the repository: the recreated region's must be read-only`,
            },
          ]
        : []),
    ];
  },
};

/** Helm keeps the values of a release in the cluster, and Pulumi in the state. */
export const noKeysInValues: Rule = {
  kind: "resource",
  name: "no-keys-in-values",
  description:
    "No S3 key stands in Helm values: Elasticsearch has a role, or the keys from a Secret in its keystore.",
  level: "mandatory",
  check: (resource) =>
    RELEASE.test(resource.type)
      ? keysIn(resource.props.values, "values").map(
          (at) =>
            `${at} holds a key of S3: let Elasticsearch take its role, or put the key into a Secret and the keystore`,
        )
      : [],
};

function keysIn(value: unknown, at: string): string[] {
  if (typeof value === "string") {
    // Ids of AWS keys have this form; `s3.client.NAME.secret_key: ...` is Elasticsearch's setting.
    return /\b(AKIA|ASIA)[A-Z0-9]{16}\b/.test(value) ||
      /s3\.client\.[\w-]+\.(secret|access)_key["']?\s*[:=]\s*["']?\w/.test(value)
      ? [at]
      : [];
  }
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => keysIn(item, `${at}[${index}]`));
  }
  return Object.entries(record(value)).flatMap(([key, inner]) =>
    /(^|\.)(secret|access)_key$/.test(key) && typeof inner === "string" && inner !== ""
      ? [`${at}.${key}`]
      : keysIn(inner, `${at}.${key}`),
  );
}

function isCamunda(resource: PolicyResource, values: Record<string, unknown>): boolean {
  const { chart } = resource.props;
  return (
    "zeebe" in values ||
    resource.props.name === "camunda" ||
    (typeof chart === "string" && /camunda-platform/.test(chart))
  );
}

function unless(holds: boolean, problem: string): string[] {
  return holds ? [] : [problem];
}

function shown(value: unknown): string {
  return value === undefined ? "not set" : String(value);
}
