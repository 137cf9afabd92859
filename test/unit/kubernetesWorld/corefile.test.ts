import assert from "node:assert/strict";
import { corefile } from "../../../components/kubernetes/corefile";
import { Corefile } from "../../../scripts/world/providers/kubernetes/corefile";

const PEER = { peerNamespace: "camunda-paris", peerAddresses: ["10.202.255.4", "10.202.255.20"] };

describe("what CoreDNS does with a name", () => {
  it("forwards the other region's, and knows its own", () => {
    const open = new Corefile(corefile({ ...PEER, fenced: false }));
    assert.deepEqual(open.decide("a.b.camunda-paris.svc.cluster.local"), {
      kind: "forward",
      addresses: PEER.peerAddresses,
      tcp: true,
    });
    assert.deepEqual(open.decide("a.b.camunda-london.svc.cluster.local"), { kind: "cluster" });
    assert.deepEqual(open.decide("s3.eu-west-2.amazonaws.com"), { kind: "outside" });
    assert.ok(open.has("ready"));
  });

  it("says at once that a fenced name does not exist", () => {
    const fenced = new Corefile(corefile({ ...PEER, fenced: true }));
    assert.deepEqual(fenced.decide("a.b.camunda-paris.svc.cluster.local"), {
      kind: "code",
      code: "NXDOMAIN",
    });
    assert.deepEqual(fenced.decide("a.b.camunda-london.svc.cluster.local"), { kind: "cluster" });
  });

  it("asks over UDP unless it is told otherwise", () => {
    const decision = new Corefile("x.local:53 {\n  forward . 10.0.0.1\n}").decide("a.x.local");
    assert.deepEqual(decision, { kind: "forward", addresses: ["10.0.0.1"], tcp: false });
  });

  it("refuses a name that no server is for", () => {
    const decision = new Corefile("x.local {\n  errors\n}").decide("a.y.local");
    assert.deepEqual(decision, { kind: "code", code: "REFUSED" });
  });

  for (const [what, text] of [
    ["a zone that is served twice", ".:53 {\n errors\n}\n. {\n errors\n}"],
    ["a plugin that it does not have", ". {\n fowrard . 10.0.0.1\n}"],
    ["a brace that is missing", ". {\n errors"],
    ["a brace too many", ". {\n errors\n}\n}"],
    ["a directive outside of a server", "errors"],
  ] as const) {
    it(`does not start with ${what}`, () => {
      assert.throws(() => new Corefile(text));
    });
  }
});
