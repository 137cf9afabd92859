import type { Properties } from "../pulumi/properties";
import { arn, ResourceType } from "./resourceType";
import { AwsError, Aws, Item } from "./state";
import {
  BUCKET,
  BUCKET_ENCRYPTION,
  BUCKET_LIFECYCLE,
  BUCKET_OWNERSHIP,
  BUCKET_POLICY,
  BUCKET_VERSIONING,
  KMS_KEY,
  PUBLIC_ACCESS_BLOCK,
} from "./tokens";

function bucketOutputs(item: Pick<Item, "id" | "region">): Properties {
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
  },
};

/** The function `aws:s3/getBucket:getBucket`. */
export function getBucket(aws: Aws, region: string, { bucket: name }: Properties): Properties {
  const item = aws.list(BUCKET).find(({ id }) => id === name);
  if (item === undefined) {
    throw new Error(`reading S3 Bucket (${String(name)}): couldn't find resource`);
  }
  if (item.region !== region) {
    throw new AwsError("PermanentRedirect", `the bucket ${item.id} is in ${String(item.region)}`);
  }
  return { id: item.id, bucket: item.id, ...bucketOutputs(item) };
}

/** A setting of a bucket: made by writing it, so that one that is there is written over. */
const setting: ResourceType = {
  replaces: ["bucket"],
  names: { bucket: BUCKET, "rules.applyServerSideEncryptionByDefault.kmsMasterKeyId": KMS_KEY },
  within: "bucket",
  overwrites: true,
  create(_scope, inputs) {
    return { id: String(inputs.bucket) };
  },
};

const key: ResourceType = {
  defaults: { isEnabled: true, enableKeyRotation: false },
  kept: ["policy"],
  computed: ["arn", "keyId", "policy"],
  create(scope) {
    const id = scope.aws.newId("key-");
    return { id, outputs: { arn: arn(scope, "kms", `key/${id}`), keyId: id } };
  },
};

/** Buckets and keys. */
export const S3_TYPES: Record<string, ResourceType> = {
  [BUCKET]: bucket,
  [PUBLIC_ACCESS_BLOCK]: setting,
  [BUCKET_VERSIONING]: setting,
  [BUCKET_ENCRYPTION]: setting,
  [BUCKET_OWNERSHIP]: setting,
  [BUCKET_LIFECYCLE]: setting,
  [BUCKET_POLICY]: setting,
  [KMS_KEY]: key,
};
