import assert from "node:assert/strict";
import { bucketName, clusterName, s3Endpoint } from "../../../components/settings/eksNames";
import { zoneIds } from "../../../components/settings/eksZones";
import { eksSettings } from "../installation/eks/declared";

describe("names in AWS", () => {
  it("of a bucket hold account, AWS region and suffix, and are short enough with the longest prefix", () => {
    assert.equal(
      bucketName(eksSettings(), "region1"),
      "camunda-elastic-backup-123456789012-eu-west-3",
    );
    const eks = eksSettings({
      prefix: "a".repeat(20),
      bucketSuffix: "2",
      awsRegions: { region0: "ap-southeast-1", region1: "ap-northeast-1" },
    });
    assert.match(bucketName(eks, "region0"), /-ap-southeast-1-2$/);
    const longest = bucketName({ ...eks, bucketSuffix: undefined }, "region0");
    assert.ok(longest.length <= 63, `${longest.length} characters`);
  });

  it("differ between the regions", () => {
    const eks = eksSettings();
    assert.notEqual(bucketName(eks, "region0"), bucketName(eks, "region1"));
    assert.notEqual(clusterName(eks, "region0"), clusterName(eks, "region1"));
    assert.equal(s3Endpoint("eu-west-2"), "s3.eu-west-2.amazonaws.com");
  });
});

describe("availability zones", () => {
  const cases: [string, string[]][] = [
    ["eu-west-2", ["euw2-az1", "euw2-az2", "euw2-az3"]],
    ["eu-west-3", ["euw3-az1", "euw3-az2", "euw3-az3"]],
    ["eu-central-1", ["euc1-az1", "euc1-az2", "euc1-az3"]],
    ["us-east-1", ["use1-az1", "use1-az2", "use1-az4"]],
    ["ca-central-1", ["cac1-az1", "cac1-az2", "cac1-az4"]],
    ["ap-northeast-1", ["apne1-az1", "apne1-az2", "apne1-az4"]],
    ["ap-southeast-2", ["apse2-az1", "apse2-az2", "apse2-az3"]],
  ];
  for (const [awsRegion, expected] of cases) {
    it(`of ${awsRegion}`, () => assert.deepEqual(zoneIds(awsRegion), expected));
  }

  it("are too few in us-west-1", () => {
    assert.throws(() => zoneIds("us-west-1"), /us-west-1, which has 2 availability zones for EKS/);
  });
});
