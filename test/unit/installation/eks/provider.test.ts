import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { awsProvider, expectAccount } from "../../../../components/installation/eks/provider";
import { declare, eksSettings } from "./declared";

describe("the AWS provider of a stack", () => {
  it("asks nothing but its own region, and nothing at the start", async () => {
    const { declared } = await declare(() => void awsProvider("aws", eksSettings(), "region1"));
    const { inputs } = declared.only("pulumi:providers:aws");
    assert.deepEqual(
      Object.fromEntries(
        Object.entries(inputs).map(([key, value]) => [
          key,
          typeof value === "string" && /^(true|\d|\{)/.test(value) ? JSON.parse(value) : value,
        ]),
      ),
      {
        region: "eu-west-3",
        stsRegion: "eu-west-3",
        s3UsEast1RegionalEndpoint: "regional",
        skipCredentialsValidation: true,
        skipMetadataApiCheck: true,
        skipRegionValidation: true,
        skipRequestingAccountId: true,
        maxRetries: 5,
        defaultTags: {
          tags: { "camunda8:installation": "camunda", "camunda8:region": "region1" },
        },
      },
    );
    assert.doesNotMatch(JSON.stringify(inputs), /eu-west-2|us-east-1/);
  });
});

describe("the account", () => {
  const check = (arn: string) =>
    (
      expectAccount(eksSettings(), pulumi.output(arn)) as unknown as { promise(): Promise<string> }
    ).promise();

  it("is that of the configuration", async () => {
    const arn = "arn:aws:iam::123456789012:role/x";
    assert.equal(await check(arn), arn);
  });

  it("is not another", async () => {
    await assert.rejects(
      check("arn:aws:iam::210987654321:role/x"),
      /^Error: awsAccount is 123456789012, and the AWS credentials in use are those of 210987654321: use credentials of 123456789012/,
    );
  });
});
