import { PolicyResource, Surroundings, UNKNOWN } from "../../../policies/rules/model";
import { document, dynamic, resource } from "./resources";

/** Graphs that break a rule, each with the line that says so, and graphs that keep it. */
export interface RuleCases {
  breaks: [
    what: string,
    graph: PolicyResource[],
    message: RegExp,
    around?: Partial<Surroundings>,
  ][];
  keeps: [what: string, graph: PolicyResource[], around?: Partial<Surroundings>][];
}

const arn = "arn:aws:s3:::camunda-backup";
const bucket = (props: Record<string, unknown> = {}) =>
  resource("aws:s3/bucket:Bucket", { bucket: "camunda-backup", ...props }, "backup");
const beside = (type: string, props: Record<string, unknown>) =>
  resource(`aws:s3/${type.charAt(0).toLowerCase()}${type.slice(1)}:${type}`, {
    bucket: "camunda-backup",
    ...props,
  });
const blocked = {
  blockPublicAcls: true,
  blockPublicPolicy: true,
  ignorePublicAcls: true,
  restrictPublicBuckets: true,
};
const tlsOnly = {
  Effect: "Deny",
  Principal: "*",
  Action: "s3:*",
  Resource: [arn, `${arn}/*`],
  Condition: { Bool: { "aws:SecureTransport": "false" } },
};
const bucketPolicy = (...statements: Record<string, unknown>[]) =>
  beside("BucketPolicy", { policy: document(...statements) });
const rolePolicy = (statement: Record<string, unknown>) =>
  resource("aws:iam/rolePolicy:RolePolicy", {
    policy: document({ Effect: "Allow", Resource: `${arn}/*`, ...statement }),
  });
const key = (statement: Record<string, unknown>) =>
  resource("aws:kms/key:Key", {
    policy: document({ Effect: "Allow", Resource: "*", ...statement }),
  });
const root = { AWS: "arn:aws:iam::123456789012:root" };
const trust = (statement: Record<string, unknown>) =>
  resource("aws:iam/role:Role", { assumeRolePolicy: document({ Effect: "Allow", ...statement }) });
const oidc = {
  Principal: { Federated: "arn:aws:iam::123456789012:oidc-provider/oidc.example" },
  Action: "sts:AssumeRoleWithWebIdentity",
};
const ingress = (props: Record<string, unknown>) =>
  resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", {
    ipProtocol: "tcp",
    ...props,
  });
const port = (number: number, props: Record<string, unknown> = {}) =>
  ingress({ fromPort: number, toPort: number, cidrIpv4: "10.202.0.0/16", ...props });
const template = (metadataOptions: Record<string, unknown>) =>
  resource("aws:ec2/launchTemplate:LaunchTemplate", { metadataOptions });
const service = (annotations: Record<string, string>, type = "LoadBalancer") =>
  resource("kubernetes:core/v1:Service", { metadata: { annotations }, spec: { type } });
const cluster = (props: Record<string, unknown>) => resource("aws:eks/cluster:Cluster", props);
const release = (zeebe: Record<string, unknown>, multiregion: Record<string, unknown> = {}) =>
  resource("kubernetes:helm.sh/v3:Release", {
    name: "camunda",
    values: {
      global: { multiregion: { regions: 2, regionId: 0, ...multiregion } },
      zeebe: { clusterSize: 8, partitionCount: 8, replicationFactor: 4, ...zeebe },
    },
  });
const members = (names: string[], replicationFactor: unknown) =>
  resource(dynamic("BrokerMembership"), {
    brokers: Object.fromEntries(names.map((name) => [name, "broker"])),
    replicationFactor,
  });
const four = ["region0/0", "region0/1", "region1/0", "region1/1"];
const repository = (name: string, props: Record<string, unknown>) =>
  resource(dynamic("SnapshotRepository"), props, name);
const values = (value: Record<string, unknown>) =>
  resource("kubernetes:helm.sh/v3:Release", { name: "camunda-elasticsearch", values: value });
const awsProvider = resource("pulumi:providers:aws", { region: "eu-west-2" });

/** For every rule of the pack by its name. */
export const CASES: Record<string, RuleCases> = {
  "no-public-bucket": {
    breaks: [
      ["a public ACL on the bucket", [bucket({ acl: "public-read" })], /acl is public-read/],
      [
        "an ACL for every AWS account",
        [beside("BucketAcl", { acl: "authenticated-read" })],
        /acl is authenticated-read/,
      ],
      [
        "an Allow for everybody",
        [
          bucketPolicy({
            Effect: "Allow",
            Principal: "*",
            Action: "s3:GetObject",
            Resource: `${arn}/*`,
          }),
        ],
        /allows something to everybody/,
      ],
      [
        "an Allow for every AWS principal among others",
        [
          bucketPolicy({
            Effect: "Allow",
            Principal: { AWS: ["arn:aws:iam::1:root", "*"] },
            Action: "s3:GetObject",
          }),
        ],
        /allows something to everybody/,
      ],
      [
        "an Allow for everybody but somebody",
        [bucketPolicy({ Effect: "Allow", NotPrincipal: root, Action: "s3:GetObject" })],
        /allows something to everybody/,
      ],
      ...Object.keys(blocked).map((block): RuleCases["breaks"][number] => [
        `an access block without ${block}`,
        [beside("BucketPublicAccessBlock", { ...blocked, [block]: false })],
        new RegExp(`^${block} is false`),
      ]),
    ],
    keeps: [
      ["four blocks", [beside("BucketPublicAccessBlock", blocked)]],
      ["a Deny for everybody", [bucketPolicy(tlsOnly)]],
      ["a private ACL", [beside("BucketAcl", { acl: "private" })]],
      ["a policy that is not known yet", [beside("BucketPolicy", { policy: UNKNOWN })]],
    ],
  },
  "bucket-blocks-public-access": {
    breaks: [
      ["no block", [bucket()], /bucket backup has no BucketPublicAccessBlock/],
      [
        "the block of another bucket",
        [
          bucket(),
          resource("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", { bucket: "other" }),
        ],
        /bucket backup has no BucketPublicAccessBlock/,
      ],
    ],
    keeps: [
      ["a block", [bucket(), beside("BucketPublicAccessBlock", blocked)]],
      [
        "a block of a bucket that has no name yet",
        [
          bucket({ bucket: UNKNOWN }),
          resource(
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            { bucket: UNKNOWN },
            "block",
            ["backup"],
          ),
        ],
      ],
    ],
  },
  "bucket-tls-only": {
    breaks: [
      ["no policy", [bucket()], /has no BucketPolicy/],
      [
        "a Deny for the objects only",
        [bucket(), bucketPolicy({ ...tlsOnly, Resource: `${arn}/*` })],
        /lets requests without TLS through/,
      ],
      [
        "a Deny for requests with TLS",
        [
          bucket(),
          bucketPolicy({ ...tlsOnly, Condition: { Bool: { "aws:SecureTransport": "true" } } }),
        ],
        /lets requests without TLS through/,
      ],
      [
        "a Deny for one principal",
        [bucket(), bucketPolicy({ ...tlsOnly, Principal: root })],
        /lets requests without TLS through/,
      ],
      [
        "a Deny of reading only",
        [bucket(), bucketPolicy({ ...tlsOnly, Action: "s3:GetObject" })],
        /lets requests without TLS through/,
      ],
    ],
    keeps: [
      ["a Deny without TLS", [bucket(), bucketPolicy(tlsOnly)]],
      ["a policy that is not known yet", [bucket(), beside("BucketPolicy", { policy: UNKNOWN })]],
    ],
  },
  "bucket-encrypted": {
    breaks: [
      ["no configuration", [bucket()], /has no BucketServerSideEncryptionConfiguration/],
      [
        "no algorithm",
        [
          bucket(),
          beside("BucketServerSideEncryptionConfiguration", {
            rules: [{ bucketKeyEnabled: true }],
          }),
        ],
        /is encrypted with undefined/,
      ],
    ],
    keeps: ["AES256", "aws:kms"].map((sseAlgorithm) => [
      sseAlgorithm,
      [
        bucket(),
        beside("BucketServerSideEncryptionConfiguration", {
          rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm } }],
        }),
      ],
    ]),
  },
  "bucket-versioned": {
    breaks: [
      ["no configuration", [bucket()], /has no BucketVersioning/],
      [
        "versioning suspended",
        [
          bucket(),
          beside("BucketVersioning", { versioningConfiguration: { status: "Suspended" } }),
        ],
        /has versioning Suspended/,
      ],
    ],
    keeps: [
      [
        "versioning enabled",
        [bucket(), beside("BucketVersioning", { versioningConfiguration: { status: "Enabled" } })],
      ],
    ],
  },
  "backups-kept": {
    breaks: [
      ["forceDestroy", [bucket({ forceDestroy: true })], /forceDestroy is true/],
      [
        "current objects that expire",
        [beside("BucketLifecycleConfiguration", { rules: [{ expiration: { days: 90 } }] })],
        /rules\[0\]\.expiration acts on current objects/,
      ],
      [
        "current objects that are moved",
        [
          beside("BucketLifecycleConfiguration", {
            rules: [{ transitions: [{ days: 30, storageClass: "GLACIER" }] }],
          }),
        ],
        /rules\[0\]\.transitions acts on current objects/,
      ],
    ],
    keeps: [
      ["a bucket with its content", [bucket({ forceDestroy: false })]],
      [
        "old versions and unfinished uploads that go",
        [
          beside("BucketLifecycleConfiguration", {
            rules: [
              {
                noncurrentVersionExpiration: { noncurrentDays: 30 },
                abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
                expiration: { expiredObjectDeleteMarker: true },
              },
            ],
          }),
        ],
      ],
    ],
  },
  "no-plain-volume": {
    breaks: [
      ["a volume", [resource("aws:ebs/volume:Volume", { size: 8 })], /encrypted is not true/],
      [
        "a template that leaves the disk to the image",
        [resource("aws:ec2/launchTemplate:LaunchTemplate", {})],
        /blockDeviceMappings is empty/,
      ],
      [
        "the second disk of a template",
        [
          resource("aws:ec2/launchTemplate:LaunchTemplate", {
            blockDeviceMappings: [{ ebs: { encrypted: "true" } }, { ebs: { encrypted: "false" } }],
          }),
        ],
        /blockDeviceMappings\[1\]\.ebs\.encrypted is not true/,
      ],
      [
        "a node group without a template",
        [resource("aws:eks/nodeGroup:NodeGroup", { diskSize: 20 })],
        /has no launchTemplate/,
      ],
      [
        "a storage class that does not encrypt",
        [
          resource("kubernetes:storage.k8s.io/v1:StorageClass", {
            provisioner: "ebs.csi.aws.com",
            parameters: { type: "gp3" },
          }),
        ],
        /parameters\.encrypted is not "true"/,
      ],
      [
        "a storage class of gp2",
        [
          resource("kubernetes:storage.k8s.io/v1:StorageClass", {
            provisioner: "ebs.csi.aws.com",
            parameters: { type: "gp2", encrypted: "true" },
          }),
        ],
        /parameters\.type is gp2/,
      ],
    ],
    keeps: [
      ["an encrypted volume", [resource("aws:ebs/volume:Volume", { encrypted: true })]],
      [
        "a template with encrypted disks, and its node group",
        [
          resource("aws:ec2/launchTemplate:LaunchTemplate", {
            blockDeviceMappings: [{ ebs: { encrypted: "true" } }],
          }),
          resource("aws:eks/nodeGroup:NodeGroup", {
            launchTemplate: { id: UNKNOWN, version: "1" },
          }),
        ],
      ],
      [
        "an encrypted storage class",
        [
          resource("kubernetes:storage.k8s.io/v1:StorageClass", {
            provisioner: "ebs.csi.aws.com",
            parameters: { type: "gp3", encrypted: "true" },
          }),
        ],
      ],
    ],
  },
  "eks-secrets-encrypted": {
    breaks: [
      ["no encryption", [cluster({})], /does not cover secrets/],
      [
        "no key",
        [cluster({ encryptionConfig: { resources: ["secrets"], provider: {} } })],
        /does not cover secrets/,
      ],
      [
        "something else encrypted",
        [cluster({ encryptionConfig: { resources: [], provider: { keyArn: "arn" } } })],
        /does not cover secrets/,
      ],
    ],
    keeps: [
      [
        "secrets with a key",
        [cluster({ encryptionConfig: { resources: ["secrets"], provider: { keyArn: "arn" } } })],
      ],
      [
        "a key that is made in the same run",
        [cluster({ encryptionConfig: { resources: ["secrets"], provider: { keyArn: UNKNOWN } } })],
      ],
    ],
  },
  "no-star-action": {
    breaks: [
      ["everything", [rolePolicy({ Action: "*" })], /policy allows \*:/],
      [
        "everything of a service",
        [rolePolicy({ Action: ["s3:GetObject", "s3:*"] })],
        /policy allows s3:\*:/,
      ],
      ["everything that begins so", [rolePolicy({ Action: "s3:Put*" })], /policy allows s3:Put\*/],
      [
        "everything but",
        [rolePolicy({ NotAction: "iam:CreateUser" })],
        /allows all but iam:CreateUser/,
      ],
      [
        "the key policy of anybody else",
        [key({ Action: "kms:*", Principal: { AWS: "arn:aws:iam::123456789012:role/r" } })],
        /policy allows kms:\*/,
      ],
      [
        "an inline policy of a role",
        [
          resource("aws:iam/role:Role", {
            inlinePolicies: [{ policy: document({ Effect: "Allow", Action: "*" }) }],
          }),
        ],
        /inlinePolicies\[0\]\.policy allows \*/,
      ],
      [
        "no JSON",
        [resource("aws:iam/policy:Policy", { policy: "{" })],
        /policy is not a policy document/,
      ],
      [
        "no statement",
        [resource("aws:iam/policy:Policy", { policy: "{}" })],
        /it has no Statement/,
      ],
    ],
    keeps: [
      ["named actions", [rolePolicy({ Action: ["s3:GetObject", "s3:PutObject"] })]],
      ["reading", [rolePolicy({ Action: ["ec2:Describe*", "s3:ListBucket"] })]],
      ["a Deny of everything", [rolePolicy({ Effect: "Deny", Action: "*" })]],
      ["a key that is handed to IAM", [key({ Action: "kms:*", Principal: root })]],
    ],
  },
  "no-star-resource": {
    breaks: [
      [
        "writing anywhere",
        [rolePolicy({ Action: ["s3:GetObject", "s3:PutObject"], Resource: "*" })],
        /policy allows s3:PutObject on Resource "\*"/,
      ],
      [
        "any key without a service",
        [rolePolicy({ Action: "kms:Decrypt", Resource: "*" })],
        /policy allows kms:Decrypt on Resource "\*"/,
      ],
    ],
    keeps: [
      ["writing to a bucket", [rolePolicy({ Action: "s3:PutObject" })]],
      ["reading anywhere", [rolePolicy({ Action: "ec2:DescribeSubnets", Resource: "*" })]],
      [
        "keys through S3",
        [
          rolePolicy({
            Action: ["kms:Decrypt", "kms:GenerateDataKey"],
            Resource: "*",
            Condition: { StringEquals: { "kms:ViaService": "s3.eu-west-3.amazonaws.com" } },
          }),
        ],
      ],
      ["a key policy", [key({ Action: "kms:Decrypt", Principal: root })]],
    ],
  },
  "role-trust-named": {
    breaks: [
      [
        "everybody",
        [trust({ Principal: "*", Action: "sts:AssumeRole" })],
        /lets everybody take the role/,
      ],
      ["every service account", [trust(oidc)], /without a condition on :sub and :aud/],
      [
        "every service account by a star",
        [
          trust({
            ...oidc,
            Condition: {
              StringLike: { "oidc.example:sub": "*", "oidc.example:aud": "sts.amazonaws.com" },
            },
          }),
        ],
        /without a condition on :sub:/,
      ],
      [
        "all but one service account",
        [
          trust({
            ...oidc,
            Condition: { StringNotEquals: { "oidc.example:sub": "x", "oidc.example:aud": "y" } },
          }),
        ],
        /without a condition on :sub and :aud/,
      ],
    ],
    keeps: [
      [
        "a service",
        [trust({ Principal: { Service: "eks.amazonaws.com" }, Action: "sts:AssumeRole" })],
      ],
      [
        "one service account",
        [
          trust({
            ...oidc,
            Condition: {
              StringEquals: {
                "oidc.example:sub": "system:serviceaccount:camunda:elasticsearch",
                "oidc.example:aud": "sts.amazonaws.com",
              },
            },
          }),
        ],
      ],
    ],
  },
  "no-full-access": {
    breaks: [
      [
        "an administrator",
        [
          resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {
            policyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
          }),
        ],
        /attaches .*AdministratorAccess/,
      ],
      [
        "all of S3",
        [
          resource("aws:iam/role:Role", {
            managedPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3FullAccess"],
          }),
        ],
        /attaches .*AmazonS3FullAccess/,
      ],
    ],
    keeps: [
      [
        "a node",
        [
          resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {
            policyArn: "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
          }),
        ],
      ],
    ],
  },
  "node-role-unreachable": {
    breaks: [
      ["a template without metadata options", [template({})], /httpTokens is not set/],
      [
        "requests without a token",
        [template({ httpTokens: "optional", httpPutResponseHopLimit: 1 })],
        /httpTokens is optional/,
      ],
      [
        "two hops",
        [template({ httpTokens: "required", httpPutResponseHopLimit: 2 })],
        /httpPutResponseHopLimit is 2/,
      ],
    ],
    keeps: [
      ["one hop with a token", [template({ httpTokens: "required", httpPutResponseHopLimit: 1 })]],
    ],
  },
  "ingress-listed": {
    breaks: [
      ["the internet", [port(26500, { cidrIpv4: "0.0.0.0/0" })], /lets in 0\.0\.0\.0\/0/],
      ["a public network", [port(26500, { cidrIpv4: "52.0.0.0/8" })], /lets in 52\.0\.0\.0\/8/],
      [
        "more than a private network",
        [port(26500, { cidrIpv4: "10.0.0.0/7" })],
        /lets in 10\.0\.0\.0\/7/,
      ],
      ["the internet by IPv6", [port(26500, { cidrIpv6: "::/0" })], /lets in ::\/0/],
      ["a port that is not listed", [port(9600)], /opens tcp 9600: the list has/],
      ["UDP where TCP is listed", [port(9200, { ipProtocol: "udp" })], /opens udp 9200/],
      [
        "a range",
        [ingress({ fromPort: 26500, toPort: 26502, cidrIpv4: "10.202.0.0/16" })],
        /opens tcp 26500-26502/,
      ],
      ["every protocol", [ingress({ ipProtocol: "-1", cidrIpv4: "10.202.0.0/16" })], /opens -1/],
      ["the NodePort to addresses", [port(30053)], /30053 to addresses/],
      [
        "a group's own rule",
        [
          resource("aws:ec2/securityGroup:SecurityGroup", {
            ingress: [{ protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: ["10.0.0.0/8"] }],
          }),
        ],
        /ingress\[0\] opens tcp 22/,
      ],
      [
        "a rule of the older type",
        [
          resource("aws:ec2/securityGroupRule:SecurityGroupRule", {
            type: "ingress",
            protocol: "tcp",
            fromPort: 53,
            toPort: 53,
            cidrBlocks: ["0.0.0.0/0"],
          }),
        ],
        /lets in 0\.0\.0\.0\/0/,
      ],
    ],
    keeps: [
      ...[53, 9200, 26500, 26501, 26502].map((number): RuleCases["keeps"][number] => [
        `TCP ${number} from the other VPC`,
        [port(number)],
      ]),
      ["UDP 26502 from the other VPC", [port(26502, { ipProtocol: "udp" })]],
      [
        "the NodePort from a group",
        [ingress({ fromPort: 30053, toPort: 30053, referencedSecurityGroupId: UNKNOWN })],
      ],
      [
        "the NodePort from a group of an account",
        [
          ingress({
            fromPort: 30053,
            toPort: 30053,
            referencedSecurityGroupId: "123456789012/sg-0",
          }),
        ],
      ],
      [
        "egress",
        [
          resource("aws:ec2/securityGroupRule:SecurityGroupRule", {
            type: "egress",
            protocol: "-1",
          }),
        ],
      ],
      ["a group without rules of its own", [resource("aws:ec2/securityGroup:SecurityGroup", {})]],
    ],
  },
  "load-balancer-internal": {
    breaks: [
      [
        "a public one",
        [resource("aws:lb/loadBalancer:LoadBalancer", { loadBalancerType: "network" })],
        /internal is not true/,
      ],
    ],
    keeps: [
      ["an internal one", [resource("aws:lb/loadBalancer:LoadBalancer", { internal: true })]],
    ],
  },
  "service-internal": {
    breaks: [
      ["no annotation", [service({})], /of type LoadBalancer without an annotation/],
      [
        "an annotation for a public one",
        [service({ "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing" })],
        /without an annotation/,
      ],
    ],
    keeps: [
      ["GKE", [service({ "networking.gke.io/load-balancer-type": "Internal" })]],
      ["a cluster IP", [service({}, "ClusterIP")]],
    ],
  },
  "eks-endpoint-open": {
    breaks: [
      ["AWS's default", [cluster({ vpcConfig: {} })], /reachable from 0\.0\.0\.0\/0/],
      [
        "everywhere among others",
        [cluster({ vpcConfig: { publicAccessCidrs: ["192.0.2.0/24", "0.0.0.0/0"] } })],
        /reachable from/,
      ],
    ],
    keeps: [
      ["known networks", [cluster({ vpcConfig: { publicAccessCidrs: ["192.0.2.0/24"] } })]],
      ["no public endpoint", [cluster({ vpcConfig: { endpointPublicAccess: false } })]],
    ],
  },
  "cluster-shape": {
    breaks: [
      [
        "an odd size",
        [release({ clusterSize: 5 })],
        /clusterSize is 5: it must be even and at least 4/,
      ],
      ["two brokers", [release({ clusterSize: "2" })], /clusterSize is 2/],
      ["the chart's default", [release({ clusterSize: undefined })], /clusterSize is not set/],
      [
        "three replicas",
        [release({ replicationFactor: 3 })],
        /replicationFactor is 3: it must be 4/,
      ],
      ["no partition", [release({ partitionCount: 0 })], /partitionCount is 0/],
      ["one region", [release({}, { regions: 1 })], /multiregion\.regions is 1/],
      ["a third region", [release({}, { regionId: 2 })], /multiregion\.regionId is 2/],
      [
        "a release without values",
        [resource("kubernetes:helm.sh/v3:Release", { name: "camunda" })],
        /clusterSize is not set/,
      ],
    ],
    keeps: [
      ["eight brokers", [release({})]],
      [
        "texts, as newer charts have them",
        [release({ clusterSize: "4", replicationFactor: "4" }, { regionId: "1" })],
      ],
      ["another chart", [values({ master: { replicaCount: 2 } })]],
    ],
  },
  "membership-shape": {
    breaks: [
      [
        "two replicas in two regions",
        [members(four, 2)],
        /replicationFactor 2: with members of both regions it must be 4/,
      ],
      [
        "four replicas in one region",
        [members(["region0/0", "region0/1"], 4)],
        /members of one region it must be 2/,
      ],
      [
        "more in one region",
        [members(four.slice(0, 3), 4)],
        /has 2 brokers of region0 and 1 of region1/,
      ],
      ["one broker in each", [members(["region0/0", "region1/0"], 4)], /at least 2/],
      ["nobody", [members([], 2)], /has 0 brokers of region0 and 0 of region1/],
    ],
    keeps: [
      ["both regions", [members(four, 4)]],
      ["a region alone", [members(["region1/0", "region1/1"], 2)]],
    ],
  },
  "snapshot-settings": {
    breaks: [
      [
        "two that write",
        [repository("one", { readonly: false }), repository("two", { readonly: false })],
        /one and two are written to by two clusters/,
      ],
      [
        "a reader without a snapshot",
        [repository("one", { readonly: true })],
        /one is read-only and names no snapshot/,
      ],
      ["one that does not say", [repository("one", {})], /one does not say readonly/],
    ],
    keeps: [
      [
        "a writer and a reader",
        [
          repository("one", { readonly: false }),
          repository("two", { readonly: true, snapshot: "failback" }),
        ],
      ],
    ],
  },
  "no-keys-in-values": {
    breaks: [
      [
        "a setting of Elasticsearch",
        [values({ extraConfig: { "s3.client.region0.secret_key": "x" } })],
        /values\.extraConfig\.s3\.client\.region0\.secret_key holds a key/,
      ],
      [
        "an id of a key in a list",
        [values({ env: [{ value: `AKIA${"A".repeat(16)}` }] })],
        /values\.env\[0\]\.value holds a key/,
      ],
      [
        "a setting in a text",
        [values({ config: "s3.client.region0.access_key: abc" })],
        /values\.config holds a key/,
      ],
    ],
    keeps: [
      [
        "a role",
        [values({ extraConfig: { "s3.client.region0.endpoint": "s3.eu-west-2.amazonaws.com" } })],
      ],
      ["the name of a Secret", [values({ extraEnvVarsSecret: "elasticsearch-keys" })]],
    ],
  },
  "state-backend-elsewhere": {
    breaks: [
      [
        "this region",
        [awsProvider],
        /the state backend is in eu-west-2/,
        { backendUrl: "s3://state?region=eu-west-2" },
      ],
      [
        "the other region",
        [awsProvider],
        /the state backend is in eu-west-3/,
        { backendUrl: "s3://state?region=eu-west-3", awsRegions: ["eu-west-2", "eu-west-3"] },
      ],
      [
        "the region of the environment",
        [awsProvider],
        /is in eu-west-2/,
        { backendUrl: "s3://state", defaultAwsRegion: "eu-west-2" },
      ],
      [
        "an endpoint of this region",
        [awsProvider],
        /is in eu-west-2/,
        { backendUrl: "s3://state?region=us-east-1&endpoint=s3.eu-west-2.amazonaws.com" },
      ],
    ],
    keeps: [
      [
        "a third region",
        [awsProvider],
        { backendUrl: "s3://state?region=eu-central-1", awsRegions: ["eu-west-3"] },
      ],
      ["Pulumi Cloud", [awsProvider], { backendUrl: "https://api.pulumi.com" }],
      ["another cloud", [awsProvider], { backendUrl: "gs://state", defaultAwsRegion: "eu-west-2" }],
      [
        "a store of one's own",
        [awsProvider],
        { backendUrl: "s3://state?endpoint=minio.example&region=eu-west-2" },
      ],
      ["an address that is not seen", [awsProvider]],
    ],
  },
};
