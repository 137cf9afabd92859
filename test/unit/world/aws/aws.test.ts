import assert from "node:assert/strict";

import * as tokens from "../../../../world/aws/tokens";
import * as iam from "../../../../world/aws/iam";

import { zoneId } from "../../../../world/aws/vpc";
import { Properties, UNKNOWN } from "../../../../world/pulumi/properties";
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
  const table = (routes: Properties[]) => make(tokens.ROUTE_TABLE, { vpcId: vpcId(), routes });
  const ingress = (inputs: Properties) =>
    make(tokens.INGRESS_RULE, { securityGroupId: ofCluster(), ipProtocol: "tcp", ...inputs });
  const bucket = (name: string, region = LONDON) => make(tokens.BUCKET, { bucket: name }, region);
  const role = (inputs: Properties = {}) =>
    make(tokens.ROLE, {
      assumeRolePolicy: policy({
        Effect: "Allow",
        Principal: { Service: "ec2.amazonaws.com" },
        Action: "sts:AssumeRole",
      }),
      ...inputs,
    });
  const balancer = (inputs: Properties) =>
    make(tokens.LOAD_BALANCER, { loadBalancerType: "network", internal: true, ...inputs });
  const at = (index: number, address: string) => ({
    subnetId: london.subnets.dns[index]?.id,
    privateIpv4Address: address,
  });
  const listener = (inputs: Properties) =>
    make(tokens.LISTENER, {
      loadBalancerArn: london.balancer.id,
      protocol: "TCP",
      port: 54,
      defaultActions: [{ type: "forward", targetGroupArn: london.targets.id }],
      ...inputs,
    });
  const cluster = async (inputs: Properties) => {
    const own = await serviceRole(cloud, LONDON, "eks.amazonaws.com", ["AmazonEKSClusterPolicy"]);
    return make(tokens.CLUSTER, {
      name: "second",
      roleArn: own.outputs.arn,
      vpcConfig: { subnetIds: london.subnets.private.map(({ id }) => id) },
      ...inputs,
    });
  };
  const nodes = async (policies: string[], inputs: Properties = {}) => {
    const own = await serviceRole(cloud, LONDON, "ec2.amazonaws.com", policies);
    return make(tokens.NODE_GROUP, {
      clusterName: "camunda",
      nodeRoleArn: own.outputs.arn,
      subnetIds: [subnet().id],
      scalingConfig: { minSize: 1, desiredSize: 2, maxSize: 3 },
      ...inputs,
    });
  };
  const addon = (addonName: string, inputs: Properties = {}) =>
    make(tokens.ADDON, { clusterName: "camunda", addonName, ...inputs });
  const record = (inputs: Properties) =>
    make(tokens.RECORD, {
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
    [
      "deleting a VPC with something in it",
      /DependencyViolation.*subnet-/,
      () => cloud.remove(london.vpc),
    ],
    [
      "a subnet in a VPC of another region",
      /there is no aws:ec2\/vpc:Vpc vpc-\w+ in eu-west-2/,
      () => make(tokens.SUBNET, { vpcId: paris.vpc.id, cidrBlock: "10.202.0.0/28" }),
    ],
    [
      "a subnet outside of its VPC",
      /InvalidSubnet/,
      () => make(tokens.SUBNET, { vpcId: vpcId(), cidrBlock: "10.193.0.0/24" }),
    ],
    [
      "a subnet over another",
      /InvalidSubnet.*taken/,
      () => make(tokens.SUBNET, { vpcId: vpcId(), cidrBlock: "10.192.1.0/24" }),
    ],
    [
      "a subnet in a zone of another region",
      /there is no zone euw3-az1 in eu-west-2/,
      () =>
        make(tokens.SUBNET, {
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
      () => make(tokens.INTERNET_GATEWAY, { vpcId: vpcId() }),
    ],
    [
      "a NAT gateway with a taken address",
      /Resource\.AlreadyAssociated/,
      () =>
        make(tokens.NAT_GATEWAY, {
          subnetId: subnet().id,
          allocationId: cloud.aws.list(tokens.EIP, LONDON)[0]?.id,
        }),
    ],
    [
      "a NAT gateway in a VPC without a way out",
      /Gateway\.NotAttached/,
      async () => {
        const alone = await make(tokens.VPC, { cidrBlock: "10.1.0.0/16" });
        const place = await make(tokens.SUBNET, {
          vpcId: alone.id,
          cidrBlock: "10.1.0.0/24",
          availabilityZoneId: "euw2-az1",
        });
        return make(tokens.NAT_GATEWAY, {
          subnetId: place.id,
          allocationId: (await make(tokens.EIP, {})).id,
        });
      },
    ],
    [
      "a route to a gateway that is not there",
      /there is no aws:ec2\/natGateway:NatGateway nat-0/,
      () => table([{ cidrBlock: "0.0.0.0/0", natGatewayId: "nat-0" }]),
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
      /Resource\.AlreadyAssociated/,
      () =>
        make(tokens.ROUTE_TABLE_ASSOCIATION, {
          subnetId: subnet().id,
          routeTableId: london.tables.dns.id,
        }),
    ],
    [
      "deleting a route table in use",
      /DependencyViolation/,
      () => cloud.remove(london.tables.private),
    ],
    [
      "a rule from another region's group",
      /there is no aws:ec2\/securityGroup:SecurityGroup sg-\w+ in eu-west-2/,
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
      /SecurityGroup 999999999999\/sg-\w+ in/,
      () =>
        ingress({
          fromPort: 1,
          toPort: 1,
          referencedSecurityGroupId: `999999999999/${ofCluster()}`,
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
        const group = await make(tokens.SECURITY_GROUP, { vpcId: vpcId() });
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
        await make(tokens.SECURITY_GROUP, { vpcId: vpcId(), name: "dns" });
        return make(tokens.SECURITY_GROUP, { vpcId: vpcId(), name: "dns" });
      },
    ],
    [
      "deleting a group in use",
      /DependencyViolation/,
      () => {
        const [id] = london.balancer.inputs.securityGroups as string[];
        const item = cloud.aws.find(tokens.SECURITY_GROUP, LONDON, id);
        assert.ok(item);
        return cloud.remove({ ...item, region: LONDON, name: "group" });
      },
    ],
    [
      "an ACL on another VPC's subnet",
      /there is no aws:ec2\/subnet:Subnet/,
      () => cloud.change(london.acl, { subnetIds: [paris.subnets.dns[0]?.id] }),
    ],
    [
      "a peering with nobody",
      /unexpected state 'failed'.*vpc-0 does not exist in eu-west-3/,
      () => make(tokens.PEERING, { vpcId: vpcId(), peerVpcId: "vpc-0", peerRegion: PARIS }),
    ],
    [
      "a peering with a lost region",
      /or the region does not answer/,
      () => {
        cloud.aws.outages.lose(PARIS);
        return make(tokens.PEERING, { vpcId: vpcId(), peerVpcId: paris.vpc.id, peerRegion: PARIS });
      },
    ],
    [
      "a peering of overlapping VPCs",
      /overlap/,
      async () => {
        const twin = await make(tokens.VPC, { cidrBlock: LONDON_VPC }, PARIS);
        return make(tokens.PEERING, { vpcId: vpcId(), peerVpcId: twin.id, peerRegion: PARIS });
      },
    ],
    [
      "a second peering of two VPCs",
      /VpcPeeringConnectionAlreadyExists/,
      () => make(tokens.PEERING, { vpcId: vpcId(), peerVpcId: paris.vpc.id, peerRegion: PARIS }),
    ],
    [
      "accepting what is not there",
      /couldn't find resource/,
      () => make(tokens.PEERING_ACCEPTER, { vpcPeeringConnectionId: "pcx-0", autoAccept: true }),
    ],
    [
      "accepting what is deleted",
      /reading EC2 VPC Peering Connection \(pcx-\w+\): deleted/,
      () => {
        cloud.aws.forget(PARIS);
        return make(tokens.PEERING_ACCEPTER, {
          vpcPeeringConnectionId: peering.id,
          autoAccept: true,
        });
      },
    ],
    [
      "accepting one's own request",
      /must be accepted in region eu-west-2/,
      async () => {
        const third = await make(tokens.VPC, { cidrBlock: "10.3.0.0/16" });
        const request = await make(
          tokens.PEERING,
          { vpcId: paris.vpc.id, peerVpcId: third.id, peerRegion: LONDON },
          PARIS,
        );
        return make(
          tokens.PEERING_ACCEPTER,
          { vpcPeeringConnectionId: request.id, autoAccept: true },
          PARIS,
        );
      },
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
    ["a second cluster of one name", /ResourceInUseException/, () => cluster({ name: "camunda" })],
    [
      "services in the VPC's CIDR",
      /overlaps with the VPC's/,
      () => cluster({ kubernetesNetworkConfig: { serviceIpv4Cidr: "10.192.0.0/16" } }),
    ],
    [
      "a key of another region",
      /there is no aws:kms\/key:Key/,
      async () => {
        const key = await make(tokens.KMS_KEY, {}, PARIS);
        return cluster({
          encryptionConfig: { resources: ["secrets"], provider: { keyArn: key.outputs.arn } },
        });
      },
    ],
    ["deleting a cluster with nodes", /DependencyViolation/, () => cloud.remove(london.cluster)],
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
      /a way out of subnet-/,
      () => nodes(all, { subnetIds: [london.subnets.dns[0]?.id] }),
    ],
    ["an add-on twice", /ResourceInUseException/, () => addon("coredns")],
    [
      "an add-on before the nodes that it runs on",
      /DEGRADED.*the cluster has no nodes/,
      async () => {
        await cluster({});
        return addon("coredns", { clusterName: "second" });
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
      "an add-on with a role of nobody",
      /Role arn:aws:iam::123456789012:role\/none in the account/,
      () =>
        addon("aws-ebs-csi-driver", {
          serviceAccountRoleArn: "arn:aws:iam::123456789012:role/none",
        }),
    ],
    [
      "a policy of no entry",
      /could not be found/,
      () =>
        make(tokens.ACCESS_POLICY_ASSOCIATION, {
          clusterName: "camunda",
          principalArn: "arn:aws:iam::1:role/x",
          policyArn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
          accessScope: { type: "cluster" },
        }),
    ],
    // IAM
    [
      "a role of a name that is there, in whatever region",
      /EntityAlreadyExists/,
      async () => {
        await role({ name: "same" });
        return cloud.make(PARIS, tokens.ROLE, {
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
      "a policy of a role that is not there",
      /there is no aws:iam\/role:Role none in the account/,
      () => make(tokens.ROLE_POLICY, { role: "none", policy: policy(readBucket) }),
    ],
    [
      "deleting a role with policies",
      /DependencyViolation/,
      async () => {
        const own = await role();
        await make(tokens.ROLE_POLICY, { role: own.id, policy: policy(readBucket) });
        return cloud.remove(own);
      },
    ],
    [
      "an OIDC provider twice",
      /EntityAlreadyExists/,
      async () => {
        const inputs = { url: "https://oidc", clientIdLists: ["sts.amazonaws.com"] };
        await make(tokens.OIDC_PROVIDER, inputs);
        return make(tokens.OIDC_PROVIDER, inputs);
      },
    ],
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
      /there is no aws:s3\/bucket:Bucket none/,
      () =>
        make(tokens.BUCKET_VERSIONING, {
          bucket: "none",
          versioningConfiguration: { status: "Enabled" },
        }),
    ],
    [
      "a setting of another region's bucket",
      /there is no aws:s3\/bucket:Bucket backup in eu-west-2/,
      async () => {
        await bucket("backup", PARIS);
        return make(tokens.BUCKET_VERSIONING, {
          bucket: "backup",
          versioningConfiguration: { status: "Enabled" },
        });
      },
    ],
    [
      "a key that is not there",
      /there is no aws:kms\/key:Key k in eu-west-2/,
      async () => {
        await bucket("backup");
        return make(tokens.BUCKET_ENCRYPTION, {
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
      "a load balancer of a name that is there",
      /DuplicateLoadBalancerName/,
      () => balancer({ name: london.balancer.inputs.name, subnets: [subnet().id] }),
    ],
    ["deleting a target group in use", /DependencyViolation/, () => cloud.remove(london.targets)],
    ["a second listener on a port", /DuplicateListener/, () => listener({ port: 53 })],
    [
      "attaching nodes of another region",
      /'eks-.*' not found/,
      () =>
        make(tokens.ATTACHMENT, {
          autoscalingGroupName: autoscalingGroupOf(paris.nodes),
          lbTargetGroupArn: london.targets.id,
        }),
    ],
    // Route 53
    ["a record in no zone", /is not permitted in zone Z2/, () => record({ zoneId: "Z2" })],
    [
      "a record outside of its zone",
      /is not permitted in zone example\.com/,
      () => record({ name: "camunda.example.org" }),
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
      "a health check that is not there",
      /HealthCheck hc-0 in the account/,
      () => record({ healthCheckId: "hc-0" }),
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
      const template = await make(tokens.LAUNCH_TEMPLATE, { instanceType: "m6i.xlarge" });
      const made = await nodes(all, { launchTemplate: { id: template.id, version: "1" } });
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

  it("reads a rule between groups without the account, which the provider knows for its own", () => {
    const seen = (rule: Made | undefined) =>
      cloud.read(rule as Made, {})?.referencedSecurityGroupId;
    assert.equal(seen(london.rules[4]), london.rules[4]?.inputs.referencedSecurityGroupId);
    assert.equal(seen(london.rules[3]), ofCluster());
    assert.equal(seen(london.rules[0]), undefined);
  });

  it("updates a route table beside a blackhole: what does not change is not sent again", async () => {
    cloud.aws.forget(PARIS);
    const routes = london.tables.private.inputs.routes as Properties[];
    const gateway = cloud.aws.list(tokens.INTERNET_GATEWAY, LONDON)[0]?.id;
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
    const key = await make(tokens.KMS_KEY, {}, PARIS);
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
    await make(tokens.OIDC_PROVIDER, { url: issuer, clientIdLists: ["sts.amazonaws.com"] });
    assert.equal(why(), undefined);
    assert.match(
      why({ serviceAccount: "default" }) ?? "",
      /does not let system:serviceaccount:camunda-london:default/,
    );
    assert.match(why({ namespace: "camunda-paris" }) ?? "", /does not let/);
    assert.match(why({ audience: "vault" }) ?? "", /does not know the audience/);
    assert.match(iam.whyNotAssumable(cloud.aws, "arn:none", token) ?? "", /does not exist/);

    const deny = { Effect: "Deny", Action: "s3:*", Resource: "arn:aws:s3:::b/secret" };
    await make(tokens.ROLE_POLICY, { role: made.id, policy: policy(readBucket) });
    await make(tokens.ROLE_POLICY, { role: made.id, policy: policy(deny) });
    const allows = (action: string, resource: string) =>
      iam.roleAllows(cloud.aws, String(made.outputs.arn), action, resource);
    assert.equal(allows("s3:GetObject", "arn:aws:s3:::b/index-0"), true);
    assert.equal(allows("s3:GetObject", "arn:aws:s3:::b/secret"), false);
    assert.equal(allows("s3:PutObject", "arn:aws:s3:::b/index-0"), false);
    assert.equal(allows("s3:GetObject", "arn:aws:s3:::other/index-0"), false);
  });

  it("writes over the record that a lost region has left, where the program says so", async () => {
    const left = await record({ setIdentifier: "region0" });
    const made = await record({ setIdentifier: "region0", allowOverwrite: true });
    assert.equal(made.id, left.id);
    assert.equal(cloud.aws.list(tokens.RECORD).length, 1);
  });

  it("leaves unknown in a preview what AWS makes up, nested too", () => {
    const call = cloud.call(LONDON, tokens.CLUSTER, "new");
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
  });

  it("keeps the name that it made up, and tells each call which region it needs", () => {
    const call = cloud.call(LONDON, tokens.ROLE, "role");
    const { inputs } = cloud.standIn.check(call, { assumeRolePolicy: UNKNOWN }, undefined);
    const again = cloud.standIn.check(call, { assumeRolePolicy: UNKNOWN }, inputs);
    assert.equal(again.inputs.name, inputs.name);
    assert.deepEqual(cloud.standIn.reaches(call), ["us-east-1"]);
    assert.deepEqual(cloud.standIn.reaches(cloud.call(LONDON, tokens.VPC, "vpc")), [LONDON]);
  });

  it("refuses a provider without a region", () => {
    const { standIn } = cloud;
    assert.match(standIn.checkConfig({})[0]?.reason ?? "", /for no region/);
    assert.deepEqual(standIn.checkConfig({ region: LONDON }), []);
    const { failures } = standIn.check(
      cloud.call(undefined, tokens.VPC, "vpc"),
      { cidrBlock: "10.0.0.0/16" },
      undefined,
    );
    assert.match(failures[0]?.reason ?? "", /for no region/);
    const ids = ["eu-west-2a", "ap-southeast-1b", "us-east-1c"].map(zoneId);
    assert.deepEqual(ids, ["euw2-az1", "apse1-az2", "use1-az3"]);
  });

  it("is configured with credentials of an account that is allowed, only", () => {
    const { standIn } = cloud;
    const reasons = (accounts: string[]) =>
      standIn
        .checkConfig({ region: LONDON, allowedAccountIds: JSON.stringify(accounts) })
        .map(({ reason }) => reason);
    assert.deepEqual(reasons([ACCOUNT]), []);
    assert.deepEqual(reasons(["210987654321"]), [`AWS account ID not allowed: ${ACCOUNT}`]);
  });

  it("has an endpoint of a service of its own region, in route tables that are there", async () => {
    const inputs = (serviceName: string, routeTableIds: string[]) => ({
      vpcId: london.vpc.id,
      serviceName,
      vpcEndpointType: "Gateway",
      routeTableIds,
    });
    const make = (given: Properties) =>
      cloud.standIn.create(cloud.call(LONDON, tokens.VPC_ENDPOINT, "s3"), given);
    const table = london.tables.private.id;
    const { outputs } = await make(inputs("com.amazonaws.eu-west-2.s3", [table]));
    assert.match(String(outputs.id), /^vpce-/);
    await assert.rejects(make(inputs("com.amazonaws.eu-west-3.s3", [table])), /InvalidServiceName/);
    await assert.rejects(make(inputs("com.amazonaws.eu-west-2.s3", ["rtb-0"])), /there is no/);
  });
});
