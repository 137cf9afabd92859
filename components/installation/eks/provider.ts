import * as pulumi from "@pulumi/pulumi";
import type { RegionName } from "../../base/brokers";
import type { EksSettings } from "../../settings";
import { UserError } from "../../base/userError";
import * as aws from "./sdk";

/**
 * The AWS provider of a stack: its own region only, and no call before the first resource's own.
 *
 * A provider that is left to itself asks the global STS, which is in us-east-1, for the account, and the
 * metadata of the machine for credentials. All of that is skipped: the account comes from config, STS is
 * asked in the own region. `allowedAccountIds` cannot stand beside it (the provider compares it with an
 * account that it has not asked for, and refuses): {@link expectAccount} takes its place.
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
      skipCredentialsValidation: true,
      skipMetadataApiCheck: true,
      skipRegionValidation: true,
      skipRequestingAccountId: true,
      // The provider's own default of 25 would let a call to an API that is down last for many minutes.
      maxRetries: 5,
      defaultTags: {
        tags: { "camunda8:installation": eks.prefix, "camunda8:region": region },
      },
    },
    options,
  );
}

/**
 * The ARN, when it is in the account of the configuration. What is made from the answer is not made in
 * another account, where none of the computed names would be right.
 *
 * @throws {@link UserError} in the output when it is not
 */
export function expectAccount(eks: EksSettings, arn: pulumi.Output<string>): pulumi.Output<string> {
  return arn.apply((text) => {
    const account = text.split(":")[4];
    if (account !== eks.awsAccount) {
      throw new UserError(
        `awsAccount is ${eks.awsAccount}, and the AWS credentials in use are those of ${account}: use credentials of ${eks.awsAccount}, or correct awsAccount, and destroy what was made in ${account}`,
      );
    }
    return text;
  });
}
