import { BROKERS, ELASTICSEARCH, GATEWAY, PORTS } from "../generations/objects";
import type { Installation } from "./types";
import { clusterName } from "./eksNames";
import { brokerIds, regionOfBroker, RegionName } from "../base/brokers";

/** Name of a broker's pod: its ordinal is half of its id. */
export function brokerPod(id: number): string {
  return `${BROKERS}-${Math.floor(id / 2)}`;
}

/** Name of a broker inside both clusters. Headless names only: cluster IPs are not routed between regions. */
export function brokerHost(id: number, namespaces: Record<RegionName, string>): string {
  return `${brokerPod(id)}.${BROKERS}.${namespaces[regionOfBroker(id)]}.svc.cluster.local`;
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
  clusterSize: number,
): { gateway: string; management: string; brokers: Record<string, string>; elasticsearch: string } {
  const { cluster, namespaces } = installation;
  const api =
    cluster.kind === "eks"
      ? `eks://${cluster.awsRegions[region]}/${clusterName(cluster, region)}`
      : `kubernetes://${encodeURIComponent(cluster.contexts[region])}`;
  const base = `${api}/${namespaces[region]}`;
  return {
    gateway: `${base}/service/${GATEWAY}/${PORTS.rest}`,
    management: `${base}/service/${GATEWAY}/${PORTS.management}`,
    brokers: Object.fromEntries(
      brokerIds(region, clusterSize).map((id) => [
        String(id),
        `${base}/pod/${brokerPod(id)}/${PORTS.management}`,
      ]),
    ),
    elasticsearch: `${base}/service/${ELASTICSEARCH}-hl/${PORTS.elasticsearch}`,
  };
}
