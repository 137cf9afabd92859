import assert from "node:assert/strict";
import type { Stack } from "@pulumi/pulumi/automation";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { measured } from "../../scripts/bench/usage";
import { REPOSITORY } from "../../scripts/repository";
import { ThrowAwayPulumi } from "../../world/pulumi/throwAway";
import { Scene } from "./scene";

/** Resources that need no plugin, of the types that rules look at. */
const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const provider = { create: async (inputs) => ({ id: "made", outs: { ...inputs, later: true } }) };
class Declared extends pulumi.dynamic.Resource {
  constructor(type, name, inputs) {
    super(provider, name, { later: undefined, ...inputs }, {}, "camunda", type);
  }
}
const config = new pulumi.Config();
const members = new Declared("BrokerMembership", "members", {
  brokers: { "region0/0": 0, "region0/1": 2, "region1/0": 1, "region1/1": 3 },
  replicationFactor: config.getNumber("replicationFactor") ?? 4,
});
new Declared("SnapshotRepository", "survivor", { readonly: false });
new Declared("SnapshotRepository", "recreated", {
  readonly: config.getBoolean("twoWriters") ? false : members.later,
  snapshot: "failback",
});
`;

const RUNTIME = "repository";

describe("the policy pack in the policy engine", function () {
  this.timeout(900_000);
  let sandbox: ThrowAwayPulumi;
  let stack: Stack;
  let bin: string;
  let pack: string;

  beforeEach(async () => {
    sandbox = await ThrowAwayPulumi.create();
    const program = path.join(sandbox.folder, "program");
    await fs.mkdir(program);
    await fs.writeFile(path.join(program, "Pulumi.yaml"), "name: policed\nruntime: nodejs\n");
    await fs.writeFile(path.join(program, "package.json"), '{ "main": "index.js" }\n');
    await fs.writeFile(path.join(program, "index.js"), PROGRAM);
    await fs.symlink(path.join(REPOSITORY, "node_modules"), path.join(program, "node_modules"));
    stack = await sandbox.program(program, "dev");
    ({ bin, pack } = await packFor(sandbox.folder));
  });

  afterEach(() => sandbox?.dispose());

  /** With the pack's programs in front of PATH. */
  const previewOf = ({ cwd, env }: { cwd: string; env: NodeJS.ProcessEnv }, name: string) =>
    measured(
      "pulumi",
      ["preview", "-s", name, "--policy-pack", pack, "--non-interactive", "--color", "never"],
      { cwd, env: { ...env, PATH: [bin, env.PATH].join(path.delimiter) } },
    );
  const preview = () => previewOf(sandbox.shell(stack.workspace.workDir), stack.name);

  it("lets a stack pass that keeps every rule, with values that are not known before up", async () => {
    const { code, output } = await preview();
    assert.equal(code, 0, output);
    assert.match(output, /✅ camunda-dual-region/);
  });

  it("stops a stack that breaks a rule on a resource, and one on the whole stack", async () => {
    await stack.setConfig("replicationFactor", { value: "3" });
    await stack.setConfig("twoWriters", { value: "true" });
    const { code, output } = await preview();
    assert.notEqual(code, 0, output);
    assert.match(output, /\[mandatory\] +membership-shape +\(.*BrokerMembership: members\)/);
    assert.match(output, /replicationFactor 3: with members of both regions it must be 4/);
    assert.match(output, /\[mandatory\] +snapshot-settings/);
    assert.match(output, /recreated and survivor are written to by two clusters/);
  });

  // What it declares in other phases passes the rules in test/unit/policies/golden.test.ts.
  it("lets this program pass", async () => {
    const scene = await Scene.of({ up: false });
    try {
      const { code, output } = await previewOf(scene.workspace.shell, scene.region);
      assert.equal(code, 0, output);
      assert.match(output, /BrokerMembership/);
      assert.match(output, /✅ camunda-dual-region/);
    } finally {
      await scene.end();
    }
  });
});

/**
 * A language host runs packs of its language, but not the one that is built from Go modules where nothing
 * else is to be had. There the engine takes a program named after the pack's runtime, with the same arguments.
 */
async function packFor(folder: string): Promise<{ bin: string; pack: string }> {
  const [bin, pack] = [path.join(folder, "bin"), path.join(folder, "pack")];
  await fs.mkdir(bin);
  await fs.mkdir(pack);
  const policies = path.join(REPOSITORY, "policies");
  const project = await fs.readFile(path.join(policies, "PulumiPolicy.yaml"), "utf8");
  assert.match(project, /^runtime: nodejs$/m);
  await fs.writeFile(
    path.join(pack, "PulumiPolicy.yaml"),
    project.replace(/^runtime: nodejs$/m, `runtime: ${RUNTIME}`),
  );
  const host = require.resolve("@pulumi/pulumi/cmd/run-policy-pack");
  await fs.writeFile(
    path.join(bin, `pulumi-analyzer-policy-${RUNTIME}`),
    `#!/bin/sh\ncd '${policies}' && exec '${process.execPath}' '${host}' "$@"\n`,
    { mode: 0o755 },
  );
  return { bin, pack };
}
