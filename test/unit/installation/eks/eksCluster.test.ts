import assert from "node:assert/strict";
import { Declarations, declare, eksSettings } from "./declared";
import { clusterOf, SceneArgs } from "./scene";

const CLUSTER = "aws:eks/cluster:Cluster";
const ADDON = "aws:eks/addon:Addon";
const ROLE = "aws:iam/role:Role";

const made = new Map<string, Declarations>();

/** What is declared, made once for the same arguments. */
async function cluster(args: SceneArgs = {}): Promise<Declarations> {
  const key = JSON.stringify(args);
  const declared = made.get(key) ?? (await declare(() => void clusterOf(args))).declared;
  made.set(key, declared);
  return declared;
}

describe("EksCluster", () => {
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
      "eks-nodes-AmazonEC2ContainerRegistryPullOnly",
    ]) {
      assert.ok(dependsOn.includes(before), `${before} in ${dependsOn.join(", ")}`);
    }
    assert.ok(declared.named(ADDON, "eks-aws-ebs-csi-driver").dependsOn.includes("eks-nodes"));
    const control = declared.only(CLUSTER).dependsOn;
    assert.ok(control.includes("eks-control-plane-AmazonEKSClusterPolicy"), control.join(", "));
  });

  it("changes the type of the instances by the launch template, a node at a time", async () => {
    const declared = await cluster({
      eks: { nodes: { ...eksSettings().nodes, instanceType: "r6i.large" } },
    });
    const template = declared.only("aws:ec2/launchTemplate:LaunchTemplate").inputs;
    const group = declared.only("aws:eks/nodeGroup:NodeGroup").inputs;
    assert.equal(template.instanceType, "r6i.large");
    assert.equal(group.instanceTypes, undefined);
    assert.deepEqual(group.updateConfig, { maxUnavailable: 1 });
  });

  it("lets what an autoscaler has set stand, and only then", async () => {
    for (const [autoscaler, ignored] of [
      [true, ["scalingConfig.desiredSize"]],
      [false, []],
    ] as const) {
      const declared = await cluster({ eks: { nodes: { ...eksSettings().nodes, autoscaler } } });
      const group = declared.only("aws:eks/nodeGroup:NodeGroup");
      assert.deepEqual(group.ignoreChanges, ignored);
    }
  });

  it("gives what pods send to the other region their own address, and packets that fit", async () => {
    const { inputs } = (await cluster()).named(ADDON, "eks-vpc-cni");
    assert.deepEqual(JSON.parse(String(inputs.configurationValues)), {
      enableNetworkPolicy: "true",
      env: { AWS_VPC_K8S_CNI_EXTERNALSNAT: "true", AWS_VPC_ENI_MTU: "8500" },
    });
  });

  it("writes the logs of the control plane that are asked for", async () => {
    for (const clusterLogs of [["audit" as const], []]) {
      const { inputs } = (await cluster({ eks: { clusterLogs } })).only(CLUSTER);
      assert.deepEqual(inputs.enabledClusterLogTypes, clusterLogs);
    }
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

  it("has a default StorageClass that goes with the cluster", async () => {
    const declared = await cluster();
    const { provider, deletedWith } = declared.only("kubernetes:storage.k8s.io/v1:StorageClass");
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
