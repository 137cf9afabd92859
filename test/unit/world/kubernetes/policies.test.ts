import assert from "node:assert/strict";
import { KubeObject, ObjectStore } from "../../../../world/kubernetes/played/objects";
import { policiesAllow } from "../../../../world/kubernetes/played/policies";

const PEER = "10.203.0.7";
const ELSEWHERE = "198.51.100.1";

/** A store with one pod and the policies of its namespace. */
function cluster(...specs: object[]): { store: ObjectStore; pod: KubeObject } {
  const store = new ObjectStore();
  store.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "camunda" } });
  specs.forEach((spec, index) =>
    store.apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: `policy-${index}`, namespace: "camunda" },
      spec,
    }),
  );
  const pod = store.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "zeebe-0", namespace: "camunda", labels: { app: "zeebe" } },
  });
  return { store, pod };
}

const fence = {
  podSelector: {},
  policyTypes: ["Ingress", "Egress"],
  ingress: [{ from: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.203.0.0/16"] } }] }],
  egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.203.0.0/16"] } }] }],
};

describe("NetworkPolicies", () => {
  const allows = (specs: object[], address: string, direction: "Ingress" | "Egress" = "Egress") => {
    const { store, pod } = cluster(...specs);
    return policiesAllow(store, pod, direction, { address }, 26502, "tcp");
  };

  it("let everything through where there is none for the pod", () => {
    assert.ok(allows([], PEER));
    assert.ok(allows([{ ...fence, podSelector: { matchLabels: { app: "other" } } }], PEER));
  });

  it("cut what a block leaves out, and nothing else", () => {
    assert.equal(allows([fence], PEER), false);
    assert.equal(allows([fence], PEER, "Ingress"), false);
    assert.ok(allows([fence], ELSEWHERE));
  });

  it("add up: one that allows everything makes a fence void", () => {
    assert.ok(allows([fence, { podSelector: {}, policyTypes: ["Egress"], egress: [{}] }], PEER));
  });

  it("are for the directions that they name", () => {
    const ingressOnly = { podSelector: {}, policyTypes: ["Ingress"] };
    assert.equal(allows([ingressOnly], PEER, "Ingress"), false);
    assert.ok(allows([ingressOnly], PEER, "Egress"));
  });

  it("are for the ports and protocols that they name", () => {
    const port = (protocol: string) => ({
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{ ports: [{ port: 26502, protocol }] }],
    });
    assert.ok(allows([port("TCP")], PEER));
    assert.equal(allows([port("UDP")], PEER), false);
  });

  it("know pods of their own cluster only", () => {
    const own = {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{ to: [{ namespaceSelector: {} }] }],
    };
    const { store, pod } = cluster(own);
    const to = (other: { address: string; pod?: KubeObject }) =>
      policiesAllow(store, pod, "Egress", other, 26502, "tcp");
    assert.ok(to({ address: "10.193.0.9", pod }));
    assert.equal(to({ address: PEER }), false);
  });
});
