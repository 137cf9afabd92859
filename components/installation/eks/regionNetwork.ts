import * as pulumi from "@pulumi/pulumi";
import { peerOf, RegionName } from "../../base/brokers";
import type { EksSettings } from "../../settings";
import { clusterName, dnsAddresses, subnetPlan, SubnetPlan } from "../../settings/eksNames";
import * as aws from "./sdk";
import { zoneIds } from "../../settings/eksZones";

/** Arguments of {@link RegionNetwork}. */
export interface RegionNetworkArgs {
  eks: EksSettings;
  /** The region of this stack. */
  region: RegionName;
  /**
   * What is known of the other region's network. When its stack cannot be read: what was known when the
   * peering was made. A value that vanishes takes the peering out of this stack, and Camunda with it.
   */
  peer: {
    /** Its VPC: region1 requests the peering with it. */
    vpcId?: string;
    /** The peering that region1 has requested: region0 accepts it. */
    peeringConnectionId?: string;
  };
}

/** A subnet of the DNS entry point, and the address that the entry point has in it. */
export interface DnsSubnet {
  id: pulumi.Output<string>;
  address: string;
}

/**
 * VPC of a region in three availability zones, and its half of the peering with the other region.
 *
 * region1 requests the peering, region0 accepts it: fixed, whoever was there first. A first installation
 * needs three rounds for it (region0, region1, region0). The only route to the other region is the one to
 * its VPC: addresses of services are not routed, headless names alone work between the regions.
 *
 * The request is kept in AWS when it leaves the stack (`retainOnDelete`): deleting it waits for the other
 * region, which may be gone, and AWS deletes it with either VPC. When the other region is made anew, a new
 * request stands beside the old one.
 *
 * Routes are inline, one table for every zone: an update adds first and deletes afterwards. A route in a
 * resource of its own would be deleted last of all, and would fight with inline ones.
 */
export class RegionNetwork extends pulumi.ComponentResource {
  /** The VPC. The other region's stack needs it to request or accept the peering. */
  readonly vpcId: pulumi.Output<string>;
  /** Subnets of the nodes, one in each zone. */
  readonly privateSubnetIds: pulumi.Output<string>[];
  /** Subnets of NAT gateways and of public load balancers, one in each zone. */
  readonly publicSubnetIds: pulumi.Output<string>[];
  /** Subnets of the DNS entry point, one in each zone. */
  readonly dnsSubnets: DnsSubnet[];
  /** Every subnet of the VPC: what the fence is put around. */
  readonly subnetIds: pulumi.Output<string>[];
  /** The peering, requested or accepted; undefined until the other region is known. */
  readonly peeringConnectionId: pulumi.Output<string> | undefined;
  /** What must be there before a node can reach the internet, and go after the nodes. */
  readonly egress: pulumi.Resource[];

  private readonly label: string;

  constructor(
    private readonly name: string,
    private readonly args: RegionNetworkArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("camunda8:aws:RegionNetwork", name, {}, options);
    const { eks, region } = args;
    const cidr = eks.cidrs[region].vpc;
    this.label = `${eks.prefix}-${region}`;

    const vpc = new aws.ec2.Vpc(
      `${name}-vpc`,
      {
        cidrBlock: cidr,
        // The private endpoint of EKS is a name that the VPC's resolver answers.
        enableDnsSupport: true,
        enableDnsHostnames: true,
        tags: { Name: this.label },
      },
      { parent: this },
    );
    this.vpcId = vpc.id;
    const subnets = this.subnets();
    const of = (kind: SubnetPlan["kind"]) =>
      subnets.filter(({ plan }) => plan.kind === kind).map(({ subnet }) => subnet);
    const addresses = dnsAddresses(cidr);
    this.privateSubnetIds = of("private").map(({ id }) => id);
    this.publicSubnetIds = of("public").map(({ id }) => id);
    this.dnsSubnets = of("dns").map(({ id }, zone) => ({ id, address: addresses[zone] ?? "" }));
    this.subnetIds = subnets.map(({ subnet }) => subnet.id);

    this.peeringConnectionId = this.peering();
    const toPeer =
      this.peeringConnectionId === undefined
        ? []
        : [
            {
              cidrBlock: eks.cidrs[peerOf(region)].vpc,
              vpcPeeringConnectionId: this.peeringConnectionId,
            },
          ];
    this.egress = this.routes(of("public"), of("private"), toPeer);
    this.routeTable("dns", of("dns"), toPeer);
    this.registerOutputs({
      vpcId: this.vpcId,
      subnetIds: this.subnetIds,
      peeringConnectionId: this.peeringConnectionId,
    });
  }

  private subnets(): { plan: SubnetPlan; subnet: aws.ec2.Subnet }[] {
    const { eks, region } = this.args;
    const zones = zoneIds(eks.awsRegions[region]);
    const cluster = { [`kubernetes.io/cluster/${clusterName(eks, region)}`]: "shared" };
    // None on those of DNS: a load balancer of somebody's Service must not take the addresses there.
    const roles: Record<SubnetPlan["kind"], Record<string, string>> = {
      private: { ...cluster, "kubernetes.io/role/internal-elb": "1" },
      public: { ...cluster, "kubernetes.io/role/elb": "1" },
      dns: {},
    };
    return subnetPlan(eks.cidrs[region].vpc).map((plan) => ({
      plan,
      subnet: new aws.ec2.Subnet(
        `${this.name}-${plan.kind}-${plan.zone}`,
        {
          vpcId: this.vpcId,
          cidrBlock: plan.cidr,
          availabilityZoneId: zones[plan.zone],
          mapPublicIpOnLaunch: false,
          tags: { Name: `${this.label}-${plan.kind}-${plan.zone}`, ...roles[plan.kind] },
        },
        { parent: this },
      ),
    }));
  }

  private peering(): pulumi.Output<string> | undefined {
    const { eks, region, peer } = this.args;
    const tags = { Name: `${eks.prefix}-region1-region0` };
    if (region === "region1" && peer.vpcId !== undefined) {
      return new aws.ec2.VpcPeeringConnection(
        `${this.name}-peering`,
        {
          vpcId: this.vpcId,
          peerVpcId: peer.vpcId,
          peerRegion: eks.awsRegions[peerOf(region)],
          autoAccept: false,
          tags,
        },
        { parent: this, retainOnDelete: true },
      ).id;
    }
    if (region === "region0" && peer.peeringConnectionId !== undefined) {
      return new aws.ec2.VpcPeeringConnectionAccepter(
        `${this.name}-peering`,
        { vpcPeeringConnectionId: peer.peeringConnectionId, autoAccept: true, tags },
        { parent: this },
      ).vpcPeeringConnectionId;
    }
    return undefined;
  }

  /** Internet gateway, NAT, and the tables of public and private subnets. */
  private routes(
    publicSubnets: aws.ec2.Subnet[],
    privateSubnets: aws.ec2.Subnet[],
    toPeer: aws.types.input.ec2.RouteTableRoute[],
  ): pulumi.Resource[] {
    const gateway = new aws.ec2.InternetGateway(
      `${this.name}-internet`,
      { vpcId: this.vpcId, tags: { Name: this.label } },
      { parent: this },
    );
    this.routeTable("public", publicSubnets, [{ cidrBlock: "0.0.0.0/0", gatewayId: gateway.id }]);
    const count = this.args.eks.natGateways === "single" ? 1 : publicSubnets.length;
    const nats = publicSubnets.slice(0, count).map((subnet, zone) => {
      const tags = { Name: `${this.label}-nat-${zone}` };
      const address = new aws.ec2.Eip(
        `${this.name}-nat-${zone}`,
        { domain: "vpc", tags },
        { parent: this },
      );
      return new aws.ec2.NatGateway(
        `${this.name}-nat-${zone}`,
        { subnetId: subnet.id, allocationId: address.id, tags },
        { parent: this, dependsOn: [gateway] },
      );
    });
    const tables = privateSubnets.map((subnet, zone) =>
      this.routeTable(
        `private-${zone}`,
        [subnet],
        [{ cidrBlock: "0.0.0.0/0", natGatewayId: nats[zone % count]?.id }, ...toPeer],
      ),
    );
    // Snapshots of this region's bucket, and images of ECR, need no NAT gateway. It costs nothing.
    new aws.ec2.VpcEndpoint(
      `${this.name}-s3`,
      {
        vpcId: this.vpcId,
        serviceName: `com.amazonaws.${this.args.eks.awsRegions[this.args.region]}.s3`,
        vpcEndpointType: "Gateway",
        routeTableIds: tables.map(({ id }) => id),
        tags: { Name: `${this.label}-s3` },
      },
      { parent: this },
    );
    return tables.flatMap(({ associations }) => associations);
  }

  private routeTable(
    kind: string,
    subnets: aws.ec2.Subnet[],
    routes: aws.types.input.ec2.RouteTableRoute[],
  ): { id: pulumi.Output<string>; associations: pulumi.Resource[] } {
    const table = new aws.ec2.RouteTable(
      `${this.name}-${kind}`,
      // Given also when it is empty: what is not given is left as it is.
      { vpcId: this.vpcId, routes, tags: { Name: `${this.label}-${kind}` } },
      { parent: this },
    );
    const associations = subnets.map(
      (subnet, index) =>
        new aws.ec2.RouteTableAssociation(
          `${this.name}-${kind}${subnets.length > 1 ? `-${index}` : ""}`,
          { subnetId: subnet.id, routeTableId: table.id },
          { parent: this },
        ),
    );
    return { id: table.id, associations };
  }
}
