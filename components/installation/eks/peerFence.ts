import * as pulumi from "@pulumi/pulumi";
import { peerOf, RegionName } from "../../base/brokers";
import type { EksSettings } from "../../settings";
import type { RegionNetwork } from "./regionNetwork";
import * as aws from "./sdk";

/** Arguments of {@link EksPeerFence}. */
export interface EksPeerFenceArgs {
  eks: EksSettings;
  /** The region of this stack. */
  region: RegionName;
  network: RegionNetwork;
  /** Whether the other region is cut off. */
  fenced: boolean;
}

/**
 * Cuts a region off from the other one, established connections included: a network ACL around every
 * subnet, which gains one rule against the other VPC in each direction. Rules of security groups would
 * let established connections live on.
 *
 * Closing and opening are updates in place, through the own region's EC2 only. The standing rule is never
 * touched, so that no moment is more open than before. Closing is two calls; an `up` that fails between
 * them is finished by the next. AWS promises no time for either to take effect: prove it with a probe.
 * A subnet that somebody adds to the VPC by hand is outside of the fence.
 */
export class EksPeerFence extends pulumi.ComponentResource {
  /** What must be done before brokers are forced out: to be depended on. */
  readonly resources: pulumi.Resource[];

  constructor(name: string, args: EksPeerFenceArgs, options?: pulumi.ComponentResourceOptions) {
    super("camunda8:aws:PeerFence", name, {}, options);
    const { eks, region, network, fenced } = args;
    const everything = { protocol: "-1", fromPort: 0, toPort: 0 };
    const rules = [
      { ...everything, ruleNo: 100, action: "allow", cidrBlock: "0.0.0.0/0" },
      // Behind it, so that a preview shows what is added; the number decides what counts first.
      ...(fenced
        ? [{ ...everything, ruleNo: 10, action: "deny", cidrBlock: eks.cidrs[peerOf(region)].vpc }]
        : []),
    ];
    const acl = new aws.ec2.NetworkAcl(
      `${name}-acl`,
      {
        vpcId: network.vpcId,
        subnetIds: network.subnetIds,
        ingress: rules,
        egress: rules,
        tags: { Name: `${eks.prefix}-${region}` },
      },
      // A component's own dependencies order its children's creation only.
      { parent: this, dependsOn: options?.dependsOn },
    );
    this.resources = [acl];
    this.registerOutputs({});
  }
}
