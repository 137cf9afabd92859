import { dnsAddresses, subnetPlan } from "../../../../components/settings/eksNames";
import { AwsStandIn } from "../../../../world/aws";

import * as tokens from "../../../../world/aws/tokens";

import { zoneId, zonesOf } from "../../../../world/aws/vpc";
import { Aws } from "../../../../world/aws/state";
import { Outages } from "../../../../world/pulumi/outages";
import type { Diff, Properties } from "../../../../world/pulumi/properties";
import type { Call } from "../../../../world/pulumi/standIn";

export const LONDON = "eu-west-2";
export const PARIS = "eu-west-3";
export const ACCOUNT = "123456789012";

/** A resource that a {@link Cloud} has made. */
export interface Made {
  region: string;
  type: string;
  name: string;
  id: string;
  inputs: Properties;
  outputs: Properties;
}

/** The stand-in for AWS, asked as the engine would, without one. */
export class Cloud {
  readonly addons: string[] = [];
  readonly aws = new Aws(
    ACCOUNT,
    new Outages(20),
    {
      onCluster: async (region, { name }) => ({
        endpoint: `https://${name}.${region}`,
        certificateAuthority: "Q0E=",
      }),
      onClusterDeleted: async () => undefined,
      onAddon: async (region, cluster, addon) => {
        this.addons.push(`${region} ${cluster} ${addon}`);
      },
    },
    { Z1: "example.com" },
  );
  readonly standIn = new AwsStandIn(this.aws);
  private count = 0;

  call(region: string | undefined, type: string, name: string, config: Properties = {}): Call {
    return {
      type,
      name,
      urn: `urn:pulumi:test::test::${type}::${name}`,
      stack: "test",
      provider: "aws",
      config: { region, ...config },
      region,
      preview: false,
      signal: new AbortController().signal,
    };
  }

  /** Checks the inputs and creates. Rejects with everything that is refused. */
  async make(region: string, type: string, inputs: Properties, name?: string): Promise<Made> {
    const call = this.call(region, type, name ?? `r${++this.count}`);
    const checked = this.check(call, inputs, undefined);
    const { id, outputs } = await this.standIn.create(call, checked);
    return { region, type, name: call.name, id, inputs: checked, outputs };
  }

  /** Checks the inputs and updates in place. */
  async change(made: Made, change: Properties): Promise<Properties> {
    const call = this.call(made.region, made.type, made.name);
    const inputs = this.check(call, { ...made.inputs, ...change }, made.inputs);
    made.outputs = await this.standIn.update(call, made.id, made, inputs);
    made.inputs = inputs;
    return made.outputs;
  }

  /** What a change would do. */
  diff(made: Made, change: Properties): Diff {
    const call = this.call(made.region, made.type, made.name);
    const given = Object.fromEntries(
      Object.entries({ ...made.inputs, ...change }).filter(([, value]) => value !== undefined),
    );
    return this.standIn.diff(call, made.id, made, this.check(call, given, made.inputs));
  }

  async remove(made: Made): Promise<void> {
    await this.standIn.delete(this.call(made.region, made.type, made.name), made.id);
  }

  read({ region, type, name, id }: Made, config: Properties = {}): Properties | undefined {
    return this.standIn.read(this.call(region, type, name, config), id)?.outputs;
  }

  private check(call: Call, inputs: Properties, old: Properties | undefined): Properties {
    const { failures, inputs: checked } = this.standIn.check(call, inputs, old);
    if (failures.length > 0) {
      throw new Error(failures.map(({ reason }) => reason).join("\n"));
    }
    return checked;
  }
}

const trust = (principal: Properties, action = "sts:AssumeRole") =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: principal, Action: action }],
  });

/** A role that a service takes, with policies of AWS's own. */
export async function serviceRole(
  cloud: Cloud,
  region: string,
  service: string,
  policies: string[],
): Promise<Made> {
  const role = await cloud.make(region, tokens.ROLE, {
    assumeRolePolicy: trust({ Service: service }),
  });
  for (const policy of policies) {
    await cloud.make(region, tokens.ROLE_POLICY_ATTACHMENT, {
      role: role.id,
      policyArn: `arn:aws:iam::aws:policy/${policy}`,
    });
  }
  return role;
}

/** What {@link buildRegion} has made. */
export interface BuiltRegion {
  name: string;
  vpc: Made;
  subnets: Record<"private" | "public" | "dns", Made[]>;
  tables: Record<"private" | "dns", Made>;
  acl: Made;
  cluster: Made;
  nodes: Made;
  coreDns: Made;
  balancer: Made;
  targets: Made;
  listener: Made;
  attachment: Made;
  rules: Made[];
}

const EVERYTHING = { protocol: "-1", fromPort: 0, toPort: 0 };

/** Rules of the fence's ACL. */
export function fenceRules(denied?: string): Properties[] {
  return [
    ...(denied === undefined
      ? []
      : [{ ...EVERYTHING, ruleNo: 10, action: "deny", cidrBlock: denied }]),
    { ...EVERYTHING, ruleNo: 100, action: "allow", cidrBlock: "0.0.0.0/0" },
  ];
}

/** A Corefile that forwards a zone. */
export function corefileFor(zone: string, addresses: string[], tcp = true): string {
  return `.:53 {
    errors
    health
    ready
    kubernetes cluster.local
    forward . /etc/resolv.conf
}
${zone}:53 {
    forward . ${addresses.join(" ")} {
        max_fails 2
        ${tcp ? "force_tcp" : ""}
    }
}
`;
}

/** A region with everything that two regions need to know each other but the peering. */
export async function buildRegion(
  cloud: Cloud,
  region: string,
  cidr: string,
  peer: { cidr: string; zone: string },
): Promise<BuiltRegion> {
  const make = (type: string, inputs: Properties) => cloud.make(region, type, inputs);
  const vpc = await make(tokens.VPC, { cidrBlock: cidr });
  const subnets: BuiltRegion["subnets"] = { private: [], public: [], dns: [] };
  for (const plan of subnetPlan(cidr)) {
    const availabilityZoneId = zonesOf(region).map(zoneId)[plan.zone];
    const inputs = { vpcId: vpc.id, cidrBlock: plan.cidr, availabilityZoneId };
    subnets[plan.kind].push(await make(tokens.SUBNET, inputs));
  }
  const gateway = await make(tokens.INTERNET_GATEWAY, { vpcId: vpc.id });
  const address = await make(tokens.EIP, {});
  const nat = await make(tokens.NAT_GATEWAY, {
    subnetId: subnets.public[0]?.id,
    allocationId: address.id,
  });
  const table = async (routes: Properties[], places: Made[]) => {
    const made = await make(tokens.ROUTE_TABLE, { vpcId: vpc.id, routes });
    for (const { id } of places) {
      await make(tokens.ROUTE_TABLE_ASSOCIATION, { routeTableId: made.id, subnetId: id });
    }
    return made;
  };
  await table([{ cidrBlock: "0.0.0.0/0", gatewayId: gateway.id }], subnets.public);
  const tables = {
    private: await table([{ cidrBlock: "0.0.0.0/0", natGatewayId: nat.id }], subnets.private),
    dns: await table([], subnets.dns),
  };
  const acl = await make(tokens.NETWORK_ACL, {
    vpcId: vpc.id,
    subnetIds: Object.values(subnets)
      .flat()
      .map(({ id }) => id),
    ingress: fenceRules(),
    egress: fenceRules(),
  });
  const role = await serviceRole(cloud, region, "eks.amazonaws.com", ["AmazonEKSClusterPolicy"]);
  const cluster = await make(tokens.CLUSTER, {
    name: "camunda",
    roleArn: role.outputs.arn,
    bootstrapSelfManagedAddons: false,
    vpcConfig: { subnetIds: subnets.private.map(({ id }) => id) },
  });
  for (const addonName of ["vpc-cni", "kube-proxy"]) {
    await make(tokens.ADDON, { clusterName: cluster.id, addonName });
  }
  const nodeRole = await serviceRole(cloud, region, "ec2.amazonaws.com", [
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKS_CNI_Policy",
  ]);
  const nodes = await make(tokens.NODE_GROUP, {
    clusterName: cluster.id,
    nodeRoleArn: nodeRole.outputs.arn,
    subnetIds: subnets.private.map(({ id }) => id),
    scalingConfig: { minSize: 1, desiredSize: 4, maxSize: 10 },
  });
  const coreDns = await make(tokens.ADDON, {
    clusterName: cluster.id,
    addonName: "coredns",
    configurationValues: JSON.stringify({
      corefile: corefileFor(peer.zone, dnsAddresses(peer.cidr)),
    }),
  });
  const group = await make(tokens.SECURITY_GROUP, { vpcId: vpc.id });
  const ofCluster = (cluster.outputs.vpcConfig as Properties).clusterSecurityGroupId;
  const tcp = (port: number) => ({ ipProtocol: "tcp", fromPort: port, toPort: port });
  const rules = [
    await make(tokens.INGRESS_RULE, {
      ...tcp(26502),
      securityGroupId: ofCluster,
      cidrIpv4: peer.cidr,
    }),
    await make(tokens.INGRESS_RULE, {
      ...tcp(26502),
      ipProtocol: "udp",
      securityGroupId: ofCluster,
      cidrIpv4: peer.cidr,
    }),
    await make(tokens.INGRESS_RULE, { ...tcp(53), securityGroupId: group.id, cidrIpv4: peer.cidr }),
    await make(tokens.EGRESS_RULE, {
      ...tcp(30053),
      securityGroupId: group.id,
      referencedSecurityGroupId: `${ACCOUNT}/${String(ofCluster)}`,
    }),
    await make(tokens.INGRESS_RULE, {
      ...tcp(30053),
      securityGroupId: ofCluster,
      referencedSecurityGroupId: group.id,
    }),
  ];
  const balancer = await make(tokens.LOAD_BALANCER, {
    loadBalancerType: "network",
    internal: true,
    enableCrossZoneLoadBalancing: true,
    securityGroups: [group.id],
    subnetMappings: subnets.dns.map(({ id }, zone) => ({
      subnetId: id,
      privateIpv4Address: dnsAddresses(cidr)[zone],
    })),
  });
  const targets = await make(tokens.TARGET_GROUP, {
    vpcId: vpc.id,
    protocol: "TCP",
    port: 30053,
    preserveClientIp: "false",
  });
  const listener = await make(tokens.LISTENER, {
    loadBalancerArn: balancer.id,
    protocol: "TCP",
    port: 53,
    defaultActions: [{ type: "forward", targetGroupArn: targets.id }],
  });
  const attachment = await make(tokens.ATTACHMENT, {
    autoscalingGroupName: autoscalingGroupOf(nodes),
    lbTargetGroupArn: targets.id,
  });
  return {
    name: region,
    vpc,
    subnets,
    tables,
    acl,
    cluster,
    nodes,
    coreDns,
    balancer,
    targets,
    listener,
    attachment,
    rules,
  };
}

/** Auto Scaling group of a node group. */
export function autoscalingGroupOf({ outputs }: Made): string {
  const [{ autoscalingGroups }] = outputs.resources as [{ autoscalingGroups: { name: string }[] }];
  return autoscalingGroups[0]?.name ?? "";
}

/** Peers two regions, and routes each to the other. */
export async function peer(
  cloud: Cloud,
  requester: BuiltRegion,
  accepter: BuiltRegion,
): Promise<Made> {
  const peering = await cloud.make(requester.name, tokens.PEERING, {
    vpcId: requester.vpc.id,
    peerVpcId: accepter.vpc.id,
    peerRegion: accepter.name,
  });
  await cloud.make(accepter.name, tokens.PEERING_ACCEPTER, {
    vpcPeeringConnectionId: peering.id,
    autoAccept: true,
  });
  for (const [own, other] of [
    [requester, accepter],
    [accepter, requester],
  ] as const) {
    for (const table of Object.values(own.tables)) {
      await cloud.change(table, {
        routes: [
          ...(table.inputs.routes as Properties[]),
          { cidrBlock: other.vpc.inputs.cidrBlock, vpcPeeringConnectionId: peering.id },
        ],
      });
    }
  }
  return peering;
}
