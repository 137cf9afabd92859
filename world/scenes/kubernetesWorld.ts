import { existsSync, readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { EmbeddedWorldOptions } from "../camunda/embedded";
import { kubeconfig } from "../kubernetes/played/kubeconfig";
import type { KubeObject } from "../kubernetes/played/objects";
import type { ClusterView, RegionCluster } from "../kubernetes/played/cluster";
import type { Wiring } from "../kubernetes/played/regions";
import { KUBEADM_COREFILE } from "../kubernetes/shippedCorefiles";
import type { StandIn } from "../pulumi/standIn";
import type { RegionName } from "../world";
import { ownCharts } from "./charts";
import { InstalledWorld } from "./installedWorld";

/** Contexts of the clusters, as people name them. */
export const CONTEXTS = { region0: "cluster-london", region1: "cluster/paris" };

const CIDRS = {
  region0: {
    nodes: ["10.192.0.0/16"],
    pods: ["10.193.0.0/16", "10.195.0.0/16"],
    services: ["10.190.0.0/16"],
  },
  region1: {
    nodes: ["10.202.0.0/16"],
    pods: ["10.203.0.0/16", "10.205.0.0/16"],
    services: ["10.200.0.0/16"],
  },
};

const DNS_ADDRESSES = { region0: "10.192.255.53", region1: "10.202.255.53" };

const BUCKET = "camunda-backup";

/** What is in a cluster before anybody installs anything. */
const SHIPPED = [
  ...["default", "kube-system", "kube-public", "kube-node-lease"].map((name) => `/${name}`),
  "default/kubernetes",
  "kube-system/coredns",
  // The API server makes it for itself.
  "kube-system/kube-apiserver-legacy-service-account-token-tracking",
];

/** What the configuration says of two clusters that are there. */
export const GIVEN_CLUSTERS = {
  platform: "kubernetes",
  contexts: CONTEXTS,
  cidrs: CIDRS,
  dns: {
    kind: "coredns",
    addresses: { region0: [DNS_ADDRESSES.region0], region1: [DNS_ADDRESSES.region1] },
  },
  snapshotRepository: {
    name: "camunda_backup",
    type: "s3",
    settings: { bucket: BUCKET, base_path: "backups" },
  },
};

/** Two clusters that are there already, with a network between them: platform `kubernetes`. */
export class KubernetesWorld extends InstalledWorld {
  readonly config = { ...GIVEN_CLUSTERS, charts: ownCharts() };
  protected readonly fence = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

  private folder = "";

  constructor(options: EmbeddedWorldOptions = {}) {
    super(options);
  }

  outageOf(region: RegionName): string {
    return region;
  }

  async leftIn(region: RegionName): Promise<string[]> {
    const { store } = this.live.get(region)?.cluster ?? {};
    const kinds = ["Namespace", "Service", "ConfigMap", "Secret", "NetworkPolicy", "Pod"];
    return leftOf(kinds.flatMap((kind) => store?.list(kind) ?? []));
  }

  protected standIns(): StandIn[] {
    return [];
  }

  protected wiring(): Wiring {
    return wiringOf(() => this.regions.clusters);
  }

  protected loadBalancer(_cluster: RegionCluster, service: KubeObject): string[] {
    const { loadBalancerIP } = service.spec as { loadBalancerIP?: string };
    return loadBalancerIP === undefined ? ["10.255.255.1"] : [loadBalancerIP];
  }

  protected serverOf(file: string | undefined, context: string | undefined): string | undefined {
    if (file === undefined || !existsSync(file)) {
      return undefined;
    }
    const config = parse(readFileSync(file, "utf8")) as {
      contexts: { name: string; context: { cluster: string } }[];
      clusters: { name: string; cluster: { server: string } }[];
    };
    const name = config.contexts.find((one) => one.name === context)?.context.cluster;
    return config.clusters.find((one) => one.name === name)?.cluster.server;
  }

  protected platformEnvironment(): Record<string, string> {
    return { KUBECONFIG: this.kubeconfigFile };
  }

  protected async begin(): Promise<void> {
    this.folder = await fs.mkdtemp(path.join(os.tmpdir(), "camunda-clusters-"));
    for (const region of ["region0", "region1"] as const) {
      await this.build(region);
    }
  }

  protected loseRest(): void {
    // The kubeconfig stays as it is: the region does not answer.
  }

  protected async recreateRest(region: RegionName): Promise<void> {
    await this.build(region);
  }

  protected async cleanUp(): Promise<void> {
    if (this.folder !== "") {
      await fs.rm(this.folder, { recursive: true, force: true });
    }
  }

  private async build(region: RegionName): Promise<void> {
    const { cluster } = await this.makeCluster(region);
    cluster.store.apply({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "coredns", namespace: "kube-system" },
      data: { Corefile: KUBEADM_COREFILE },
    });
    await fs.writeFile(
      this.kubeconfigFile,
      kubeconfig(
        [...this.live].map(([name, { api }]) => ({
          context: CONTEXTS[name],
          server: api.url,
          ca: api.ca,
          token: api.token,
        })),
      ),
    );
  }

  private get kubeconfigFile(): string {
    return path.join(this.folder, "kubeconfig");
  }
}

/** What of a cluster's objects was not there before anybody installed anything. */
export function leftOf(objects: readonly KubeObject[]): string[] {
  return (
    objects
      // CoreDNS' own pods are named by their controller.
      .filter(({ kind, metadata }) => kind !== "Pod" || metadata.labels?.["k8s-app"] !== "kube-dns")
      .filter(
        ({ metadata, data }) =>
          !SHIPPED.includes(`${metadata.namespace ?? ""}/${metadata.name}`) ||
          (data as { Corefile?: string } | undefined)?.Corefile?.includes("camunda"),
      )
      .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`)
  );
}

/** Names, network and bucket of the clusters. */
export function wiringOf(clusters: () => ReadonlyMap<RegionName, ClusterView>): Wiring {
  return {
    corefile: (region) => {
      const map = clusters().get(region)?.store.get("ConfigMap", "kube-system", "coredns");
      return (map?.data as { Corefile?: string } | undefined)?.Corefile;
    },
    dnsServerAt: (_from, address, protocol) =>
      [...clusters().values()].find((cluster) => answersAt(cluster, address, protocol))?.region,
    podCidrs: (region) => CIDRS[region].pods,
    obstacle: (from, to) =>
      clusters().has(from) && clusters().has(to) ? undefined : "a region is lost",
    bucketProblem: (_region, bucket) =>
      bucket === BUCKET ? undefined : "The specified bucket does not exist",
  };
}

/** Whether a load balancer before the DNS of a cluster has an address and speaks a protocol. */
function answersAt({ store }: ClusterView, address: string, protocol: "tcp" | "udp"): boolean {
  return store.list("Service").some(({ spec, status }) => {
    const { type, selector, ports } = spec as {
      type?: string;
      selector?: Record<string, string>;
      ports: { port: number; protocol?: string }[];
    };
    const { ingress = [] } =
      (status as { loadBalancer?: { ingress?: { ip: string }[] } } | undefined)?.loadBalancer ?? {};
    return (
      type === "LoadBalancer" &&
      selector?.["k8s-app"] === "kube-dns" &&
      ingress.some(({ ip }) => ip === address) &&
      ports.some((one) => one.port === 53 && (one.protocol ?? "TCP").toLowerCase() === protocol)
    );
  });
}
