import type * as pulumi from "@pulumi/pulumi";
import type { RegionName } from "../../base/brokers";
import type { EksSettings } from "../../settings";
import * as aws from "./sdk";

/**
 * The AWS provider of a stack: its own region only.
 *
 * Before the first resource it asks STS of that region whose credentials it has, and refuses those of another
 * account than `awsAccount`: none of the computed names would be right there. That question is also how it
 * knows the account: without it, it would ask IAM, in us-east-1, or know none, and S3 Control, which it reads
 * a bucket's tags with, refuses a request without an account.
 *
 * Credentials are found as any AWS tool finds them, an instance profile too.
 *
 * IAM and Route 53 are signed in us-east-1 all the same. A resource of theirs that does not change makes
 * no call without `--refresh`.
 *
 * @param options as for any provider; a component that gets this provider hands it to its children
 */
export function awsProvider(
  name: string,
  eks: EksSettings,
  region: RegionName,
  options?: pulumi.ResourceOptions,
): aws.Provider {
  const awsRegion = eks.awsRegions[region];
  return new aws.Provider(
    name,
    {
      region: awsRegion,
      stsRegion: awsRegion,
      s3UsEast1RegionalEndpoint: "regional",
      allowedAccountIds: [eks.awsAccount],
      // Of machines on EC2 the credentials are in their metadata, which is not asked otherwise.
      skipMetadataApiCheck: false,
      skipRegionValidation: true,
      // The provider's own default of 25 would let a call to an API that is down last for many minutes.
      maxRetries: 5,
      defaultTags: {
        tags: { "camunda8:installation": eks.prefix, "camunda8:region": region },
      },
    },
    options,
  );
}
