import assert from "node:assert/strict";
import { awsProvider } from "../../../../components/installation/eks/provider";
import { declare, eksSettings } from "./declared";

describe("the AWS provider of a stack", () => {
  it("asks nothing but its own region, and works with the configured account only", async () => {
    const { declared } = await declare(() => void awsProvider("aws", eksSettings(), "region1"));
    const { inputs } = declared.only("pulumi:providers:aws");
    assert.deepEqual(
      Object.fromEntries(
        Object.entries(inputs).map(([key, value]) => [
          key,
          typeof value === "string" && /^(true|false|\d|[[{])/.test(value)
            ? JSON.parse(value)
            : value,
        ]),
      ),
      {
        region: "eu-west-3",
        stsRegion: "eu-west-3",
        s3UsEast1RegionalEndpoint: "regional",
        allowedAccountIds: ["123456789012"],
        skipCredentialsValidation: false,
        skipMetadataApiCheck: false,
        skipRegionValidation: true,
        maxRetries: 5,
        defaultTags: {
          tags: { "camunda8:installation": "camunda", "camunda8:region": "region1" },
        },
      },
    );
    assert.doesNotMatch(JSON.stringify(inputs), /eu-west-2|us-east-1/);
  });
});
