import assert from "node:assert/strict";
import * as ec2 from "../../../world/aws/ec2";
import * as eks from "../../../world/aws/eks";
import * as iam from "../../../world/aws/iam";
import * as lb from "../../../world/aws/lb";
import * as route53 from "../../../world/aws/route53";
import * as s3 from "../../../world/aws/s3";
import { zoneId } from "../../../world/aws/ec2";
import { Properties, UNKNOWN } from "../../../world/pulumi/properties";
import {
  ACCOUNT,
  autoscalingGroupOf,
  BuiltRegion,
  buildRegion,
  Cloud,
  fenceRules,
  LONDON,
  Made,
  PARIS,
  peer,
  serviceRole,
} from "./cloud";

const LONDON_VPC = "10.192.0.0/16";
const PARIS_VPC = "10.202.0.0/16";
const policy = (statement: Properties, version = "2012-10-17") =>
  JSON.stringify({ Version: version, Statement: [statement] });
const readBucket = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*" };
const corefile = (text: string) => JSON.stringify({ corefile: text });
const rule = (properties: Properties) => [{ ...fenceRules()[0], ...properties }];

describe("the stand-in for AWS", () => {
  let cloud: Cloud;
  let london: BuiltRegion;
  let paris: BuiltRegion;
  let peering: Made;

  beforeEach(async () => {
    cloud = new Cloud();
    const other = (cidr: string, zone: string) => ({ cidr, zone: `${zone}.svc.cluster.local` });
    london = await buildRegion(cloud, LONDON, LONDON_VPC, other(PARIS_VPC, "camunda-paris"));
    paris = await buildRegion(cloud, PARIS, PARIS_VPC, other(LONDON_VPC, "camunda-london"));
    peering = await peer(cloud, paris, london);
  });

  const make = (type: string, inputs: Properties, region = LONDON) =>
    cloud.make(region, type, inputs);
  const vpcId = () => london.vpc.id;
  const subnet = () => london.subnets.private[0] as Made;
  const ofCluster = () =>
    String((london.cluster.outputs.vpcConfig as Properties).clusterSecurityGroupId);
  const table = (routes: Properties[]) => make(ec2.ROUTE_TABLE, { vpcId: vpcId(), routes });
  const acl = (ingress: Properties[]) => make(ec2.NETWORK_ACL, { vpcId: vpcId(), ingress });
  const ingress = (inputs: Properties) =>
    make(ec2.INGRESS_RULE, { securityGroupId: ofCluster(), ipProtocol: "tcp", ...inputs });
  const bucket = (name: string, region = LONDON) => make(s3.BUCKET, { bucket: name }, region);
  const role = (inputs: Properties = {}) =>
    make(iam.ROLE, {
      assumeRolePolicy: policy({
        Effect: "Allow",
        Principal: { Service: "ec2.amazonaws.com" },
        Action: "sts:AssumeRole",
      }),
      ...inputs,
    });
  const balancer = (inputs: Properties) =>
    make(lb.LOAD_BALANCER, { loadBalancerType: "network", internal: true, ...inputs });
  const at = (index: number, address: string) => ({
    subnetId: london.subnets.dns[index]?.id,
    privateIpv4Address: address,
  });
  const targets = (inputs: Properties) =>
    make(lb.TARGET_GROUP, { vpcId: vpcId(), port: 30054, protocol: "TCP", ...inputs });
  const listener = (inputs: Properties) =>
    make(lb.LISTENER, {
      loadBalancerArn: london.balancer.id,
      protocol: "TCP",
      port: 54,
      defaultActions: [{ type: "forward", targetGroupArn: london.targets.id }],
      ...inputs,
    });
  const cluster = async (inputs: Properties) => {
    const own = await serviceRole(cloud, LONDON, "eks.amazonaws.com", ["AmazonEKSClusterPolicy"]);
    return make(eks.CLUSTER, {
      name: "second",
      roleArn: own.outputs.arn,
      vpcConfig: { subnetIds: london.subnets.private.map(({ id }) => id) },
      ...inputs,
    });
  };
  const nodes = async (policies: string[], inputs: Properties = {}) => {
    const own = await serviceRole(cloud, LONDON, "ec2.amazonaws.com", policies);
    return make(eks.NODE_GROUP, {
      clusterName: "camunda",
      nodeRoleArn: own.outputs.arn,
      subnetIds: [subnet().id],
      scalingConfig: { minSize: 1, desiredSize: 2, maxSize: 3 },
      ...inputs,
    });
  };
  const addon = (addonName: string, inputs: Properties = {}) =>
    make(eks.ADDON, { clusterName: "camunda", addonName, ...inputs });
  const record = (inputs: Properties) =>
    make(route53.RECORD, {
      zoneId: "Z1",
      name: "camunda.example.com",
      type: "CNAME",
      ttl: 30,
      records: ["london.example.org"],
      ...inputs,
    });
  const all = [
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKS_CNI_Policy",
  ];

  const refused: [string, RegExp, () => Promise<unknown>][] = [
    // VPC and subnets
    ["a VPC without a CIDR", /"cidrBlock" is required/, () => make(ec2.VPC, {})],
    [
      "a VPC with address bits",
      /"10\.0\.0\.1\/16" is not a valid IPv4 CIDR/,
      () => make(ec2.VPC, { cidrBlock: "10.0.0.1/16" }),
    ],
    [
      "a VPC that is too large",
      /InvalidVpc\.Range/,
      () => make(ec2.VPC, { cidrBlock: "10.0.0.0/8" }),
    ],
    [
      "deleting a VPC with something in it",
      /DependencyViolation.*subnet-/,
      () => cloud.remove(london.vpc),
    ],
    [
      "a subnet in a VPC of another region",
      /InvalidVpcID\.NotFound/,
      () => make(ec2.SUBNET, { vpcId: paris.vpc.id, cidrBlock: "10.202.0.0/28" }),
    ],
    [
      "a subnet outside of its VPC",
      /InvalidSubnet\.Range/,
      () => make(ec2.SUBNET, { vpcId: vpcId(), cidrBlock: "10.193.0.0/24" }),
    ],
    [
      "a subnet over another",
      /InvalidSubnet\.Conflict/,
      () => make(ec2.SUBNET, { vpcId: vpcId(), cidrBlock: "10.192.1.0/24" }),
    ],
    [
      "a subnet in a zone of another region",
      /can currently only be created in: eu-west-2a/,
      () =>
        make(ec2.SUBNET, {
          vpcId: vpcId(),
          cidrBlock: "10.192.224.0/24",
          availabilityZoneId: "euw3-az1",
        }),
    ],
    ["deleting a subnet with nodes", /DependencyViolation/, () => cloud.remove(subnet())],
    // gateways
    [
      "a second internet gateway",
      /Resource\.AlreadyAssociated/,
      () => make(ec2.INTERNET_GATEWAY, { vpcId: vpcId() }),
    ],
    [
      "a NAT gateway without an address",
      /"allocationId": must be given/,
      () => make(ec2.NAT_GATEWAY, { subnetId: subnet().id }),
    ],
    [
      "a NAT gateway with a taken address",
      /is already associated/,
      () =>
        make(ec2.NAT_GATEWAY, {
          subnetId: subnet().id,
          allocationId: cloud.aws.list(ec2.EIP, LONDON)[0]?.id,
        }),
    ],
    [
      "a NAT gateway in a VPC without a way out",
      /Gateway\.NotAttached/,
      async () => {
        const alone = await make(ec2.VPC, { cidrBlock: "10.1.0.0/16" });
        const place = await make(ec2.SUBNET, { vpcId: alone.id, cidrBlock: "10.1.0.0/24" });
        return make(ec2.NAT_GATEWAY, {
          subnetId: place.id,
          allocationId: (await make(ec2.EIP, {})).id,
        });
      },
    ],
    // routes
    [
      "two routes to one CIDR",
      /RouteAlreadyExists/,
      () =>
        table([
          { cidrBlock: "0.0.0.0/0", natGatewayId: "n" },
          { cidrBlock: "0.0.0.0/0", gatewayId: "i" },
        ]),
    ],
    [
      "a route without a target",
      /exactly one target, it has none/,
      () => table([{ cidrBlock: "0.0.0.0/0" }]),
    ],
    [
      "a route to a gateway that is not there",
      /InvalidNatGatewayID\.NotFound/,
      () => table([{ cidrBlock: "0.0.0.0/0", natGatewayId: "nat-0" }]),
    ],
    [
      "a route to another VPC's gateway",
      /belong to different networks/,
      async () => {
        const alone = await make(ec2.VPC, { cidrBlock: "10.1.0.0/16" });
        const gateway = await make(ec2.INTERNET_GATEWAY, { vpcId: alone.id });
        return table([{ cidrBlock: "0.0.0.0/0", gatewayId: gateway.id }]);
      },
    ],
    [
      "a route over the local one",
      /local route/,
      () => table([{ cidrBlock: "10.192.1.0/24", vpcPeeringConnectionId: peering.id }]),
    ],
    [
      "a route to a peering that is not there",
      /InvalidVpcPeeringConnectionID\.NotFound/,
      () => table([{ cidrBlock: PARIS_VPC, vpcPeeringConnectionId: "pcx-0" }]),
    ],
    [
      "a route to a deleted peering",
      /does not exist for vpc-\w+ \(deleted\)/,
      () => {
        cloud.aws.forget(PARIS);
        return table([{ cidrBlock: PARIS_VPC, vpcPeeringConnectionId: peering.id }]);
      },
    ],
    [
      "a second route table of a subnet",
      /conflicts with an existing association/,
      () =>
        make(ec2.ROUTE_TABLE_ASSOCIATION, {
          subnetId: subnet().id,
          routeTableId: london.tables.dns.id,
        }),
    ],
    [
      "deleting a route table in use",
      /DependencyViolation/,
      () => cloud.remove(london.tables.private),
    ],
    // security groups
    [
      "a rule without ports",
      /tcp needs fromPort and toPort/,
      () => ingress({ cidrIpv4: PARIS_VPC }),
    ],
    [
      "a rule with ports for all protocols",
      /give none/,
      () => ingress({ ipProtocol: "-1", fromPort: 1, toPort: 2, cidrIpv4: PARIS_VPC }),
    ],
    [
      "a rule from nowhere",
      /exactly one of .* not none/,
      () => ingress({ fromPort: 1, toPort: 1 }),
    ],
    [
      "a rule from two sources",
      /not cidrIpv4 and referencedSecurityGroupId/,
      () =>
        ingress({
          fromPort: 1,
          toPort: 1,
          cidrIpv4: PARIS_VPC,
          referencedSecurityGroupId: ofCluster(),
        }),
    ],
    [
      "a rule from another region's group",
      /InvalidGroup\.NotFound/,
      () =>
        ingress({
          fromPort: 1,
          toPort: 1,
          referencedSecurityGroupId: (paris.cluster.outputs.vpcConfig as Properties)
            .clusterSecurityGroupId,
        }),
    ],
    [
      "a rule from a group of another account",
      /The ID '999999999999\/sg-\w+' does not exist/,
      () =>
        ingress({
          fromPort: 1,
          toPort: 1,
          referencedSecurityGroupId: `999999999999/${ofCluster()}`,
        }),
    ],
    [
      "a rule from a group that is there, with the account written to it",
      /InvalidPermission\.Duplicate/,
      () =>
        ingress({
          fromPort: 30053,
          toPort: 30053,
          referencedSecurityGroupId: `${ACCOUNT}/${String(london.rules[4]?.inputs.referencedSecurityGroupId)}`,
        }),
    ],
    [
      "modifying a rule between groups with the account in it",
      /InvalidGroupId\.Malformed/,
      () => cloud.change(london.rules[3] as Made, { description: "DNS" }),
    ],
    [
      "deleting a group that a rule references with the account",
      /DependencyViolation/,
      async () => {
        const group = await make(ec2.SECURITY_GROUP, { vpcId: vpcId() });
        const reference = `${ACCOUNT}/${group.id}`;
        await ingress({ fromPort: 1, toPort: 1, referencedSecurityGroupId: reference });
        return cloud.remove(group);
      },
    ],
    [
      "a rule that is there",
      /InvalidPermission\.Duplicate/,
      () => ingress({ fromPort: 26502, toPort: 26502, cidrIpv4: PARIS_VPC }),
    ],
    [
      "two groups of one name",
      /InvalidGroup\.Duplicate/,
      async () => {
        await make(ec2.SECURITY_GROUP, { vpcId: vpcId(), name: "dns" });
        return make(ec2.SECURITY_GROUP, { vpcId: vpcId(), name: "dns" });
      },
    ],
    [
      "deleting a group in use",
      /dependent object/,
      () => {
        const [id] = london.balancer.inputs.securityGroups as string[];
        const item = cloud.aws.find(ec2.SECURITY_GROUP, LONDON, id);
        assert.ok(item);
        return cloud.remove({ ...item, region: LONDON, name: "group" });
      },
    ],
    // network ACL
    ["a rule number of nobody", /32767 is not 1 to 32766/, () => acl(rule({ ruleNo: 32767 }))],
    [
      "a rule number twice",
      /NetworkAclEntryAlreadyExists/,
      () => acl([...fenceRules(), ...rule({ action: "deny" })]),
    ],
    ["an action of nobody", /"block" is not allow or deny/, () => acl(rule({ action: "block" }))],
    ["ports for all protocols", /must both be 0/, () => acl(rule({ fromPort: 1, toPort: 2 }))],
    ["a malformed CIDR", /is not a valid IPv4 CIDR/, () => acl(rule({ cidrBlock: "10.1.1.1/8" }))],
    [
      "too many rules",
      /NetworkAclEntryLimitExceeded/,
      () =>
        acl(Array.from({ length: 21 }, (_, index) => ({ ...fenceRules()[0], ruleNo: index + 1 }))),
    ],
    [
      "an ACL on another VPC's subnet",
      /InvalidSubnetID\.NotFound/,
      () => cloud.change(london.acl, { subnetIds: [paris.subnets.dns[0]?.id] }),
    ],
    // peering
    [
      "a peering that accepts itself across regions",
      /cannot be set whilst/,
      () =>
        make(ec2.PEERING, {
          vpcId: vpcId(),
          peerVpcId: "vpc-0",
          peerRegion: PARIS,
          autoAccept: true,
        }),
    ],
    [
      "a peering with nobody",
      /unexpected state 'failed'.*vpc-0 does not exist in eu-west-3/,
      () => make(ec2.PEERING, { vpcId: vpcId(), peerVpcId: "vpc-0", peerRegion: PARIS }),
    ],
    [
      "a peering with a lost region",
      /or the region does not answer/,
      () => {
        cloud.aws.outages.lose(PARIS);
        return make(ec2.PEERING, { vpcId: vpcId(), peerVpcId: paris.vpc.id, peerRegion: PARIS });
      },
    ],
    [
      "a peering of overlapping VPCs",
      /overlap/,
      async () => {
        const twin = await make(ec2.VPC, { cidrBlock: LONDON_VPC }, PARIS);
        return make(ec2.PEERING, { vpcId: vpcId(), peerVpcId: twin.id, peerRegion: PARIS });
      },
    ],
    [
      "a second peering of two VPCs",
      /VpcPeeringConnectionAlreadyExists/,
      () => make(ec2.PEERING, { vpcId: vpcId(), peerVpcId: paris.vpc.id, peerRegion: PARIS }),
    ],
    [
      "accepting what is not there",
      /couldn't find resource/,
      () => make(ec2.PEERING_ACCEPTER, { vpcPeeringConnectionId: "pcx-0", autoAccept: true }),
    ],
    [
      "accepting what is deleted",
      /reading EC2 VPC Peering Connection \(pcx-\w+\): deleted/,
      () => {
        cloud.aws.forget(PARIS);
        return make(ec2.PEERING_ACCEPTER, { vpcPeeringConnectionId: peering.id, autoAccept: true });
      },
    ],
    [
      "accepting one's own request",
      /must be accepted in region eu-west-2/,
      async () => {
        const third = await make(ec2.VPC, { cidrBlock: "10.3.0.0/16" });
        const request = await make(
          ec2.PEERING,
          { vpcId: paris.vpc.id, peerVpcId: third.id, peerRegion: LONDON },
          PARIS,
        );
        return make(
          ec2.PEERING_ACCEPTER,
          { vpcPeeringConnectionId: request.id, autoAccept: true },
          PARIS,
        );
      },
    ],
    // templates
    [
      "a launch template with a wrong hop limit",
      /0 is not 1 to 64/,
      () => make(ec2.LAUNCH_TEMPLATE, { metadataOptions: { httpPutResponseHopLimit: 0 } }),
    ],
    // EKS
    [
      "a cluster of a role that EKS may not take",
      /could not be assumed/,
      async () => {
        const own = await serviceRole(cloud, LONDON, "ec2.amazonaws.com", [
          "AmazonEKSClusterPolicy",
        ]);
        return cluster({ roleArn: own.outputs.arn });
      },
    ],
    [
      "a cluster of a role without its policy",
      /has no AmazonEKSClusterPolicy/,
      async () => {
        const own = await serviceRole(cloud, LONDON, "eks.amazonaws.com", []);
        return cluster({ roleArn: own.outputs.arn });
      },
    ],
    [
      "a cluster in one zone",
      /at least two different AZs/,
      () => cluster({ vpcConfig: { subnetIds: [subnet().id] } }),
    ],
    [
      "a second cluster of one name",
      /Cluster already exists with name: camunda/,
      () => cluster({ name: "camunda" }),
    ],
    [
      "a cluster of an unknown version",
      /unsupported Kubernetes version 1\.99/,
      () => cluster({ version: "1.99" }),
    ],
    [
      "services in the VPC's CIDR",
      /overlaps with the VPC's/,
      () => cluster({ kubernetesNetworkConfig: { serviceIpv4Cidr: "10.192.0.0/16" } }),
    ],
    [
      "services with public addresses",
      /must be a private \/12 to \/24/,
      () => cluster({ kubernetesNetworkConfig: { serviceIpv4Cidr: "8.8.0.0/16" } }),
    ],
    [
      "a key of another region",
      /The key .* does not exist/,
      async () => {
        const key = await make(s3.KMS_KEY, {}, PARIS);
        return cluster({
          encryptionConfig: { resources: ["secrets"], provider: { keyArn: key.outputs.arn } },
        });
      },
    ],
    [
      "encrypting something else",
      /must be \["secrets"\]/,
      () => cluster({ encryptionConfig: { resources: ["pods"], provider: { keyArn: "k" } } }),
    ],
    [
      "a cluster without any endpoint",
      /cannot both be off/,
      () => cluster({ vpcConfig: { subnetIds: [], endpointPublicAccess: false } }),
    ],
    [
      "deleting a cluster with nodes",
      /has nodegroups attached/,
      () => cloud.remove(london.cluster),
    ],
    [
      "nodes without their policies",
      /NodeCreationFailure.*AmazonEKSWorkerNodePolicy/,
      () => nodes(["AmazonEC2ContainerRegistryReadOnly", "AmazonEKS_CNI_Policy"]),
    ],
    [
      "nodes that cannot pull",
      /AmazonEC2ContainerRegistryReadOnly or/,
      () => nodes(["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy"]),
    ],
    [
      "nodes without a network add-on",
      /missing: .*add-on vpc-cni; add-on kube-proxy/,
      async () => {
        await cluster({ bootstrapSelfManagedAddons: false });
        return nodes(all, { clusterName: "second" });
      },
    ],
    [
      "nodes in a subnet without a way out",
      /no way out of subnet-/,
      () => nodes(all, { subnetIds: [london.subnets.dns[0]?.id] }),
    ],
    [
      "sizes out of order",
      /min 3 <= desired 2/,
      () => nodes(all, { scalingConfig: { minSize: 3, desiredSize: 2, maxSize: 3 } }),
    ],
    [
      "a disk beside a launch template",
      /within the launch template/,
      () => nodes(all, { diskSize: 20, launchTemplate: { id: "lt-0", version: "1" } }),
    ],
    [
      "a launch template that is not there",
      /has no version 7/,
      async () => {
        const template = await make(ec2.LAUNCH_TEMPLATE, {});
        return nodes(all, { launchTemplate: { id: template.id, version: "7" } });
      },
    ],
    [
      "types of instances in the template and beside it",
      /not in both/,
      async () => {
        const { id } = await make(ec2.LAUNCH_TEMPLATE, { instanceType: "m6i.xlarge" });
        return nodes(all, {
          instanceTypes: ["m6i.xlarge"],
          launchTemplate: { id, version: "1" },
        });
      },
    ],
    [
      "a type of instances that moves into the template",
      /You must continue to not specify an instance type within the launch template/,
      async () => {
        const template = await make(ec2.LAUNCH_TEMPLATE, {});
        const made = await nodes(all, { launchTemplate: { id: template.id, version: "1" } });
        await cloud.change(template, { instanceType: "m6i.xlarge" });
        return cloud.change(made, { launchTemplate: { id: template.id, version: "2" } });
      },
    ],
    [
      "Graviton with an image for x86",
      /\[m7g\.xlarge\] is not a valid instance type for requested amiType AL2023_x86_64_STANDARD/,
      async () => {
        const { id } = await make(ec2.LAUNCH_TEMPLATE, { instanceType: "m7g.xlarge" });
        return nodes(all, { launchTemplate: { id, version: "1" } });
      },
    ],
    ["an add-on of nobody", /"core-dns" is not one of/, () => addon("core-dns")],
    ["an add-on twice", /Addon already exists/, () => addon("coredns")],
    [
      "an add-on before the nodes that it runs on",
      /DEGRADED.*the cluster has no nodes/,
      async () => {
        await cluster({});
        return addon("coredns", { clusterName: "second" });
      },
    ],
    [
      "a configuration that is no JSON",
      /contains an invalid JSON/,
      () => addon("aws-ebs-csi-driver", { configurationValues: "{corefile" }),
    ],
    [
      "a configuration that the add-on does not know",
      /additional property coreFile/,
      () => cloud.change(london.coreDns, { configurationValues: JSON.stringify({ coreFile: "" }) }),
    ],
    [
      "a flag of the wrong type",
      /enableNetworkPolicy must be a string/,
      async () => {
        await cluster({});
        return addon("vpc-cni", {
          clusterName: "second",
          configurationValues: JSON.stringify({ enableNetworkPolicy: true }),
        });
      },
    ],
    [
      "a Corefile without ready",
      /has no "ready"/,
      () => cloud.change(london.coreDns, { configurationValues: corefile(".:53 {\n health\n}\n") }),
    ],
    [
      "a Corefile without health",
      /has no "health"/,
      () => cloud.change(london.coreDns, { configurationValues: corefile(".:53 {\n ready\n}\n") }),
    ],
    [
      "a Corefile that CoreDNS cannot read",
      /} is missing/,
      () =>
        cloud.change(london.coreDns, {
          configurationValues: corefile(".:53 {\n ready\n health\n"),
        }),
    ],
    [
      "a conflict resolution of nobody",
      /"PRESERVE" is not NONE or OVERWRITE/,
      () => addon("aws-ebs-csi-driver", { resolveConflictsOnCreate: "PRESERVE" }),
    ],
    [
      "an add-on with a role of nobody",
      /cannot be found/,
      () =>
        addon("aws-ebs-csi-driver", {
          serviceAccountRoleArn: "arn:aws:iam::123456789012:role/none",
        }),
    ],
    [
      "an entry of no principal",
      /invalid principal/,
      () => make(eks.ACCESS_ENTRY, { clusterName: "camunda", principalArn: "operators" }),
    ],
    [
      "a policy of no entry",
      /could not be found/,
      () =>
        make(eks.ACCESS_POLICY_ASSOCIATION, {
          clusterName: "camunda",
          principalArn: "arn:aws:iam::1:role/x",
          policyArn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
          accessScope: { type: "cluster" },
        }),
    ],
    [
      "an access policy of nobody",
      /is no access policy of EKS/,
      () =>
        make(eks.ACCESS_POLICY_ASSOCIATION, {
          clusterName: "camunda",
          principalArn: "p",
          policyArn: "AdministratorAccess",
          accessScope: { type: "cluster" },
        }),
    ],
    // IAM
    [
      "a role of a name that is there, in whatever region",
      /EntityAlreadyExists/,
      async () => {
        await role({ name: "same" });
        return cloud.make(PARIS, iam.ROLE, {
          name: "same",
          assumeRolePolicy: policy({
            Effect: "Allow",
            Principal: { Service: "s" },
            Action: "sts:AssumeRole",
          }),
        });
      },
    ],
    [
      "a role with a name that is too long",
      /is longer than 64 characters/,
      () => role({ name: "x".repeat(65) }),
    ],
    [
      "a trust policy that is no JSON",
      /contains an invalid JSON/,
      () => role({ assumeRolePolicy: "{" }),
    ],
    [
      "a trust policy without a principal",
      /Missing required field Principal/,
      () => role({ assumeRolePolicy: policy({ Effect: "Allow", Action: "sts:AssumeRole" }) }),
    ],
    [
      "a trust policy with a resource",
      /Has prohibited field Resource/,
      () =>
        role({
          assumeRolePolicy: policy({
            Effect: "Allow",
            Principal: "*",
            Action: "sts:AssumeRole",
            Resource: "*",
          }),
        }),
    ],
    [
      "a policy of another version",
      /Version must be 2012-10-17/,
      async () =>
        make(iam.ROLE_POLICY, {
          role: (await role()).id,
          policy: policy(readBucket, "2020-01-01"),
        }),
    ],
    [
      "a policy with a resource that is no ARN",
      /Resource must be in ARN format/,
      async () =>
        make(iam.ROLE_POLICY, {
          role: (await role()).id,
          policy: policy({ ...readBucket, Resource: "b/*" }),
        }),
    ],
    [
      "a policy with an action that is none",
      /Action must be like/,
      async () =>
        make(iam.ROLE_POLICY, {
          role: (await role()).id,
          policy: policy({ ...readBucket, Action: "GetObject" }),
        }),
    ],
    [
      "a policy with an effect of nobody",
      /Effect must be Allow or Deny, not allow/,
      async () =>
        make(iam.ROLE_POLICY, {
          role: (await role()).id,
          policy: policy({ ...readBucket, Effect: "allow" }),
        }),
    ],
    [
      "a policy of a role that is not there",
      /The role with name none cannot be found/,
      () => make(iam.ROLE_POLICY, { role: "none", policy: policy(readBucket) }),
    ],
    [
      "attaching what AWS does not have",
      /is not attachable/,
      async () =>
        make(iam.ROLE_POLICY_ATTACHMENT, {
          role: (await role()).id,
          policyArn: "arn:aws:iam::aws:policy/AmazonEKSClusterPolice",
        }),
    ],
    [
      "deleting a role with policies",
      /DeleteConflict/,
      async () => {
        const own = await role();
        await make(iam.ROLE_POLICY, { role: own.id, policy: policy(readBucket) });
        return cloud.remove(own);
      },
    ],
    [
      "an OIDC provider without https",
      /must begin with https/,
      () => make(iam.OIDC_PROVIDER, { url: "oidc", clientIdLists: [] }),
    ],
    [
      "an OIDC provider twice",
      /EntityAlreadyExists/,
      async () => {
        const inputs = { url: "https://oidc", clientIdLists: ["sts.amazonaws.com"] };
        await make(iam.OIDC_PROVIDER, inputs);
        return make(iam.OIDC_PROVIDER, inputs);
      },
    ],
    // buckets and keys
    ["a bucket with a name that is none", /is no name of a bucket/, () => bucket("Backup")],
    [
      "a bucket that is there, in whatever region",
      /BucketAlreadyOwnedByYou/,
      async () => {
        await bucket("backup");
        return bucket("backup", PARIS);
      },
    ],
    [
      "deleting a bucket with versions in it",
      /BucketNotEmpty.*has 1/,
      async () => {
        const made = await bucket("backup");
        cloud.aws.objects.get("backup")?.add("index-0");
        return cloud.remove(made);
      },
    ],
    [
      "a setting of no bucket",
      /NoSuchBucket/,
      () =>
        make(s3.BUCKET_VERSIONING, {
          bucket: "none",
          versioningConfiguration: { status: "Enabled" },
        }),
    ],
    [
      "a setting of another region's bucket",
      /PermanentRedirect/,
      async () => {
        await bucket("backup", PARIS);
        return make(s3.BUCKET_VERSIONING, {
          bucket: "backup",
          versioningConfiguration: { status: "Enabled" },
        });
      },
    ],
    [
      "versioning of nobody",
      /"On" is not Enabled/,
      () => make(s3.BUCKET_VERSIONING, { bucket: "b", versioningConfiguration: { status: "On" } }),
    ],
    [
      "an encryption of nobody",
      /"AES" is not AES256/,
      () =>
        make(s3.BUCKET_ENCRYPTION, {
          bucket: "b",
          rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES" } }],
        }),
    ],
    [
      "a key that is not there",
      /KMS\.NotFoundException/,
      async () => {
        await bucket("backup");
        return make(s3.BUCKET_ENCRYPTION, {
          bucket: "backup",
          rules: [
            {
              applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: "k" },
            },
          ],
        });
      },
    ],
    [
      "an ownership of nobody",
      /"Me" is not/,
      () => make(s3.BUCKET_OWNERSHIP, { bucket: "b", rule: { objectOwnership: "Me" } }),
    ],
    [
      "a lifecycle rule without a filter",
      /one of filter and prefix must be given/,
      () =>
        make(s3.BUCKET_LIFECYCLE, {
          bucket: "b",
          rules: [{ id: "a", status: "Enabled", abortIncompleteMultipartUpload: {} }],
        }),
    ],
    [
      "a lifecycle rule that does nothing",
      /a rule needs an action/,
      () =>
        make(s3.BUCKET_LIFECYCLE, {
          bucket: "b",
          rules: [{ id: "a", status: "Enabled", filter: {} }],
        }),
    ],
    [
      "a public policy that is blocked",
      /AccessDenied/,
      async () => {
        await bucket("backup");
        await make(s3.PUBLIC_ACCESS_BLOCK, { bucket: "backup", blockPublicPolicy: true });
        return make(s3.BUCKET_POLICY, {
          bucket: "backup",
          policy: policy({ ...readBucket, Principal: "*" }),
        });
      },
    ],
    ["a window of nobody", /3 is not 7 to 30/, () => make(s3.KMS_KEY, { deletionWindowInDays: 3 })],
    // load balancers
    [
      "a load balancer of another kind",
      /knows network load balancers only, not application/,
      () => balancer({ loadBalancerType: "application", subnets: [] }),
    ],
    [
      "an address that AWS keeps",
      /one of the first four and the last/,
      () => balancer({ subnetMappings: [at(0, "10.192.255.243")] }),
    ],
    [
      "an address outside of the subnet",
      /is not in 10\.192\.255\.240\/28/,
      () => balancer({ subnetMappings: [at(0, "10.192.0.10")] }),
    ],
    [
      "an address that is taken",
      /InvalidIPAddress\.InUse/,
      () => balancer({ subnetMappings: [at(0, "10.192.255.244")] }),
    ],
    [
      "an address of a public load balancer",
      /internal load balancer only/,
      () => balancer({ internal: false, subnetMappings: [at(0, "10.192.255.245")] }),
    ],
    [
      "a changed address",
      /cannot be changed/,
      () => cloud.change(london.balancer, { subnetMappings: [at(0, "10.192.255.245")] }),
    ],
    [
      "a security group added afterwards",
      /without security groups cannot get one/,
      async () => {
        const bare = await balancer({ subnets: [subnet().id] });
        return cloud.change(bare, { securityGroups: [ofCluster()] });
      },
    ],
    [
      "two subnets of one zone",
      /one subnet in each of its zones/,
      () => balancer({ subnets: [subnet().id, london.subnets.public[0]?.id] }),
    ],
    [
      "a load balancer of a name that is there",
      /DuplicateLoadBalancerName/,
      () => balancer({ name: london.balancer.inputs.name, subnets: [subnet().id] }),
    ],
    ["a name that is too long", /must be 32 letters/, () => targets({ name: "x".repeat(33) })],
    [
      "a prefix that is too long",
      /"camunda-" is longer than 6/,
      () => targets({ namePrefix: "camunda-" }),
    ],
    [
      "a health check in UDP",
      /UDP cannot be checked/,
      () => targets({ protocol: "UDP", healthCheck: { protocol: "UDP" } }),
    ],
    [
      "deleting a target group in use",
      /currently in use by a listener/,
      () => cloud.remove(london.targets),
    ],
    ["a second listener on a port", /DuplicateListener/, () => listener({ port: 53 })],
    [
      "a listener of another protocol",
      /is not supported with a target group/,
      () => listener({ protocol: "UDP" }),
    ],
    ["a listener in HTTP", /"HTTP" is not TCP/, () => listener({ protocol: "HTTP" })],
    [
      "attaching nodes of another region",
      /'eks-.*' not found/,
      () =>
        make(lb.ATTACHMENT, {
          autoscalingGroupName: autoscalingGroupOf(paris.nodes),
          lbTargetGroupArn: london.targets.id,
        }),
    ],
    // Route 53
    ["a record in no zone", /NoSuchHostedZone/, () => record({ zoneId: "Z2" })],
    [
      "a record outside of its zone",
      /is not permitted in zone example\.com/,
      () => record({ name: "camunda.example.org" }),
    ],
    [
      "a CNAME of the zone itself",
      /is not permitted at apex/,
      () => record({ name: "example.com" }),
    ],
    [
      "a record that is there",
      /already exists/,
      async () => {
        await record({});
        return record({});
      },
    ],
    [
      "records of two policies",
      /another routing policy/,
      async () => {
        await record({ setIdentifier: "region0", weightedRoutingPolicies: [{ weight: 1 }] });
        return record({ setIdentifier: "region1", failoverRoutingPolicies: [{ type: "PRIMARY" }] });
      },
    ],
    [
      "a policy without an identifier",
      /goes with a routing policy/,
      () => record({ weightedRoutingPolicies: [{ weight: 1 }] }),
    ],
    [
      "a weight of nobody",
      /256 is not 0 to 255/,
      () => record({ setIdentifier: "a", weightedRoutingPolicies: [{ weight: 256 }] }),
    ],
    [
      "a health check that is not there",
      /health check does not exist/,
      () => record({ healthCheckId: "hc-0" }),
    ],
    [
      "a health check of nothing",
      /one of fqdn and ipAddress/,
      () => make(route53.HEALTH_CHECK, { type: "HTTPS" }),
    ],
    [
      "a health check at a pace of nobody",
      /20 is not 10 or 30/,
      () => make(route53.HEALTH_CHECK, { type: "HTTPS", fqdn: "f", requestInterval: 20 }),
    ],
    // the provider
    [
      "a resource in another region than its provider's",
      /is eu-west-3, its provider is for eu-west-2/,
      () => make(ec2.VPC, { cidrBlock: "10.5.0.0/16", region: PARIS }),
    ],
    [
      "a type that it does not know",
      /no stand-in for aws:sqs\/queue:Queue/,
      () => make("aws:sqs/queue:Queue", {}),
    ],
  ];
  for (const [title, expected, attempt] of refused) {
    it(`refuses ${title}`, async () => {
      await assert.rejects(attempt, (error: Error) => {
        assert.match(error.message, expected);
        return true;
      });
    });
  }

  describe("tells what a change does", () => {
    /** Paths that change, with `!` when they replace. */
    const effects = (made: Made, change: Properties) =>
      Object.entries(cloud.diff(made, change).changes).map(
        ([path, { replace }]) => `${path}${replace ? "!" : ""}`,
      );

    it("to a cluster: version in place, name, service CIDR and the two flags replace", async () => {
      const made = await cluster({ kubernetesNetworkConfig: { serviceIpv4Cidr: "10.190.0.0/16" } });
      assert.deepEqual(effects(made, { version: "1.35" }), ["version"]);
      assert.deepEqual(effects(made, { name: "third" }), ["name!"]);
      assert.deepEqual(effects(made, { bootstrapSelfManagedAddons: false }), [
        "bootstrapSelfManagedAddons!",
      ]);
      assert.deepEqual(
        effects(made, { kubernetesNetworkConfig: { serviceIpv4Cidr: "10.191.0.0/16" } }),
        ["kubernetesNetworkConfig.serviceIpv4Cidr!"],
      );
    });

    it("to nodes: sizes in place, instance types replace", () => {
      const scalingConfig = { minSize: 1, desiredSize: 5, maxSize: 10 };
      assert.deepEqual(effects(london.nodes, { scalingConfig }), ["scalingConfig.desiredSize"]);
      assert.deepEqual(effects(london.nodes, { instanceTypes: ["m7i.xlarge"] }), [
        "instanceTypes!",
      ]);
    });

    it("to nodes whose template says the type: a new version of it, in place", async () => {
      const template = await make(ec2.LAUNCH_TEMPLATE, { instanceType: "m6i.xlarge" });
      const made = await nodes(all, { launchTemplate: { id: template.id, version: "1" } });
      assert.deepEqual(made.outputs.instanceTypes, []);
      await cloud.change(template, { instanceType: "m7i.xlarge" });
      assert.equal(template.outputs.latestVersion, 2);
      const launchTemplate = { id: template.id, version: "2" };
      assert.deepEqual(effects(made, { launchTemplate }), ["launchTemplate.version"]);
      await cloud.change(made, { launchTemplate });
    });

    it("to the ACL of a fence: in place, whatever the order of its rules", () => {
      const { acl: fence } = london;
      const closing = effects(fence, { ingress: fenceRules(PARIS_VPC) });
      assert.ok(closing.length > 0);
      assert.ok(closing.every((path) => path.startsWith("ingress[") && !path.endsWith("!")));
      assert.deepEqual(
        effects(fence, { subnetIds: [...(fence.inputs.subnetIds as string[])].reverse() }),
        [],
      );
      assert.deepEqual(effects(fence, { vpcId: "vpc-0" }), ["vpcId!"]);
    });

    it("to properties that the program drops: rules and routes stay as they are", () => {
      assert.deepEqual(effects(london.acl, { ingress: undefined }), []);
      assert.deepEqual(effects(london.tables.private, { routes: undefined }), []);
      assert.deepEqual(effects(london.tables.private, { routes: [] }).length > 0, true);
    });

    it("to a peering with a recreated region: another VPC replaces it", () => {
      assert.deepEqual(effects(peering, { peerVpcId: "vpc-0" }), ["peerVpcId!"]);
      assert.deepEqual(effects(peering, { tags: { Name: "peering" } }), ["tags"]);
    });
  });

  it("reads a rule between groups with the account, unless the provider knows it for its own", () => {
    const seen = (rule: Made | undefined, config: Properties) =>
      cloud.read(rule as Made, config)?.referencedSecurityGroupId;
    const group = london.rules[4]?.inputs.referencedSecurityGroupId as string;
    const skipped = { skipRequestingAccountId: "true" };
    assert.equal(seen(london.rules[4], skipped), `${ACCOUNT}/${group}`);
    assert.equal(seen(london.rules[3], skipped), `${ACCOUNT}/${ofCluster()}`);
    assert.equal(seen(london.rules[4], {}), group);
    assert.equal(seen(london.rules[3], {}), ofCluster());
    assert.equal(seen(london.rules[0], skipped), undefined);
  });

  it("updates a route table beside a blackhole: what does not change is not sent again", async () => {
    cloud.aws.forget(PARIS);
    const routes = london.tables.private.inputs.routes as Properties[];
    const gateway = cloud.aws.list(ec2.INTERNET_GATEWAY, LONDON)[0]?.id;
    await cloud.change(london.tables.private, {
      routes: [...routes, { cidrBlock: "192.0.2.0/24", gatewayId: gateway }],
    });
    assert.equal(peering.outputs.acceptStatus, "pending-acceptance");
    assert.equal(cloud.read({ ...peering, region: PARIS }), undefined);
  });

  it("forgets what a region had; roles, records, buckets and keys stay", async () => {
    await role({ name: "elasticsearch-paris" });
    await bucket("backup-paris", PARIS);
    cloud.aws.objects.get("backup-paris")?.add("index-0");
    const key = await make(s3.KMS_KEY, {}, PARIS);
    cloud.aws.forget(PARIS);
    assert.equal(cloud.read(paris.vpc), undefined);
    assert.equal(cloud.read(paris.cluster), undefined);
    assert.ok(cloud.read(key));
    await assert.rejects(role({ name: "elasticsearch-paris" }), /EntityAlreadyExists/);
    await assert.rejects(bucket("backup-paris", PARIS), /BucketAlreadyOwnedByYou/);
    assert.deepEqual([...(cloud.aws.objects.get("backup-paris") ?? [])], ["index-0"]);
    const call = (region: string, name: string) =>
      cloud.standIn.invoke(cloud.call(region, "aws:s3/getBucket:getBucket", ""), { bucket: name });
    assert.equal(call(PARIS, "backup-paris").bucketRegion, PARIS);
    assert.throws(() => call(PARIS, "backup-rome"), /couldn't find resource/);
    assert.throws(() => call(LONDON, "backup-paris"), /PermanentRedirect/);
    // The same name again is another cluster, with another issuer of identities.
    const issuer = (made: Made) => JSON.stringify(made.outputs.identities);
    const again = await buildRegion(cloud, PARIS, PARIS_VPC, { cidr: LONDON_VPC, zone: "london" });
    assert.notEqual(issuer(again.cluster), issuer(paris.cluster));
  });

  it("opens a role to one service account of one cluster", async () => {
    const [{ oidcs }] = london.cluster.outputs.identities as [{ oidcs: [{ issuer: string }] }];
    const [{ issuer }] = oidcs;
    const host = issuer.replace("https://", "");
    const trusting = (arn: string) =>
      policy({
        Effect: "Allow",
        Principal: { Federated: arn },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
          StringEquals: {
            [`${host}:sub`]: "system:serviceaccount:camunda-london:elasticsearch",
            [`${host}:aud`]: "sts.amazonaws.com",
          },
        },
      });
    const oidc = `arn:aws:iam::123456789012:oidc-provider/${host}`;
    const made = await role({ assumeRolePolicy: trusting(oidc) });
    const token = { issuer, namespace: "camunda-london", serviceAccount: "elasticsearch" };
    const why = (changed: Partial<typeof token> & { audience?: string } = {}) =>
      iam.whyNotAssumable(cloud.aws, String(made.outputs.arn), { ...token, ...changed });
    assert.match(why() ?? "", /IAM has no OIDC provider/);
    await make(iam.OIDC_PROVIDER, { url: issuer, clientIdLists: ["sts.amazonaws.com"] });
    assert.equal(why(), undefined);
    assert.match(
      why({ serviceAccount: "default" }) ?? "",
      /does not let system:serviceaccount:camunda-london:default/,
    );
    assert.match(why({ namespace: "camunda-paris" }) ?? "", /does not let/);
    assert.match(why({ audience: "vault" }) ?? "", /does not know the audience/);
    assert.match(iam.whyNotAssumable(cloud.aws, "arn:none", token) ?? "", /does not exist/);

    const deny = { Effect: "Deny", Action: "s3:*", Resource: "arn:aws:s3:::b/secret" };
    await make(iam.ROLE_POLICY, { role: made.id, policy: policy(readBucket) });
    await make(iam.ROLE_POLICY, { role: made.id, policy: policy(deny) });
    const allows = (action: string, resource: string) =>
      iam.roleAllows(cloud.aws, String(made.outputs.arn), action, resource);
    assert.equal(allows("s3:GetObject", "arn:aws:s3:::b/index-0"), true);
    assert.equal(allows("s3:GetObject", "arn:aws:s3:::b/secret"), false);
    assert.equal(allows("s3:PutObject", "arn:aws:s3:::b/index-0"), false);
    assert.equal(allows("s3:GetObject", "arn:aws:s3:::other/index-0"), false);
  });

  it("answers a name by weights and health, without a write", async () => {
    for (const [region, weight, host] of [
      ["region0", 255, "london.example.org"],
      ["region1", 0, "paris.example.org"],
    ] as const) {
      const check = await make(route53.HEALTH_CHECK, { type: "HTTPS", fqdn: host });
      await record({
        setIdentifier: region,
        records: [host],
        weightedRoutingPolicies: [{ weight }],
        healthCheckId: check.id,
      });
    }
    const answers = (...up: string[]) =>
      route53.answersOf(cloud.aws, "camunda.example.com", (host) => up.includes(host));
    assert.deepEqual(answers("london.example.org", "paris.example.org"), ["london.example.org"]);
    assert.deepEqual(answers("paris.example.org"), ["paris.example.org"]);
    assert.deepEqual(answers(), ["london.example.org"]);
  });

  it("leaves unknown in a preview what AWS makes up, nested too, and checks the rest", () => {
    const call = cloud.call(LONDON, eks.CLUSTER, "new");
    const inputs = { roleArn: UNKNOWN, vpcConfig: { subnetIds: [UNKNOWN] } };
    const checked = cloud.standIn.check(call, { ...inputs, encryptionConfig: UNKNOWN }, undefined);
    assert.deepEqual(checked.failures, []);
    const outputs = cloud.standIn.preview(call, checked.inputs, undefined);
    assert.equal(outputs.endpoint, UNKNOWN);
    assert.equal((outputs.vpcConfig as Properties).clusterSecurityGroupId, UNKNOWN);
    assert.match(String(outputs.name), /^new-[0-9a-f]{7}$/);
    const known = cloud.standIn.preview(call, london.cluster.inputs, london.cluster);
    assert.equal(known.endpoint, london.cluster.outputs.endpoint);
    assert.equal((known.vpcConfig as Properties).clusterSecurityGroupId, ofCluster());
    const { failures } = cloud.standIn.check(
      call,
      { ...inputs, accessConfig: { authenticationMode: "AAA" } },
      undefined,
    );
    assert.equal(failures.length, 1);
  });

  it("keeps the name that it made up, and tells each call which region it needs", () => {
    const call = cloud.call(LONDON, iam.ROLE, "role");
    const { inputs } = cloud.standIn.check(call, { assumeRolePolicy: UNKNOWN }, undefined);
    const again = cloud.standIn.check(call, { assumeRolePolicy: UNKNOWN }, inputs);
    assert.equal(again.inputs.name, inputs.name);
    assert.deepEqual(cloud.standIn.reaches(call), ["us-east-1"]);
    assert.deepEqual(cloud.standIn.reaches(cloud.call(LONDON, ec2.VPC, "vpc")), [LONDON]);
  });

  it("refuses a provider without a region, and account checks that contradict each other", () => {
    const { standIn } = cloud;
    const reasons = (config: Properties) => standIn.checkConfig(config).map(({ reason }) => reason);
    assert.match(reasons({})[0] ?? "", /for no region/);
    assert.deepEqual(reasons({ region: LONDON, skipRequestingAccountId: "true" }), []);
    assert.match(
      reasons({ region: LONDON, skipRequestingAccountId: "true", allowedAccountIds: "[]" })[0] ??
        "",
      /not previously found/,
    );
    const { failures } = standIn.check(
      cloud.call(undefined, ec2.VPC, "vpc"),
      { cidrBlock: "10.0.0.0/16" },
      undefined,
    );
    assert.match(failures[0]?.reason ?? "", /for no region/);
    const ids = ["eu-west-2a", "ap-southeast-1b", "us-east-1c"].map(zoneId);
    assert.deepEqual(ids, ["euw2-az1", "apse1-az2", "use1-az3"]);
  });

  it("knows no account in the ARNs that the provider makes up when it was not to ask for it", async () => {
    const inputs = { cidrBlock: "10.9.0.0/16", enableDnsSupport: true, instanceTenancy: "default" };
    const call = cloud.call(LONDON, ec2.VPC, "vpc", { skipRequestingAccountId: "true" });
    const { outputs } = await cloud.standIn.create(call, inputs);
    assert.match(String(outputs.arn), /^arn:aws:ec2:eu-west-2::vpc\/vpc-/);
    assert.match(String(london.vpc.outputs.arn), /:123456789012:vpc\//);
  });
});
