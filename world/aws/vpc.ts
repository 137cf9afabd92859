import { overlap, within } from "../../components/base/cidr";
import { arn, owned, ResourceType } from "./resourceType";
import { AwsError } from "./state";
import { EIP, INTERNET_GATEWAY, LAUNCH_TEMPLATE, NAT_GATEWAY, SUBNET, VPC } from "./tokens";

const vpc: ResourceType = {
  defaults: { enableDnsSupport: true, instanceTenancy: "default" },
  replaces: ["cidrBlock", "instanceTenancy"],
  computed: ["arn", "ownerId"],
  create(scope) {
    const id = scope.aws.newId("vpc-");
    return { id, outputs: owned(scope, "vpc", id) };
  },
  delete(scope, item) {
    scope.aws.deletePeeringsOf(item.id);
  },
};

const subnet: ResourceType = {
  replaces: ["vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId"],
  kept: ["availabilityZone", "availabilityZoneId"],
  computed: ["arn", "ownerId", "availabilityZone", "availabilityZoneId"],
  names: { vpcId: VPC },
  create(scope, inputs) {
    const cidr = String(inputs.cidrBlock);
    const parent = String(scope.aws.find(VPC, scope.region, inputs.vpcId)?.inputs.cidrBlock);
    const others = scope.aws
      .list(SUBNET, scope.region)
      .filter((other) => other.inputs.vpcId === inputs.vpcId);
    if (
      !within(cidr, parent) ||
      others.some((other) => overlap(cidr, String(other.inputs.cidrBlock)))
    ) {
      throw new AwsError("InvalidSubnet", `The CIDR '${cidr}' is outside of ${parent} or taken`);
    }
    const zone = zonesOf(scope.region).find((name) => zoneId(name) === inputs.availabilityZoneId);
    if (zone === undefined) {
      throw new AwsError(
        "InvalidParameterValue",
        `there is no zone ${String(inputs.availabilityZoneId)} in ${scope.region}`,
      );
    }
    const id = scope.aws.newId("subnet-");
    return { id, outputs: { ...owned(scope, "subnet", id), availabilityZone: zone } };
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
  names: { vpcId: VPC },
  unique: ["Resource.AlreadyAssociated", "vpcId"],
  create(scope) {
    const id = scope.aws.newId("igw-");
    return { id, outputs: owned(scope, "internet-gateway", id) };
  },
};

const eip: ResourceType = {
  computed: ["allocationId", "arn", "publicIp"],
  defaults: { domain: "vpc" },
  create(scope) {
    const id = scope.aws.newId("eipalloc-");
    const publicIp = `198.51.100.${1 + (scope.aws.list(EIP).length % 254)}`;
    return { id, outputs: { ...owned(scope, "elastic-ip", id), allocationId: id, publicIp } };
  },
};

const natGateway: ResourceType = {
  defaults: { connectivityType: "public" },
  replaces: ["subnetId", "allocationId", "connectivityType", "privateIp"],
  computed: ["publicIp", "networkInterfaceId", "associationId"],
  names: { subnetId: SUBNET, allocationId: EIP },
  unique: ["Resource.AlreadyAssociated", "allocationId"],
  create(scope, inputs) {
    const vpcId = scope.aws.find(SUBNET, scope.region, inputs.subnetId)?.inputs.vpcId;
    const gateways = scope.aws.list(INTERNET_GATEWAY, scope.region);
    if (!gateways.some((gateway) => gateway.inputs.vpcId === vpcId)) {
      throw new AwsError(
        "Gateway.NotAttached",
        `Network ${String(vpcId)} has no Internet gateway attached`,
      );
    }
    return {
      id: scope.aws.newId("nat-"),
      outputs: {
        publicIp: scope.aws.find(EIP, scope.region, inputs.allocationId)?.outputs.publicIp,
        networkInterfaceId: scope.aws.newId("eni-"),
        associationId: scope.aws.newId("eipassoc-"),
      },
    };
  },
};

const launchTemplate: ResourceType = {
  autoname: { property: "name", max: 128 },
  replaces: ["name", "namePrefix"],
  computed: ["arn", "latestVersion", "defaultVersion"],
  changing: ["latestVersion", "defaultVersion"],
  unique: ["InvalidLaunchTemplateName.AlreadyExistsException", "name"],
  create(scope) {
    const id = scope.aws.newId("lt-");
    const made = arn(scope, "ec2", `launch-template/${id}`);
    return { id, outputs: { arn: made, latestVersion: 1, defaultVersion: 1 } };
  },
  update(_scope, item) {
    return {
      latestVersion: Number(item.outputs.latestVersion) + 1,
      defaultVersion: item.outputs.defaultVersion,
    };
  },
};

/** A region's network, but what leads out of it or stands in the way, and how its machines are made. */
export const VPC_TYPES: Record<string, ResourceType> = {
  [VPC]: vpc,
  [SUBNET]: subnet,
  [INTERNET_GATEWAY]: internetGateway,
  [EIP]: eip,
  [NAT_GATEWAY]: natGateway,
  [LAUNCH_TEMPLATE]: launchTemplate,
};
