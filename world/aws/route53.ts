import { ResourceType } from "./resourceType";
import { AwsError } from "./state";
import { HEALTH_CHECK, RECORD } from "./tokens";

const healthCheck: ResourceType = {
  replaces: ["type", "requestInterval"],
  computed: ["arn"],
  create(scope) {
    const id = scope.aws.newId("hc-");
    return { id, outputs: { arn: `arn:aws:route53:::healthcheck/${id}` } };
  },
};

const dnsRecord: ResourceType = {
  replaces: ["zoneId", "name", "type", "setIdentifier"],
  computed: ["fqdn"],
  names: { healthCheckId: HEALTH_CHECK },
  overwrites: true,
  create(scope, inputs) {
    const { zoneId, type, setIdentifier, allowOverwrite } = inputs;
    const name = String(inputs.name).replace(/\.$/, "").toLowerCase();
    const domain = scope.aws.zones[String(zoneId)];
    if (domain === undefined || !name.endsWith(`.${domain}`)) {
      throw new AwsError(
        "InvalidChangeBatch",
        `[RRSet with DNS name ${name}. is not permitted in zone ${domain ?? String(zoneId)}.]`,
      );
    }
    const id = [zoneId, name, type, setIdentifier].filter(Boolean).join("_");
    // Of a region that was lost, the record stays: its stack is made anew beside it.
    if (scope.aws.find(RECORD, undefined, id) !== undefined && allowOverwrite !== true) {
      throw new AwsError(
        "InvalidChangeBatch",
        `[Tried to create resource record set [name='${name}.', type='${String(type)}', set-identifier='${String(setIdentifier)}'] but it already exists]`,
      );
    }
    return { id, outputs: { fqdn: name } };
  },
};

/** Records and health checks. Route 53 belongs to the account. */
export const ROUTE53_TYPES: Record<string, ResourceType> = {
  [RECORD]: dnsRecord,
  [HEALTH_CHECK]: healthCheck,
};
