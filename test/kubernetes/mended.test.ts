import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import * as path from "node:path";
import type { KubeObject } from "../../world/kubernetes/played/objects";
import { ownCharts } from "../../world/scenes/charts";
import { REPOSITORY } from "../../scripts/repository";
import type { RegionName } from "../../world/world";
import { descendants, killOrphan } from "../engine/scene";
import { ChartRepository } from "./chartRepository";
import { Installation } from "./installation";
import { refusalOf } from "./refusal";

/** Versions that no repository has: what the tests leave in the project must not be taken for Camunda's. */
const VERSIONS = { camunda: "11.0.0-test", elasticsearch: "21.0.0-test" };

const ARCHIVES = [
  `charts/camunda-platform-${VERSIONS.camunda}.tgz`,
  `charts/elasticsearch-${VERSIONS.elasticsearch}.tgz`,
].map((file) => path.join(REPOSITORY, file));

describe("an installation through the real provider that something has befallen", function () {
  this.timeout(1_200_000);
  const installation = new Installation();
  let repository: ChartRepository;

  before(async () => {
    repository = await ChartRepository.start({
      "camunda-platform": { folder: ownCharts().camunda.chart, version: VERSIONS.camunda },
      elasticsearch: { folder: ownCharts().elasticsearch.chart, version: VERSIONS.elasticsearch },
    });
    await installation.start({
      timeouts: { settle: 2, absence: 2, formation: 120, request: 20, gate: 120, release: 5 },
      charts: {
        camunda: {
          chart: "camunda-platform",
          repository: repository.url,
          version: VERSIONS.camunda,
        },
        elasticsearch: {
          chart: "elasticsearch",
          repository: repository.url,
          version: VERSIONS.elasticsearch,
        },
      },
    });
  });

  after(async () => {
    await repository?.stop();
    ARCHIVES.forEach((file) => rmSync(file, { force: true }));
    await installation.stop();
  });

  const revisions = async (region: RegionName, release: string) =>
    (await installation.cluster(region).list("v1", "Secret"))
      .filter(({ metadata }) => metadata.labels?.owner === "helm")
      .filter(({ metadata }) => metadata.labels?.name === release)
      .map(({ metadata }) => `${metadata.labels?.version} ${metadata.labels?.status}`)
      .sort();

  const deployment = (name: string) =>
    installation.cluster("region0").read("apps/v1", "Deployment", "camunda-london", name);

  /** Runs `pulumi up` and kills all of it, the plugin too, when Helm has begun something and not ended it. */
  async function killUpInHelm(region: RegionName, status: string, attempts = 3): Promise<void> {
    const cluster = installation.cluster(region);
    const stack = await installation.stack(region);
    const up = spawn(
      "pulumi",
      ["up", "-s", region, "--yes", "--skip-preview", "--non-interactive"],
      { ...installation.workspace.shell, detached: true, stdio: "ignore" },
    );
    const exited = once(up, "exit");
    let killed = false;
    await cluster.watch(["v1/Secret"], (_type, { metadata }: KubeObject) => {
      if (!killed && metadata.labels?.status === status) {
        killed = true;
        // Nothing of what Helm still sends arrives any more.
        cluster.freeze();
        const all = [up.pid ?? 0, ...descendants(up.pid)];
        // One of them may have ended by itself since they were listed: the others must end all the same.
        all.forEach(killOrphan);
        cluster.thaw();
      }
    });
    await exited;
    if (!killed) {
      // A busy machine: the other stack was not read in time, and the run was refused. It has begun nothing.
      assert.ok(attempts > 1, `up ended without ${status}`);
      // The watch of this attempt has nothing to do any more.
      killed = true;
      return killUpInHelm(region, status, attempts - 1);
    }
    await stack.stack.cancel();
  }

  it("is installed after a first up that was killed inside Helm", async () => {
    await killUpInHelm("region0", "pending-install");
    assert.deepEqual(await revisions("region0", "camunda-elasticsearch"), ["1 pending-install"]);
    await installation.install();
    const { phase } = (await (await installation.stack("region0")).outputs()).recovery as {
      phase: string;
    };
    assert.equal(phase, "steady");
    assert.deepEqual(await revisions("region0", "camunda-elasticsearch"), ["1 deployed"]);
  });

  it("needs no repository of charts any more, and has not drifted", async () => {
    assert.deepEqual(ARCHIVES.map(existsSync), [true, true]);
    await repository.stop();
    const { changes } = await (await installation.stack("region1")).preview({ refresh: true });
    assert.deepEqual(changes, {});
  });

  it("is healed of an upgrade that was killed inside Helm, also when it is taken back", async () => {
    const stack = await installation.stack("region0");
    await stack.set("sizing.gateways", "3", { path: true });
    await killUpInHelm("region0", "pending-upgrade");
    assert.deepEqual(await revisions("region0", "camunda"), ["1 deployed", "2 pending-upgrade"]);
    await stack.unset("sizing");
    // A refresh would show the release as one that failed, and hide whether the program has seen it.
    const { changed } = await stack.up();
    assert.deepEqual(
      changed.map(({ op, name }) => `${op} ${name}`),
      ["update region-camunda"],
    );
    assert.deepEqual(await revisions("region0", "camunda"), [
      "1 superseded",
      "2 failed",
      "3 deployed",
    ]);
    const gateway = await deployment("camunda-zeebe-gateway");
    assert.equal((gateway?.spec as { replicas?: number }).replicas, 2);
  });

  it("gets back what was deleted by hand", async () => {
    const stack = await installation.stack("region0");
    await installation
      .cluster("region0")
      .remove("apps/v1", "Deployment", "camunda-london", "camunda-operate");
    await stack.up();
    assert.ok(await deployment("camunda-operate"));
    assert.deepEqual((await stack.up()).changed, []);
  });

  it("keeps its records in a destroy while its cluster hangs, which every run says at once", async () => {
    const stack = await installation.stack("region1");
    const recorded = async () => {
      const { deployment } = await stack.stack.exportStack();
      return (deployment as { resources: { urn: string }[] }).resources.map(({ urn }) => urn);
    };
    const before = await recorded();
    await stack.set("timeouts.request", "5", { path: true });
    const cluster = installation.cluster("region1");
    cluster.freeze();
    try {
      assert.match(
        await refusalOf(stack.up()),
        /the cluster of region1 cannot be asked .*: mend it/,
      );
      assert.match(
        await refusalOf(stack.destroy()),
        /the cluster of region1 cannot be asked .*: the records stay/,
      );
    } finally {
      cluster.thaw();
    }
    assert.deepEqual(await recorded(), before);
  });
});
