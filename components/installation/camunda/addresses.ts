import type { Installation } from "../../settings/installation";
import { clusterName } from "../eks/names";
import { brokerIds, regionOfBroker, RegionName } from "../../base/brokers";

/** Name of the Helm release of Camunda; the names of its objects begin with it. */
export const RELEASE = "camunda";

/**
 * Name of the Helm release of Elasticsearch. A release of its own, so that an upgrade of Camunda does not
 * touch the database. The name makes the same objects as the bundled chart of Camunda 8.6 would.
 */
export const ELASTICSEARCH_RELEASE = `${RELEASE}-elasticsearch`;

/** StatefulSet and headless Service of the brokers. */
export const BROKERS = `${RELEASE}-zeebe`;

/** Deployment and Service of the gateways. */
export const GATEWAY = `${RELEASE}-zeebe-gateway`;

/** StatefulSet of Elasticsearch; its headless Service has `-hl` behind it. */
export const ELASTICSEARCH = `${ELASTICSEARCH_RELEASE}-master`;

/** The Deployments that must stand still while Elasticsearch is snapshotted. */
export const WEB_APPS = [`${RELEASE}-operate`, `${RELEASE}-tasklist`];

/**
 * ConfigMap that tells a broker's pod, when it starts, whether its region rejoins. Outside of the release, so
 * that a change of it restarts nothing.
 */
export const REJOINING = {
  configMap: `${RELEASE}-rejoining`,
  key: "rejoining",
  /** Where a broker's pod has it as a file, which follows a change within a minute. */
  folder: "/etc/camunda-rejoining",
} as const;

/** The NetworkPolicy that is the fence where the network is not ours. */
export const FENCE_POLICY = "camunda-peer-fence";

/** Ports of Camunda, as its chart has them. */
export const PORTS = {
  dns: 53,
  elasticsearch: 9200,
  gateway: 26500,
  command: 26501,
  internal: 26502,
  management: 9600,
  rest: 8080,
} as const;

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
