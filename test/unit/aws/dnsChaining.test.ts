import assert from "node:assert/strict";
import { dnsAddresses } from "../../../components/settings/eksNames";
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

  it("hands TCP 53 to the nodes' port", async () => {
    const declared = await chained();
    const listener = declared.only("aws:lb/listener:Listener").inputs;
    assert.equal(listener.protocol, "TCP");
    assert.equal(listener.port, 53);
    assert.deepEqual(listener.defaultActions, [
      { type: "forward", targetGroupArn: "arn:aws:lb::123456789012:names-dns" },
    ]);
    const targets = declared.only("aws:lb/targetGroup:TargetGroup").inputs;
    assert.equal(targets.targetType, "instance");
    assert.equal(targets.port, 30053);
    assert.equal(targets.protocol, "TCP");
    assert.equal(targets.preserveClientIp, "false");
    assert.equal(targets.vpcId, "net-vpc-id");
    const attached = declared.only("aws:autoscaling/attachment:Attachment").inputs;
    assert.equal(attached.autoscalingGroupName, "asg-nodes");
    assert.equal(attached.lbTargetGroupArn, "arn:aws:lb::123456789012:names-dns");
  });

  it("opens DNS to both VPCs, the nodes to the load balancer, and nothing else", async () => {
    const declared = await chained();
    const rule = ({ inputs }: { inputs: Record<string, unknown> }) =>
      `${inputs.securityGroupId} ${inputs.cidrIpv4 ?? inputs.referencedSecurityGroupId} ${inputs.ipProtocol} ${inputs.fromPort}-${inputs.toPort}`;
    const own = declared.of(INGRESS).filter(({ name }) => name.startsWith("names-"));
    assert.deepEqual(own.map(rule).sort(), [
      "names-dns-id 10.192.0.0/16 tcp 53-53",
      "names-dns-id 10.202.0.0/16 tcp 53-53",
      "sg-cluster 123456789012/names-dns-id tcp 30053-30053",
    ]);
    assert.deepEqual(declared.of(EGRESS).map(rule), [
      "names-dns-id 123456789012/sg-cluster tcp 30053-30053",
    ]);
    const group = declared.only("aws:ec2/securityGroup:SecurityGroup").inputs;
    assert.equal(group.ingress, undefined);
    assert.equal(group.egress, undefined);
  });

  it("replaces a rule between groups, which AWS does not modify, the old one first", async () => {
    const declared = await chained();
    const between = [...declared.of(INGRESS), ...declared.of(EGRESS)].filter(
      ({ inputs }) => inputs.referencedSecurityGroupId !== undefined,
    );
    assert.deepEqual(
      between.map(({ replaceOnChanges, deleteBeforeReplace }) => ({
        replaceOnChanges,
        deleteBeforeReplace,
      })),
      [1, 2].map(() => ({ replaceOnChanges: ["*"], deleteBeforeReplace: true })),
    );
  });

  it("owns the Corefile through the add-on, after the nodes", async () => {
    const declared = await chained();
    const { inputs, dependsOn } = declared.named("aws:eks/addon:Addon", "names-coredns");
    assert.equal(inputs.addonName, "coredns");
    assert.equal(
      inputs.configurationValues,
      JSON.stringify({ corefile: ".:53 {\n    ready\n}\n" }),
    );
    assert.equal(inputs.resolveConflictsOnCreate, "OVERWRITE");
    assert.equal(inputs.resolveConflictsOnUpdate, "OVERWRITE");
    assert.ok(dependsOn.includes("eks-nodes"), dependsOn.join(", "));
    assert.deepEqual(declared.of("kubernetes:core/v1:ConfigMap"), []);
  });

  it("adds a Service of its own beside kube-dns, which no `up` waits for", async () => {
    const declared = await chained({ region: "region1" });
    const { inputs, provider, deletedWith } = declared.only("kubernetes:core/v1:Service");
    assert.deepEqual(inputs.metadata, {
      name: "camunda-dns",
      namespace: "kube-system",
      annotations: { "pulumi.com/skipAwait": "true" },
    });
    assert.deepEqual(inputs.spec, {
      type: "NodePort",
      selector: { "k8s-app": "kube-dns" },
      ports: [{ name: "dns-tcp", protocol: "TCP", port: 53, targetPort: 53, nodePort: 30053 }],
    });
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
