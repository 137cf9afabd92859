import { type Properties, record } from "../pulumi/properties";
import { policyProblems } from "./iam";
import { arn, records, ResourceType, Scope, text } from "./resourceType";
import { AwsError, Item } from "./state";

/** Type token of Bucket. */
export const BUCKET = "aws:s3/bucket:Bucket";
/** Type token of BucketPublicAccessBlock. */
export const PUBLIC_ACCESS_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock";
/** Type token of BucketPolicy. */
export const BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy";
/** Type token of BucketVersioning. */
export const BUCKET_VERSIONING = "aws:s3/bucketVersioning:BucketVersioning";
/** Type token of BucketServerSideEncryptionConfiguration. */
export const BUCKET_ENCRYPTION =
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration";
/** Type token of BucketOwnershipControls. */
export const BUCKET_OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls";
/** Type token of BucketLifecycleConfiguration. */
export const BUCKET_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";
/** Type token of Key. */
export const KMS_KEY = "aws:kms/key:Key";

/** Outputs of a bucket that is there. */
export function bucketOutputs(item: Pick<Item, "id" | "region">): Properties {
  const region = String(item.region);
  return {
    arn: `arn:aws:s3:::${item.id}`,
    bucketDomainName: `${item.id}.s3.amazonaws.com`,
    bucketRegionalDomainName: `${item.id}.s3.${region}.amazonaws.com`,
    bucketRegion: region,
  };
}

const bucket: ResourceType = {
  autoname: { property: "bucket", max: 63 },
  defaults: { forceDestroy: false },
  replaces: ["bucket", "bucketPrefix"],
  computed: ["arn", "bucketDomainName", "bucketRegionalDomainName", "bucketRegion"],
  *check(inputs) {
    const name = text(inputs, "bucket");
    if (name !== undefined && !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) {
      yield `"bucket": "${name}" is no name of a bucket: 3 to 63 lower-case letters, digits, "." and "-"`;
    }
  },
  create(scope, inputs) {
    const id = String(inputs.bucket);
    // Names are global: another region's bucket of the account has the name as well.
    if (scope.aws.list(BUCKET).some((other) => other.id === id)) {
      throw new AwsError(
        "BucketAlreadyOwnedByYou",
        `Your previous request to create the named bucket succeeded and you already own it: ${id}`,
      );
    }
    scope.aws.objects.set(id, new Set());
    return { id, outputs: bucketOutputs({ id, region: scope.region }) };
  },
  delete(scope, item) {
    const objects = scope.aws.objects.get(item.id);
    if (objects !== undefined && objects.size > 0 && item.inputs.forceDestroy !== true) {
      throw new AwsError(
        "BucketNotEmpty",
        `The bucket you tried to delete is not empty. You must delete all versions in the bucket: ${item.id} has ${objects.size}`,
      );
    }
    scope.aws.objects.delete(item.id);
    for (const type of Object.keys(SETTINGS)) {
      scope.aws
        .list(type)
        .filter(({ id }) => id === item.id)
        .forEach((setting) => scope.aws.remove(setting));
    }
  },
};

function needBucket(scope: Scope, name: unknown): Item {
  const item = scope.aws.list(BUCKET).find(({ id }) => id === name);
  if (item === undefined) {
    throw new AwsError("NoSuchBucket", `The specified bucket does not exist: ${String(name)}`);
  }
  if (item.region !== scope.region) {
    throw new AwsError(
      "PermanentRedirect",
      `The bucket ${item.id} is in ${String(item.region)}, it was asked for in ${scope.region}`,
    );
  }
  return item;
}

/** A setting of a bucket: made by writing it, so that one that is there is written over. */
function setting(
  check: (inputs: Properties) => Iterable<string>,
  required: readonly string[] = [],
  apply: (scope: Scope, inputs: Properties) => void = () => undefined,
): ResourceType {
  return {
    required: ["bucket", ...required],
    replaces: ["bucket"],
    check,
    create(scope, inputs) {
      const { id } = needBucket(scope, inputs.bucket);
      apply(scope, inputs);
      return { id };
    },
    update(scope, _item, inputs) {
      needBucket(scope, inputs.bucket);
      apply(scope, inputs);
    },
  };
}

function publicStatements(policy: unknown): boolean {
  const { Statement: statements } = JSON.parse(String(policy)) as { Statement: unknown };
  return records(Array.isArray(statements) ? statements : [statements]).some(
    ({ Effect: effect, Principal: principal, Condition: condition }) =>
      effect === "Allow" &&
      condition === undefined &&
      (principal === "*" || record(principal).AWS === "*"),
  );
}

const SETTINGS: Record<string, ResourceType> = {
  [PUBLIC_ACCESS_BLOCK]: setting(function* () {}),
  [BUCKET_VERSIONING]: setting(
    function* (inputs) {
      const { status } = record(inputs.versioningConfiguration);
      if (typeof status === "string" && !["Enabled", "Suspended", "Disabled"].includes(status)) {
        yield `"versioningConfiguration.status": "${status}" is not Enabled, Suspended or Disabled`;
      }
    },
    ["versioningConfiguration"],
  ),
  [BUCKET_ENCRYPTION]: setting(
    function* (inputs) {
      for (const rule of records(inputs.rules)) {
        const { sseAlgorithm: algorithm } = record(rule.applyServerSideEncryptionByDefault);
        if (
          typeof algorithm === "string" &&
          !["AES256", "aws:kms", "aws:kms:dsse"].includes(algorithm)
        ) {
          yield `"rules.applyServerSideEncryptionByDefault.sseAlgorithm": "${algorithm}" is not AES256 or aws:kms`;
        }
      }
    },
    ["rules"],
    (scope, inputs) => {
      for (const rule of records(inputs.rules)) {
        const { kmsMasterKeyId: key } = record(rule.applyServerSideEncryptionByDefault);
        const known = scope.aws
          .list(KMS_KEY, scope.region)
          .some(({ id, outputs }) => id === key || outputs.arn === key);
        if (key !== undefined && !known) {
          throw new AwsError(
            "KMS.NotFoundException",
            `Key '${String(key)}' does not exist in ${scope.region}`,
          );
        }
      }
    },
  ),
  [BUCKET_OWNERSHIP]: setting(
    function* (inputs) {
      const { objectOwnership: ownership } = record(inputs.rule);
      const known = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"];
      if (typeof ownership === "string" && !known.includes(ownership)) {
        yield `"rule.objectOwnership": "${ownership}" is not ${known.join(" or ")}`;
      }
    },
    ["rule"],
  ),
  [BUCKET_LIFECYCLE]: setting(
    function* (inputs) {
      for (const [index, rule] of records(inputs.rules).entries()) {
        for (const key of ["id", "status"]) {
          if (rule[key] === undefined) {
            yield `"rules[${index}].${key}": is required`;
          }
        }
        const actions = [
          "expiration",
          "noncurrentVersionExpiration",
          "abortIncompleteMultipartUpload",
          "transitions",
          "noncurrentVersionTransitions",
        ];
        if (!actions.some((key) => rule[key] !== undefined)) {
          yield `"rules[${index}]": MalformedXML: a rule needs an action: ${actions.join(", ")}`;
        }
        if (rule.filter === undefined && rule.prefix === undefined) {
          yield `"rules[${index}].filter": one of filter and prefix must be given, an empty filter for all objects`;
        }
      }
    },
    ["rules"],
  ),
  [BUCKET_POLICY]: setting(
    function* (inputs) {
      yield* policyProblems("policy", inputs.policy, "resource");
    },
    ["policy"],
    (scope, inputs) => {
      const block = scope.aws.list(PUBLIC_ACCESS_BLOCK).find(({ id }) => id === inputs.bucket);
      if (block?.inputs.blockPublicPolicy === true && publicStatements(inputs.policy)) {
        throw new AwsError(
          "AccessDenied",
          `the public policy of ${String(inputs.bucket)} is blocked by its BlockPublicPolicy setting`,
        );
      }
    },
  ),
};

const key: ResourceType = {
  defaults: { isEnabled: true, enableKeyRotation: false },
  kept: ["policy"],
  computed: ["arn", "keyId", "policy"],
  *check(inputs) {
    yield* policyProblems("policy", inputs.policy, "resource");
    const days = inputs.deletionWindowInDays;
    if (typeof days === "number" && (days < 7 || days > 30)) {
      yield `"deletionWindowInDays": ${days} is not 7 to 30`;
    }
  },
  create(scope) {
    const id = scope.aws.newId("key-");
    return { id, outputs: { arn: arn(scope, "kms", `key/${id}`), keyId: id } };
  },
};

/** Buckets and keys. */
export const S3_TYPES: Record<string, ResourceType> = {
  [BUCKET]: bucket,
  ...SETTINGS,
  [KMS_KEY]: key,
};
