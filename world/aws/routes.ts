import { overlap, within } from "../../components/base/cidr";
import { Properties, stable } from "../pulumi/properties";
import { owned, records, ResourceType, Scope, text } from "./resourceType";
import { AwsError, Item, Peering } from "./state";
import {
  INTERNET_GATEWAY,
  NAT_GATEWAY,
  PEERING,
  PEERING_ACCEPTER,
  ROUTE_TABLE,
  ROUTE_TABLE_ASSOCIATION,
  SUBNET,
  VPC,
  VPC_ENDPOINT,
} from "./tokens";

function checkRoute(scope: Scope, vpcId: unknown, route: Properties): void {
  const cidr = String(route.cidrBlock);
  const local = String(scope.aws.find(VPC, scope.region, vpcId)?.inputs.cidrBlock);
  if (within(cidr, local)) {
    throw new AwsError(
      "InvalidParameterValue",
      `Route destination ${cidr} is equal to or more specific than the VPC's local route ${local}`,
    );
  }
  const peering = text(route, "vpcPeeringConnectionId");
  if (peering !== undefined) {
    const found = scope.aws.peerings.get(peering);
    const ends = [found?.requester.vpcId, found?.accepter.vpcId];
    if (!isAlive(found) || !ends.includes(String(vpcId))) {
      throw new AwsError(
        "InvalidVpcPeeringConnectionID.NotFound",
        `The vpcPeeringConnection ID '${peering}' does not exist for ${String(vpcId)}${found ? ` (${found.status})` : ""}`,
      );
    }
  }
}

const routeTable: ResourceType = {
  replaces: ["vpcId"],
  kept: ["routes"],
  sets: ["routes"],
  computed: ["arn", "ownerId"],
  names: {
    vpcId: VPC,
    "routes.gatewayId": INTERNET_GATEWAY,
    "routes.natGatewayId": NAT_GATEWAY,
  },
  create(scope, inputs) {
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
};

const routeTableAssociation: ResourceType = {
  replaces: ["subnetId"],
  names: { subnetId: SUBNET, routeTableId: ROUTE_TABLE },
  unique: ["Resource.AlreadyAssociated", "subnetId"],
  create(scope) {
    return { id: scope.aws.newId("rtbassoc-") };
  },
};

const vpcEndpoint: ResourceType = {
  replaces: ["vpcId", "serviceName", "vpcEndpointType"],
  sets: ["routeTableIds"],
  computed: ["arn", "ownerId", "prefixListId", "state"],
  names: { vpcId: VPC, routeTableIds: ROUTE_TABLE },
  create(scope, inputs) {
    const own = `com.amazonaws.${scope.region}.`;
    if (!String(inputs.serviceName).startsWith(own)) {
      throw new AwsError(
        "InvalidServiceName",
        `The Vpc Endpoint Service '${String(inputs.serviceName)}' does not exist`,
      );
    }
    const id = scope.aws.newId("vpce-");
    return {
      id,
      outputs: { ...owned(scope, "vpc-endpoint", id), prefixListId: "pl-1", state: "available" },
    };
  },
};

const peering: ResourceType = {
  defaults: { autoAccept: false },
  replaces: ["vpcId", "peerVpcId", "peerRegion", "peerOwnerId"],
  computed: ["acceptStatus"],
  names: { vpcId: VPC },
  within: "vpcId",
  create(scope, inputs) {
    const { aws, region } = scope;
    const peerRegion = String(inputs.peerRegion);
    const id = aws.newId("pcx-");
    const sides = [region, peerRegion].map((place, index) => ({
      region: place,
      vpcId: String(index === 0 ? inputs.vpcId : inputs.peerVpcId),
    }));
    const [requester, accepter] = sides.map((side) => {
      const found = aws.outages.has(side.region)
        ? undefined
        : aws.find(VPC, side.region, side.vpcId);
      if (found === undefined) {
        failed(id, `${side.vpcId} does not exist in ${side.region}, or the region does not answer`);
      }
      return { ...side, cidr: String(found?.inputs.cidrBlock) };
    }) as [Peering["requester"], Peering["accepter"]];
    if (overlap(requester.cidr, accepter.cidr)) {
      failed(id, `the CIDRs ${requester.cidr} and ${accepter.cidr} overlap`);
    }
    const same = [...aws.peerings.values()].find(
      (other) =>
        isAlive(other) &&
        new Set([other.requester, other.accepter, requester, accepter].map(({ vpcId }) => vpcId))
          .size === 2,
    );
    if (same !== undefined) {
      throw new AwsError(
        "VpcPeeringConnectionAlreadyExists",
        `A VPC peering connection between ${requester.vpcId} and ${accepter.vpcId} exists already (${same.id})`,
      );
    }
    aws.peerings.set(id, { id, requester, accepter, status: "pending-acceptance" });
    return { id, outputs: peeringOutputs(scope, id) };
  },
  update(scope, item) {
    return peeringOutputs(scope, item.id);
  },
  read(scope, item) {
    return isAlive(scope.aws.peerings.get(item.id)) ? peeringOutputs(scope, item.id) : undefined;
  },
  delete(scope, item) {
    const found = scope.aws.peerings.get(item.id);
    if (found !== undefined) {
      found.status = "deleted";
    }
  },
};

function failed(id: string, why: string): void {
  throw new Error(
    `waiting for EC2 VPC Peering Connection (${id}) create: unexpected state 'failed', wanted target 'active, pending-acceptance': ${why}`,
  );
}

function isAlive(connection: Peering | undefined): boolean {
  return connection?.status === "active" || connection?.status === "pending-acceptance";
}

function peeringOutputs(scope: Scope, id: string): Properties {
  return {
    acceptStatus: scope.aws.peerings.get(id)?.status,
    peerOwnerId: scope.aws.account,
  };
}

const peeringAccepter: ResourceType = {
  replaces: ["vpcPeeringConnectionId"],
  computed: ["acceptStatus", "vpcId", "peerVpcId", "peerOwnerId", "peerRegion"],
  overwrites: true,
  create(scope, inputs) {
    const id = String(inputs.vpcPeeringConnectionId);
    accept(scope, id);
    return { id, outputs: accepterOutputs(scope, id) };
  },
  update(scope, item) {
    accept(scope, item.id);
    return accepterOutputs(scope, item.id);
  },
  read(scope, item: Item) {
    return isAlive(scope.aws.peerings.get(item.id)) ? accepterOutputs(scope, item.id) : undefined;
  },
};

function accept(scope: Scope, id: string): void {
  const found = scope.aws.peerings.get(id);
  if (found === undefined || !isAlive(found)) {
    throw new Error(
      `reading EC2 VPC Peering Connection (${id}): ${found?.status ?? "couldn't find resource"}`,
    );
  }
  if (found.accepter.region !== scope.region) {
    throw new AwsError(
      "OperationNotPermitted",
      `${id} must be accepted in region ${found.accepter.region}, not in ${scope.region}`,
    );
  }
  found.status = "active";
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

/** Where packets are sent, and the way between two regions. */
export const ROUTE_TYPES: Record<string, ResourceType> = {
  [ROUTE_TABLE]: routeTable,
  [ROUTE_TABLE_ASSOCIATION]: routeTableAssociation,
  [VPC_ENDPOINT]: vpcEndpoint,
  [PEERING]: peering,
  [PEERING_ACCEPTER]: peeringAccepter,
};
