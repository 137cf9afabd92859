import * as core from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { PORTS } from "../../generations/objects";
import { REGIONS, RegionName } from "../../base/brokers";
import type { EksSettings } from "../../settings";
import type { EksCluster } from "./eksCluster";
import type { RegionNetwork } from "./regionNetwork";
import * as aws from "./sdk";

/** Port of every node behind which the cluster's DNS answers. */
export const DNS_NODE_PORT = 30053;

/** Arguments of {@link EksDnsChaining}. */
export interface EksDnsChainingArgs {
  eks: EksSettings;
  /** The region of this stack. */
  region: RegionName;
  network: RegionNetwork;
  cluster: EksCluster;
  /** The whole Corefile, with what forwards the other region's namespace. */
  corefile: string;
}

/**
 * Makes DNS names of each cluster resolve in the other: an internal load balancer before this cluster's DNS
 * for the other region to ask, and a Corefile that sends the other region's names to that one's.
 *
 * The load balancer's addresses are fixed by the VPC's CIDR (`dnsAddresses`): both stacks know both, and a
 * region that is made again answers at the same. They cannot be changed in place: the load balancer is
 * replaced, the old one deleted first.
 *
 * CoreDNS is the add-on with its own configuration. A change of the ConfigMap by hand is overwritten. A
 * Corefile is loaded by running pods within two minutes; a wrong one is not, but keeps new pods from
 * starting.
 */
export class EksDnsChaining extends pulumi.ComponentResource {
  /** Where the other region asks, one address in each zone. */
  readonly addresses: string[];

  private readonly child: pulumi.CustomResourceOptions;

  constructor(
    private readonly name: string,
    private readonly args: EksDnsChainingArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("camunda8:aws:DnsChaining", name, {}, options);
    this.child = { parent: this };
    const { network, cluster, corefile } = args;
    this.addresses = network.dnsSubnets.map(({ address }) => address);
    const coreDns = new aws.eks.Addon(
      `${name}-coredns`,
      {
        clusterName: cluster.clusterName,
        addonName: "coredns",
        configurationValues: JSON.stringify({ corefile }),
        resolveConflictsOnCreate: "OVERWRITE",
        resolveConflictsOnUpdate: "OVERWRITE",
      },
      { ...this.child, dependsOn: [cluster.nodeGroup] },
    );
    this.service(coreDns);
    this.entryPoint();
    this.registerOutputs({ addresses: this.addresses });
  }

  /** TCP alone, which the other region's Corefile forces: a load balancer before UDP could not check its health. */
  private service(coreDns: pulumi.Resource): void {
    const { cluster } = this.args;
    new core.Service(
      `${this.name}-service`,
      {
        metadata: {
          name: "camunda-dns",
          namespace: "kube-system",
          // Whether names resolve is checked from a pod; a Service without endpoints must not hold an `up`.
          annotations: { "pulumi.com/skipAwait": "true" },
        },
        spec: {
          type: "NodePort",
          selector: { "k8s-app": "kube-dns" },
          ports: [
            {
              name: "dns-tcp",
              protocol: "TCP",
              port: PORTS.dns,
              targetPort: PORTS.dns,
              nodePort: DNS_NODE_PORT,
            },
          ],
        },
      },
      {
        ...this.child,
        provider: cluster.provider,
        dependsOn: [coreDns],
        deletedWith: cluster.cluster,
      },
    );
  }

  private entryPoint(): void {
    const { network, cluster } = this.args;
    const balancer = new aws.lb.LoadBalancer(
      `${this.name}-dns`,
      {
        namePrefix: "dns-",
        loadBalancerType: "network",
        internal: true,
        enableCrossZoneLoadBalancing: true,
        // A network load balancer that is made without a security group can never get one.
        securityGroups: [this.securityGroup()],
        subnetMappings: network.dnsSubnets.map(({ id, address }) => ({
          subnetId: id,
          privateIpv4Address: address,
        })),
      },
      // Two of them cannot have the same addresses.
      { ...this.child, deleteBeforeReplace: true },
    );
    const targets = new aws.lb.TargetGroup(
      `${this.name}-dns`,
      {
        namePrefix: "dns-",
        vpcId: network.vpcId,
        targetType: "instance",
        protocol: "TCP",
        port: DNS_NODE_PORT,
        // Nodes see the load balancer, so that they need to let in nobody else.
        preserveClientIp: "false",
        healthCheck: { protocol: "TCP", port: String(DNS_NODE_PORT) },
      },
      this.child,
    );
    new aws.lb.Listener(
      `${this.name}-dns`,
      {
        loadBalancerArn: balancer.arn,
        protocol: "TCP",
        port: PORTS.dns,
        defaultActions: [{ type: "forward", targetGroupArn: targets.arn }],
      },
      this.child,
    );
    new aws.autoscaling.Attachment(
      `${this.name}-dns`,
      { autoscalingGroupName: cluster.autoscalingGroupName, lbTargetGroupArn: targets.arn },
      this.child,
    );
  }

  private securityGroup(): pulumi.Output<string> {
    const { eks, network, cluster } = this.args;
    const group = new aws.ec2.SecurityGroup(
      `${this.name}-dns`,
      {
        vpcId: network.vpcId,
        description: "DNS of the cluster, for both regions",
        tags: { Name: `${eks.prefix}-${this.args.region}-dns` },
      },
      this.child,
    );
    for (const from of REGIONS) {
      new aws.vpc.SecurityGroupIngressRule(
        `${this.name}-dns-from-${from}`,
        {
          securityGroupId: group.id,
          cidrIpv4: eks.cidrs[from].vpc,
          ipProtocol: "tcp",
          fromPort: PORTS.dns,
          toPort: PORTS.dns,
          description: `DNS from ${from}`,
        },
        this.child,
      );
    }
    const toNodes = { ipProtocol: "tcp", fromPort: DNS_NODE_PORT, toPort: DNS_NODE_PORT };
    new aws.vpc.SecurityGroupEgressRule(
      `${this.name}-dns-to-nodes`,
      {
        ...toNodes,
        securityGroupId: group.id,
        referencedSecurityGroupId: cluster.securityGroupId,
        description: "DNS on the nodes",
      },
      this.child,
    );
    new aws.vpc.SecurityGroupIngressRule(
      `${this.name}-nodes-from-dns`,
      {
        ...toNodes,
        securityGroupId: cluster.securityGroupId,
        referencedSecurityGroupId: group.id,
        description: "DNS from its load balancer",
      },
      this.child,
    );
    return group.id;
  }
}
