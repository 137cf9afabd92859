import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSettings } from "../../../components/settings";
import type { EksSettings } from "../../../components/settings";
import { backendPlace, backendWarnings } from "../../../components/stack/stateBackend";
import { eksConfig, lookup } from "../../support/config";

const eks = readSettings(lookup(eksConfig())).installation?.cluster as EksSettings;

describe("where the state lies", () => {
  const inside = [
    "s3://state?region=eu-west-2&awssdk=v2",
    "s3://state?endpoint=s3.eu-west-3.amazonaws.com",
    "awskms://alias/pulumi?region=eu-west-3",
    "awskms:///arn:aws:kms:eu-west-2:123456789012:key/1",
  ];
  for (const address of inside) {
    it(`warns of ${address}`, () => {
      const [warning, ...others] = backendWarnings({ backend: address }, eks);
      assert.deepEqual(others, []);
      assert.match(warning ?? "", /lies in eu-west-[23] .*move it to a third region$/);
    });
  }
  const outside = [
    "s3://state?region=eu-central-1",
    "s3://state?region=eu-west-22",
    "file:///srv/eu-west-2",
    "https://api.pulumi.com",
    "awskms://alias/eu-west-2-key?region=us-east-2",
    "passphrase",
    "",
  ];
  for (const address of outside) {
    it(`is silent about ${address === "" ? "nothing" : address}`, () => {
      assert.deepEqual(backendWarnings({ secretsProvider: address }, eks), []);
    });
  }

  it("is told by the environment, else by the login, and by the stack's file", () => {
    const folder = mkdtempSync(join(tmpdir(), "backend-"));
    try {
      const stackFile = join(folder, "Pulumi.region0.yaml");
      assert.deepEqual(backendPlace(stackFile, { PULUMI_HOME: folder }), {
        backend: undefined,
        secretsProvider: undefined,
      });
      writeFileSync(join(folder, "credentials.json"), '{"current": "s3://state"}');
      writeFileSync(
        stackFile,
        "secretsprovider: awskms://alias/key?region=eu-west-2\nconfig: {}\n",
      );
      assert.deepEqual(backendPlace(stackFile, { PULUMI_HOME: folder }), {
        backend: "s3://state",
        secretsProvider: "awskms://alias/key?region=eu-west-2",
      });
      const env = { PULUMI_HOME: folder, PULUMI_BACKEND_URL: "file:///srv" };
      assert.equal(backendPlace(stackFile, env).backend, "file:///srv");
      writeFileSync(join(folder, "credentials.json"), "half");
      assert.equal(backendPlace(stackFile, { PULUMI_HOME: folder }).backend, undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
