import assert from "node:assert/strict";
import { corefile, patchCorefile } from "../../../../components/installation/kubernetes/corefile";
import { Corefile } from "../../../../world/kubernetes/played/corefile";
import {
  FENCED,
  namesOf,
  ODD,
  OPEN,
  OWN_NAME,
  PEER_NAME,
  SAMPLES,
  TO_PEER,
} from "../../../support/corefiles";

const PEER = { peerNamespace: "camunda-paris", peerAddresses: ["10.202.255.4", "10.202.255.20"] };
const NO_SUCH_NAME = { kind: "code", code: "NXDOMAIN" };

// What these say of CoreDNS is held to the real one in test/kubernetes/coreDns.test.ts.
describe("what CoreDNS does with a name", () => {
  it("forwards the other region's, and knows its own", () => {
    const open = new Corefile(corefile({ ...PEER, fenced: false }));
    assert.deepEqual(open.decide(PEER_NAME), TO_PEER);
    assert.deepEqual(open.decide(OWN_NAME), { kind: "cluster" });
    assert.deepEqual(open.decide("s3.eu-west-2.amazonaws.com"), { kind: "outside" });
    assert.ok(open.has("ready"));
  });

  it("says at once that a fenced name does not exist", () => {
    const fenced = new Corefile(corefile({ ...PEER, fenced: true }));
    assert.deepEqual(fenced.decide(PEER_NAME), NO_SUCH_NAME);
    assert.deepEqual(fenced.decide(OWN_NAME), { kind: "cluster" });
  });

  it("asks over UDP unless it is told otherwise", () => {
    const decision = new Corefile("x.local:53 {\n  forward . 10.0.0.1\n}").decide("a.x.local");
    assert.deepEqual(decision, { kind: "forward", addresses: ["10.0.0.1"], tcp: false });
  });

  for (const sample of [...SAMPLES, ...ODD]) {
    it(`${sample.loads ? "reads" : "does not start with"} ${sample.what}`, () => {
      if (!sample.loads) {
        assert.throws(() => new Corefile(sample.text));
        return;
      }
      const read = new Corefile(sample.text);
      for (const [name, expected] of Object.entries(namesOf(sample))) {
        assert.deepEqual(read.decide(name), expected, name);
      }
    });
  }

  for (const sample of SAMPLES) {
    it(`does by our block in it what CoreDNS does: ${sample.what}`, () => {
      if (sample.refused !== undefined) {
        assert.throws(() => new Corefile(`${sample.text}\n${OPEN}`));
        return;
      }
      const open = new Corefile(patchCorefile(sample.text, OPEN));
      assert.deepEqual(open.decide(PEER_NAME), TO_PEER);
      const fenced = new Corefile(patchCorefile(sample.text, FENCED));
      assert.deepEqual(fenced.decide(PEER_NAME), NO_SUCH_NAME);
    });
  }
});
