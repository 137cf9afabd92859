import assert from "node:assert/strict";
import { EmbeddedWorld } from "../../../../world/camunda/embedded";
import { RegionCluster } from "../../../../world/kubernetes/played/cluster";
import { KubernetesStandIn } from "../../../../world/kubernetes/played/kubernetesStandIn";
import { Outages } from "../../../../world/pulumi/outages";
import type { Properties } from "../../../../world/pulumi/properties";
import type { Call } from "../../../../world/pulumi/standIn";

const RELEASE = "kubernetes:helm.sh/v3:Release";

// What the real provider does, too, is in test/kubernetes/provider.contract.ts.
describe("what a release starts through the stand-in for the Kubernetes provider", () => {
  const world = new EmbeddedWorld();
  let cluster: RegionCluster;
  const standIn = new KubernetesStandIn({
    locate: () => ({ region: "region0", cluster }),
    loadBalancer: () => [],
    outages: new Outages(),
  });

  before(() => world.standBy({ find: () => undefined, bucketProblem: () => undefined }));
  after(() => world.stop());
  beforeEach(() => (cluster = new RegionCluster("region0", world)));
  afterEach(() => cluster.close());

  const call: Call = {
    type: RELEASE,
    name: "one",
    urn: `urn:pulumi:test::test::${RELEASE}::one`,
    stack: "test",
    provider: "kubernetes",
    config: {},
    region: "region0",
    preview: false,
    signal: new AbortController().signal,
  };

  const inputs = (change: Properties = {}) => ({
    name: "camunda-elasticsearch",
    namespace: "default",
    chart: "oci://registry.example/elasticsearch",
    version: "21.6.3",
    values: {
      master: { masterOnly: false, networkPolicy: { enabled: false } },
      data: { replicaCount: 0 },
      coordinating: { replicaCount: 0 },
    },
    skipAwait: true,
    ...change,
  });

  it("is there, and gone with it but for its disks", async () => {
    const { id, outputs } = await standIn.create(call, inputs());
    assert.equal(id, "default/camunda-elasticsearch");
    assert.ok(cluster.store.get("Service", "default", "camunda-elasticsearch-master-hl"));
    assert.ok(world.isSearching("region0"));
    await standIn.delete(call, id, { inputs: inputs(), outputs });
    assert.equal(cluster.store.list("Service", "default").length, 1);
    assert.equal(world.isSearching("region0"), false);
    assert.equal(cluster.store.list("PersistentVolumeClaim", "default").length, 2);
  });

  it("is known by the chart", async () => {
    const other = inputs({ name: "x", chart: "./web" });
    await assert.rejects(standIn.create(call, other), /none of those/);
  });

  it("has the policy that lets everything in, unless the values turn it off", async () => {
    const values = { ...inputs().values, master: { masterOnly: false } };
    await standIn.create(call, inputs({ values }));
    assert.ok(cluster.store.get("NetworkPolicy", "default", "camunda-elasticsearch-master"));
  });
});
