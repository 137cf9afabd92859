import { UNKNOWN } from "../../../../policies/rules/model";
import { RuleCases, document, resource, arn, root } from "../resources";

const template = (metadataOptions: Record<string, unknown>) =>
  resource("aws:ec2/launchTemplate:LaunchTemplate", { metadataOptions });
const key = (statement: Record<string, unknown>) =>
  resource("aws:kms/key:Key", {
    policy: document({ Effect: "Allow", Resource: "*", ...statement }),
  });
const rolePolicy = (statement: Record<string, unknown>) =>
  resource("aws:iam/rolePolicy:RolePolicy", {
    policy: document({ Effect: "Allow", Resource: `${arn}/*`, ...statement }),
  });
const trust = (statement: Record<string, unknown>) =>
  resource("aws:iam/role:Role", { assumeRolePolicy: document({ Effect: "Allow", ...statement }) });
const provider = (config: Record<string, unknown>) => resource("pulumi:providers:aws", config);
const ours = { allowedAccountIds: '["123456789012"]' };
const cluster = (config: Record<string, unknown>) => resource("aws:eks/cluster:Cluster", config);
const oidc = {
  Principal: { Federated: "arn:aws:iam::123456789012:oidc-provider/oidc.example" },
  Action: "sts:AssumeRoleWithWebIdentity",
};

/** Of the rules in policies/rules/access.ts, by name. */
export const ACCESS: Record<string, RuleCases> = {
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
  "account-named": {
    breaks: [
      ["no account", [provider({})], /allowedAccountIds is not set/],
      ["no account in the list", [provider({ allowedAccountIds: "[]" })], /is not set/],
      [
        "an account that is not asked for",
        [provider({ ...ours, skipRequestingAccountId: "true" })],
        /skipRequestingAccountId is true/,
      ],
      [
        "credentials that nobody looks at",
        [provider({ ...ours, skipCredentialsValidation: true })],
        /skipCredentialsValidation is true/,
      ],
    ],
    keeps: [
      ["one account", [provider(ours)]],
      ["one that is not known yet", [provider({ allowedAccountIds: UNKNOWN })]],
      ["another cloud", [resource("pulumi:providers:gcp", {})]],
    ],
  },
  "control-plane-logged": {
    breaks: [
      ["no logs", [cluster({})], /has no audit/],
      ["other logs", [cluster({ enabledClusterLogTypes: ["api"] })], /has no audit/],
    ],
    keeps: [
      ["the audit log", [cluster({ enabledClusterLogTypes: ["api", "audit"] })]],
      ["what is not known yet", [cluster({ enabledClusterLogTypes: UNKNOWN })]],
    ],
  },
};
