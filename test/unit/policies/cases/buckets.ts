import { UNKNOWN } from "../../../../policies/rules/model";
import { document, resource, arn, root, RuleCases } from "../resources";

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

/** Of the rules in policies/rules/buckets.ts, by name. */
export const BUCKETS: Record<string, RuleCases> = {
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
};
