/** Name of the Helm release of Camunda; the names of its objects begin with it. */
export const RELEASE = "camunda";

/**
 * Name of the Helm release of Elasticsearch. A release of its own, so that an upgrade of Camunda does not
 * touch the database. The name makes the same objects as the bundled chart of Camunda 8.6 would.
 */
export const ELASTICSEARCH_RELEASE = `${RELEASE}-elasticsearch`;

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
