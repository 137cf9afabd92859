import * as core from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { PORTS } from "../../generations/objects";
import { peerOf, RegionName } from "../../base/brokers";
import type { KubernetesSettings } from "../../settings";
import { UserError } from "../../base/userError";
import { corefileBlock, PeerNames } from "./corefile";
import { CorefileBlock } from "./corefileBlock";

/** Arguments of {@link KubernetesDnsChaining}. */
export interface KubernetesDnsChainingArgs {
  kubernetes: KubernetesSettings;
  /** The region of this stack. */
  region: RegionName;
  namespaces: Record<RegionName, string>;
  /** Whether the other region is fenced off: its names then fail at once. */
  fenced: boolean;
}

/**
 * Makes DNS names of each region's pods resolve in the other one: an entry point to this cluster's DNS at a
 * fixed internal address, and the other region's names forwarded to the other's entry point.
 *
 * On GKE the entry point needs the annotations `networking.gke.io/load-balancer-type: Internal` and
 * `networking.gke.io/internal-load-balancer-allow-global-access: "true"`: without the second one only clients
 * of the same Google region reach it.
 */
export class KubernetesDnsChaining extends pulumi.ComponentResource {
  /** Addresses that the cloud has given to the entry point. None where there is no entry point. */
  readonly addresses: pulumi.Output<string[]>;

  constructor(
    name: string,
    args: KubernetesDnsChainingArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("camunda8:kubernetes:DnsChaining", name, {}, options);
    const { dns } = args.kubernetes;
    if (dns.kind === "none") {
      this.addresses = pulumi.output([]);
    } else {
      const configured = dns.addresses[args.region];
      // Under a fence nobody asks there: a failover must not end because of it.
      this.addresses = addressesOf(
        entryPoint(name, args, this),
        args.fenced ? undefined : configured,
      );
      forward(name, args, this);
    }
    this.registerOutputs({ addresses: this.addresses });
  }
}

/**
 * CoreDNS is asked over TCP, as its forwarding does. kube-dns forwards over UDP only, and a Service of a
 * cloud has one protocol.
 */
function entryPoint(
  name: string,
  { kubernetes: { dns }, region }: KubernetesDnsChainingArgs,
  parent: pulumi.Resource,
): core.Service {
  const [address, ...others] = dns.addresses[region];
  return new core.Service(
    `${name}-entry-point`,
    {
      metadata: { name: "camunda-dns", namespace: "kube-system", annotations: dns.annotations },
      spec: {
        type: "LoadBalancer",
        // There is room for one here; several are the annotations' to give.
        ...(others.length === 0 && address !== undefined ? { loadBalancerIP: address } : {}),
        selector: { "k8s-app": "kube-dns" },
        ports: [
          {
            name: "dns",
            port: PORTS.dns,
            targetPort: PORTS.dns,
            protocol: dns.kind === "kube-dns" ? "UDP" : "TCP",
          },
        ],
      },
    },
    { parent },
  );
}

/** What the entry point was given, checked against what the other region asks when that is given. */
function addressesOf(
  service: core.Service,
  configured: readonly string[] | undefined,
): pulumi.Output<string[]> {
  return service.status.apply((status) => {
    // Some clouds say nothing of an address, or name a host.
    const given = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
    const foreign = given.filter((ip) => configured?.includes(ip) === false);
    if (foreign.length > 0) {
      throw new UserError(
        `the DNS entry point was given ${foreign.join(", ")}, and dns.addresses has ${configured?.join(", ")}: reserve that address, or correct dns.addresses in both stacks`,
      );
    }
    return given;
  });
}

function forward(name: string, args: KubernetesDnsChainingArgs, parent: pulumi.Resource): void {
  const { kubernetes: cluster, region, namespaces, fenced } = args;
  const peer = peerOf(region);
  const names: PeerNames = {
    peerNamespace: namespaces[peer],
    peerAddresses: cluster.dns.addresses[peer],
    fenced,
  };
  if (cluster.dns.kind === "coredns") {
    new CorefileBlock(`${name}-corefile-block`, { block: corefileBlock(names) }, { parent });
    return;
  }
  const data: Record<string, string> =
    cluster.dns.kind === "kube-dns"
      ? { stubDomains: stubDomains(names) }
      : { "camunda-dual-region.server": corefileBlock(names) };
  // Server-side apply owns one key of a ConfigMap that is the cloud's: where somebody else has that key, the
  // API refuses and says who. Under a fence its value changes; a key that goes would go last of all.
  new core.ConfigMapPatch(
    `${name}-forwarding`,
    { metadata: { name: cluster.dns.kind, namespace: "kube-system" }, data },
    { parent },
  );
}

/** Where kube-dns forwards names to. Without an entry it says itself that there is no such name. */
export function stubDomains({ peerNamespace, peerAddresses, fenced }: PeerNames): string {
  return JSON.stringify(fenced ? {} : { [`${peerNamespace}.svc.cluster.local`]: peerAddresses });
}
