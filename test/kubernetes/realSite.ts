import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brokerPod } from "../../components/settings/addresses";
import { generationOf } from "../../components/generations";
import { PORTS } from "../../components/generations/objects";
import { IDS } from "../support/ids";
import { EndpointsSite } from "../../scripts/drill/endpointsSite";
import { kubeconfig } from "../../world/kubernetes/played/kubeconfig";
import type { KubeObject } from "../../world/kubernetes/played/objects";
import { NODE, RealCluster } from "../../world/kubernetes/real/cluster";
import { prepareKubernetes } from "../../world/kubernetes/real/prepare";
import type { RegionEndpoints, RegionName } from "../../world/world";
import { Forward, leading } from "./transport.contract";

const NAMESPACES: Record<RegionName, string> = { region0: "camunda-0", region1: "camunda-1" };
const GENERATION = generationOf("8.6");
const { brokers: BROKERS, gateway: GATEWAY, elasticsearch: ELASTICSEARCH } = GENERATION.objects;
const GATEWAY_POD = `${GATEWAY}-0`;
const ELASTICSEARCH_POD = `${ELASTICSEARCH}-0`;

/**
 * Camunda in two real Kubernetes clusters, one for each region, as far as the program can tell: it reaches
 * everything by `kubernetes:` addresses, whose pods lead to a world. The Kubernetes API of a lost region
 * hangs.
 */
export class RealKubernetesSite extends EndpointsSite {
  private readonly folder = mkdtempSync(join(tmpdir(), "real-site-"));
  private readonly clusters = new Map<RegionName, RealCluster>();

  override async start(): Promise<void> {
    const programs = await prepareKubernetes({ log: console.log });
    await super.start();
    await Promise.all(
      (["region0", "region1"] as const).map(async (region) => {
        // As the AWS CLI names the contexts of EKS clusters.
        const context = `arn:aws:eks:eu-west-2:111122223333:cluster/${region}`;
        const forward = leading(this.forwards(region));
        const cluster = await RealCluster.start(programs, context, { forward });
        this.clusters.set(region, cluster);
        await this.populate(region, cluster);
      }),
    );
    const all = [...this.clusters.values()].map(({ access }) => access);
    writeFileSync(join(this.folder, "kubeconfig"), kubeconfig(all));
  }

  override settings() {
    const { config } = super.settings();
    return {
      config: {
        ...config,
        endpoints: { region0: this.addresses("region0"), region1: this.addresses("region1") },
      },
      environment: { KUBECONFIG: join(this.folder, "kubeconfig") },
    };
  }

  override async lose(region: RegionName): Promise<void> {
    this.cluster(region).freeze();
    await super.lose(region);
  }

  override async recreate(region: RegionName): Promise<void> {
    await super.recreate(region);
    this.cluster(region).thaw();
  }

  override async stop(): Promise<void> {
    await super.stop();
    await Promise.all([...this.clusters.values()].map((cluster) => cluster.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Cuts all port-forwards that are open, of both regions. */
  async breakStreams(): Promise<void> {
    await Promise.all([...this.clusters.values()].map((cluster) => cluster.breakStreams()));
  }

  private cluster(region: RegionName): RealCluster {
    const found = this.clusters.get(region);
    if (found === undefined) {
      throw new Error("the clusters were not started");
    }
    return found;
  }

  private brokers(region: RegionName): number[] {
    return IDS.of(region, this.world.shape.clusterSize);
  }

  private addresses(region: RegionName): RegionEndpoints {
    const context = encodeURIComponent(this.cluster(region).context);
    const address = (kind: "pod" | "service", name: string, port: number) =>
      `kubernetes://${context}/${NAMESPACES[region]}/${kind}/${name}/${port}`;
    return {
      gateway: address("service", GATEWAY, PORTS.rest),
      management: address("service", GATEWAY, PORTS.management),
      brokers: Object.fromEntries(
        this.brokers(region).map((id) => [
          id,
          address("pod", brokerPod(id, GENERATION), PORTS.management),
        ]),
      ),
      elasticsearch: address("service", `${ELASTICSEARCH}-hl`, PORTS.elasticsearch),
    };
  }

  private forwards(region: RegionName): Forward[] {
    const namespace = NAMESPACES[region];
    const { gateway, management, brokers, elasticsearch } = super.settings().config.endpoints[
      region
    ];
    const to = (pod: string, port: number, url = ""): Forward => {
      return { namespace, pod, port, localPort: Number(new URL(url).port) };
    };
    return [
      to(GATEWAY_POD, PORTS.rest, gateway),
      to(GATEWAY_POD, PORTS.management, management),
      to(ELASTICSEARCH_POD, PORTS.elasticsearch, elasticsearch),
      ...this.brokers(region).map((id) =>
        to(brokerPod(id, GENERATION), PORTS.management, brokers[id]),
      ),
    ];
  }

  private async populate(region: RegionName, cluster: RealCluster): Promise<void> {
    const namespace = NAMESPACES[region];
    await cluster.create([
      { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
      service(namespace, GATEWAY, [PORTS.rest, PORTS.management], GATEWAY),
      service(namespace, BROKERS, [PORTS.management], BROKERS),
      service(namespace, `${ELASTICSEARCH}-hl`, [PORTS.elasticsearch], ELASTICSEARCH),
      pod(namespace, GATEWAY_POD, GATEWAY),
      pod(namespace, ELASTICSEARCH_POD, ELASTICSEARCH),
      ...this.brokers(region).map((id) => pod(namespace, brokerPod(id, GENERATION), BROKERS)),
    ]);
    for (const { pod: name } of this.forwards(region)) {
      await cluster.untilReady(namespace, name);
    }
  }
}

function pod(namespace: string, name: string, app: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { app } },
    spec: { nodeName: NODE, containers: [{ name: "camunda", image: "none" }] },
  };
}

function service(namespace: string, name: string, ports: number[], app: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: {
      clusterIP: "None",
      selector: { app },
      ports: ports.map((port) => ({ name: `port-${port}`, port })),
    },
  };
}
