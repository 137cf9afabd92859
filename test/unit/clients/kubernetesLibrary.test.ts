import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { load } from "../../../components/clients/kubernetesLibrary";
import { REPOSITORY } from "../../../scripts/repository";

describe("the Kubernetes client", function () {
  this.timeout(60_000);
  let folder: string;
  let packages: string;
  let cache: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "packages-"));
    packages = path.join(folder, "node_modules");
    mkdirSync(packages);
    cache = path.join(packages, ".cache", "camunda-dual-region");
    for (const name of ["@kubernetes", "esbuild"]) {
      symlinkSync(path.join(REPOSITORY, "node_modules", name), path.join(packages, name));
    }
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is made one file, which is taken from then on", async () => {
    const { KubeConfig, CoreV1Api } = await load(packages);
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: "c", server: "https://c", skipTLSVerify: false },
      { name: "u" },
    );
    assert.ok(config.makeApiClient(CoreV1Api) instanceof CoreV1Api);
    const [file = "", ...more] = readdirSync(cache);
    assert.deepEqual(more, []);
    const kept = path.join(cache, file);
    rmSync(kept);
    writeFileSync(kept, `module.exports.KubeConfig = "as kept";`);
    assert.equal((await load(packages)).KubeConfig, "as kept");
  });

  it("is loaded as it is where nothing can be kept", async () => {
    mkdirSync(path.dirname(cache));
    writeFileSync(cache, "no folder");
    assert.equal(typeof (await load(packages)).KubeConfig, "function");
  });

  it("is loaded as it is where it cannot be made one file, and leaves none", async () => {
    rmSync(path.join(packages, "@kubernetes"));
    mkdirSync(path.join(packages, "@kubernetes/client-node"), { recursive: true });
    writeFileSync(path.join(packages, "@kubernetes/client-node/package.json"), `{"version":"1"}`);
    assert.equal(typeof (await load(packages)).KubeConfig, "function");
    assert.deepEqual(readdirSync(cache), []);
  });
});
