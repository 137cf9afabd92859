import * as pulumi from "@pulumi/pulumi";
import { peerOf, RegionName } from "../../base/brokers";
import type { EksSettings } from "../../settings";
import type { RecordedState } from "../../stack/stackState";
import { UserError } from "../../base/userError";
import { bucketName } from "../../settings/eksNames";
import * as aws from "./sdk";
import { trustServiceAccount } from "./trust";
import { messageOf } from "../../base/messageOf";

/** Arguments of {@link BackupBucket}. */
export interface BackupBucketArgs {
  eks: EksSettings;
  /** The region of this stack. */
  region: RegionName;
  /** ARN of the OIDC provider of the region's cluster. */
  oidcProviderArn: pulumi.Input<string>;
  /** Its issuer, without `https://`. */
  issuer: pulumi.Input<string>;
  /** Namespace of Elasticsearch. */
  namespace: string;
  /** Service account of Elasticsearch: nobody else can take the role. */
  serviceAccount: string;
  /**
   * Whether the bucket is there already and is taken into this stack, with all that is in it: see
   * {@link adoptsBucket}. Means nothing once the stack has it. Default false.
   */
  adopt?: boolean;
}

/**
 * Whether a stack takes a bucket over that is there: the one of an earlier stack, or its own of the time
 * before a `bucketSuffix` that was taken back. Of the bucket that the stack has S3 is not asked.
 *
 * @throws {@link UserError} when S3 of the region does not say
 */
export async function adoptsBucket(
  recorded: Pick<RecordedState, "bucket" | "unreadable">,
  eks: EksSettings,
  region: RegionName,
  provider: aws.Provider,
): Promise<boolean> {
  return (
    recorded.unreadable !== true &&
    recorded.bucket !== bucketName(eks, region) &&
    (await bucketIsThere(eks, region, provider))
  );
}

/**
 * Whether a region's bucket is in AWS. To be asked when the stack has not recorded it: the bucket outlives
 * its stack, its name is fixed, and S3 refuses to make it twice (BucketAlreadyOwnedByYou).
 *
 * @throws {@link UserError} when S3 of the region does not say
 */
export async function bucketIsThere(
  eks: EksSettings,
  region: RegionName,
  provider: aws.Provider,
): Promise<boolean> {
  const bucket = bucketName(eks, region);
  try {
    await aws.s3.getBucket({ bucket }, { provider });
    return true;
  } catch (error) {
    const text = messageOf(error).replace(/\s+/g, " ");
    // "Not found" is said of credentials and profiles, too.
    if (/reading S3 Bucket .*(couldn't find resource|not ?found|NoSuchBucket)/i.test(text)) {
      return false;
    }
    throw new UserError(
      `bucket ${bucket}: S3 does not say whether it is there (${text}): give the credentials s3:ListBucket on it, or set bucketSuffix for a new bucket`,
    );
  }
}

/**
 * Bucket of a region's Elasticsearch snapshots, and the role that Elasticsearch reads and writes it with:
 * its own bucket whole, the other region's for reading, so that a recreated region restores from the
 * survivor's and the loss of a region takes no backup along. No keys anywhere.
 *
 * The bucket, its settings and its KMS key stay in AWS when they leave the stack, also with
 * `pulumi destroy`: it is the one thing that a mistake must not take. A stack that is made again takes it
 * over (`adopt`), or gets a bucket of its own (`bucketSuffix`). On taking it over with `aws:kms`, new
 * snapshots get a new key; the old key stays, and the role can use both: it is let use whatever key the
 * bucket's objects are encrypted with, and for them only.
 *
 * Current objects never expire: a snapshot repository of which one file is missing is broken. What
 * Elasticsearch has deleted is kept for 30 days.
 */
export class BackupBucket extends pulumi.ComponentResource {
  /** Name of the bucket: known only when it is there, private and encrypted. */
  readonly bucket: pulumi.Output<string>;
  /** Role for Elasticsearch's service account (`eks.amazonaws.com/role-arn`): known only when its policy is there. */
  readonly roleArn: pulumi.Output<string>;

  constructor(
    private readonly name: string,
    private readonly args: BackupBucketArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("camunda8:aws:BackupBucket", name, {}, options);
    this.bucket = this.makeBucket();
    this.roleArn = this.makeRole();
    this.registerOutputs({ bucket: this.bucket, roleArn: this.roleArn });
  }

  private makeBucket(): pulumi.Output<string> {
    const { eks, region, adopt } = this.args;
    const name = bucketName(eks, region);
    // Deleting a setting would weaken the bucket that stays: none of them is.
    const kept = { parent: this, retainOnDelete: true };
    const made = new aws.s3.Bucket(
      `${this.name}-bucket`,
      { bucket: name, forceDestroy: false },
      adopt === true ? { ...kept, import: name } : kept,
    );
    const bucket = made.id;
    const access = new aws.s3.BucketPublicAccessBlock(
      `${this.name}-private`,
      {
        bucket,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      kept,
    );
    const ownership = new aws.s3.BucketOwnershipControls(
      `${this.name}-ownership`,
      { bucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
      kept,
    );
    const encryption = new aws.s3.BucketServerSideEncryptionConfiguration(
      `${this.name}-encryption`,
      { bucket, rules: [this.encryptionRule(kept)] },
      kept,
    );
    const versioning = new aws.s3.BucketVersioning(
      `${this.name}-versions`,
      { bucket, versioningConfiguration: { status: "Enabled" } },
      kept,
    );
    new aws.s3.BucketLifecycleConfiguration(
      `${this.name}-lifecycle`,
      {
        bucket,
        rules: [
          {
            id: "noncurrent-versions",
            status: "Enabled",
            filter: {},
            noncurrentVersionExpiration: { noncurrentDays: 30 },
            // The marker of what was deleted, once no version is behind it: Elasticsearch lists them all otherwise.
            expiration: { expiredObjectDeleteMarker: true },
          },
          {
            id: "aborted-uploads",
            status: "Enabled",
            filter: {},
            abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
          },
        ],
      },
      { ...kept, dependsOn: [versioning] },
    );
    const policy = new aws.s3.BucketPolicy(
      `${this.name}-tls`,
      { bucket, policy: tlsOnly(name) },
      { ...kept, dependsOn: [access] },
    );
    return pulumi
      .all([bucket, policy.id, encryption.id, versioning.id, ownership.id])
      .apply(([id]) => id);
  }

  private encryptionRule(
    options: pulumi.CustomResourceOptions,
  ): aws.types.input.s3.BucketServerSideEncryptionConfigurationRule {
    const { eks, region } = this.args;
    if (eks.bucketEncryption === "AES256") {
      return { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } };
    }
    const key = new aws.kms.Key(
      `${this.name}-key`,
      {
        description: `Snapshots in ${bucketName(eks, region)}`,
        enableKeyRotation: true,
        deletionWindowInDays: 30,
      },
      // Without the key the bucket that stays could not be read.
      options,
    );
    return {
      applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: key.arn },
      bucketKeyEnabled: true,
    };
  }

  private makeRole(): pulumi.Output<string> {
    const { eks, region } = this.args;
    const role = new aws.iam.Role(
      `${this.name}-elasticsearch`,
      { assumeRolePolicy: trustServiceAccount(this.args, this.args) },
      { parent: this },
    );
    const policy = new aws.iam.RolePolicy(
      `${this.name}-elasticsearch`,
      { role: role.name, policy: JSON.stringify(elasticsearchPolicy(eks, region)) },
      { parent: this },
    );
    return pulumi.all([role.arn, policy.id]).apply(([arn]) => arn);
  }
}

function tlsOnly(bucket: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "TlsOnly",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
  });
}

/** What Elasticsearch's S3 repository asks for (its documentation, "Recommended S3 permissions"), and no more. */
function elasticsearchPolicy(eks: EksSettings, region: RegionName) {
  const own = bucketName(eks, region);
  const peer = bucketName(eks, peerOf(region));
  const bucket = (name: string) => `arn:aws:s3:::${name}`;
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "OwnBucket",
        Effect: "Allow",
        Action: [
          "s3:ListBucket",
          "s3:GetBucketLocation",
          "s3:ListBucketMultipartUploads",
          "s3:ListBucketVersions",
        ],
        Resource: bucket(own),
      },
      {
        Sid: "OwnSnapshots",
        Effect: "Allow",
        Action: [
          "s3:GetObject",
          "s3:PutObject",
          "s3:DeleteObject",
          "s3:AbortMultipartUpload",
          "s3:ListMultipartUploadParts",
        ],
        Resource: `${bucket(own)}/*`,
      },
      {
        Sid: "PeerBucket",
        Effect: "Allow",
        Action: ["s3:ListBucket", "s3:GetBucketLocation"],
        Resource: bucket(peer),
      },
      {
        Sid: "PeerSnapshots",
        Effect: "Allow",
        Action: ["s3:GetObject"],
        Resource: `${bucket(peer)}/*`,
      },
      // Whatever the encryption is now: what was written under a key is read with it for ever.
      keysOf(eks, region, "OwnKey", ["kms:Decrypt", "kms:GenerateDataKey"]),
      keysOf(eks, peerOf(region), "PeerKey", ["kms:Decrypt"]),
    ],
  };
}

/**
 * Keys by what they are used for: S3 of that region, on that bucket. Their ids would be the other stack's
 * to say, and those of a bucket that was taken over nobody's.
 */
function keysOf(eks: EksSettings, region: RegionName, sid: string, actions: string[]) {
  const awsRegion = eks.awsRegions[region];
  const bucket = `arn:aws:s3:::${bucketName(eks, region)}`;
  return {
    Sid: sid,
    Effect: "Allow",
    Action: actions,
    Resource: `arn:aws:kms:${awsRegion}:${eks.awsAccount}:key/*`,
    Condition: {
      StringEquals: { "kms:ViaService": `s3.${awsRegion}.amazonaws.com` },
      StringLike: { "kms:EncryptionContext:aws:s3:arn": [bucket, `${bucket}/*`] },
    },
  };
}
