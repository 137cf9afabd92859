import assert from "node:assert/strict";
import { STORAGE_CLASS } from "../../../components/installation/eks/eksCluster";
import { BOTH, Declarations, declare } from "./declared";
import { clusterOf, SceneArgs } from "./scene";

const CLUSTER = "aws:eks/cluster:Cluster";
const ADDON = "aws:eks/addon:Addon";
const ROLE = "aws:iam/role:Role";
const ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";
const INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";

const made = new Map<string, Declarations>();

/** What is declared, made once for the same arguments. */
async function cluster(args: SceneArgs = {}): Promise<Declarations> {
  const key = JSON.stringify(args);
  const declared = made.get(key) ?? (await declare(() => void clusterOf(args))).declared;
  made.set(key, declared);
  return declared;
}

function policiesOf(declared: Declarations, role: string): string[] {
  return declared
    .of(ATTACHMENT)
    .filter(({ inputs }) => inputs.role === `${role}-role`)
    .map(({ inputs }) => String(inputs.policyArn))
    .sort();
}

function trustOf(declared: Declarations, role: string) {
  return (
    JSON.parse(String(declared.named(ROLE, role).inputs.assumeRolePolicy)) as {
      Statement: { Action: string; Principal: unknown; Condition?: unknown }[];
    }
  ).Statement;
}

describe("EksCluster", () => {
  it("is the control plane that is asked for", async () => {
    const declared = await cluster();
    const { inputs } = declared.only(CLUSTER);
    assert.deepEqual(inputs, {
      name: "camunda-region0",
      version: "1.35",
      roleArn: "arn:aws:iam::123456789012:role/eks-control-plane",
      accessConfig: {
        authenticationMode: "API",
        bootstrapClusterCreatorAdminPermissions: true,
      },
      bootstrapSelfManagedAddons: false,
      kubernetesNetworkConfig: { serviceIpv4Cidr: "10.190.0.0/16" },
      encryptionConfig: {
        resources: ["secrets"],
        provider: { keyArn: "arn:aws:kms::123456789012:eks-secrets" },
      },
      vpcConfig: {
        subnetIds: ["net-private-0-id", "net-private-1-id", "net-private-2-id"],
        endpointPrivateAccess: true,
        endpointPublicAccess: true,
        publicAccessCidrs: ["203.0.113.0/24"],
      },
    });
    assert.equal(declared.only("aws:kms/key:Key").inputs.enableKeyRotation, true);
  });

  it("has no public endpoint when nobody is let in", async () => {
    const { inputs } = (await cluster({ eks: { apiAccessCidrs: [] } })).only(CLUSTER);
    const vpc = inputs.vpcConfig as Record<string, unknown>;
    assert.equal(vpc.endpointPublicAccess, false);
    assert.equal(vpc.publicAccessCidrs, undefined);
  });

  it("protects cluster and key, and nothing else", async () => {
    const declared = await cluster();
    assert.deepEqual(
      declared.all
        .filter(({ protect }) => protect)
        .map(({ name }) => name)
        .sort(),
      ["eks-cluster", "eks-secrets"],
    );
  });

  it("is not made with the credentials of another account", async () => {
    for (const [account, clusters] of [
      ["123456789012", 1],
      ["210987654321", 0],
    ] as const) {
      const { declared } = await declare(() => void clusterOf(), { account, stuck: true });
      assert.equal(declared.of(CLUSTER).length, clusters, account);
      assert.equal(declared.named(ROLE, "eks-control-plane").type, ROLE);
    }
  });

  it("lets in from the other region's VPC exactly what Camunda needs, and nobody else", async () => {
    for (const region of BOTH) {
      const declared = await cluster({ region });
      const peer = region === "region0" ? "10.202.0.0/16" : "10.192.0.0/16";
      const rules = declared
        .of(INGRESS)
        .map(
          ({ inputs }) =>
            `${inputs.securityGroupId} ${inputs.cidrIpv4} ${inputs.ipProtocol} ${inputs.fromPort}-${inputs.toPort}`,
        );
      assert.deepEqual(rules.sort(), [
        `sg-cluster ${peer} tcp 26500-26500`,
        `sg-cluster ${peer} tcp 26501-26501`,
        `sg-cluster ${peer} tcp 26502-26502`,
        `sg-cluster ${peer} tcp 9200-9200`,
        `sg-cluster ${peer} udp 26502-26502`,
      ]);
      for (const type of ["securityGroup:SecurityGroup", "securityGroupRule:SecurityGroupRule"]) {
        assert.deepEqual(declared.of(`aws:ec2/${type}`), []);
      }
    }
  });

  it("gives each role the policies it needs", async () => {
    const declared = await cluster();
    const policy = (name: string) => `arn:aws:iam::aws:policy/${name}`;
    assert.deepEqual(
      declared
        .of(ROLE)
        .map(({ name }) => name)
        .sort(),
      ["eks-aws-ebs-csi-driver", "eks-control-plane", "eks-nodes", "eks-vpc-cni"],
    );
    assert.deepEqual(policiesOf(declared, "eks-control-plane"), [policy("AmazonEKSClusterPolicy")]);
    assert.deepEqual(policiesOf(declared, "eks-nodes"), [
      policy("AmazonEC2ContainerRegistryReadOnly"),
      policy("AmazonEKSWorkerNodePolicy"),
    ]);
    assert.deepEqual(policiesOf(declared, "eks-vpc-cni"), [policy("AmazonEKS_CNI_Policy")]);
    assert.deepEqual(policiesOf(declared, "eks-aws-ebs-csi-driver"), [
      policy("service-role/AmazonEBSCSIDriverPolicy"),
    ]);
  });

  it("lets one service account take each add-on's role, and nobody else", async () => {
    const declared = await cluster();
    for (const [role, account] of [
      ["eks-vpc-cni", "aws-node"],
      ["eks-aws-ebs-csi-driver", "ebs-csi-controller-sa"],
    ] as const) {
      assert.deepEqual(trustOf(declared, role), [
        {
          Effect: "Allow",
          Principal: { Federated: "arn:aws:iam::123456789012:eks-oidc" },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: {
            StringEquals: {
              "oidc.eks.example/id/ABC:sub": `system:serviceaccount:kube-system:${account}`,
              "oidc.eks.example/id/ABC:aud": "sts.amazonaws.com",
            },
          },
        },
      ]);
    }
    assert.deepEqual(trustOf(declared, "eks-control-plane"), [
      { Effect: "Allow", Principal: { Service: "eks.amazonaws.com" }, Action: "sts:AssumeRole" },
    ]);
    assert.deepEqual(trustOf(declared, "eks-nodes"), [
      { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
    ]);
  });

  it("has its add-ons without CoreDNS, and network policies on", async () => {
    const declared = await cluster();
    assert.deepEqual(
      declared
        .of(ADDON)
        .map(({ inputs }) => inputs.addonName)
        .sort(),
      ["aws-ebs-csi-driver", "kube-proxy", "vpc-cni"],
    );
    const cni = declared.named(ADDON, "eks-vpc-cni").inputs;
    assert.deepEqual(JSON.parse(String(cni.configurationValues)), { enableNetworkPolicy: "true" });
    assert.equal(cni.serviceAccountRoleArn, "arn:aws:iam::123456789012:role/eks-vpc-cni");
    for (const { inputs } of declared.of(ADDON)) {
      assert.equal(inputs.resolveConflictsOnCreate, "OVERWRITE");
      assert.equal(inputs.resolveConflictsOnUpdate, "OVERWRITE");
    }
  });

  it("makes nodes after the network add-ons and with a way out, and volumes after nodes", async () => {
    const declared = await cluster();
    const { dependsOn } = declared.named("aws:eks/nodeGroup:NodeGroup", "eks-nodes");
    for (const before of [
      "eks-vpc-cni",
      "eks-kube-proxy",
      "net-private-0",
      "net-private-1",
      "net-private-2",
      "eks-nodes-AmazonEKSWorkerNodePolicy",
      "eks-nodes-AmazonEC2ContainerRegistryReadOnly",
    ]) {
      assert.ok(dependsOn.includes(before), `${before} in ${dependsOn.join(", ")}`);
    }
    assert.ok(declared.named(ADDON, "eks-aws-ebs-csi-driver").dependsOn.includes("eks-nodes"));
    const control = declared.only(CLUSTER).dependsOn;
    assert.ok(control.includes("eks-control-plane-AmazonEKSClusterPolicy"), control.join(", "));
  });

  it("keeps the node's role from pods, and encrypts the nodes' disks", async () => {
    const declared = await cluster();
    const { inputs } = declared.only("aws:ec2/launchTemplate:LaunchTemplate");
    assert.deepEqual(inputs.metadataOptions, {
      httpEndpoint: "enabled",
      httpTokens: "required",
      httpPutResponseHopLimit: 1,
    });
    assert.deepEqual(inputs.blockDeviceMappings, [
      {
        deviceName: "/dev/xvda",
        ebs: {
          encrypted: "true",
          volumeType: "gp3",
          volumeSize: 20,
          deleteOnTermination: "true",
        },
      },
    ]);
    const group = declared.only("aws:eks/nodeGroup:NodeGroup").inputs;
    assert.deepEqual(group.launchTemplate, { id: "eks-nodes-id", version: "3" });
    assert.deepEqual(group.scalingConfig, { minSize: 1, desiredSize: 4, maxSize: 10 });
    assert.equal(group.nodeGroupNamePrefix, "camunda-");
    assert.equal(group.nodeGroupName, undefined);
    assert.equal(group.diskSize, undefined);
  });

  it("changes the type of the instances by the launch template, a node at a time", async () => {
    const declared = await cluster({
      eks: { nodes: { instanceType: "r6i.large", min: 1, desired: 4, max: 10, diskGb: 20 } },
    });
    const template = declared.only("aws:ec2/launchTemplate:LaunchTemplate").inputs;
    const group = declared.only("aws:eks/nodeGroup:NodeGroup").inputs;
    assert.equal(template.instanceType, "r6i.large");
    assert.equal(group.instanceTypes, undefined);
    assert.deepEqual(group.updateConfig, { maxUnavailable: 1 });
  });

  it("lets in the administrators that are listed, and no other", async () => {
    const none = await cluster();
    assert.deepEqual(none.of("aws:eks/accessEntry:AccessEntry"), []);
    const admins = [
      "arn:aws:iam::123456789012:role/ci",
      "arn:aws:iam::123456789012:user/ci",
      "arn:aws:iam::123456789012:role/team/ops",
    ];
    const declared = await cluster({ eks: { administrators: admins } });
    const granted = declared
      .of("aws:eks/accessPolicyAssociation:AccessPolicyAssociation")
      .map(({ inputs }) => [inputs.principalArn, inputs.policyArn, inputs.accessScope]);
    assert.deepEqual(
      granted,
      admins.map((arn) => [
        arn,
        "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        { type: "cluster" },
      ]),
    );
    assert.equal(declared.of("aws:eks/accessEntry:AccessEntry").length, admins.length);
  });

  it("hands out a secret kubeconfig that gets its token where it is used", async () => {
    const { declared, outputs } = await declare(async () => {
      const { kubeconfig, autoscalingGroupName, issuer, securityGroupId } = clusterOf({
        region: "region1",
      }).cluster;
      const secret = await (kubeconfig as unknown as { isSecret: Promise<boolean> }).isSecret;
      return { secret, kubeconfig, autoscalingGroupName, issuer, securityGroupId };
    });
    assert.equal(outputs.secret, true);
    assert.equal(outputs.autoscalingGroupName, "asg-nodes");
    assert.equal(outputs.issuer, "oidc.eks.example/id/ABC");
    assert.equal(outputs.securityGroupId, "sg-cluster");
    const config = JSON.parse(outputs.kubeconfig) as {
      clusters: unknown;
      users: { user: { exec: Record<string, unknown> } }[];
    };
    assert.deepEqual(config.clusters, [
      {
        name: "camunda-region1",
        cluster: { server: "https://cluster.example", "certificate-authority-data": "Y2E=" },
      },
    ]);
    const { exec, ...rest } = config.users[0]?.user ?? { exec: {} };
    assert.deepEqual(rest, {});
    assert.equal(exec.apiVersion, "client.authentication.k8s.io/v1beta1");
    assert.equal(
      [exec.command, ...(exec.args as string[])].join(" "),
      "aws --region eu-west-3 eks get-token --cluster-name camunda-region1 --output json",
    );
    assert.equal(declared.only("pulumi:providers:kubernetes").secretInputs, true);
  });

  it("has an encrypted default StorageClass that keeps volumes", async () => {
    const declared = await cluster();
    const { inputs, provider, deletedWith } = declared.only(
      "kubernetes:storage.k8s.io/v1:StorageClass",
    );
    assert.equal((inputs.metadata as { name: string }).name, STORAGE_CLASS);
    assert.deepEqual((inputs.metadata as { annotations: unknown }).annotations, {
      "storageclass.kubernetes.io/is-default-class": "true",
    });
    assert.deepEqual(inputs.parameters, {
      type: "gp3",
      iops: "3000",
      throughput: "125",
      encrypted: "true",
      tagSpecification_1: "camunda8:volume=camunda-region0",
    });
    assert.equal(inputs.provisioner, "ebs.csi.aws.com");
    assert.equal(inputs.reclaimPolicy, "Retain");
    assert.equal(inputs.volumeBindingMode, "WaitForFirstConsumer");
    assert.equal(inputs.allowVolumeExpansion, true);
    assert.match(provider, /pulumi:providers:kubernetes::eks-kubernetes::/);
    assert.equal(deletedWith, "eks-cluster");
  });

  it("takes no default provider and looks nothing up", async () => {
    const declared = await cluster({ region: "region1" });
    for (const { type, name, provider } of declared.all) {
      if (/^(aws|kubernetes):/.test(type)) {
        assert.match(provider, /pulumi:providers:(aws::aws|kubernetes::eks-kubernetes)::/, name);
      }
    }
  });

  it("names nothing global that a lost region would still hold", async () => {
    const declared = await cluster();
    for (const { name, inputs } of declared.of(ROLE)) {
      assert.equal(inputs.name, undefined, name);
    }
  });
});
