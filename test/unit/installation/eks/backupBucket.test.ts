import assert from "node:assert/strict";
import {
  adoptsBucket,
  BackupBucket,
  bucketIsThere,
} from "../../../../components/installation/eks/backupBucket";
import { awsProvider } from "../../../../components/installation/eks/provider";
import type { RegionName } from "../../../../components/base/brokers";
import type { EksSettings } from "../../../../components/settings";
import { BOTH, declare, eksSettings } from "./declared";
import { ownProvider } from "./scene";

const NAMES = {
  region0: "camunda-elastic-backup-123456789012-eu-west-2",
  region1: "camunda-elastic-backup-123456789012-eu-west-3",
};

interface Statement {
  Sid: string;
  Effect: string;
  Action: string | string[];
  Resource: string | string[];
  Condition?: Record<string, Record<string, unknown>>;
}

async function bucket(
  region: RegionName = "region0",
  overrides: Partial<EksSettings> = {},
  adopt?: boolean,
) {
  const { declared, outputs } = await declare(() => {
    const eks = eksSettings(overrides);
    const { options } = ownProvider(eks, region);
    const made = new BackupBucket(
      "backup",
      {
        eks,
        region,
        oidcProviderArn: "arn:aws:iam::123456789012:oidc-provider/oidc.eks.example/id/ABC",
        issuer: "oidc.eks.example/id/ABC",
        namespace: "camunda-london",
        serviceAccount: "elasticsearch",
        ...(adopt === undefined ? {} : { adopt }),
      },
      options,
    );
    return { bucket: made.bucket, roleArn: made.roleArn };
  });
  const statements = (type: string) =>
    (JSON.parse(String(declared.only(type).inputs.policy)) as { Statement: Statement[] }).Statement;
  return {
    declared,
    outputs,
    s3: (kind: string) => declared.only(`aws:s3/${kind[0]?.toLowerCase()}${kind.slice(1)}:${kind}`),
    role: statements("aws:iam/rolePolicy:RolePolicy"),
    policy: statements("aws:s3/bucketPolicy:BucketPolicy"),
  };
}

const listed = (value: string | string[]) => (Array.isArray(value) ? value : [value]);

describe("BackupBucket", () => {
  it("has the name that the other region computes, and one of its own with a suffix", async () => {
    for (const region of BOTH) {
      const { s3, outputs } = await bucket(region);
      assert.equal(s3("Bucket").inputs.bucket, NAMES[region]);
      assert.equal(outputs.bucket, "backup-bucket-id");
    }
    const { s3 } = await bucket("region0", { bucketSuffix: "2" });
    assert.equal(s3("Bucket").inputs.bucket, `${NAMES.region0}-2`);
  });

  it("stays in AWS with all its settings and its key", async () => {
    const { declared } = await bucket("region0", { bucketEncryption: "aws:kms" });
    const kept = declared.all.filter(({ type }) => /^aws:(s3|kms)\//.test(type));
    assert.equal(kept.length, 8);
    for (const { name, retainOnDelete, protect } of kept) {
      assert.equal(retainOnDelete, true, name);
      assert.equal(protect, false, name);
    }
    const { inputs } = declared.only("aws:s3/bucket:Bucket");
    assert.equal(inputs.forceDestroy, false);
  });

  it("lets Elasticsearch write its own bucket and only read the other's", async () => {
    for (const region of BOTH) {
      const { role } = await bucket(region);
      const peer = NAMES[region === "region0" ? "region1" : "region0"];
      const allowed = (name: string) =>
        role
          .filter(({ Resource }) => listed(Resource).some((arn) => arn.includes(name)))
          .flatMap(({ Action }) => listed(Action))
          .sort();
      assert.deepEqual(allowed(peer), ["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"]);
      assert.deepEqual(allowed(NAMES[region]), [
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "s3:ListBucketVersions",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
      ]);
    }
  });

  it("is imported only when it is to be taken over", async () => {
    assert.equal((await bucket()).s3("Bucket").importId, "");
    assert.equal((await bucket("region0", {}, false)).s3("Bucket").importId, "");
    const { declared, s3 } = await bucket("region1", {}, true);
    assert.equal(s3("Bucket").importId, NAMES.region1);
    assert.equal(declared.all.filter(({ importId }) => importId !== "").length, 1);
  });

  it("takes no default provider", async () => {
    const { declared } = await bucket("region1", { bucketEncryption: "aws:kms" });
    for (const { type, name, provider } of declared.all) {
      if (type.startsWith("aws:")) {
        assert.match(provider, /pulumi:providers:aws::aws::/, name);
      }
    }
  });
});

describe("whether the bucket is there", () => {
  const ask = (call: () => Record<string, unknown>) =>
    declare(
      async () => {
        const eks = eksSettings();
        return await bucketIsThere(eks, "region1", awsProvider("aws", eks, "region1"));
      },
      {
        call: (args) => {
          assert.equal(args.token, "aws:s3/getBucket:getBucket");
          assert.equal(args.inputs.bucket, NAMES.region1);
          assert.match(String(args.provider), /pulumi:providers:aws::aws::/);
          return call();
        },
      },
    ).then(({ outputs }) => outputs);

  it("is said by S3", async () => {
    assert.equal(await ask(() => ({ bucket: NAMES.region1 })), true);
  });

  /** As the engine hands over what the provider says. */
  const failing = (details: string) => () => {
    throw Object.assign(new Error(details), { details });
  };

  for (const reason of [
    "couldn't find resource",
    "operation error S3: HeadBucket, https response error StatusCode: 404, api error NotFound: Not Found",
  ]) {
    it(`is denied by S3: ${reason}`, async () => {
      const details = `1 error occurred:\n\t* reading S3 Bucket (${NAMES.region1}): ${reason}\n`;
      assert.equal(await ask(failing(details)), false);
    });
  }

  for (const reason of [
    `reading S3 Bucket (${NAMES.region1}): StatusCode: 403, api error Forbidden: Forbidden`,
    "configuring AWS provider: failed to get shared config profile, nosuch: not found",
    `reading S3 Bucket (${NAMES.region1}): no such host`,
  ]) {
    it(`is not guessed when S3 says neither: ${reason}`, async () => {
      await assert.rejects(
        ask(failing(`1 error occurred:\n\t* ${reason}\n`)),
        /bucket camunda-elastic-backup-.*-eu-west-3: S3 does not say whether it is there \(1 error occurred: .*\): give the credentials s3:ListBucket/,
      );
    });
  }
});

describe("whether a bucket is taken over", () => {
  const SUFFIXED = `${NAMES.region1}-two`;
  const cases: [string, Parameters<typeof adoptsBucket>[0], string | undefined, boolean][] = [
    ["none is recorded", {}, NAMES.region1, true],
    ["none is recorded, and none is there", {}, undefined, false],
    ["a suffix was taken back", { bucket: SUFFIXED }, NAMES.region1, true],
    ["another name is new", { bucket: SUFFIXED }, undefined, false],
    ["it is the stack's own", { bucket: NAMES.region1 }, NAMES.region1, false],
    ["what is recorded cannot be read", { unreadable: true }, NAMES.region1, false],
  ];
  for (const [when, recorded, there, expected] of cases) {
    it(`is ${expected} when ${when}`, async () => {
      const asked: unknown[] = [];
      const { outputs } = await declare(
        async () => {
          const eks = eksSettings();
          return await adoptsBucket(recorded, eks, "region1", awsProvider("aws", eks, "region1"));
        },
        {
          call: ({ inputs }) => {
            asked.push(inputs.bucket);
            if (inputs.bucket !== there) {
              const details = `reading S3 Bucket (${String(inputs.bucket)}): couldn't find resource`;
              throw Object.assign(new Error(details), { details });
            }
            return { bucket: there };
          },
        },
      );
      assert.equal(outputs, expected);
      const own = recorded.bucket === NAMES.region1 || recorded.unreadable === true;
      assert.deepEqual(asked, own ? [] : [NAMES.region1]);
    });
  }
});
