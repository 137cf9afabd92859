import { type Properties, record } from "../pulumi/properties";
import { records, ResourceType, Scope, strings, text } from "./resourceType";
import { Aws, AwsError, Item } from "./state";

/** Type token of Record. */
export const RECORD = "aws:route53/record:Record";
/** Type token of HealthCheck. */
export const HEALTH_CHECK = "aws:route53/healthCheck:HealthCheck";

const POLICIES = [
  "weightedRoutingPolicies",
  "failoverRoutingPolicies",
  "latencyRoutingPolicies",
  "geolocationRoutingPolicies",
];

const healthCheck: ResourceType = {
  account: true,
  required: ["type"],
  replaces: ["type", "requestInterval"],
  computed: ["arn"],
  *check(inputs) {
    const type = text(inputs, "type");
    if (
      type !== undefined &&
      !["HTTP", "HTTPS", "TCP", "HTTPS_STR_MATCH", "HTTP_STR_MATCH"].includes(type)
    ) {
      yield `"type": the stand-in knows no health check of type ${type}`;
    }
    if (inputs.fqdn === undefined && inputs.ipAddress === undefined) {
      yield '"fqdn": one of fqdn and ipAddress must be given';
    }
    const { requestInterval: interval, failureThreshold: threshold } = inputs;
    if (typeof interval === "number" && ![10, 30].includes(interval)) {
      yield `"requestInterval": ${interval} is not 10 or 30`;
    }
    if (typeof threshold === "number" && (threshold < 1 || threshold > 10)) {
      yield `"failureThreshold": ${threshold} is not 1 to 10`;
    }
    const path = text(inputs, "resourcePath");
    if (path !== undefined && !path.startsWith("/")) {
      yield `"resourcePath": "${path}" must begin with /`;
    }
  },
  create(scope) {
    const id = scope.aws.newId("hc-");
    return { id, outputs: { arn: `arn:aws:route53:::healthcheck/${id}` } };
  },
};

const dnsRecord: ResourceType = {
  account: true,
  required: ["zoneId", "name", "type"],
  replaces: ["zoneId", "name", "type", "setIdentifier"],
  computed: ["fqdn"],
  *check(inputs) {
    const policies = POLICIES.filter((key) => inputs[key] !== undefined);
    if (policies.length > 0 !== (inputs.setIdentifier !== undefined)) {
      yield '"setIdentifier": goes with a routing policy, and a routing policy with it';
    }
    if (policies.length > 1) {
      yield `"${policies[1]}": conflicts with ${policies[0]}`;
    }
    if ((inputs.records === undefined) === (inputs.aliases === undefined)) {
      yield '"records": exactly one of records and aliases must be given';
    }
    if (inputs.records !== undefined && inputs.ttl === undefined) {
      yield '"ttl": goes with records';
    }
    if (inputs.type === "CNAME" && strings(inputs.records).length > 1) {
      yield '"records": a CNAME has one value';
    }
    for (const { weight } of records(inputs.weightedRoutingPolicies)) {
      if (typeof weight === "number" && (weight < 0 || weight > 255)) {
        yield `"weightedRoutingPolicies.weight": ${weight} is not 0 to 255`;
      }
    }
    for (const { type } of records(inputs.failoverRoutingPolicies)) {
      if (typeof type === "string" && !["PRIMARY", "SECONDARY"].includes(type)) {
        yield `"failoverRoutingPolicies.type": "${type}" is not PRIMARY or SECONDARY`;
      }
    }
  },
  create(scope, inputs) {
    const domain = scope.aws.zones[String(inputs.zoneId)];
    const name = fqdn(inputs.name);
    if (domain === undefined) {
      throw new AwsError(
        "NoSuchHostedZone",
        `No hosted zone found with ID: ${String(inputs.zoneId)}`,
      );
    }
    if (name !== domain && !name.endsWith(`.${domain}`)) {
      throw new AwsError(
        "InvalidChangeBatch",
        `[RRSet with DNS name ${name}. is not permitted in zone ${domain}.]`,
      );
    }
    if (inputs.type === "CNAME" && name === domain) {
      throw new AwsError(
        "InvalidChangeBatch",
        `[RRSet of type CNAME with DNS name ${name}. is not permitted at apex in zone ${domain}.]`,
      );
    }
    checkHealth(scope, inputs);
    const same = sameName(scope.aws, inputs);
    if (same.some(({ inputs: other }) => policyOf(other) !== policyOf(inputs))) {
      throw new AwsError(
        "InvalidChangeBatch",
        `[RRSet with DNS name ${name}., type ${String(inputs.type)} cannot be created as a record with another routing policy exists with the same name and type]`,
      );
    }
    const own = same.find(({ inputs: other }) => other.setIdentifier === inputs.setIdentifier);
    if (own !== undefined) {
      if (inputs.allowOverwrite !== true) {
        throw new AwsError(
          "InvalidChangeBatch",
          `[Tried to create resource record set [name='${name}.', type='${String(inputs.type)}', set-identifier='${String(inputs.setIdentifier)}'] but it already exists]`,
        );
      }
      scope.aws.remove(own);
    }
    const id = [inputs.zoneId, name, inputs.type, inputs.setIdentifier]
      .filter((part) => part !== undefined)
      .join("_");
    return { id, outputs: { fqdn: name } };
  },
  update(scope, _item, inputs) {
    checkHealth(scope, inputs);
  },
};

function checkHealth(scope: Scope, inputs: Properties): void {
  const { healthCheckId: id } = inputs;
  if (id !== undefined && scope.aws.find(HEALTH_CHECK, undefined, id) === undefined) {
    throw new AwsError("InvalidInput", `The specified health check does not exist: ${String(id)}`);
  }
}

function fqdn(name: unknown): string {
  return String(name).replace(/\.$/, "").toLowerCase();
}

function policyOf(inputs: Properties): string | undefined {
  return POLICIES.find((key) => inputs[key] !== undefined);
}

function sameName(aws: Aws, inputs: Properties): Item[] {
  return aws
    .list(RECORD)
    .filter(
      ({ inputs: other }) =>
        other.zoneId === inputs.zoneId &&
        fqdn(other.name) === fqdn(inputs.name) &&
        other.type === inputs.type,
    );
}

/**
 * Where a name leads at the moment: Route 53's data plane, which answers whatever is lost.
 *
 * @param healthy whether the target of a health check answers
 * @returns the values that are answered: of the healthy weighted records those with the share of a weight,
 *   else those with weight 0; of a failover pair the primary while it is healthy
 */
export function answersOf(aws: Aws, name: string, healthy: (target: string) => boolean): string[] {
  const all = aws.list(RECORD).filter(({ inputs }) => fqdn(inputs.name) === fqdn(name));
  const isHealthy = ({ inputs }: Item) => {
    const check = aws.find(HEALTH_CHECK, undefined, inputs.healthCheckId);
    return check === undefined || healthy(String(check.inputs.fqdn ?? check.inputs.ipAddress));
  };
  const up = all.filter(isHealthy);
  const weight = ({ inputs }: Item) =>
    Number(record(records(inputs.weightedRoutingPolicies)[0]).weight ?? 1);
  const primary = up.filter(
    ({ inputs }) => record(records(inputs.failoverRoutingPolicies)[0]).type === "PRIMARY",
  );
  const weighted = up.filter((item) => weight(item) > 0);
  const unhealthy = all.filter((item) => weight(item) > 0);
  const chosen = [primary, weighted, up, unhealthy].find(({ length }) => length > 0) ?? [];
  return chosen.flatMap(({ inputs }) => strings(inputs.records));
}

/** Records and health checks. Route 53 belongs to the account. */
export const ROUTE53_TYPES: Record<string, ResourceType> = {
  [RECORD]: dnsRecord,
  [HEALTH_CHECK]: healthCheck,
};
