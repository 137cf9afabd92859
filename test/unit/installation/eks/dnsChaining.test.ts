import assert from "node:assert/strict";
import { dnsAddresses } from "../../../../components/settings/eksNames";
import { BOTH, Declarations, declare } from "./declared";
import { chainedOf, SceneArgs } from "./scene";

const INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";

const made = new Map<string, Declarations>();

/** What is declared, made once for the same arguments. */
async function chained(args: SceneArgs = {}): Promise<Declarations> {
  const key = JSON.stringify(args);
  const declared = made.get(key) ?? (await declare(() => void chainedOf(args))).declared;
  made.set(key, declared);
  return declared;
}

describe("EksDnsChaining", () => {
  it("is at the addresses that the other region computes", async () => {
    for (const region of BOTH) {
      const { declared, outputs } = await declare(() => {
        const { dns, eks } = chainedOf({ region });
        return { addresses: dns.addresses, computed: dnsAddresses(eks.cidrs[region].vpc) };
      });
      const { inputs, deleteBeforeReplace } = declared.only("aws:lb/loadBalancer:LoadBalancer");
      assert.deepEqual(outputs.addresses, outputs.computed);
      assert.deepEqual(
        inputs.subnetMappings,
        outputs.computed.map((privateIpv4Address, zone) => ({
          subnetId: `net-dns-${zone}-id`,
          privateIpv4Address,
        })),
      );
      assert.equal(inputs.internal, true);
      assert.equal(inputs.loadBalancerType, "network");
      assert.equal(inputs.enableCrossZoneLoadBalancing, true);
      assert.deepEqual(inputs.securityGroups, ["names-dns-id"]);
      assert.equal(deleteBeforeReplace, true);
    }
  });

  it("names the groups of its rules as the provider reads them: without the account, which is its own", async () => {
    const declared = await chained();
    const between = [...declared.of(INGRESS), ...declared.of(EGRESS)].flatMap(({ inputs }) =>
      inputs.referencedSecurityGroupId === undefined ? [] : [inputs.referencedSecurityGroupId],
    );
    assert.deepEqual(between.sort(), ["names-dns-id", "sg-cluster"]);
  });

  it("adds a Service that goes with the cluster", async () => {
    const declared = await chained({ region: "region1" });
    const { provider, deletedWith } = declared.only("kubernetes:core/v1:Service");
    assert.match(provider, /pulumi:providers:kubernetes::eks-kubernetes::/);
    assert.equal(deletedWith, "eks-cluster");
  });

  it("takes no default provider", async () => {
    const declared = await chained();
    for (const { type, name, provider } of declared.all) {
      if (/^(aws|kubernetes):/.test(type)) {
        assert.match(provider, /pulumi:providers:(aws::aws|kubernetes::eks-kubernetes)::/, name);
      }
    }
  });
});
