import assert from "node:assert/strict";
import { Installation } from "./installation";
import { refusalOf } from "./refusal";

describe("the program through the real provider of Kubernetes", function () {
  this.timeout(900_000);
  const installation = new Installation();

  before(() => installation.start());
  after(() => installation.stop());

  it("refuses to take the names of kube-dns from who manages them, and says who", async () => {
    const metadata = { name: "kube-dns", namespace: "kube-system" };
    const data = { stubDomains: '{"example.org":["10.9.9.9"]}' };
    await installation
      .cluster("region0")
      .create([{ apiVersion: "v1", kind: "ConfigMap", metadata, data }]);
    const stack = await installation.stack("region0");
    await stack.set("dns.kind", "kube-dns", { path: true });
    const error = await refusalOf(stack.up());
    assert.match(error, /conflict with "[^"]+".*\.data\.stubDomains/s);
    const kept = await installation
      .cluster("region0")
      .read("v1", "ConfigMap", metadata.namespace, metadata.name);
    assert.deepEqual(kept?.data, data);
    await stack.set("dns.kind", "coredns", { path: true });
  });

  it("says that the cluster forbids privileged pods, which Elasticsearch's chart asks for", async () => {
    const labels = { "pod-security.kubernetes.io/enforce": "baseline" };
    await installation
      .cluster("region1")
      .create([
        { apiVersion: "v1", kind: "Namespace", metadata: { name: "camunda-paris", labels } },
      ]);
    const stack = await installation.stack("region1");
    await stack.set("timeouts.formation", "10", { path: true });
    const error = await refusalOf(stack.up());
    assert.match(
      error,
      /Elasticsearch of region1: 0 of 2 pods ready, PodSecurity "baseline" forbids them/,
    );
  });
});
