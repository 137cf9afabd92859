import assert from "node:assert/strict";
import { RULES } from "../../../policies/rules";
import { violationsOf } from "../../../policies/rules/model";
import { goldenGraphs, missingTypes } from "./golden";
import { document, dynamic, resource } from "./resources";

/** What the rules are about, as the program declares it. */
const RECOVERY_TYPES = [dynamic("BrokerMembership"), dynamic("SnapshotRepository")];
const EKS_TYPES = [
  "pulumi:providers:aws",
  "aws:s3/bucket:Bucket",
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  "aws:s3/bucketPolicy:BucketPolicy",
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  "aws:s3/bucketVersioning:BucketVersioning",
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  "aws:ec2/launchTemplate:LaunchTemplate",
  "aws:eks/cluster:Cluster",
  "aws:eks/nodeGroup:NodeGroup",
  "aws:iam/role:Role",
  "aws:iam/rolePolicy:RolePolicy",
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  "aws:kms/key:Key",
  "aws:lb/loadBalancer:LoadBalancer",
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  "kubernetes:helm.sh/v3:Release",
  "kubernetes:storage.k8s.io/v1:StorageClass",
];
const KUBERNETES_TYPES = ["kubernetes:core/v1:Service", "kubernetes:helm.sh/v3:Release"];
/** Advisories that the graphs show: what they say is for the operator to decide. */
const ADVISED = ["eks-endpoint-open", "service-internal"];

/** Changes that break a rule on a graph as the program declares it. */
const MUTATIONS: [rule: string, type: string, change: Record<string, unknown> | "drop"][] = [
  [
    "no-public-bucket",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    { blockPublicPolicy: false },
  ],
  ["bucket-blocks-public-access", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "drop"],
  ["bucket-tls-only", "aws:s3/bucketPolicy:BucketPolicy", "drop"],
  [
    "bucket-encrypted",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    { rules: [] },
  ],
  ["bucket-versioned", "aws:s3/bucketVersioning:BucketVersioning", { versioningConfiguration: {} }],
  [
    "backups-kept",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    { rules: [{ expiration: { days: 1 } }] },
  ],
  [
    "no-plain-volume",
    "aws:ec2/launchTemplate:LaunchTemplate",
    { blockDeviceMappings: [{ ebs: {} }] },
  ],
  ["no-plain-volume", "kubernetes:storage.k8s.io/v1:StorageClass", { parameters: { type: "gp3" } }],
  ["eks-secrets-encrypted", "aws:eks/cluster:Cluster", { encryptionConfig: undefined }],
  ["account-named", "pulumi:providers:aws", { allowedAccountIds: undefined }],
  ["control-plane-logged", "aws:eks/cluster:Cluster", { enabledClusterLogTypes: [] }],
  [
    "node-role-unreachable",
    "aws:ec2/launchTemplate:LaunchTemplate",
    { metadataOptions: { httpTokens: "optional" } },
  ],
  [
    "no-star-action",
    "aws:iam/rolePolicy:RolePolicy",
    { policy: document({ Effect: "Allow", Action: "s3:*" }) },
  ],
  [
    "no-star-resource",
    "aws:iam/rolePolicy:RolePolicy",
    { policy: document({ Effect: "Allow", Action: "s3:PutObject", Resource: "*" }) },
  ],
  [
    "role-trust-named",
    "aws:iam/role:Role",
    { assumeRolePolicy: document({ Effect: "Allow", Principal: "*" }) },
  ],
  [
    "no-full-access",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    { policyArn: "arn:aws:iam::aws:policy/AdministratorAccess" },
  ],
  [
    "ingress-listed",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    { cidrIpv4: "0.0.0.0/0" },
  ],
  ["load-balancer-internal", "aws:lb/loadBalancer:LoadBalancer", { internal: false }],
  ["membership-shape", dynamic("BrokerMembership"), { replicationFactor: 3 }],
  ["snapshot-settings", dynamic("SnapshotRepository"), { readonly: false }],
  [
    "no-keys-in-values",
    "kubernetes:helm.sh/v3:Release",
    { values: { "s3.client.region0.secret_key": "x" } },
  ],
  ["cluster-shape", "kubernetes:helm.sh/v3:Release", { values: { zeebe: { clusterSize: 7 } } }],
];

describe("the policies on the golden graphs", () => {
  const graphs = goldenGraphs();
  const of = (platform: string) =>
    [...graphs].filter(([name]) => name.startsWith(`${platform}-`)).map(([, graph]) => graph);

  for (const [name, graph] of graphs) {
    it(`hold for ${name}`, () => {
      const broken = RULES.filter(({ level }) => level === "mandatory").flatMap((rule) =>
        violationsOf(rule, graph).map(
          ({ resource: at, message }) => `${rule.name}: ${at?.name ?? "the stack"}: ${message}`,
        ),
      );
      assert.deepEqual(broken, []);
    });
  }

  it("have something of every type that they are about", () => {
    assert.deepEqual(missingTypes(graphs.values(), RECOVERY_TYPES), []);
    assert.deepEqual(missingTypes(of("eks"), EKS_TYPES), []);
    assert.deepEqual(missingTypes(of("kubernetes"), KUBERNETES_TYPES), []);
  });

  it("advise what is known, and nothing else", () => {
    const advised = RULES.filter(({ level }) => level === "advisory")
      .filter((rule) => [...graphs.values()].some((graph) => violationsOf(rule, graph).length > 0))
      .map(({ name }) => name);
    assert.deepEqual(advised.sort(), ADVISED);
  });

  for (const [name, type, change] of MUTATIONS) {
    it(`would break ${name} with another ${type.split(":").at(-1)}`, () => {
      const rule = RULES.find((known) => known.name === name) ?? assert.fail(`no rule ${name}`);
      const graph = graphs.get("eks-failback-region0") ?? assert.fail("no graph");
      const mutated = graph
        .filter((at) => change !== "drop" || at.type !== type)
        .map((at) =>
          change !== "drop" && at.type === type ? { ...at, props: { ...at.props, ...change } } : at,
        );
      assert.deepEqual(violationsOf(rule, graph), []);
      assert.notDeepEqual(violationsOf(rule, mutated), []);
    });
  }

  it("are all broken by one of these changes, but those on what the graphs cannot show", () => {
    const names = RULES.filter(({ level }) => level === "mandatory").map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => !MUTATIONS.some(([rule]) => rule === name)),
      ["state-backend-elsewhere"],
    );
  });

  it("would show a type that is nowhere", () => {
    const graph = [resource("aws:s3/bucket:Bucket", {})];
    assert.deepEqual(missingTypes([graph], ["aws:s3/bucket:Bucket", "aws:kms/key:Key"]), [
      "aws:kms/key:Key",
    ]);
  });
});
