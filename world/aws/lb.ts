import { host, parseCidr, within } from "../../components/base/cidr";
import { type Properties, record } from "../pulumi/properties";
import { arn, records, ResourceType, Scope, text, valuesAt } from "./resourceType";
import { AwsError, Item } from "./state";
import {
  ATTACHMENT,
  LISTENER,
  LOAD_BALANCER,
  NODE_GROUP,
  SECURITY_GROUP,
  SUBNET,
  TARGET_GROUP,
  VPC,
} from "./tokens";

/** Addresses that a load balancer was told to have, by subnet. */
export function addressesOf(inputs: Properties): { subnetId: string; address: string }[] {
  return records(inputs.subnetMappings).flatMap(({ subnetId, privateIpv4Address }) =>
    typeof privateIpv4Address === "string"
      ? [{ subnetId: String(subnetId), address: privateIpv4Address }]
      : [],
  );
}

const loadBalancer: ResourceType = {
  autoname: { property: "name", max: 32 },
  defaults: { internal: false, loadBalancerType: "application" },
  replaces: ["name", "namePrefix", "internal", "loadBalancerType"],
  kept: ["securityGroups", "subnets", "subnetMappings", "ipAddressType"],
  sets: ["securityGroups", "subnets", "subnetMappings"],
  computed: ["arn", "arnSuffix", "dnsName", "vpcId", "zoneId"],
  names: { securityGroups: SECURITY_GROUP, "subnetMappings.subnetId": SUBNET },
  unique: ["DuplicateLoadBalancerName", "name"],
  create(scope, inputs) {
    checkAddresses(scope, inputs, undefined);
    const suffix = `net/${String(inputs.name)}/${scope.aws.newId("")}`;
    const [subnetId] = valuesAt(inputs, "subnetMappings.subnetId");
    const id = arn(scope, "elasticloadbalancing", `loadbalancer/${suffix}`);
    return {
      id,
      outputs: {
        arn: id,
        arnSuffix: suffix,
        dnsName: `${String(inputs.name)}.elb.${scope.region}.amazonaws.com`,
        vpcId: scope.aws.find(SUBNET, scope.region, subnetId)?.inputs.vpcId,
        zoneId: scope.aws.newId("Z").toUpperCase(),
      },
    };
  },
  update(scope, item, inputs) {
    checkAddresses(scope, inputs, item);
  },
};

/** The addresses that the other region knows beforehand must be free, and not those that AWS keeps. */
function checkAddresses(scope: Scope, inputs: Properties, self: Item | undefined): void {
  const taken = scope.aws
    .list(LOAD_BALANCER, scope.region)
    .filter((other) => other !== self)
    .flatMap((other) => addressesOf(other.inputs));
  for (const { subnetId, address } of addressesOf(inputs)) {
    const cidr = String(scope.aws.find(SUBNET, scope.region, subnetId)?.inputs.cidrBlock);
    if (!within(`${address}/32`, cidr) || reserved(cidr).includes(address)) {
      throw new AwsError(
        "InvalidSubnet",
        `The address ${address} is not in ${cidr} of ${subnetId}, or one of the first four and the last, which AWS keeps`,
      );
    }
    if (taken.some((other) => other.subnetId === subnetId && other.address === address)) {
      throw new AwsError("InvalidIPAddress.InUse", `The address ${address} is taken`);
    }
  }
}

function reserved(cidr: string): string[] {
  const last = 2 ** (32 - (parseCidr(cidr)?.bits ?? 32)) - 1;
  return [0, 1, 2, 3, last].map((index) => host(cidr, index));
}

const targetGroup: ResourceType = {
  autoname: { property: "name", max: 32 },
  defaults: { targetType: "instance" },
  replaces: ["name", "namePrefix", "port", "protocol", "vpcId", "targetType"],
  kept: ["healthCheck", "preserveClientIp"],
  computed: ["arn", "arnSuffix", "loadBalancerArns"],
  names: { vpcId: VPC },
  unique: ["DuplicateTargetGroupName", "name"],
  create(scope, inputs) {
    const suffix = `targetgroup/${String(inputs.name)}/${scope.aws.newId("")}`;
    const id = arn(scope, "elasticloadbalancing", suffix);
    return { id, outputs: { arn: id, arnSuffix: suffix, loadBalancerArns: [] } };
  },
};

/** Target group that a listener forwards to. */
export function targetOf(listener: Properties): string | undefined {
  const action = records(listener.defaultActions).find(({ type }) => type === "forward");
  return text(record(action), "targetGroupArn");
}

const listener: ResourceType = {
  replaces: ["loadBalancerArn"],
  computed: ["arn"],
  names: { loadBalancerArn: LOAD_BALANCER, "defaultActions.targetGroupArn": TARGET_GROUP },
  within: "loadBalancerArn",
  unique: ["DuplicateListener", "loadBalancerArn", "port"],
  create(scope, inputs) {
    const suffix = String(inputs.loadBalancerArn).split("loadbalancer/")[1] ?? "";
    const id = arn(scope, "elasticloadbalancing", `listener/${suffix}/${scope.aws.newId("")}`);
    return { id, outputs: { arn: id } };
  },
};

const attachment: ResourceType = {
  replaces: ["autoscalingGroupName", "elb", "lbTargetGroupArn"],
  names: { lbTargetGroupArn: TARGET_GROUP },
  create(scope, inputs) {
    if (nodeGroupOf(scope, inputs.autoscalingGroupName) === undefined) {
      throw new AwsError(
        "ValidationError",
        `AutoScalingGroup name not found - AutoScalingGroup '${String(inputs.autoscalingGroupName)}' not found`,
      );
    }
    return { id: scope.aws.newId(`${String(inputs.autoscalingGroupName)}-`) };
  },
};

/** The node group whose instances are in an Auto Scaling group. */
export function nodeGroupOf(
  scope: Pick<Scope, "aws" | "region">,
  autoscalingGroupName: unknown,
): Item | undefined {
  return scope.aws
    .list(NODE_GROUP, scope.region)
    .find(({ outputs }) =>
      valuesAt(outputs, "resources.autoscalingGroups.name").includes(String(autoscalingGroupName)),
    );
}

/** Network load balancers. */
export const LB_TYPES: Record<string, ResourceType> = {
  [LOAD_BALANCER]: loadBalancer,
  [TARGET_GROUP]: targetGroup,
  [LISTENER]: listener,
  [ATTACHMENT]: attachment,
};
