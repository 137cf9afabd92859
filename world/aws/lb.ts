import { host, parseCidr, within } from "../../components/base/cidr";
import { type Properties, record } from "../pulumi/properties";
import { SECURITY_GROUP, SUBNET, VPC } from "./ec2";
import { NODE_GROUP } from "./eks";
import { arn, need, records, ResourceType, Scope, strings, text } from "./resourceType";
import { AwsError, Item } from "./state";

/** Type token of LoadBalancer. */
export const LOAD_BALANCER = "aws:lb/loadBalancer:LoadBalancer";
/** Type token of TargetGroup. */
export const TARGET_GROUP = "aws:lb/targetGroup:TargetGroup";
/** Type token of Listener. */
export const LISTENER = "aws:lb/listener:Listener";
/** Type token of Attachment. */
export const ATTACHMENT = "aws:autoscaling/attachment:Attachment";

/** Addresses that a load balancer was told to have, by subnet. */
export function addressesOf(inputs: Properties): { subnetId: string; address: string }[] {
  return records(inputs.subnetMappings).flatMap(({ subnetId, privateIpv4Address }) =>
    typeof privateIpv4Address === "string"
      ? [{ subnetId: String(subnetId), address: privateIpv4Address }]
      : [],
  );
}

function* nameProblems(inputs: Properties): Iterable<string> {
  const name = text(inputs, "name");
  if (
    name !== undefined &&
    (!/^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$/.test(name) || name.startsWith("internal-"))
  ) {
    yield `"name": "${name}" must be 32 letters, digits and "-" at most, and not begin with internal-`;
  }
}

function needUnusedName(scope: Scope, type: string, code: string, name: unknown): void {
  if (scope.aws.list(type, scope.region).some(({ inputs }) => inputs.name === name)) {
    throw new AwsError(
      code,
      `A ${type.split(":").at(-1)} with the name '${String(name)}' exists already`,
    );
  }
}

const loadBalancer: ResourceType = {
  autoname: { property: "name", max: 32, maxPrefix: 6 },
  defaults: { internal: false, loadBalancerType: "application" },
  replaces: ["name", "namePrefix", "internal", "loadBalancerType"],
  kept: ["securityGroups", "subnets", "subnetMappings", "ipAddressType"],
  sets: ["securityGroups", "subnets", "subnetMappings"],
  computed: ["arn", "arnSuffix", "dnsName", "vpcId", "zoneId"],
  *check(inputs) {
    yield* nameProblems(inputs);
    const type = text(inputs, "loadBalancerType");
    if (type !== undefined && type !== "network") {
      yield `"loadBalancerType": the stand-in knows network load balancers only, not ${type}`;
    }
    if ((inputs.subnets === undefined) === (inputs.subnetMappings === undefined)) {
      yield '"subnetMappings": exactly one of subnets and subnetMappings must be given';
    }
    if (inputs.internal === false && addressesOf(inputs).length > 0) {
      yield '"subnetMappings": private addresses can be given to an internal load balancer only';
    }
  },
  create(scope, inputs) {
    needUnusedName(scope, LOAD_BALANCER, "DuplicateLoadBalancerName", inputs.name);
    const places = checkPlaces(scope, inputs, undefined);
    strings(inputs.securityGroups).forEach((id) => {
      const group = need(scope, SECURITY_GROUP, id, "InvalidSecurityGroup");
      if (group.inputs.vpcId !== places[0]?.inputs.vpcId) {
        throw new AwsError("InvalidConfigurationRequest", `${id} is in another VPC`);
      }
    });
    const suffix = `net/${String(inputs.name)}/${scope.aws.newId("")}`;
    return {
      id: arn(scope, "elasticloadbalancing", `loadbalancer/${suffix}`),
      outputs: {
        arn: arn(scope, "elasticloadbalancing", `loadbalancer/${suffix}`),
        arnSuffix: suffix,
        dnsName: `${String(inputs.name)}.elb.${scope.region}.amazonaws.com`,
        vpcId: places[0]?.inputs.vpcId,
        zoneId: scope.aws.newId("Z").toUpperCase(),
      },
    };
  },
  update(scope, item, inputs) {
    if (
      strings(item.inputs.securityGroups).length === 0 &&
      strings(inputs.securityGroups).length > 0
    ) {
      throw new AwsError(
        "InvalidConfigurationRequest",
        "a network load balancer that was made without security groups cannot get one",
      );
    }
    const old = new Map(
      addressesOf(item.inputs).map(({ subnetId, address }) => [subnetId, address]),
    );
    const moved = addressesOf(inputs).find(
      ({ subnetId, address }) => old.has(subnetId) && old.get(subnetId) !== address,
    );
    if (moved !== undefined) {
      throw new AwsError(
        "InvalidConfigurationRequest",
        `the address of an enabled zone cannot be changed: ${moved.subnetId} has ${old.get(moved.subnetId)}, not ${moved.address}`,
      );
    }
    checkPlaces(scope, inputs, item);
  },
  delete(scope, item) {
    scope.aws
      .list(LISTENER, scope.region)
      .filter(({ inputs }) => inputs.loadBalancerArn === item.id)
      .forEach((listener) => scope.aws.remove(listener));
  },
};

function checkPlaces(scope: Scope, inputs: Properties, self: Item | undefined): Item[] {
  const ids = [
    ...strings(inputs.subnets),
    ...records(inputs.subnetMappings).map(({ subnetId }) => String(subnetId)),
  ];
  const places = ids.map((id) => need(scope, SUBNET, id, "SubnetNotFound"));
  const zones = places.map(({ outputs }) => outputs.availabilityZone);
  if (places.length === 0 || new Set(zones).size !== zones.length) {
    throw new AwsError(
      "InvalidConfigurationRequest",
      `A load balancer needs one subnet in each of its zones, not ${ids.join(", ") || "none"}`,
    );
  }
  if (new Set(places.map(({ inputs: { vpcId } }) => vpcId)).size > 1) {
    throw new AwsError("InvalidConfigurationRequest", "The subnets are in different VPCs");
  }
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
      throw new AwsError(
        "InvalidIPAddress.InUse",
        `The address ${address} is taken in ${subnetId}`,
      );
    }
  }
  return places;
}

function reserved(cidr: string): string[] {
  const last = 2 ** (32 - (parseCidr(cidr)?.bits ?? 32)) - 1;
  return [0, 1, 2, 3, last].map((index) => host(cidr, index));
}

const targetGroup: ResourceType = {
  autoname: { property: "name", max: 32, maxPrefix: 6 },
  defaults: { targetType: "instance" },
  replaces: ["name", "namePrefix", "port", "protocol", "vpcId", "targetType"],
  kept: ["healthCheck", "preserveClientIp"],
  computed: ["arn", "arnSuffix", "loadBalancerArns"],
  *check(inputs) {
    yield* nameProblems(inputs);
    for (const key of ["port", "protocol", "vpcId"]) {
      if (inputs.targetType !== "lambda" && inputs[key] === undefined) {
        yield `"${key}": is required when targetType is ${String(inputs.targetType)}`;
      }
    }
    const protocol = text(inputs, "protocol");
    const check = text(record(inputs.healthCheck), "protocol");
    if (protocol === "UDP" && check !== undefined && check === "UDP") {
      yield '"healthCheck.protocol": UDP cannot be checked: TCP, HTTP or HTTPS';
    }
  },
  create(scope, inputs) {
    needUnusedName(scope, TARGET_GROUP, "DuplicateTargetGroupName", inputs.name);
    need(scope, VPC, inputs.vpcId, "ValidationError");
    const suffix = `targetgroup/${String(inputs.name)}/${scope.aws.newId("")}`;
    const id = arn(scope, "elasticloadbalancing", suffix);
    return { id, outputs: { arn: id, arnSuffix: suffix, loadBalancerArns: [] } };
  },
  delete(scope, item) {
    const listeners = scope.aws
      .list(LISTENER, scope.region)
      .filter(({ inputs }) => targetOf(inputs) === item.id);
    if (listeners.length > 0) {
      throw new AwsError(
        "ResourceInUse",
        `Target group '${item.id}' is currently in use by a listener or a rule`,
      );
    }
  },
};

/** Target group that a listener forwards to. */
export function targetOf(listener: Properties): string | undefined {
  const action = records(listener.defaultActions).find(({ type }) => type === "forward");
  const [first] = records(record(action?.forward).targetGroups);
  return text(action ?? {}, "targetGroupArn") ?? text(first ?? {}, "arn");
}

const listener: ResourceType = {
  required: ["loadBalancerArn", "defaultActions", "port", "protocol"],
  replaces: ["loadBalancerArn"],
  computed: ["arn"],
  *check(inputs) {
    const protocol = text(inputs, "protocol");
    if (protocol !== undefined && !["TCP", "UDP", "TCP_UDP", "TLS"].includes(protocol)) {
      yield `"protocol": "${protocol}" is not TCP, UDP, TCP_UDP or TLS, as a network load balancer has`;
    }
  },
  create(scope, inputs) {
    checkListener(scope, inputs, undefined);
    const suffix = String(inputs.loadBalancerArn).split("loadbalancer/")[1] ?? "";
    const id = arn(scope, "elasticloadbalancing", `listener/${suffix}/${scope.aws.newId("")}`);
    return { id, outputs: { arn: id } };
  },
  update(scope, item, inputs) {
    checkListener(scope, inputs, item);
  },
};

function checkListener(scope: Scope, inputs: Properties, self: Item | undefined): void {
  const balancer = need(scope, LOAD_BALANCER, inputs.loadBalancerArn, "LoadBalancerNotFound");
  const targets = need(scope, TARGET_GROUP, targetOf(inputs), "TargetGroupNotFound");
  if (targets.inputs.vpcId !== balancer.outputs.vpcId) {
    throw new AwsError(
      "InvalidConfigurationRequest",
      `${targets.id} is in another VPC than ${balancer.id}`,
    );
  }
  if (targets.inputs.protocol !== inputs.protocol && inputs.protocol !== "TLS") {
    throw new AwsError(
      "InvalidConfigurationRequest",
      `Listener protocol '${String(inputs.protocol)}' is not supported with a target group with the protocol '${String(targets.inputs.protocol)}'`,
    );
  }
  const others = scope.aws.list(LISTENER, scope.region).filter((other) => other !== self);
  if (
    others.some(
      (other) => other.inputs.loadBalancerArn === balancer.id && other.inputs.port === inputs.port,
    )
  ) {
    throw new AwsError(
      "DuplicateListener",
      `A listener already exists on port ${String(inputs.port)}`,
    );
  }
  if (
    others.some(
      (other) =>
        targetOf(other.inputs) === targets.id && other.inputs.loadBalancerArn !== balancer.id,
    )
  ) {
    throw new AwsError(
      "TargetGroupAssociationLimit",
      `${targets.id} is associated with another load balancer`,
    );
  }
}

const attachment: ResourceType = {
  required: ["autoscalingGroupName"],
  replaces: ["autoscalingGroupName", "elb", "lbTargetGroupArn"],
  create(scope, inputs) {
    if (nodeGroupOf(scope, inputs.autoscalingGroupName) === undefined) {
      throw new AwsError(
        "ValidationError",
        `AutoScalingGroup name not found - AutoScalingGroup '${String(inputs.autoscalingGroupName)}' not found`,
      );
    }
    need(scope, TARGET_GROUP, inputs.lbTargetGroupArn, "ValidationError");
    return { id: scope.aws.newId(`${String(inputs.autoscalingGroupName)}-`) };
  },
};

/** The node group whose instances are in an Auto Scaling group. */
export function nodeGroupOf(
  scope: Pick<Scope, "aws" | "region">,
  autoscalingGroupName: unknown,
): Item | undefined {
  return scope.aws.list(NODE_GROUP, scope.region).find(({ outputs }) =>
    records(outputs.resources)
      .flatMap(({ autoscalingGroups }) => records(autoscalingGroups))
      .some(({ name }) => name === autoscalingGroupName),
  );
}

/** Network load balancers. */
export const LB_TYPES: Record<string, ResourceType> = {
  [LOAD_BALANCER]: loadBalancer,
  [TARGET_GROUP]: targetGroup,
  [LISTENER]: listener,
  [ATTACHMENT]: attachment,
};
