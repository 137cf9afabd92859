import assert from "node:assert/strict";
import { BOTH, declare } from "./declared";
import { fencedOf } from "./scene";

const ACL = "aws:ec2/networkAcl:NetworkAcl";
const all = { protocol: "-1", fromPort: 0, toPort: 0 };
const standing = { ...all, ruleNo: 100, action: "allow", cidrBlock: "0.0.0.0/0" };

describe("EksPeerFence", () => {
  for (const region of BOTH) {
    const peerCidr = region === "region0" ? "10.202.0.0/16" : "10.192.0.0/16";
    const deny = { ...all, ruleNo: 10, action: "deny", cidrBlock: peerCidr };

    it(`of ${region} lets everything through while it is open`, async () => {
      const { declared } = await declare(() => void fencedOf({ region, fenced: false }));
      const { inputs } = declared.only(ACL);
      assert.deepEqual(inputs.ingress, [standing]);
      assert.deepEqual(inputs.egress, [standing]);
    });

    it(`of ${region} adds a rule against the peer's VPC in both directions when it closes`, async () => {
      const { declared } = await declare(() => void fencedOf({ region, fenced: true }));
      const { inputs } = declared.only(ACL);
      assert.deepEqual(inputs.ingress, [standing, deny]);
      assert.deepEqual(inputs.egress, [standing, deny]);
    });
  }

  it("is around every subnet, and the same resource open and closed", async () => {
    const urns = [];
    for (const fenced of [false, true]) {
      const { declared, outputs } = await declare(() => {
        const { fence, network } = fencedOf({ fenced });
        return { urns: fence.resources.map(({ urn }) => urn), subnets: network.subnetIds };
      });
      const { inputs, provider } = declared.only(ACL);
      assert.equal(outputs.subnets.length, 9);
      assert.deepEqual(inputs.subnetIds, outputs.subnets);
      assert.match(provider, /pulumi:providers:aws::aws::/);
      urns.push(outputs.urns);
    }
    assert.equal(urns[0]?.length, 1);
    assert.deepEqual(urns[0], urns[1]);
  });

  it("has no rule or association in a resource of its own", async () => {
    const { declared } = await declare(() => void fencedOf({ fenced: true }));
    const rest = declared.all.filter(({ type }) => /networkAcl(Rule|Association)/i.test(type));
    assert.deepEqual(rest, []);
  });
});
