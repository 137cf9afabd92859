import assert from "node:assert/strict";
import { EmbeddedWorld } from "../../../scripts/world/embedded";
import { RegionCluster } from "../../../scripts/world/providers/kubernetes/cluster";
import { KubernetesStandIn } from "../../../scripts/world/providers/kubernetes/kubernetesStandIn";
import { Outages } from "../../../scripts/world/providers/outages";
import type { Properties } from "../../../scripts/world/providers/properties";
import type { Call } from "../../../scripts/world/providers/standIn";

const SERVICE = "kubernetes:core/v1:Service";
const SECRET = "kubernetes:core/v1:Secret";
const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const PATCH = "kubernetes:core/v1:ConfigMapPatch";
const NAMESPACE = "kubernetes:core/v1:Namespace";
const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const RELEASE = "kubernetes:helm.sh/v3:Release";

describe("the stand-in for the Kubernetes provider", () => {
  const world = new EmbeddedWorld();
  let cluster: RegionCluster;
  const standIn = new KubernetesStandIn({
    locate: (kubeconfig) =>
      kubeconfig === "good"
        ? { region: "region0", cluster }
        : { region: "region0", cluster: undefined },
    loadBalancer: () => ["10.0.0.53"],
    outages: new Outages(),
  });

  before(() => world.standBy({ find: () => undefined, bucketProblem: () => undefined }));
  after(() => world.stop());
  beforeEach(() => (cluster = new RegionCluster("region0", world)));
  afterEach(() => cluster.close());

  function call(type: string, name = "one", config: Properties = { kubeconfig: "good" }): Call {
    return {
      type,
      name,
      urn: `urn:pulumi:test::test::${type}::${name}`,
      stack: "test",
      provider: "kubernetes",
      config,
      region: "region0",
      preview: false,
      signal: new AbortController().signal,
    };
  }

  const create = (type: string, inputs: Properties) => standIn.create(call(type), inputs);

  const service = (nodePort: number, name = "dns") => ({
    metadata: { name, namespace: "kube-system" },
    spec: { type: "NodePort", ports: [{ port: 53, nodePort }] },
  });

  it("makes an object where it is asked to, and tells its id", async () => {
    const { id } = await create(SERVICE, service(30053));
    assert.equal(id, "kube-system/dns");
    assert.ok(cluster.store.get("Service", "kube-system", "dns"));
  });

  it("keeps a Secret as the API does", async () => {
    await create(SECRET, {
      metadata: { name: "keys", namespace: "default" },
      stringData: { key: "value" },
    });
    const kept = cluster.store.get("Secret", "default", "keys");
    assert.deepEqual(kept?.data, { key: Buffer.from("value").toString("base64") });
    assert.equal(kept?.stringData, undefined);
  });

  it("has no cluster to call behind a kubeconfig that names none", async () => {
    const other = call(NAMESPACE, "one", { kubeconfig: "other" });
    await assert.rejects(
      standIn.create(other, { metadata: { name: "camunda" } }),
      /configured Kubernetes cluster is unreachable/,
    );
  });

  it("refuses a namespace that is not there", async () => {
    const inputs = { metadata: { name: "x", namespace: "nowhere" }, data: {} };
    await assert.rejects(create(CONFIG_MAP, inputs), /namespaces "nowhere" not found/);
  });

  it("refuses a node port that another Service has", async () => {
    await create(SERVICE, service(30053));
    await assert.rejects(create(SERVICE, service(30053, "other")), /already allocated/);
  });

  const wrong: [what: string, type: string, inputs: Properties, reason: RegExp][] = [
    ["a node port out of range", SERVICE, service(53), /range of valid ports is 30000-32767/],
    [
      "a node port of a ClusterIP",
      SERVICE,
      { metadata: { name: "x" }, spec: { ports: [{ port: 53, nodePort: 30053 }] } },
      /may not be used when 'type' is 'ClusterIP'/,
    ],
    ["a Service without ports", SERVICE, { metadata: { name: "x" }, spec: {} }, /spec.ports/],
    ["a name in capitals", NAMESPACE, { metadata: { name: "Camunda" } }, /RFC 1123 label/],
    ["a Service's name that begins with a digit", SERVICE, service(30053, "1dns"), /DNS-1035/],
    [
      "a ConfigMap with a number",
      CONFIG_MAP,
      { metadata: { name: "x" }, data: { replicas: 3 } },
      /data.replicas: expected a text/,
    ],
    [
      "a Secret whose data is not encoded",
      SECRET,
      { metadata: { name: "x" }, data: { key: "not encoded!" } },
      /illegal base64/,
    ],
    [
      "a policy that leaves out what is not in its block",
      POLICY,
      {
        metadata: { name: "x" },
        spec: {
          podSelector: {},
          ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["192.168.0.0/16"] } }] }],
        },
      },
      /strict subset/,
    ],
    ["a type that it does not know", "kubernetes:batch/v1:Job", {}, /no stand-in/],
  ];
  for (const [what, type, inputs, reason] of wrong) {
    it(`refuses ${what} when it checks`, () => {
      const { failures = [] } = standIn.check(call(type), inputs, undefined);
      assert.match(failures.map((failure) => failure.reason).join("; "), reason);
    });
  }

  it("gives a name to what has none, and keeps it", () => {
    const first = standIn.check(call(CONFIG_MAP), { data: {} }, undefined).inputs;
    const name = (first?.metadata as { name: string }).name;
    assert.match(name, /^one-[0-9a-f]{8}$/);
    const again = standIn.check(call(CONFIG_MAP), { data: { a: "b" } }, first).inputs;
    assert.equal((again?.metadata as { name: string }).name, name);
  });

  it("makes a ConfigMap anew when its data change, and a policy not", () => {
    const diff = (type: string, before: Properties, after: Properties) =>
      Object.values(
        standIn.diff(call(type), "x", { inputs: before, outputs: {} }, after).changes,
      ).map(({ replace }) => replace);
    assert.deepEqual(diff(CONFIG_MAP, { data: { a: "b" } }, { data: { a: "c" } }), [true]);
    assert.deepEqual(diff(POLICY, { spec: { a: "b" } }, { spec: { a: "c" } }), [false]);
  });

  describe("with a ConfigMap of somebody else's", () => {
    const metadata = { name: "kube-dns", namespace: "kube-system" };
    beforeEach(() => {
      cluster.store.apply({ apiVersion: "v1", kind: "ConfigMap", metadata, data: { theirs: "1" } });
    });
    const data = () => cluster.store.get("ConfigMap", "kube-system", "kube-dns")?.data;

    it("adds a key, changes it, and takes it away again", async () => {
      const before = { metadata, data: { ours: "a" } };
      const { id } = await create(PATCH, before);
      assert.deepEqual(data(), { theirs: "1", ours: "a" });
      const old = { inputs: before, outputs: {} };
      const after = { metadata, data: { ours: "b" } };
      await standIn.update(call(PATCH), id, old, after);
      assert.deepEqual(data(), { theirs: "1", ours: "b" });
      await standIn.delete(call(PATCH), id, { inputs: after, outputs: {} });
      assert.deepEqual(data(), { theirs: "1" });
    });

    it("takes a key of theirs by force only", async () => {
      const inputs = { metadata, data: { theirs: "2" } };
      await assert.rejects(create(PATCH, inputs), /1 conflict: conflict with .*\.data\.theirs/);
      const annotations = { "pulumi.com/patchForce": "true" };
      await create(PATCH, { ...inputs, metadata: { ...metadata, annotations } });
      assert.deepEqual(data(), { theirs: "2" });
    });
  });

  describe("with a release", () => {
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

    it("makes what the chart makes, and takes it away but for the disks", async () => {
      const { id, outputs } = await create(RELEASE, inputs());
      assert.equal(id, "default/camunda-elasticsearch");
      assert.equal((outputs.status as Properties).status, "deployed");
      assert.ok(cluster.store.get("Service", "default", "camunda-elasticsearch-master-hl"));
      assert.ok(world.isSearching("region0"));
      await standIn.delete(call(RELEASE), id, { inputs: inputs(), outputs });
      assert.equal(cluster.store.list("Service", "default").length, 1);
      assert.equal(world.isSearching("region0"), false);
      assert.equal(cluster.store.list("PersistentVolumeClaim", "default").length, 2);
    });

    it("refuses a name that is used, a chart that is not known, and a namespace that is not there", async () => {
      await create(RELEASE, inputs());
      await assert.rejects(create(RELEASE, inputs()), /cannot re-use a name/);
      await assert.rejects(create(RELEASE, inputs({ name: "x", chart: "./web" })), /none of those/);
      await assert.rejects(
        create(RELEASE, inputs({ name: "x", namespace: "nowhere" })),
        /namespaces "nowhere" not found/,
      );
    });

    it("does not take over an object that is not Helm's", async () => {
      cluster.store.apply({
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "camunda-elasticsearch", namespace: "default" },
        spec: { ports: [{ port: 9200 }] },
      });
      await assert.rejects(create(RELEASE, inputs()), /invalid ownership metadata/);
    });

    it("has the policy that lets everything in, unless the values turn it off", async () => {
      const values = { ...inputs().values, master: { masterOnly: false } };
      await create(RELEASE, inputs({ values }));
      assert.ok(cluster.store.get("NetworkPolicy", "default", "camunda-elasticsearch-master"));
    });
  });
});
