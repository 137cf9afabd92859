import { ClusterShape } from "../../world";
import { request, requestJson } from "../../processes/http";
import { OwnProcess } from "../../processes/processes";
import { until } from "../../processes/until";

/** Generous: a machine with two cores that is busy with something else takes minutes. */
const START_SECONDS = 540;

/** What a broker prints when it came back with data of before its removal, and closes its ports. */
const CLOSED_ITSELF = "Please restart the broker to use the new topology";

interface Topology {
  brokers: {
    nodeId: number;
    partitions: { partitionId: number; role: string; health: string }[];
  }[];
}

/** Resolves when a search engine can be used, as far as it ever can be with what is on its disk. */
export function searchReady(url: string, process: OwnProcess): Promise<void> {
  return until(
    `start of ${process.name}`,
    async () => {
      const { status, text } = await request(`${url}/_cluster/health`);
      const health = /"status":"(\w+)"/.exec(text)?.[1] ?? "unknown";
      // A single node with replicas configured stays yellow, which serves everything.
      if (status === 200 && (health === "green" || health === "yellow" || isAtRest(text))) {
        return true;
      }
      return `it answers ${status}, health ${health}`;
    },
    { seconds: START_SECONDS, everyMs: 250, processes: [process] },
  );
}

/** What a node that ended in the middle of a restore has lost stays red: it knows its shards, and starts none. */
function isAtRest(health: string): boolean {
  const count = (name: string) => Number(new RegExp(`"${name}":(\\d+)`).exec(health)?.[1]);
  const underWay = ["initializing_shards", "number_of_in_flight_fetch", "number_of_pending_tasks"];
  return count("unassigned_shards") > 0 && underWay.every((name) => count(name) === 0);
}

/**
 * Resolves when a broker's management API answers, or the broker has closed it for good as it came
 * back with old data.
 */
export function brokerAnswers(managementUrl: string, process: OwnProcess): Promise<void> {
  return until(
    `start of ${process.name}`,
    async () => {
      if (process.hasPrinted(CLOSED_ITSELF)) {
        return true;
      }
      const { status } = await request(`${managementUrl}/actuator/health/startup`);
      return status === 200 || `it answers ${status}`;
    },
    { seconds: START_SECONDS, everyMs: 250, processes: [process] },
  );
}

/** Resolves when every partition of a cluster has one leader and all replicas are healthy. */
export function clusterHealthy(
  gateway: string,
  shape: ClusterShape,
  processes: OwnProcess[],
): Promise<void> {
  return until(
    "start of the cluster",
    async () => {
      const topology = await requestJson<Topology>(`${gateway}/v2/topology`);
      const replicas = topology.brokers.flatMap((broker) => broker.partitions);
      const expected = shape.partitionCount * shape.replicationFactor;
      const healthy = replicas.filter((replica) => replica.health === "healthy").length;
      if (replicas.length !== expected || healthy !== expected) {
        return `${healthy} of ${expected} replicas are healthy`;
      }
      const leaders = replicas.filter((r) => r.role === "leader").map((r) => r.partitionId);
      const complete =
        leaders.length === shape.partitionCount && new Set(leaders).size === leaders.length;
      return complete || `the leaders are of the partitions ${leaders.join(", ") || "none"}`;
    },
    { seconds: START_SECONDS, everyMs: 250, processes },
  );
}
