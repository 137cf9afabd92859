import assert from "node:assert/strict";
import { expectLine, expectRefusal } from "../../support/failure";
import { gunzipSync, gzipSync } from "node:zlib";
import * as pulumi from "@pulumi/pulumi";
import { isInstalled, readSettings } from "../../../components/settings";
import { lookAtReleases } from "../../../components/recovery/releases";
import type { Shape } from "../../../components/recovery/phase";
import type { RecordedState } from "../../../components/stack/stackState";
import { useClusterBench } from "../../support/clusterBench";
import { kubernetesConfig, lookup, Raw } from "../../support/config";

const PLUGIN = "pulumi-resource-kubernetes";
const TEXT = { name: "camunda", info: { status: "pending-upgrade" }, manifest: "kind: Service" };

const recorded: RecordedState = {
  exporters: {},
  installed: true,
  camunda: { applied: "8.6", verified: "8.6" },
  network: {},
  namespace: "camunda-london",
  releases: {
    camunda: {
      revision: 1,
      description: undefined,
      objects: ["Deployment/camunda-operate", "Service/camunda-zeebe", "PodDisruptionBudget/x"],
    },
  },
};

describe("what a run looks at in its own cluster", () => {
  const bench = useClusterBench();

  /** Under mocks: the program asks the SDK whether it is a preview, and logs by it. */
  async function look(
    options: { preview?: boolean; shape?: Shape; raw?: Raw; state?: Partial<RecordedState> } = {},
  ) {
    const lines: string[] = [];
    const mocks = { newResource: () => ({ id: "", state: {} }), call: () => ({}) };
    await pulumi.runtime.setMocks(mocks, "p", "region0", options.preview ?? false);
    const timeouts = { request: 5, release: 1, ...(options.raw?.timeouts as object) };
    const settings = readSettings(
      lookup(kubernetesConfig({ peerStack: "region1", ...options.raw, timeouts })),
    );
    assert.ok(isInstalled(settings));
    const state = { ...recorded, ...options.state };
    return { ...(await lookAtReleases(settings, options.shape ?? "steady", state)), lines };
  }

  function revision(version: number, status: string, manager = PLUGIN, age = 3600): void {
    const release = Buffer.from(gzipSync(JSON.stringify(TEXT)).toString("base64"));
    bench().store.apply({
      apiVersion: "v1",
      kind: "Secret",
      type: "helm.sh/release.v1",
      metadata: {
        name: `sh.helm.release.v1.camunda.v${version}`,
        namespace: bench().namespace,
        labels: { owner: "helm", name: "camunda", version: String(version), status },
        managedFields: [{ manager, time: new Date(Date.now() - age * 1000).toISOString() }],
      },
      data: { release: release.toString("base64") },
    });
  }

  const secret = (version: number) =>
    bench().store.get("Secret", bench().namespace, `sh.helm.release.v1.camunda.v${version}`);

  const writes = () =>
    bench()
      .api.requests.map(({ method }) => method)
      .filter((method) => method !== "GET");

  async function installed(): Promise<void> {
    await bench().start();
    bench().addDeployment("camunda-operate", 1);
    bench().store.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "camunda-zeebe", namespace: bench().namespace },
    });
    revision(1, "deployed");
    await bench().until("operate runs", () => bench().store.list("Pod").length === 2);
  }

  it("finds nothing to say when all is as it was left, and keeps the descriptions", async () => {
    await installed();
    const releases = { camunda: { ...recorded.releases.camunda!, description: "earlier" } };
    const { refusals, warnings, descriptions } = await look({ state: { releases } });
    assert.deepEqual({ refusals, warnings }, { refusals: [], warnings: [] });
    assert.deepEqual(descriptions, { camunda: "earlier" });
    assert.deepEqual(writes(), []);
  });

  it("asks nothing before there is a namespace, and touches no release in a failover", async () => {
    await installed();
    const before = bench().api.requests.length;
    await look({ state: { namespace: undefined } });
    assert.equal(bench().api.requests.length, before);
    revision(2, "pending-upgrade");
    const found = await look({ shape: "failed-over" });
    assert.deepEqual([found.refusals, found.warnings, writes()], [[], [], []]);
  });

  it("ends an upgrade that was killed, and has the release applied again", async () => {
    await installed();
    revision(2, "pending-upgrade");
    const preview = await look({ preview: true });
    assert.deepEqual(writes(), []);
    assert.match(preview.warnings.join("\n"), /release camunda is pending-upgrade: up ends it/);
    const up = await look();
    assert.equal(secret(2)?.metadata.labels?.status, "failed");
    const { release } = secret(2)?.data as { release: string };
    const text = Buffer.from(release, "base64").toString();
    const body: unknown = JSON.parse(gunzipSync(Buffer.from(text, "base64")).toString());
    assert.deepEqual(body, {
      ...TEXT,
      info: { status: "failed", description: "Interrupted: nobody worked on it any more" },
    });
    const again = "applied again after revision 2: it was interrupted, and may be half applied";
    assert.deepEqual([preview.descriptions.camunda, up.descriptions.camunda], [again, again]);
    // Killed once more before it was applied.
    assert.equal((await look()).descriptions.camunda, again);
    revision(3, "deployed");
    const releases = {
      camunda: { ...recorded.releases.camunda!, revision: 3, description: again },
    };
    assert.equal((await look({ state: { releases } })).descriptions.camunda, again);
  });

  it("forgets a first installation that was killed: its name is free again", async () => {
    await bench().start();
    revision(1, "pending-install");
    const { refusals, descriptions } = await look({ state: { releases: {} } });
    assert.deepEqual([refusals, descriptions], [[], {}]);
    assert.equal(secret(1), undefined);
  });

  it("waits for an operation that may still be alive, and ends nothing that was written since", async () => {
    await installed();
    revision(2, "pending-upgrade", PLUGIN, 0);
    const looked = look({ raw: { timeouts: { release: 20 } } });
    await bench().until(
      "it has looked several times",
      () => bench().api.requests.filter(({ path }) => path.endsWith("/secrets")).length > 3,
    );
    assert.deepEqual(writes(), []);
    revision(2, "deployed");
    const { refusals, descriptions } = await looked;
    assert.deepEqual(refusals, []);
    assert.match(descriptions.camunda ?? "", /not the one that this stack has recorded/);
  });

  it("refuses while somebody else is at it, with the command for when it is dead", async () => {
    await installed();
    revision(2, "pending-rollback", "helm");
    const [refusal = "", ...others] = (await look()).refusals;
    assert.deepEqual(others, []);
    assert.match(
      refusal,
      /^release camunda is pending-rollback by helm: let it end; if it is dead: kubectl -n camunda-london delete secret sh\.helm\.release\.v1\.camunda\.v2$/,
    );
    expectRefusal(refusal, []);
    assert.deepEqual(writes(), []);
  });

  it("has a release applied again of which something is missing", async () => {
    await installed();
    bench().store.remove("Deployment", bench().namespace, "camunda-operate");
    const { warnings, descriptions } = await look();
    const why = "Deployment/camunda-operate missing";
    assert.deepEqual(warnings, [`release camunda is applied again: ${why}`]);
    assert.equal(descriptions.camunda, `applied again after revision 1: ${why}`);
  });

  it("says in a line what it found under names as long as they may be", async () => {
    await installed();
    const objects = ["a", "b"].map((letter) => `StatefulSet/${letter.repeat(253)}`);
    const releases = { camunda: { ...recorded.releases.camunda!, objects } };
    const [missing = ""] = (await look({ state: { releases } })).warnings;
    assert.match(
      missing,
      /^release camunda is applied again: StatefulSet\/a+… and 1 more missing$/,
    );
    revision(2, "pending-upgrade", "m".repeat(128));
    const [pending = ""] = (await look({ preview: true })).warnings;
    assert.match(pending, /^release camunda is pending-upgrade by m+…: up will be refused/);
    for (const line of [missing, pending]) {
      expectLine(line, []);
    }
  });

  it("says what is not ready, and that a release is gone", async () => {
    await installed();
    bench().forbidPods("camunda-elasticsearch-master", 2);
    const { warnings } = await look();
    assert.deepEqual(warnings, [
      "not ready in camunda-london: camunda-elasticsearch-master 0 of 2",
    ]);
    bench().store.remove("Secret", bench().namespace, "sh.helm.release.v1.camunda.v1");
    assert.match(
      (await look()).warnings[0] ?? "",
      /is not in camunda-london any more: pulumi up --refresh/,
    );
  });

  it("refuses in seconds when its own API hangs", async () => {
    await installed();
    bench().api.lose(60_000);
    const [refusal = ""] = (await look({ raw: { timeouts: { request: 1 } } })).refusals;
    assert.match(
      refusal,
      /^the cluster of region0 cannot be asked \(no answer within 1 s.*\): mend it; if region0 is lost, declare it on stack region1$/,
    );
    expectRefusal(refusal, []);
  });
});
