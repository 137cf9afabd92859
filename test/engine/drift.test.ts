import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { isRecord } from "../../components/base/json";
import { waitFor } from "../../components/clients/poll";
import { REPOSITORY } from "../../scripts/repository";
import { Scene } from "./scene";

/** The command of the workflow as a shell reads it, on a workspace of the test. */
function comparison(): string {
  const file = readFileSync(path.join(REPOSITORY, ".github", "workflows", "drift.yml"), "utf8");
  const { jobs } = parse(file) as { jobs: { drift: { steps: { name?: string; run?: string }[] } } };
  const run = jobs.drift.steps.find(({ name }) => name === "Compare")?.run ?? "";
  assert.match(run, /^npm run --silent pulumi -- /);
  return run.replace(/^npm run --silent pulumi -- /, "pulumi ");
}

describe("the drift workflow", function () {
  this.timeout(900_000);
  let scene: Scene;

  afterEach(() => scene?.end());

  async function compare(): Promise<{ code: number; output: string }> {
    const { cwd, env } = scene.workspace.shell;
    try {
      const { stdout } = await promisify(execFile)("bash", ["-c", comparison()], {
        cwd,
        env: { ...env, STACK: scene.region },
      });
      return { code: 0, output: stdout };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, output: stdout + stderr };
    }
  }

  /** Does by hand, past Pulumi, what nobody should. */
  async function disableExporter(exporter: string): Promise<void> {
    const { management } = scene.world.endpoints.region0;
    await fetch(`${management}/actuator/exporters/${exporter}/disable`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
    });
    await waitFor<void>(
      `${exporter} disabled`,
      20,
      () => undefined,
      async () => {
        const found = (await (await fetch(`${management}/actuator/exporters`)).json()) as unknown[];
        const seen = found.filter(isRecord).find(({ exporterId }) => exporterId === exporter);
        return seen?.status === "DISABLED"
          ? { done: true, value: undefined }
          : { done: false, seen: JSON.stringify(found) };
      },
    );
  }

  it("is quiet while the cluster is as declared, and fails when somebody has changed it", async () => {
    scene = await Scene.of();
    const quiet = await compare();
    assert.equal(quiet.code, 0, quiet.output);
    await disableExporter("elasticsearchregion1");
    const mark = scene.mark();
    const loud = await compare();
    assert.notEqual(loud.code, 0, loud.output);
    assert.match(loud.output, /exporter-region1/);
    assert.match(loud.output, /"DISABLED" => "ENABLED"/);
    assert.deepEqual(scene.since(mark), []);
  });

  it("fails when the cluster does not answer", async () => {
    scene = await Scene.of();
    const heal = scene.world.inject({ region: "region0", path: /.*/, hang: true });
    const { code, output } = await compare();
    heal();
    assert.notEqual(code, 0, output);
  });
});
