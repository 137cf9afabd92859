import { Broker, Cluster, ExportingPhase } from "./cluster";
import { votersOf } from "./configuration";
import type { Reply } from "../../exchange";

const OPERATIONS: Record<string, (soft: boolean) => ExportingPhase> = {
  pause: (soft) => (soft ? "SOFT_PAUSED" : "PAUSED"),
  resume: () => "EXPORTING",
};

/**
 * Answers `POST /actuator/exporting/{operation}`. 8.6.0 wraps what should be the answer into the body
 * of an answer with status 200.
 */
export function answerExporting(
  cluster: Cluster,
  from: Broker,
  operation: string,
  soft: boolean,
  corrupted: (brokerId: number) => void,
): Reply {
  const failure = changePhases(cluster, from, OPERATIONS[operation]?.(soft), corrupted);
  const status = failure === undefined ? 204 : 500;
  const body = failure === undefined ? null : exception(failure.message);
  if (cluster.settings.pauseAnswer === "204") {
    return body === null ? { status } : { status, body };
  }
  return { status: 200, body: { body, status, contentType: null } };
}

function changePhases(
  cluster: Cluster,
  from: Broker,
  phase: ExportingPhase | undefined,
  corrupted: (brokerId: number) => void,
): { message: string | null } | undefined {
  if (phase === undefined) {
    return { message: null };
  }
  const incomplete = missingInTopology(cluster, from);
  if (incomplete !== undefined) {
    return { message: incomplete };
  }
  const side = cluster.sideOf(from.region);
  for (const broker of cluster.brokers.values()) {
    if (!cluster.isAlive(side, broker.id)) {
      continue;
    }
    for (const partitionId of cluster.partitionsOf(broker)) {
      const before = cluster.phaseOf(broker, partitionId);
      if (before === "SOFT_PAUSED" && phase === "PAUSED") {
        corrupted(broker.id);
      }
      broker.phases.set(partitionId, phase);
    }
  }
  // The brokers that answered have changed already; the request fails all the same.
  const missed = [...cluster.brokers.values()].find((broker) => cluster.isMissed(from, broker));
  if (!missed || missed.process === "zombie") {
    return undefined;
  }
  return {
    message: `Expected to send a request to broker '${missed.id}', but it could not be reached`,
  };
}

/** As it was recorded, whatever the topology: nobody reads it, but messages are as long as this. */
const TOPOLOGY =
  "current topology: BrokerClusterStateImpl{partitionLeaders={}, brokers=[0, 2], partitions=[1, 2, 3, 4], " +
  "clusterSize=4, partitionsCount=4, replicationFactor=4}";

/** Brokers refuse when they do not know of every replica, before they do anything. */
function missingInTopology(cluster: Cluster, from: Broker): string | undefined {
  const now = Date.now();
  const side = cluster.sideOf(from.region);
  const { partitionCount } = cluster.settings.shape;
  const known = [...cluster.brokers.values()].filter((broker) => cluster.sees(from, broker, now));
  const ids = Array.from({ length: partitionCount }, (_, i) => i + 1);
  const leaderless = ids.find((id) => side.shownLeader(id, now) === undefined);
  if (leaderless !== undefined) {
    return `Leader -2 of partition ${leaderless} is not known, ${TOPOLOGY}`;
  }
  const voters = votersOf(side.configuration);
  const incomplete = ids.find((id) =>
    voters.get(id)?.some((replica) => !known.some((b) => b.id === replica)),
  );
  return incomplete === undefined
    ? undefined
    : `Some replicas of partition ${incomplete} are not known, ${TOPOLOGY}`;
}

/** An exception as 8.6.0 writes it into its answer, without the frames of its stack. */
function exception(message: string | null): object {
  return { cause: null, stackTrace: [], message, suppressed: [], localizedMessage: message };
}
