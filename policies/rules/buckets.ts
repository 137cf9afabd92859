import { documentsOf, isEverybody, Statement } from "./documents";
import {
  isAws,
  isTrue,
  isUnknown,
  list,
  PolicyResource,
  record,
  Rule,
  StackRule,
  Violation,
} from "./model";

const BLOCKS = [
  "blockPublicAcls",
  "blockPublicPolicy",
  "ignorePublicAcls",
  "restrictPublicBuckets",
];

/** A backup holds every process instance: nothing that opens a bucket to everybody. */
export const noPublicBucket: Rule = {
  kind: "resource",
  name: "no-public-bucket",
  description: "No ACL, bucket policy or access block lets everybody at a bucket.",
  level: "mandatory",
  check(resource) {
    const { props } = resource;
    if (isAws(resource, "s3", "BucketPublicAccessBlock")) {
      return BLOCKS.filter((key) => !isTrue(props[key]) && !isUnknown(props[key])).map(
        (key) =>
          `${key} is ${String(props[key] ?? "not set")}: all four blocks must be true; set it`,
      );
    }
    const isBucket = isAws(resource, "s3", "Bucket");
    const problems: string[] = [];
    if (
      (isBucket || isAws(resource, "s3", "BucketAcl")) &&
      /^public-|^authenticated-read$/.test(String(props.acl))
    ) {
      problems.push(`acl is ${String(props.acl)}: a bucket here is private; remove the acl`);
    }
    if (isBucket || isAws(resource, "s3", "BucketPolicy")) {
      for (const { statements, at } of documentsOf(resource)) {
        if (
          statements.some(
            ({ effect, principals }) => effect === "Allow" && principals.some(isEverybody),
          )
        ) {
          problems.push(
            `${at} allows something to everybody (Principal "*"): name the principals, or give the right to a role`,
          );
        }
      }
    }
    return problems;
  },
};

/** A bucket is private by a block of its own, not by a default that somebody may change in the account. */
export const bucketBlocked: StackRule = perBucket({
  name: "bucket-blocks-public-access",
  description: "Every bucket has a public access block.",
  companion: "BucketPublicAccessBlock",
  check: () => undefined,
  missing: "has no BucketPublicAccessBlock: add one with all four blocks true",
});

/** The procedure's snapshots travel between regions. */
export const bucketTlsOnly: StackRule = perBucket({
  name: "bucket-tls-only",
  description: "Every bucket refuses requests without TLS.",
  companion: "BucketPolicy",
  check: (policy) => {
    if (isUnknown(policy.props.policy)) {
      return undefined;
    }
    return documentsOf(policy).some(({ statements }) => statements.some(refusesPlain))
      ? undefined
      : 'has a bucket policy that lets requests without TLS through: add a Deny of s3:* for Principal "*" on the bucket and its objects where aws:SecureTransport is false';
  },
  missing:
    'has no BucketPolicy: add one that denies s3:* to Principal "*" on the bucket and its objects where aws:SecureTransport is false',
});

/** Whose encryption a bucket has is said, so that a change of AWS's default changes nothing. */
export const bucketEncrypted: StackRule = perBucket({
  name: "bucket-encrypted",
  description: "Every bucket says how it is encrypted.",
  companion: "BucketServerSideEncryptionConfiguration",
  check: ({ props }) => {
    const algorithms = list(props.rules).map((rule) => {
      const byDefault = record(record(rule).applyServerSideEncryptionByDefault);
      return byDefault.sseAlgorithm;
    });
    const good = ["AES256", "aws:kms", "aws:kms:dsse"];
    return isUnknown(props.rules) ||
      (algorithms.length > 0 &&
        algorithms.every((it) => isUnknown(it) || good.includes(String(it))))
      ? undefined
      : `is encrypted with ${algorithms.map(String).join(", ") || "nothing"}: sseAlgorithm must be AES256 or aws:kms`;
  },
  missing: "has no BucketServerSideEncryptionConfiguration: add one with AES256 or aws:kms",
});

/** Elasticsearch's snapshots share files: an old object may be part of the newest snapshot. */
export const bucketVersioned: StackRule = perBucket({
  name: "bucket-versioned",
  description: "Every bucket keeps what was overwritten or deleted.",
  companion: "BucketVersioning",
  check: ({ props }) => {
    const { status } = record(props.versioningConfiguration);
    return isUnknown(props.versioningConfiguration) || isUnknown(status) || status === "Enabled"
      ? undefined
      : `has versioning ${String(status ?? "not set")}: status must be Enabled`;
  },
  missing: "has no BucketVersioning: add one with status Enabled",
});

/** What would take a backup away by itself, or along with a stack. */
export const backupsKept: Rule = {
  kind: "resource",
  name: "backups-kept",
  description:
    "No lifecycle rule removes or moves current objects, and no bucket is deleted with its content.",
  level: "mandatory",
  check(resource) {
    if (isAws(resource, "s3", "Bucket")) {
      return isTrue(resource.props.forceDestroy)
        ? ["forceDestroy is true: deleting the stack would delete every backup; remove it"]
        : [];
    }
    if (!isAws(resource, "s3", "BucketLifecycleConfiguration")) {
      return [];
    }
    return list(resource.props.rules).flatMap((rule, index) =>
      // An absent block is an empty list or null in outputs.
      ["expiration", "transitions"].flatMap((key) => {
        const value = list(record(rule)[key]).map(record);
        const acts = value.some((it) => it.days || it.date || it.storageClass);
        return acts
          ? [
              `rules[${index}].${key} acts on current objects: every file of a snapshot repository may belong to the newest snapshot; only noncurrent versions and unfinished uploads may go`,
            ]
          : [];
      }),
    );
  },
};

function refusesPlain(statement: Statement): boolean {
  const bool = record(statement.condition.Bool);
  return (
    statement.effect === "Deny" &&
    statement.principals.some(isEverybody) &&
    statement.actions.some((action) => action === "s3:*" || action === "*") &&
    statement.resources.some((arn) => arn === "*" || arn.endsWith("/*")) &&
    statement.resources.some((arn) => arn === "*" || !arn.includes("/")) &&
    list(bool["aws:SecureTransport"]).map(String).includes("false")
  );
}

/** A rule that wants, for each bucket, a resource of a type beside it. */
function perBucket(rule: {
  name: string;
  description: string;
  companion: string;
  check: (companion: PolicyResource) => string | undefined;
  missing: string;
}): StackRule {
  return {
    kind: "stack",
    name: rule.name,
    description: rule.description,
    level: "mandatory",
    check: (resources) =>
      resources
        .filter((resource) => isAws(resource, "s3", "Bucket"))
        .flatMap((bucket): Violation[] => {
          const companions = resources.filter(
            (resource) => isAws(resource, "s3", rule.companion) && belongsTo(resource, bucket),
          );
          const problems =
            companions.length === 0
              ? [rule.missing]
              : companions.map(rule.check).filter((problem) => problem !== undefined);
          return problems.map((problem) => ({
            resource: bucket,
            message: `bucket ${bucket.name} ${problem}`,
          }));
        }),
  };
}

/** By the bucket's name where it is known, else by the dependency: in a preview of a new bucket there is no id. */
function belongsTo(companion: PolicyResource, bucket: PolicyResource): boolean {
  const named = companion.props.bucket;
  if (typeof named === "string") {
    return [bucket.props.bucket, bucket.props.id, bucket.name].includes(named);
  }
  return companion.dependsOn.includes(bucket.name);
}
