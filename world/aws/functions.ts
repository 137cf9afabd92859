import type { Properties } from "../pulumi/properties";
import { BUCKET, bucketOutputs } from "./s3";
import { AwsError, Aws } from "./state";

/** A function of the provider that looks something up. */
type Lookup = (aws: Aws, region: string, args: Properties) => Properties;

/** Functions that stacks call. One that is not here is an error. */
export const FUNCTIONS: Record<string, Lookup> = {
  "aws:s3/getBucket:getBucket": (aws, region, { bucket }) => {
    const item = aws.list(BUCKET).find(({ id }) => id === bucket);
    if (item === undefined) {
      throw new Error(`reading S3 Bucket (${String(bucket)}): couldn't find resource`);
    }
    if (item.region !== region) {
      throw new AwsError("PermanentRedirect", `the bucket ${item.id} is in ${String(item.region)}`);
    }
    return { id: item.id, bucket: item.id, ...bucketOutputs(item) };
  },
};
