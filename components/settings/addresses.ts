import { PORTS } from "../generations/objects";
import { generationOf } from "../generations";
import type { Generation } from "../generations/generation";
import type { Installation, InstalledSettings, Settings } from "./types";
import { clusterName } from "./eksNames";
import type { RegionName } from "../base/brokers";

/** What the names and ids of brokers follow from. */
export type BrokerCount = Pick<Settings, "camundaVersion" | "clusterSize">;

/** Name of a broker's pod. */
export function brokerPod(id: number, { ids, objects }: Generation): string {
  return `${objects.brokers}-${ids.ordinalOf(id)}`;
}

/** Name of a broker inside both clusters. Headless names only: cluster IPs are not routed between regions. */
export function brokerHost(
  id: number,
  { camundaVersion, installation }: Pick<InstalledSettings, "camundaVersion" | "installation">,
): string {
  const generation = generationOf(camundaVersion);
  const namespace = installation.namespaces[generation.ids.regionOf(id)];
  return `${brokerPod(id, generation)}.${generation.objects.brokers}.${namespace}.svc.cluster.local`;
}

/** Name of a region's Elasticsearch inside both clusters. */
export function elasticsearchHost(
  region: RegionName,
  { camundaVersion, installation }: Pick<InstalledSettings, "camundaVersion" | "installation">,
): string {
  const { elasticsearch } = generationOf(camundaVersion).objects;
  return `${elasticsearch}-hl.${installation.namespaces[region]}.svc.cluster.local`;
}

/**
 * Where a region answers, through the Kubernetes API of its cluster: `eks://<AWS region>/<cluster>` or
 * `kubernetes://<context>`, then `/<namespace>/<pod|service>/<name>/<port>`. Clients open a port-forward
 * for each request, as the procedure's `kubectl port-forward` does.
 */
export function endpointsOf(
  installation: Installation,
  region: RegionName,
  shape: BrokerCount,
): { gateway: string; management: string; brokers: Record<string, string>; elasticsearch: string } {
  const { cluster, namespaces } = installation;
  const generation = generationOf(shape.camundaVersion);
  const { ids, objects } = generation;
  const api =
    cluster.kind === "eks"
      ? `eks://${cluster.awsRegions[region]}/${clusterName(cluster, region)}`
      : `kubernetes://${encodeURIComponent(cluster.contexts[region])}`;
  const base = `${api}/${namespaces[region]}`;
  return {
    gateway: `${base}/service/${objects.gateway}/${PORTS.rest}`,
    management: `${base}/service/${objects.gateway}/${PORTS.management}`,
    brokers: Object.fromEntries(
      ids
        .of(region, shape.clusterSize)
        .map((id) => [String(id), `${base}/pod/${brokerPod(id, generation)}/${PORTS.management}`]),
    ),
    elasticsearch: `${base}/service/${objects.elasticsearch}-hl/${PORTS.elasticsearch}`,
  };
}
