import assert from "node:assert/strict";
import fc from "fast-check";
import {
  describeAddress,
  isKubernetesUrl,
  parseKubernetesAddress,
} from "../../../components/base/kubernetesAddress";
import { readSettings } from "../../../components/settings";
import { eksConfig, kubernetesConfig, lookup } from "../../support/config";

describe("addresses in a Kubernetes cluster", () => {
  it("reads a pod of an EKS cluster", () => {
    const url = "eks://eu-west-2/camunda-region0/camunda/pod/camunda-zeebe-0/9600/actuator/cluster";
    assert.deepEqual(parseKubernetesAddress(url), {
      cluster: { kind: "eks", awsRegion: "eu-west-2", cluster: "camunda-region0" },
      namespace: "camunda",
      kind: "pod",
      name: "camunda-zeebe-0",
      port: 9600,
      path: "/actuator/cluster",
    });
    assert.equal(
      describeAddress(parseKubernetesAddress(url)),
      "pod/camunda-zeebe-0:9600/actuator/cluster in namespace camunda of EKS cluster camunda-region0 in eu-west-2",
    );
  });

  it("reads a service of a context with slashes and colons in its name", () => {
    const context = "arn:aws:eks:eu-west-2:111122223333:cluster/camunda";
    const url = `kubernetes://${encodeURIComponent(context)}/camunda/service/camunda-elasticsearch-master-hl/9200/_snapshot/a%2Fb?pretty#x`;
    const address = parseKubernetesAddress(url);
    assert.deepEqual(address.cluster, { kind: "kubernetes", context });
    assert.equal(address.kind, "service");
    assert.equal(address.path, "/_snapshot/a%2Fb?pretty#x");
  });

  it("has an empty path when there is none, and a query without one", () => {
    assert.equal(parseKubernetesAddress("kubernetes://a/b/pod/c/1").path, "");
    assert.equal(parseKubernetesAddress("kubernetes://a/b/pod/c/1/").path, "/");
    assert.equal(parseKubernetesAddress("kubernetes://a/b/pod/c/1?x=/y").path, "?x=/y");
  });

  it("reads every context back that is percent-encoded", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "grapheme" }), (context) => {
        const address = parseKubernetesAddress(
          `kubernetes://${encodeURIComponent(context)}/camunda/pod/camunda-zeebe-0/9600`,
        );
        assert.deepEqual(address.cluster, { kind: "kubernetes", context });
      }),
    );
  });

  it("reads every endpoint that both platforms have", () => {
    for (const [raw, cluster] of [
      [eksConfig(), { kind: "eks", awsRegion: "eu-west-3", cluster: "camunda-region1" }],
      [kubernetesConfig(), { kind: "kubernetes", context: "cluster-paris" }],
    ] as const) {
      const { gateway, management, brokers, elasticsearch } = readSettings(lookup(raw)).endpoints
        .region1;
      for (const url of [gateway, management, elasticsearch, ...Object.values(brokers)]) {
        const address = parseKubernetesAddress(url);
        assert.deepEqual(address.cluster, cluster);
        assert.equal(address.path, "");
      }
    }
  });

  const wrong: [string, RegExp][] = [
    ["http://localhost:9600", /begins with eks:\/\/ or kubernetes:\/\//],
    ["eks://eu-west-2/c/n/pod/p", /the port is ""; the form is eks:/],
    ["eks://London/c/n/pod/p/1", /the AWS region is "London"/],
    ["eks://eu-west-2//n/pod/p/1", /the cluster is ""/],
    ["eks://eu-west-2/--name/n/pod/p/1", /the cluster is "--name"/],
    ["eks://--region/c/n/pod/p/1", /the AWS region is "--region"/],
    ["kubernetes:///n/pod/p/1", /there is no context; the form is kubernetes:/],
    ["kubernetes://%/n/pod/p/1", /the context "%" is not percent-encoded/],
    ["kubernetes://c/N/pod/p/1", /the namespace is "N"/],
    ["kubernetes://c/../pod/p/1", /the namespace is "\.\."/],
    ["kubernetes://c/n/pods/p/1", /"pods" is neither pod nor service/],
    ["kubernetes://c/n/pod/p?x/1", /the port is ""/],
    ["kubernetes://c/n/pod/p_q/1", /the name of the pod is "p_q"/],
    ["kubernetes://c/n/service//1", /the name of the service is ""/],
    ["kubernetes://c/n/pod/p/0", /the port is "0"/],
    ["kubernetes://c/n/pod/p/65536", /the port is "65536"/],
    ["kubernetes://c/n/pod/p/http", /the port is "http"/],
  ];
  for (const [url, expected] of wrong) {
    it(`refuses ${url} in one line`, () => {
      assert.throws(
        () => parseKubernetesAddress(url),
        (error: Error) => {
          assert.match(error.message, expected);
          assert.doesNotMatch(error.message, /\n/);
          return true;
        },
      );
    });
  }

  it("knows them by their scheme", () => {
    assert.deepEqual(
      ["eks://a", "kubernetes://a", "http://eks://", "EKS://a", ""].map(isKubernetesUrl),
      [true, true, false, false, false],
    );
  });
});
