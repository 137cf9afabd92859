import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { OURS_ALONE } from "../../components/installation/kubernetes/provider";
import type { KubeObject } from "../../world/kubernetes/played/objects";
import type { Properties } from "../../world/pulumi/properties";
import { refusalOf } from "./refusal";
import { Held, ProviderClient } from "./providerClient";

/** A provider in front of a cluster. */
export interface ProviderBench {
  /** Starts a provider, as the engine does for each provider resource of a run. Not configured yet. */
  connect(): Promise<ProviderClient>;
  /** What the provider is configured with. */
  config: Record<string, string>;
  /** Writes an object behind the provider's back, as somebody else. */
  put(object: KubeObject): Promise<void>;
  /** Takes an object away behind the provider's back. */
  remove(apiVersion: string, kind: string, namespace: string, name: string): Promise<void>;
  read(
    apiVersion: string,
    kind: string,
    namespace: string | undefined,
    name: string,
  ): Promise<KubeObject | undefined>;
  /** Where charts come from: a path, and a repository by its address. */
  charts: { path: string; repository: string };
  /** The repository does not answer any more. */
  loseCharts(): Promise<void>;
  /** The Kubernetes API hangs from now on. */
  freeze(): Promise<void>;
  stop(): Promise<void>;
}

const SERVICE = "kubernetes:core/v1:Service";
const NAMESPACE = "kubernetes:core/v1:Namespace";
const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const SECRET = "kubernetes:core/v1:Secret";
const PATCH = "kubernetes:core/v1:ConfigMapPatch";
const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const RELEASE = "kubernetes:helm.sh/v3:Release";

/**
 * What the program relies on of Pulumi's provider for Kubernetes, the same on the real one and on the one that
 * is played.
 */
export function providerContract(start: () => Promise<ProviderBench>): void {
  let bench: ProviderBench;
  let provider: ProviderClient;
  const clients: ProviderClient[] = [];

  async function configured(change: Record<string, string> = {}): Promise<ProviderClient> {
    const client = await bench.connect();
    clients.push(client);
    await client.configure({
      enableServerSideApply: "true",
      enableConfigMapMutable: "true",
      ...bench.config,
      ...change,
    });
    return client;
  }

  before(async function () {
    this.timeout(900_000);
    bench = await start();
    provider = await configured();
    await provider.create(NAMESPACE, { metadata: { name: "camunda" } });
  });

  after(async function () {
    this.timeout(60_000);
    clients.forEach((client) => client.close());
    await bench?.stop();
  });

  const metadata = (name: string) => ({ name, namespace: "camunda" });
  const service = (name: string, port = 53, type = "ClusterIP"): Properties => ({
    metadata: metadata(name),
    spec: { type, selector: { app: name }, ports: [{ name: "dns", port, protocol: "TCP" }] },
  });
  const release = (name: string, change: Properties = {}): Properties => ({
    name,
    namespace: "camunda",
    chart: bench.charts.path,
    values: ELASTICSEARCH_VALUES,
    allowNullValues: true,
    skipAwait: true,
    atomic: false,
    maxHistory: 10,
    ...change,
  });

  it("adopts an object that is there already", async function () {
    this.timeout(60_000);
    const adopted = await provider.create(NAMESPACE, { metadata: { name: "camunda" } });
    assert.equal(adopted.id, "camunda");
    // Without a selector it does not wait for pods.
    const there = { metadata: metadata("there"), spec: { ports: [{ port: 53, protocol: "TCP" }] } };
    await bench.put({ apiVersion: "v1", kind: "Service", ...there });
    const { id } = await provider.create(SERVICE, there);
    assert.equal(id, "camunda/there");
  });

  it("does not take a field from who has written it, and says who", async () => {
    await bench.put({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: metadata("kube-dns"),
      data: { stubDomains: "{}", theirs: "1" },
    });
    const inputs = { metadata: metadata("kube-dns"), data: { stubDomains: '{"a":["10.0.0.1"]}' } };
    const message = await refusalOf(provider.create(PATCH, inputs));
    assert.match(
      message,
      /Apply failed with 1 conflict: conflict with "\S+".*\.data\.stubDomains/s,
    );
    const other = { metadata: metadata("kube-dns"), data: { ours: "a" } };
    const held = await provider.create(PATCH, other);
    await provider.update(PATCH, held, { ...other, data: { ours: "b" } });
    const read = async () => (await bench.read("v1", "ConfigMap", "camunda", "kube-dns"))?.data;
    assert.deepEqual(await read(), { stubDomains: "{}", theirs: "1", ours: "b" });
    await provider.delete(PATCH, { ...held, inputs: { ...other, data: { ours: "b" } } });
    assert.deepEqual(await read(), { stubDomains: "{}", theirs: "1" });
  });

  it("changes what a run has created that could not record it, where it is told to", async function () {
    this.timeout(60_000);
    const policy = (kind: string, annotations = {}) => ({
      metadata: { ...metadata("unrecorded"), annotations },
      spec: { podSelector: {}, policyTypes: [kind] },
    });
    await provider.create(POLICY, policy("Ingress"));
    const next = await configured();
    assert.match(await refusalOf(next.create(POLICY, policy("Egress"))), /had an apply conflict/);
    const ours = (kind: string) => policy(kind, OURS_ALONE);
    const held = await next.create(POLICY, ours("Ingress"));
    await next.update(POLICY, held, ours("Egress"));
    const found = await bench.read(
      "networking.k8s.io/v1",
      "NetworkPolicy",
      "camunda",
      "unrecorded",
    );
    assert.deepEqual((found?.spec as { policyTypes?: string[] }).policyTypes, ["Egress"]);
  });

  it("finds out what the API server refuses by asking it, not before", async function () {
    this.timeout(120_000);
    const ports = (...which: Properties[]) => ({
      metadata: metadata("dns"),
      spec: { ports: which },
    });
    const nodePort = (port: number, name = "dns") => ({
      metadata: metadata(name),
      spec: { type: "NodePort", ports: [{ port: 53, nodePort: port, protocol: "TCP" }] },
    });
    const letsIn = (...from: Properties[]) => ({
      metadata: metadata("policy"),
      spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from }] },
    });
    const block = (cidr: string, ...except: string[]) => ({ ipBlock: { cidr, except } });
    const wrong: [type: string, inputs: Properties, reason: RegExp][] = [
      [NAMESPACE, { metadata: { name: "Camunda" } }, /a lowercase RFC 1123 label/],
      [SERVICE, nodePort(30053, "1dns"), /a DNS-1035 label/],
      [SERVICE, nodePort(53), /range of valid ports is 30000-32767/],
      [SERVICE, nodePort(30054), /30054: provided port is already allocated/],
      [SERVICE, ports(), /spec\.ports: Required value/],
      [SERVICE, ports({ port: 53, nodePort: 30053 }), /when `type` is 'ClusterIP'/],
      [SERVICE, ports({ port: 53 }, { port: 54 }), /spec\.ports\[0\]\.name: Required value/],
      [SERVICE, ports({ port: 0 }), /must be between 1 and 65535, inclusive/],
      [SERVICE, ports({ port: 53, protocol: "ICMP" }), /Unsupported value: "ICMP"/],
      [
        CONFIG_MAP,
        { metadata: metadata("numbers"), data: { replicas: 3 } },
        /\.data\.replicas: expected string/,
      ],
      [POLICY, letsIn(block("10.0.0.0/8", "192.168.0.0/16")), /must be a strict subset of `cidr`/],
      [POLICY, letsIn(block("10.0.0.0/33")), /must be a valid CIDR value/],
      [
        POLICY,
        letsIn({ ...block("10.0.0.0/8"), podSelector: {} }),
        /may not specify both ipBlock and another peer/,
      ],
      [
        POLICY,
        { metadata: metadata("policy"), spec: { podSelector: {}, policyTypes: ["Both"] } },
        /Unsupported value: "Both"/,
      ],
      [
        RELEASE,
        release("elsewhere", { namespace: "nowhere" }),
        /create: failed to create: namespaces "nowhere" not found/,
      ],
    ];
    await provider.create(SERVICE, nodePort(30054, "other"));
    for (const [type, inputs, reason] of wrong) {
      assert.deepEqual((await provider.check(type, inputs)).failures, []);
      assert.match(await refusalOf(provider.create(type, inputs)), reason);
    }
  });

  it("updates a policy in place, and a ConfigMap when it is told to; a Secret is replaced", async function () {
    this.timeout(60_000);
    const text = (value: string) => ({ metadata: metadata("text"), data: { key: value } });
    const held = await provider.create(CONFIG_MAP, text("a"));
    assert.equal(
      await provider.diff(CONFIG_MAP, held, (await checked(held, text("b"))).inputs),
      "update",
    );
    const other = await configured({ enableConfigMapMutable: "false" });
    assert.equal(
      await other.diff(CONFIG_MAP, held, (await checked(held, text("b"))).inputs),
      "replace",
    );
    const keys = (value: string) => ({ metadata: metadata("keys"), stringData: { key: value } });
    const secret = await provider.create(SECRET, keys("a"));
    const kept = await bench.read("v1", "Secret", "camunda", "keys");
    assert.deepEqual(kept?.data, { key: Buffer.from("a").toString("base64") });
    assert.equal(kept?.stringData, undefined);
    const news = (await provider.check(SECRET, keys("b"), secret.inputs)).inputs;
    assert.equal(await provider.diff(SECRET, secret, news), "replace");
    const policy = (kind: string) => ({
      metadata: metadata("fence"),
      spec: { podSelector: {}, policyTypes: [kind] },
    });
    const fence = await provider.create(POLICY, policy("Ingress"));
    const opened = (await provider.check(POLICY, policy("Egress"), fence.inputs)).inputs;
    assert.equal(await provider.diff(POLICY, fence, opened), "update");
  });

  function checked(held: Held, inputs: Properties) {
    return provider.check(CONFIG_MAP, inputs, held.inputs);
  }

  it("shows in a refresh what has become of an object", async function () {
    this.timeout(60_000);
    const map = (value: string) => ({ metadata: metadata("drift"), data: { key: value } });
    const held = await provider.create(CONFIG_MAP, map("a"));
    assert.deepEqual((await provider.read(CONFIG_MAP, held))?.inputs.data, { key: "a" });
    await provider.update(CONFIG_MAP, held, map("b"));
    assert.deepEqual((await provider.read(CONFIG_MAP, held))?.inputs.data, { key: "b" });
    await bench.remove("v1", "ConfigMap", "camunda", "drift");
    assert.equal(await provider.read(CONFIG_MAP, held), undefined);
  });

  it("waits for the address of a load balancer until it is told to stop", async function () {
    this.timeout(120_000);
    const client = await configured();
    const balancer = service("balancer", 53, "LoadBalancer");
    const given = client.create(SERVICE, {
      ...balancer,
      spec: { ...(balancer.spec as object), loadBalancerIP: "10.0.0.53" },
    });
    const { status } = (await given).outputs as {
      status: { loadBalancer: { ingress: { ip: string }[] } };
    };
    assert.equal(status.loadBalancer.ingress[0]?.ip, "10.0.0.53");
    let ended = false;
    const waiting = refusalOf(
      client.create(SERVICE, service("nothing", 53, "LoadBalancer")),
    ).finally(() => (ended = true));
    while ((await bench.read("v1", "Service", "camunda", "nothing")) === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(ended, false);
    await client.cancel();
    await waiting;
  });

  it("has Helm refuse a name that is used, and an object that is not Helm's", async function () {
    this.timeout(60_000);
    const held = await provider.create(RELEASE, release("used"));
    const { status, version } = held.outputs.status as Properties;
    // An upgrade is known by the version of the chart, which a folder says in its Chart.yaml.
    assert.deepEqual([status, version], ["deployed", "21.6.3"]);
    const again = await refusalOf(provider.create(RELEASE, release("used")));
    assert.match(again, /cannot re-use a name that is still in use/);
    await bench.put({
      apiVersion: "v1",
      kind: "Service",
      ...service("foreign-elasticsearch-master-hl"),
    } as KubeObject);
    const foreign = await refusalOf(provider.create(RELEASE, release("foreign-elasticsearch")));
    assert.match(foreign, /invalid ownership metadata/);
    await provider.delete(RELEASE, held);
    assert.equal(await bench.read("apps/v1", "StatefulSet", "camunda", "used-master"), undefined);
  });

  it("does not get past what a run has left that was killed inside of Helm", async function () {
    this.timeout(60_000);
    await bench.put(revision("killed", 1, "pending-install"));
    const first = await refusalOf(provider.create(RELEASE, release("killed")));
    assert.match(first, /cannot re-use a name that is still in use/);
    const held = await provider.create(RELEASE, release("interrupted"));
    await bench.put(revision("interrupted", 2, "pending-upgrade"));
    const values = { ...ELASTICSEARCH_VALUES, image: { tag: "other" } };
    const second = await refusalOf(
      provider.update(RELEASE, held, release("interrupted", { values })),
    );
    assert.match(second, /another operation \(install\/upgrade\/rollback\) is in progress/);
  });

  it("needs the chart for every look at a release, changed or not", async function () {
    this.timeout(120_000);
    const { repository } = bench.charts;
    const remote = release("remote", {
      chart: "elasticsearch",
      repositoryOpts: { repo: repository },
    });
    const { inputs, failures } = await provider.check(RELEASE, remote);
    assert.deepEqual(failures, []);
    await bench.loseCharts();
    const gone = await provider.check(RELEASE, remote, inputs);
    assert.match(gone.failures.join(), /check the chart name and repository configuration/);
    const nowhere = await provider.check(
      RELEASE,
      release("x", { chart: "/nowhere/elasticsearch" }),
    );
    assert.match(nowhere.failures.join(), /check the chart name and repository configuration/);
    assert.deepEqual((await provider.check(RELEASE, release("local"))).failures, []);
  });

  it("is configured when the API hangs, and refuses what needs it", async function () {
    this.timeout(240_000);
    const before = await configured({ kubeClientSettings: JSON.stringify({ timeout: 2 }) });
    const text = (value: string) => ({ metadata: metadata("late"), data: { key: value } });
    const held = await before.create(CONFIG_MAP, text("a"));
    await bench.freeze();
    const client = await configured();
    const message = await refusalOf(client.create(NAMESPACE, { metadata: { name: "elsewhere" } }));
    assert.match(message, /configured Kubernetes cluster is unreachable/);
    // By itself it gives up after a minute, when nobody answers its pings.
    const began = Date.now();
    await refusalOf(before.update(CONFIG_MAP, held, text("b")));
    assert.ok(Date.now() - began < 30_000, "it does not end what it has sent in time");
  });
}

const ELASTICSEARCH_VALUES = {
  master: { masterOnly: false, networkPolicy: { enabled: false } },
  data: { replicaCount: 0 },
  coordinating: { replicaCount: 0 },
};

/** A revision of a release, as Helm keeps it. */
export function revision(name: string, version: number, status: string): KubeObject {
  const text = JSON.stringify({
    name,
    namespace: "camunda",
    version,
    info: { status },
    chart: { metadata: { name: "elasticsearch", version: "21.6.3", apiVersion: "v2" } },
    manifest: "",
  });
  // Helm's own base64 is inside of the API's.
  const release = Buffer.from(gzipSync(text).toString("base64")).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: `sh.helm.release.v1.${name}.v${version}`,
      namespace: "camunda",
      labels: { owner: "helm", name, version: String(version), status },
    },
    type: "helm.sh/release.v1",
    data: { release },
  };
}
