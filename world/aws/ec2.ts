import { overlap, parseCidr, within } from "../../components/base/cidr";
import { Properties, stable, record } from "../pulumi/properties";
import {
  cidrProblem,
  isSet,
  need,
  needCidr,
  providerArn,
  records,
  ResourceType,
  Scope,
  strings,
  text,
} from "./resourceType";
import { AwsError, Item, Peering } from "./state";

/** Type token of Vpc. */
export const VPC = "aws:ec2/vpc:Vpc";
/** Type token of Subnet. */
export const SUBNET = "aws:ec2/subnet:Subnet";
/** Type token of InternetGateway. */
export const INTERNET_GATEWAY = "aws:ec2/internetGateway:InternetGateway";
/** Type token of Eip. */
export const EIP = "aws:ec2/eip:Eip";
/** Type token of NatGateway. */
export const NAT_GATEWAY = "aws:ec2/natGateway:NatGateway";
/** Type token of RouteTable. */
export const ROUTE_TABLE = "aws:ec2/routeTable:RouteTable";
/** Type token of RouteTableAssociation. */
export const ROUTE_TABLE_ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation";
/** Type token of SecurityGroup. */
export const SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup";
/** Type token of SecurityGroupIngressRule. */
export const INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
/** Type token of SecurityGroupEgressRule. */
export const EGRESS_RULE = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";
/** Type token of NetworkAcl. */
export const NETWORK_ACL = "aws:ec2/networkAcl:NetworkAcl";
/** Type token of VpcPeeringConnection. */
export const PEERING = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection";
/** Type token of VpcPeeringConnectionAccepter. */
export const PEERING_ACCEPTER = "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter";
/** Type token of LaunchTemplate. */
export const LAUNCH_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate";

const LOAD_BALANCER = "aws:lb/loadBalancer:LoadBalancer";
const NODE_GROUP = "aws:eks/nodeGroup:NodeGroup";
const CLUSTER = "aws:eks/cluster:Cluster";

function vpcOf(scope: Scope, id: unknown): Item {
  return need(scope, VPC, id, "InvalidVpcID.NotFound");
}

function owned(scope: Scope, type: string, id: string): Properties {
  return { arn: providerArn(scope, "ec2", `${type}/${id}`), ownerId: scope.aws.account };
}

/** Everything of a region that keeps its network interfaces in a subnet. */
function usersOfSubnet(scope: Scope, subnetId: string): Item[] {
  return scope.aws.inRegion(scope.region).filter(({ type, inputs }) => {
    switch (type) {
      case NAT_GATEWAY:
        return inputs.subnetId === subnetId;
      case LOAD_BALANCER:
        return (
          strings(inputs.subnets).includes(subnetId) ||
          records(inputs.subnetMappings).some((mapping) => mapping.subnetId === subnetId)
        );
      case NODE_GROUP:
        return strings(inputs.subnetIds).includes(subnetId);
      case CLUSTER:
        return strings(record(inputs.vpcConfig).subnetIds).includes(subnetId);
      default:
        return false;
    }
  });
}

/** Makes a security group that AWS makes by itself. */
export function addImplicitSecurityGroup(scope: Scope, vpcId: string, name: string): string {
  const id = scope.aws.newId("sg-");
  const inputs = { vpcId, name, description: name };
  scope.aws.add({
    type: SECURITY_GROUP,
    id,
    region: scope.region,
    inputs,
    outputs: { ...inputs, ...owned(scope, "security-group", id) },
    implicit: true,
  });
  return id;
}

const vpc: ResourceType = {
  required: ["cidrBlock"],
  defaults: { enableDnsSupport: true, instanceTenancy: "default" },
  replaces: ["cidrBlock", "instanceTenancy"],
  computed: [
    "arn",
    "defaultNetworkAclId",
    "defaultRouteTableId",
    "defaultSecurityGroupId",
    "mainRouteTableId",
    "ownerId",
  ],
  *check(inputs) {
    yield* cidrProblem("cidrBlock", inputs.cidrBlock);
  },
  create(scope, inputs) {
    const bits = parseCidr(needCidr(inputs.cidrBlock))?.bits ?? 0;
    if (bits < 16 || bits > 28) {
      throw new AwsError("InvalidVpc.Range", `The CIDR '${String(inputs.cidrBlock)}' is invalid.`);
    }
    const id = scope.aws.newId("vpc-");
    const table = scope.aws.newId("rtb-");
    return {
      id,
      outputs: {
        ...owned(scope, "vpc", id),
        defaultNetworkAclId: scope.aws.newId("acl-"),
        defaultRouteTableId: table,
        mainRouteTableId: table,
        defaultSecurityGroupId: addImplicitSecurityGroup(scope, id, "default"),
      },
    };
  },
  delete(scope, item) {
    const within = scope.aws
      .inRegion(scope.region)
      .filter(
        ({ type, inputs, implicit }) => inputs.vpcId === item.id && !implicit && type !== PEERING,
      );
    if (within.length > 0) {
      throw new AwsError(
        "DependencyViolation",
        `The vpc '${item.id}' has dependencies and cannot be deleted: ${ids(within)}`,
      );
    }
    scope.aws
      .list(SECURITY_GROUP, scope.region)
      .filter(({ inputs }) => inputs.vpcId === item.id)
      .forEach((group) => scope.aws.remove(group));
    scope.aws.deletePeeringsOf(item.id);
  },
};

function ids(items: Item[]): string {
  return items.map(({ id }) => id).join(", ");
}

const subnet: ResourceType = {
  required: ["vpcId", "cidrBlock"],
  replaces: ["vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId"],
  kept: ["availabilityZone", "availabilityZoneId"],
  computed: ["arn", "ownerId", "availabilityZone", "availabilityZoneId"],
  *check(inputs) {
    yield* cidrProblem("cidrBlock", inputs.cidrBlock);
  },
  create(scope, inputs) {
    const cidr = needCidr(inputs.cidrBlock);
    const parent = vpcOf(scope, inputs.vpcId);
    const bits = parseCidr(cidr)?.bits ?? 0;
    if (!within(cidr, String(parent.inputs.cidrBlock)) || bits < 16 || bits > 28) {
      throw new AwsError(
        "InvalidSubnet.Range",
        `The CIDR '${cidr}' is invalid: not a /16 to /28 within ${String(parent.inputs.cidrBlock)}`,
      );
    }
    const taken = scope.aws
      .list(SUBNET, scope.region)
      .find(
        (other) =>
          other.inputs.vpcId === parent.id && overlap(cidr, String(other.inputs.cidrBlock)),
      );
    if (taken !== undefined) {
      throw new AwsError(
        "InvalidSubnet.Conflict",
        `The CIDR '${cidr}' conflicts with another subnet (${taken.id})`,
      );
    }
    const zones = zonesOf(scope.region);
    const zone =
      inputs.availabilityZoneId === undefined
        ? (text(inputs, "availabilityZone") ?? zones[0] ?? "")
        : (zones.find((name) => zoneId(name) === inputs.availabilityZoneId) ??
          String(inputs.availabilityZoneId));
    if (!zones.includes(zone)) {
      throw new AwsError(
        "InvalidParameterValue",
        `Value (${zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in: ${zones.map((name) => `${name} (${zoneId(name)})`).join(", ")}`,
      );
    }
    const id = scope.aws.newId("subnet-");
    return {
      id,
      outputs: {
        ...owned(scope, "subnet", id),
        availabilityZone: zone,
        availabilityZoneId: zoneId(zone),
      },
    };
  },
  delete(scope, item) {
    const users = usersOfSubnet(scope, item.id);
    if (users.length > 0) {
      throw new AwsError(
        "DependencyViolation",
        `The subnet '${item.id}' has dependencies and cannot be deleted: ${ids(users)}`,
      );
    }
  },
};

/** The availability zones of a region. */
export function zonesOf(region: string): string[] {
  return ["a", "b", "c"].map((letter) => region + letter);
}

/** Id of a zone: `euw2-az1` for `eu-west-2a`, `apse1-az1` for `ap-southeast-1a`. */
export function zoneId(zone: string): string {
  const [area = "", place = "", number = ""] = zone.split("-");
  const short = place.replace(/north|south|east|west|central/g, (direction) => direction[0] ?? "");
  const index = (number.at(-1) ?? "a").charCodeAt(0) - 96;
  return `${area}${short}${number.slice(0, -1)}-az${index}`;
}

const internetGateway: ResourceType = {
  kept: ["vpcId"],
  computed: ["arn", "ownerId"],
  create(scope, inputs) {
    attachGateway(scope, inputs.vpcId);
    const id = scope.aws.newId("igw-");
    return { id, outputs: owned(scope, "internet-gateway", id) };
  },
  update(scope, item, inputs) {
    if (inputs.vpcId !== item.inputs.vpcId) {
      attachGateway(scope, inputs.vpcId);
    }
  },
  delete(scope, item) {
    const nats = scope.aws
      .list(NAT_GATEWAY, scope.region)
      .filter(
        ({ inputs }) =>
          scope.aws.find(SUBNET, scope.region, inputs.subnetId)?.inputs.vpcId === item.inputs.vpcId,
      );
    if (nats.length > 0) {
      throw new AwsError(
        "DependencyViolation",
        `Network ${String(item.inputs.vpcId)} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway: ${ids(nats)}`,
      );
    }
  },
};

function attachGateway(scope: Scope, vpcId: unknown): void {
  if (vpcId === undefined) {
    return;
  }
  vpcOf(scope, vpcId);
  const other = scope.aws
    .list(INTERNET_GATEWAY, scope.region)
    .find(({ inputs }) => inputs.vpcId === vpcId);
  if (other !== undefined) {
    throw new AwsError(
      "Resource.AlreadyAssociated",
      `network ${String(vpcId)} already has an internet gateway attached (${other.id})`,
    );
  }
}

const eip: ResourceType = {
  computed: ["allocationId", "arn", "publicIp", "publicDns"],
  defaults: { domain: "vpc" },
  create(scope) {
    const id = scope.aws.newId("eipalloc-");
    const publicIp = `198.51.100.${1 + (scope.aws.list(EIP).length % 254)}`;
    return {
      id,
      outputs: {
        allocationId: id,
        arn: providerArn(scope, "ec2", `elastic-ip/${id}`),
        publicIp,
        publicDns: `ec2-${publicIp.replaceAll(".", "-")}.${scope.region}.compute.amazonaws.com`,
      },
    };
  },
  delete(scope, item) {
    const users = scope.aws
      .list(NAT_GATEWAY, scope.region)
      .filter(({ inputs }) => inputs.allocationId === item.id);
    if (users.length > 0) {
      throw new AwsError(
        "AuthFailure",
        `You do not have permission to access the specified resource: ${item.id} is in use by ${ids(users)}`,
      );
    }
  },
};

const natGateway: ResourceType = {
  required: ["subnetId"],
  defaults: { connectivityType: "public" },
  replaces: ["subnetId", "allocationId", "connectivityType", "privateIp"],
  computed: ["publicIp", "networkInterfaceId", "associationId"],
  *check(inputs) {
    if (inputs.connectivityType !== "private" && inputs.allocationId === undefined) {
      yield '"allocationId": must be given when connectivityType is public';
    }
  },
  create(scope, inputs) {
    const place = need(scope, SUBNET, inputs.subnetId, "InvalidSubnetID.NotFound");
    if (inputs.connectivityType === "public") {
      const address = need(scope, EIP, inputs.allocationId, "InvalidAllocationID.NotFound");
      const taken = scope.aws
        .list(NAT_GATEWAY, scope.region)
        .some((other) => other.inputs.allocationId === address.id);
      if (taken) {
        throw new AwsError(
          "Resource.AlreadyAssociated",
          `Elastic IP address [${address.id}] is already associated`,
        );
      }
      const gateway = scope.aws
        .list(INTERNET_GATEWAY, scope.region)
        .some((other) => other.inputs.vpcId === place.inputs.vpcId);
      if (!gateway) {
        throw new AwsError(
          "Gateway.NotAttached",
          `Network ${String(place.inputs.vpcId)} has no Internet gateway attached`,
        );
      }
    }
    const address = scope.aws.find(EIP, scope.region, inputs.allocationId);
    return {
      id: scope.aws.newId("nat-"),
      outputs: {
        publicIp: address?.outputs.publicIp,
        networkInterfaceId: scope.aws.newId("eni-"),
        associationId: scope.aws.newId("eipassoc-"),
      },
    };
  },
};

const TARGETS = [
  "gatewayId",
  "natGatewayId",
  "vpcPeeringConnectionId",
  "networkInterfaceId",
  "transitGatewayId",
  "vpcEndpointId",
  "egressOnlyGatewayId",
];

function* routeProblems(path: string, route: Properties): Iterable<string> {
  yield* cidrProblem(`${path}cidrBlock`, route.cidrBlock);
  if (route.cidrBlock === undefined) {
    yield `"${path}cidrBlock": is required: the stand-in knows routes by IPv4 CIDR only`;
  }
  const targets = TARGETS.filter((key) => route[key] !== undefined && route[key] !== "");
  if (targets.length !== 1) {
    yield `"${path}": needs exactly one target, it has ${targets.join(" and ") || "none"}`;
  }
}

function checkRoute(scope: Scope, vpcId: unknown, route: Properties): void {
  const parent = vpcOf(scope, vpcId);
  const cidr = needCidr(route.cidrBlock);
  if (within(cidr, String(parent.inputs.cidrBlock))) {
    throw new AwsError(
      "InvalidParameterValue",
      `Route destination ${cidr} is equal to or more specific than the VPC's local route ${String(parent.inputs.cidrBlock)}`,
    );
  }
  const gateway = text(route, "gatewayId");
  if (gateway !== undefined && gateway !== "") {
    const found = need(scope, INTERNET_GATEWAY, gateway, "InvalidInternetGatewayID.NotFound");
    if (found.inputs.vpcId !== parent.id) {
      throw new AwsError(
        "InvalidParameterValue",
        `route table and network gateway ${gateway} belong to different networks`,
      );
    }
  }
  const nat = text(route, "natGatewayId");
  if (nat !== undefined && nat !== "") {
    need(scope, NAT_GATEWAY, nat, "InvalidNatGatewayID.NotFound");
  }
  const peering = text(route, "vpcPeeringConnectionId");
  if (peering !== undefined && peering !== "") {
    const found = scope.aws.peerings.get(peering);
    const sides = found && [found.requester, found.accepter];
    if (
      found === undefined ||
      !["active", "pending-acceptance"].includes(found.status) ||
      !sides?.some((side) => side.vpcId === parent.id)
    ) {
      throw new AwsError(
        "InvalidVpcPeeringConnectionID.NotFound",
        `The vpcPeeringConnection ID '${peering}' does not exist for ${parent.id}${found ? ` (${found.status})` : ""}`,
      );
    }
  }
}

const routeTable: ResourceType = {
  required: ["vpcId"],
  replaces: ["vpcId"],
  kept: ["routes"],
  sets: ["routes"],
  computed: ["arn", "ownerId"],
  *check(inputs) {
    const seen = new Set<unknown>();
    for (const [index, route] of records(inputs.routes).entries()) {
      yield* routeProblems(`routes[${index}].`, route);
      if (typeof route.cidrBlock === "string" && seen.has(route.cidrBlock)) {
        yield `"routes[${index}].cidrBlock": ${route.cidrBlock} has a route already (RouteAlreadyExists)`;
      }
      seen.add(route.cidrBlock);
    }
  },
  create(scope, inputs) {
    vpcOf(scope, inputs.vpcId);
    records(inputs.routes).forEach((route) => checkRoute(scope, inputs.vpcId, route));
    const id = scope.aws.newId("rtb-");
    return { id, outputs: owned(scope, "route-table", id) };
  },
  update(scope, item, inputs) {
    // Routes that do not change are not sent again: a blackhole among them is no error.
    const old = new Set(records(item.inputs.routes).map(stable));
    records(inputs.routes)
      .filter((route) => !old.has(stable(route)))
      .forEach((route) => checkRoute(scope, inputs.vpcId, route));
  },
  delete(scope, item) {
    const used = scope.aws
      .list(ROUTE_TABLE_ASSOCIATION, scope.region)
      .filter(({ inputs }) => inputs.routeTableId === item.id);
    if (used.length > 0) {
      throw new AwsError(
        "DependencyViolation",
        `The routeTable '${item.id}' has dependencies and cannot be deleted: ${ids(used)}`,
      );
    }
  },
};

const routeTableAssociation: ResourceType = {
  required: ["routeTableId", "subnetId"],
  replaces: ["subnetId"],
  create(scope, inputs) {
    checkAssociation(scope, inputs);
    const other = scope.aws
      .list(ROUTE_TABLE_ASSOCIATION, scope.region)
      .find((association) => association.inputs.subnetId === inputs.subnetId);
    if (other !== undefined) {
      throw new AwsError(
        "Resource.AlreadyAssociated",
        `the specified association for route table ${String(inputs.routeTableId)} conflicts with an existing association (${other.id})`,
      );
    }
    return { id: scope.aws.newId("rtbassoc-") };
  },
  update(scope, _item, inputs) {
    checkAssociation(scope, inputs);
  },
};

function checkAssociation(scope: Scope, inputs: Properties): void {
  const place = need(scope, SUBNET, inputs.subnetId, "InvalidSubnetID.NotFound");
  const table = need(scope, ROUTE_TABLE, inputs.routeTableId, "InvalidRouteTableID.NotFound");
  if (place.inputs.vpcId !== table.inputs.vpcId) {
    throw new AwsError(
      "InvalidParameterValue",
      `Route table ${table.id} and subnet ${place.id} belong to different networks`,
    );
  }
}

const securityGroup: ResourceType = {
  required: ["vpcId"],
  autoname: { property: "name", max: 255 },
  defaults: { description: "Managed by Pulumi" },
  replaces: ["name", "namePrefix", "description", "vpcId"],
  computed: ["arn", "ownerId"],
  *check(inputs) {
    if (text(inputs, "name")?.startsWith("sg-")) {
      yield '"name": must not begin with sg-';
    }
  },
  create(scope, inputs) {
    const parent = vpcOf(scope, inputs.vpcId);
    const same = scope.aws
      .list(SECURITY_GROUP, scope.region)
      .some((other) => other.inputs.vpcId === parent.id && other.inputs.name === inputs.name);
    if (same) {
      throw new AwsError(
        "InvalidGroup.Duplicate",
        `The security group '${String(inputs.name)}' already exists for VPC '${parent.id}'`,
      );
    }
    const id = scope.aws.newId("sg-");
    return { id, outputs: owned(scope, "security-group", id) };
  },
  delete(scope, item) {
    const users = scope.aws.inRegion(scope.region).filter(({ type, inputs }) => {
      switch (type) {
        case LOAD_BALANCER:
          return strings(inputs.securityGroups).includes(item.id);
        case CLUSTER:
          return strings(record(inputs.vpcConfig).securityGroupIds).includes(item.id);
        case INGRESS_RULE:
        case EGRESS_RULE:
          return (
            referencedGroup(scope.aws, inputs) === item.id && inputs.securityGroupId !== item.id
          );
        default:
          return false;
      }
    });
    if (users.length > 0) {
      throw new AwsError(
        "DependencyViolation",
        `resource ${item.id} has a dependent object: ${ids(users)}`,
      );
    }
    for (const type of [INGRESS_RULE, EGRESS_RULE]) {
      scope.aws
        .list(type, scope.region)
        .filter(({ inputs }) => inputs.securityGroupId === item.id)
        .forEach((rule) => scope.aws.remove(rule));
    }
  },
};

function* portProblems(protocol: unknown, from: unknown, to: unknown): Iterable<string> {
  const all = protocol === "-1" || protocol === "all";
  if (
    typeof protocol === "string" &&
    !all &&
    !["tcp", "udp", "icmp", "6", "17"].includes(protocol)
  ) {
    yield `"ipProtocol": "${protocol}" is not -1, tcp, udp or icmp`;
  }
  if (all && [from, to].some((port) => port !== undefined && port !== 0 && port !== -1)) {
    yield `"fromPort": protocol -1 means all ports, give none`;
  }
  if (protocol === "tcp" || protocol === "udp") {
    const ports = [from, to];
    if (ports.some((port) => port === undefined)) {
      yield `"fromPort": ${protocol} needs fromPort and toPort`;
    }
    if (ports.some((port) => typeof port === "number" && (port < 0 || port > 65535))) {
      yield `"fromPort": ports are 0 to 65535`;
    }
    if (typeof from === "number" && typeof to === "number" && from > to) {
      yield `"fromPort": ${from} is greater than toPort ${to}`;
    }
  }
}

const SOURCES = ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"];

/** Id of the security group that a rule references, as `sg-…` or `ACCOUNT/sg-…`; undefined: none, or another account's. */
export function referencedGroup(aws: Scope["aws"], rule: Properties): string | undefined {
  const [id, account = aws.account] = (text(rule, "referencedSecurityGroupId") ?? "")
    .split("/")
    .reverse();
  return id === "" || account !== aws.account ? undefined : id;
}

function securityGroupRule(type: string): ResourceType {
  const same = (aws: Scope["aws"], a: Properties, b: Properties) =>
    ["securityGroupId", "ipProtocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6"].every(
      (key) => a[key] === b[key],
    ) &&
    a.prefixListId === b.prefixListId &&
    referencedGroup(aws, a) === referencedGroup(aws, b);
  const checkRule = (scope: Scope, inputs: Properties, self: Item | undefined) => {
    const group = need(scope, SECURITY_GROUP, inputs.securityGroupId, "InvalidGroup.NotFound");
    if (inputs.referencedSecurityGroupId !== undefined) {
      const reference = referencedGroup(scope.aws, inputs) ?? inputs.referencedSecurityGroupId;
      need(scope, SECURITY_GROUP, reference, "InvalidGroup.NotFound");
    }
    const other = scope.aws
      .list(type, scope.region)
      .find((rule) => rule !== self && same(scope.aws, rule.inputs, inputs));
    if (other !== undefined) {
      throw new AwsError(
        "InvalidPermission.Duplicate",
        `the specified rule already exists in ${group.id} (${other.id})`,
      );
    }
  };
  return {
    required: ["securityGroupId", "ipProtocol"],
    replaces: ["securityGroupId"],
    computed: ["arn", "securityGroupRuleId"],
    *check(inputs) {
      yield* cidrProblem("cidrIpv4", inputs.cidrIpv4);
      yield* portProblems(inputs.ipProtocol, inputs.fromPort, inputs.toPort);
      const sources = SOURCES.filter((key) => inputs[key] !== undefined);
      if (sources.length !== 1) {
        yield `"cidrIpv4": exactly one of ${SOURCES.join(", ")} must be given, not ${sources.join(" and ") || "none"}`;
      }
    },
    create(scope, inputs) {
      checkRule(scope, inputs, undefined);
      const id = scope.aws.newId("sgr-");
      return {
        id,
        outputs: {
          arn: providerArn(scope, "ec2", `security-group-rule/${id}`),
          securityGroupRuleId: id,
        },
      };
    },
    update(scope, item, inputs) {
      // Create takes the account apart from the id, ModifySecurityGroupRules is sent the whole as an id.
      if (text(inputs, "referencedSecurityGroupId")?.includes("/")) {
        throw new AwsError(
          "InvalidGroupId.Malformed",
          `Invalid id: "${String(inputs.referencedSecurityGroupId)}" (expecting "sg-...")`,
        );
      }
      checkRule(scope, inputs, item);
    },
    seen(scope, inputs) {
      const id = referencedGroup(scope.aws, inputs);
      // The provider leaves the account out only where it knows it for its own.
      const foreign = isSet(scope.call.config.skipRequestingAccountId);
      return id === undefined
        ? {}
        : { referencedSecurityGroupId: foreign ? `${scope.aws.account}/${id}` : id };
    },
  };
}

const networkAcl: ResourceType = {
  required: ["vpcId"],
  replaces: ["vpcId"],
  kept: ["ingress", "egress", "subnetIds"],
  sets: ["ingress", "egress", "subnetIds"],
  computed: ["arn", "ownerId"],
  *check(inputs) {
    for (const direction of ["ingress", "egress"] as const) {
      const rules = records(inputs[direction]);
      const seen = new Set<unknown>();
      for (const [index, rule] of rules.entries()) {
        const path = `${direction}[${index}].`;
        if (typeof rule.ruleNo === "number" && (rule.ruleNo < 1 || rule.ruleNo > 32766)) {
          yield `"${path}ruleNo": ${rule.ruleNo} is not 1 to 32766`;
        }
        if (seen.has(rule.ruleNo)) {
          yield `"${path}ruleNo": ${String(rule.ruleNo)} is there already (NetworkAclEntryAlreadyExists)`;
        }
        seen.add(rule.ruleNo);
        if (typeof rule.action === "string" && !["allow", "deny"].includes(rule.action)) {
          yield `"${path}action": "${rule.action}" is not allow or deny`;
        }
        for (const key of ["ruleNo", "action", "protocol", "fromPort", "toPort"]) {
          if (rule[key] === undefined) {
            yield `"${path}${key}": is required`;
          }
        }
        const all = rule.protocol === "-1" || rule.protocol === "all";
        if (
          all &&
          [rule.fromPort, rule.toPort].some((port) => typeof port === "number" && port !== 0)
        ) {
          yield `"${path}fromPort": to and from ports must both be 0 to use the 'all' "-1" protocol`;
        }
        if (rule.cidrBlock === undefined && rule.ipv6CidrBlock === undefined) {
          yield `"${path}cidrBlock": is required`;
        }
        yield* cidrProblem(`${path}cidrBlock`, rule.cidrBlock);
      }
      if (rules.length > 20) {
        yield `"${direction}": ${rules.length} rules, the quota is 20 (NetworkAclEntryLimitExceeded)`;
      }
    }
  },
  create(scope, inputs) {
    vpcOf(scope, inputs.vpcId);
    associateAcl(scope, inputs);
    const id = scope.aws.newId("acl-");
    return { id, outputs: owned(scope, "network-acl", id) };
  },
  update(scope, item, inputs) {
    associateAcl(scope, inputs, item);
  },
};

/** A subnet has one ACL: giving it another takes it from the one that it had. */
function associateAcl(scope: Scope, inputs: Properties, self?: Item): void {
  for (const id of strings(inputs.subnetIds)) {
    const place = need(scope, SUBNET, id, "InvalidSubnetID.NotFound");
    if (place.inputs.vpcId !== inputs.vpcId) {
      throw new AwsError(
        "InvalidParameterValue",
        `The subnet ${id} is not in the VPC ${String(inputs.vpcId)} of the network ACL`,
      );
    }
    for (const other of scope.aws.list(NETWORK_ACL, scope.region)) {
      if (other !== self && strings(other.inputs.subnetIds).includes(id)) {
        const rest = strings(other.inputs.subnetIds).filter((subnetId) => subnetId !== id);
        other.inputs = { ...other.inputs, subnetIds: rest };
        other.outputs = { ...other.outputs, subnetIds: rest };
      }
    }
  }
}

const peering: ResourceType = {
  required: ["vpcId", "peerVpcId"],
  defaults: { autoAccept: false },
  replaces: ["vpcId", "peerVpcId", "peerRegion", "peerOwnerId"],
  computed: ["acceptStatus"],
  *check(inputs) {
    if (inputs.peerRegion !== undefined && inputs.autoAccept === true) {
      yield '"autoAccept": "peerRegion" cannot be set whilst "autoAccept" is true';
    }
  },
  create(scope, inputs) {
    const own = vpcOf(scope, inputs.vpcId);
    const peerRegion = text(inputs, "peerRegion") ?? scope.region;
    const peer = scope.aws.outages.has(peerRegion)
      ? undefined
      : scope.aws.find(VPC, peerRegion, inputs.peerVpcId);
    const id = scope.aws.newId("pcx-");
    const [cidr, peerCidr] = [own, peer].map((side) => String(side?.inputs.cidrBlock));
    if (peer === undefined || overlap(String(cidr), String(peerCidr))) {
      throw new Error(
        `waiting for EC2 VPC Peering Connection (${id}) create: unexpected state 'failed', wanted target 'active, pending-acceptance': ${
          peer === undefined
            ? `${String(inputs.peerVpcId)} does not exist in ${peerRegion}, or the region does not answer`
            : `the CIDRs ${cidr} and ${peerCidr} overlap`
        }`,
      );
    }
    const same = [...scope.aws.peerings.values()].find(
      ({ requester, accepter, status }) =>
        ["active", "pending-acceptance"].includes(status) &&
        new Set([requester.vpcId, accepter.vpcId, own.id, peer.id]).size === 2,
    );
    if (same !== undefined) {
      throw new AwsError(
        "VpcPeeringConnectionAlreadyExists",
        `A VPC peering connection between ${own.id} and ${peer.id} exists already (${same.id})`,
      );
    }
    scope.aws.peerings.set(id, {
      id,
      requester: { region: scope.region, vpcId: own.id, cidr: String(cidr) },
      accepter: { region: peerRegion, vpcId: peer.id, cidr: String(peerCidr) },
      status: inputs.autoAccept === true ? "active" : "pending-acceptance",
    });
    return { id, outputs: peeringOutputs(scope, id) };
  },
  update(scope, item) {
    return peeringOutputs(scope, item.id);
  },
  read(scope, item) {
    return alive(scope.aws.peerings.get(item.id)) ? peeringOutputs(scope, item.id) : undefined;
  },
  delete(scope, item) {
    const found = scope.aws.peerings.get(item.id);
    if (found !== undefined) {
      found.status = "deleted";
    }
  },
};

function alive(connection: Peering | undefined): boolean {
  return connection?.status === "active" || connection?.status === "pending-acceptance";
}

function peeringOutputs(scope: Scope, id: string): Properties {
  return {
    acceptStatus: scope.aws.peerings.get(id)?.status,
    peerOwnerId: scope.aws.account,
  };
}

const peeringAccepter: ResourceType = {
  required: ["vpcPeeringConnectionId"],
  replaces: ["vpcPeeringConnectionId"],
  computed: ["acceptStatus", "vpcId", "peerVpcId", "peerOwnerId", "peerRegion"],
  create(scope, inputs) {
    const id = String(inputs.vpcPeeringConnectionId);
    accept(scope, id, inputs.autoAccept === true);
    return { id, outputs: accepterOutputs(scope, id) };
  },
  update(scope, item, inputs) {
    accept(scope, item.id, inputs.autoAccept === true);
    return accepterOutputs(scope, item.id);
  },
  read(scope, item) {
    return alive(scope.aws.peerings.get(item.id)) ? accepterOutputs(scope, item.id) : undefined;
  },
};

function accept(scope: Scope, id: string, automatically: boolean): void {
  const found = scope.aws.peerings.get(id);
  if (
    found === undefined ||
    ![found.requester.region, found.accepter.region].includes(scope.region)
  ) {
    throw new Error(`reading EC2 VPC Peering Connection (${id}): couldn't find resource`);
  }
  if (!alive(found)) {
    throw new Error(`reading EC2 VPC Peering Connection (${id}): ${found.status}`);
  }
  if (automatically && found.status === "pending-acceptance") {
    if (found.accepter.region !== scope.region) {
      throw new AwsError(
        "OperationNotPermitted",
        `${id} must be accepted in region ${found.accepter.region}, not in ${scope.region}`,
      );
    }
    found.status = "active";
  }
}

function accepterOutputs(scope: Scope, id: string): Properties {
  const found = scope.aws.peerings.get(id);
  return {
    acceptStatus: found?.status,
    vpcId: found?.accepter.vpcId,
    peerVpcId: found?.requester.vpcId,
    peerRegion: found?.requester.region,
    peerOwnerId: scope.aws.account,
  };
}

const launchTemplate: ResourceType = {
  autoname: { property: "name", max: 128 },
  replaces: ["name", "namePrefix"],
  computed: ["arn", "latestVersion", "defaultVersion"],
  changing: ["latestVersion", "defaultVersion"],
  *check(inputs) {
    const { httpTokens, httpPutResponseHopLimit: hops } = record(inputs.metadataOptions);
    if (typeof httpTokens === "string" && !["required", "optional"].includes(httpTokens)) {
      yield `"metadataOptions.httpTokens": "${httpTokens}" is not required or optional`;
    }
    if (typeof hops === "number" && (hops < 1 || hops > 64)) {
      yield `"metadataOptions.httpPutResponseHopLimit": ${hops} is not 1 to 64`;
    }
  },
  create(scope, inputs) {
    const same = scope.aws
      .list(LAUNCH_TEMPLATE, scope.region)
      .some((other) => other.inputs.name === inputs.name);
    if (same) {
      throw new AwsError(
        "InvalidLaunchTemplateName.AlreadyExistsException",
        `Launch template name already in use: ${String(inputs.name)}`,
      );
    }
    const id = scope.aws.newId("lt-");
    return {
      id,
      outputs: {
        arn: providerArn(scope, "ec2", `launch-template/${id}`),
        latestVersion: 1,
        defaultVersion: 1,
      },
    };
  },
  update(_scope, item, inputs) {
    const latestVersion = Number(item.outputs.latestVersion) + 1;
    return {
      latestVersion,
      defaultVersion:
        inputs.updateDefaultVersion === true ? latestVersion : item.outputs.defaultVersion,
    };
  },
};

/** The network of a region. */
export const EC2_TYPES: Record<string, ResourceType> = {
  [VPC]: vpc,
  [SUBNET]: subnet,
  [INTERNET_GATEWAY]: internetGateway,
  [EIP]: eip,
  [NAT_GATEWAY]: natGateway,
  [ROUTE_TABLE]: routeTable,
  [ROUTE_TABLE_ASSOCIATION]: routeTableAssociation,
  [SECURITY_GROUP]: securityGroup,
  [INGRESS_RULE]: securityGroupRule(INGRESS_RULE),
  [EGRESS_RULE]: securityGroupRule(EGRESS_RULE),
  [NETWORK_ACL]: networkAcl,
  [PEERING]: peering,
  [PEERING_ACCEPTER]: peeringAccepter,
  [LAUNCH_TEMPLATE]: launchTemplate,
};
