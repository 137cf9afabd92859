import { BROKERS, ELASTICSEARCH, GATEWAY, PORTS } from "../generations/objects";
import { idsOf } from "../generations";
import type { Installation, InstalledSettings, Settings } from "./types";
import { clusterName } from "./eksNames";
import type { BrokerIds, RegionName } from "../base/brokers";

/** What the ids of the brokers are made from. */
export type ClusterShape = Pick<Settings, "camundaVersion" | "clusterSize">;

/** Name of a broker's pod. */
export function brokerPod(id: number, ids: BrokerIds): string {
  return `${BROKERS}-${ids.ordinalOf(id)}`;
}

/** Name of a broker inside both clusters. Headless names only: cluster IPs are not routed between regions. */
export function brokerHost(
  id: number,
  { camundaVersion, installation }: Pick<InstalledSettings, "camundaVersion" | "installation">,
): string {
  const ids = idsOf({ camundaVersion });
  const namespace = installation.namespaces[ids.regionOf(id)];
  return `${brokerPod(id, ids)}.${BROKERS}.${namespace}.svc.cluster.local`;
}

/** Name of a region's Elasticsearch inside both clusters. */
export function elasticsearchHost(namespace: string): string {
  return `${ELASTICSEARCH}-hl.${namespace}.svc.cluster.local`;
}

/**
 * Where a region answers, through the Kubernetes API of its cluster: `eks://<AWS region>/<cluster>` or
 * `kubernetes://<context>`, then `/<namespace>/<pod|service>/<name>/<port>`. Clients open a port-forward
 * for each request, as the procedure's `kubectl port-forward` does.
 */
export function endpointsOf(
  installation: Installation,
  region: RegionName,
  shape: ClusterShape,
): { gateway: string; management: string; brokers: Record<string, string>; elasticsearch: string } {
  const { cluster, namespaces } = installation;
  const ids = idsOf(shape);
  const api =
    cluster.kind === "eks"
      ? `eks://${cluster.awsRegions[region]}/${clusterName(cluster, region)}`
      : `kubernetes://${encodeURIComponent(cluster.contexts[region])}`;
  const base = `${api}/${namespaces[region]}`;
  return {
    gateway: `${base}/service/${GATEWAY}/${PORTS.rest}`,
    management: `${base}/service/${GATEWAY}/${PORTS.management}`,
    brokers: Object.fromEntries(
      ids
        .of(region, shape.clusterSize)
        .map((id) => [String(id), `${base}/pod/${brokerPod(id, ids)}/${PORTS.management}`]),
    ),
    elasticsearch: `${base}/service/${ELASTICSEARCH}-hl/${PORTS.elasticsearch}`,
  };
}
