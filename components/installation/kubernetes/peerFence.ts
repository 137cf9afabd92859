import * as networking from "@pulumi/kubernetes/networking/v1";
import * as pulumi from "@pulumi/pulumi";
import { FENCE_POLICY } from "../../generations/objects";
import { peerOf, RegionName } from "../../base/brokers";
import type { KubernetesSettings } from "../../settings";
import { OURS_ALONE } from "./provider";

/** Arguments of {@link KubernetesPeerFence}. */
export interface KubernetesPeerFenceArgs {
  kubernetes: KubernetesSettings;
  /** The region of this stack. */
  region: RegionName;
  /** The namespace whose pods are cut off. */
  namespace: pulumi.Input<string>;
  /** `closed`: nothing goes to the other region or comes from it. `opened`: as without a fence. */
  state: "closed" | "opened";
}

/**
 * The fence around a region that is declared lost: a NetworkPolicy over all pods of the namespace.
 *
 * It is declared only while a loss is. Closing is then its creation, for which every network plugin looks
 * at established connections anew, where a policy that is edited may leave them; opening is an update,
 * since Pulumi deletes last, after the brokers are to be reached again; and it goes when all is steady.
 *
 * Policies add up: another one that lets the same pods reach the other region makes this one void. None of
 * the charts installs one. What it is worth depends on the network plugin: it is proved by a probe.
 */
export class KubernetesPeerFence extends pulumi.ComponentResource {
  /** What must be done before anything relies on the fence. */
  readonly resources: pulumi.Resource[];

  constructor(
    name: string,
    args: KubernetesPeerFenceArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("camunda8:kubernetes:PeerFence", name, {}, options);
    const peers = args.state === "closed" ? allButPeer(args) : undefined;
    const policy = new networking.NetworkPolicy(
      name,
      {
        metadata: { name: FENCE_POLICY, namespace: args.namespace, annotations: OURS_ALONE },
        spec: {
          podSelector: {},
          policyTypes: ["Ingress", "Egress"],
          ingress: [peers === undefined ? {} : { from: peers }],
          egress: [peers === undefined ? {} : { to: peers }],
        },
      },
      // A component's own dependencies order its children's creation only.
      { parent: this, dependsOn: options?.dependsOn },
    );
    this.resources = [policy];
    this.registerOutputs({});
  }
}

/**
 * A policy only allows: what is to be cut is what is left out. Pods of the own cluster are named as well,
 * since some plugins do not count them among the addresses.
 */
function allButPeer({ kubernetes: { cidrs }, region }: KubernetesPeerFenceArgs) {
  const { nodes, pods, services } = cidrs[peerOf(region)];
  return [
    { ipBlock: { cidr: "0.0.0.0/0", except: [...nodes, ...pods, ...services] } },
    { namespaceSelector: {} },
  ];
}
