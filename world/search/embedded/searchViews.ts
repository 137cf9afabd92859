import { IndexRecovery, searchable, SearchIndex, ShardStage } from "./searchStore";

/** The answer of `/_cluster/health`, with its part for each index when it is asked by shard. */
export function healthOf(indices: SearchIndex[], level: string | null = null) {
  return level === "shards"
    ? {
        ...totalHealth(indices),
        indices: Object.fromEntries(indices.map((index) => [index.name, indexHealth(index)])),
      }
    : totalHealth(indices);
}

function indexHealth(index: SearchIndex) {
  const { status, active_primary_shards, active_shards, unassigned_shards } = totalHealth([index]);
  return {
    status,
    number_of_shards: index.shards,
    number_of_replicas: index.replicas,
    active_primary_shards,
    active_shards,
    unassigned_shards,
    shards: Object.fromEntries(
      index.recovery.stages.map((stage, id) => [
        id,
        {
          status: stage === "DONE" ? status : stage === "LOST" ? "red" : "yellow",
          primary_active: stage === "DONE",
        },
      ]),
    ),
  };
}

function totalHealth(indices: SearchIndex[]) {
  const primaries = indices.reduce((sum, { shards }) => sum + shards, 0);
  const active = indices.reduce((sum, { recovery }) => sum + doneOf(recovery.stages), 0);
  const lost = indices.reduce((sum, { recovery }) => sum + lostOf(recovery.stages), 0);
  const replicas = indices.reduce((sum, index) => sum + index.shards * index.replicas, 0);
  const all = primaries + replicas;
  return {
    cluster_name: "elasticsearch",
    // A primary that is restored from a snapshot has not been lost: yellow, not red.
    status: lost > 0 ? "red" : active < primaries || replicas > 0 ? "yellow" : "green",
    timed_out: false,
    number_of_nodes: 1,
    number_of_data_nodes: 1,
    active_primary_shards: active,
    active_shards: active,
    relocating_shards: 0,
    initializing_shards: primaries - active - lost,
    unassigned_shards: replicas + lost,
    delayed_unassigned_shards: 0,
    number_of_pending_tasks: 0,
    number_of_in_flight_fetch: 0,
    task_max_waiting_in_queue_millis: 0,
    active_shards_percent_as_number: all === 0 ? 100 : (100 * active) / all,
  };
}

/**
 * The answer of `/_recovery`: a row for each copy of a shard. `primary` is what the copy was when its recovery
 * began; a replica that took over stays `false`.
 */
export function recoveriesOf(nodeId: string, indices: SearchIndex[]): object {
  return Object.fromEntries(
    indices
      .filter((index) => listedStages(index.recovery).length > 0)
      .map(({ name, recovery, documents }) => [
        name,
        {
          shards: listedCopies(recovery).map(({ stage, id, type, primary }) => ({
            id,
            type,
            stage,
            primary,
            start_time_in_millis: recovery.startedAt,
            source: sourceOf(name, recovery, type),
            target: { id: nodeId, host: "127.0.0.1", name: "node-0" },
            index: {
              files: {
                total: documents.size,
                reused: 0,
                recovered: stage === "DONE" ? documents.size : 0,
                percent: stage === "DONE" ? "100.0%" : "0.0%",
              },
            },
          })),
        },
      ]),
  );
}

function countOf(indices: SearchIndex[]): number {
  return indices.reduce((sum, index) => sum + searchable(index).size, 0);
}

function listedStages({ stages }: IndexRecovery): { stage: ShardStage; id: number }[] {
  return stages
    .map((stage, id) => ({ stage, id }))
    .filter(({ stage }) => stage === "INDEX" || stage === "DONE");
}

function listedCopies(recovery: IndexRecovery) {
  return listedStages(recovery).flatMap(({ stage, id }) => {
    const first = { id, stage, type: recovery.type as string, primary: true };
    switch (recovery.moves?.get(id)) {
      case undefined:
        return [first];
      case "promoted":
        return [{ ...first, type: "PEER", primary: false }];
      case "moved":
        return [{ ...first, type: "PEER" }];
      case "moving":
        return [first, { ...first, type: "PEER", stage: "INDEX" }];
    }
  });
}

function sourceOf(name: string, { repository, snapshot }: IndexRecovery, type: string): object {
  switch (type) {
    case "SNAPSHOT":
      return { repository, snapshot, version: "8.15.0", index: name };
    case "PEER":
      return { id: "gone", host: "127.0.0.1", ip: "127.0.0.1", name: "node-1" };
    default:
      return {};
  }
}

function copiesOf(index: SearchIndex): object {
  return Object.fromEntries(
    index.recovery.stages.flatMap((stage, id) =>
      stage === "DONE"
        ? [
            [
              id,
              [
                {
                  routing: { state: "STARTED", primary: true, relocating_node: null },
                  seq_no: { max_seq_no: id === 0 ? index.writes - 1 : -1 },
                },
              ],
            ],
          ]
        : [],
    ),
  );
}

function doneOf(stages: string[]): number {
  return stages.filter((stage) => stage === "DONE").length;
}

function lostOf(stages: string[]): number {
  return stages.filter((stage) => stage === "LOST").length;
}

/** The answer of `/_cluster/allocation/explain` for the primary of a shard. */
export function explained(nodeId: string, { name, recovery }: SearchIndex, shard: number): object {
  const about = { index: name, shard, primary: true };
  if (recovery.stages[shard] !== "LOST") {
    return {
      ...about,
      current_state: recovery.stages[shard] === "DONE" ? "started" : "initializing",
    };
  }
  return {
    ...about,
    current_state: "unassigned",
    unassigned_info: {
      reason: "CLUSTER_RECOVERED",
      last_allocation_status: "no_valid_shard_copy",
    },
    can_allocate: "no_valid_shard_copy",
    allocate_explanation:
      "cannot allocate because a previous copy of the primary shard existed but can no longer be found on the nodes in the cluster",
    node_allocation_decisions: [
      { node_id: nodeId, node_name: "node-0", node_decision: "no", store: { found: false } },
    ],
  };
}

/** The `_shards` part of many answers. */
export function shardCounts(indices: SearchIndex[]) {
  const total = indices.reduce((sum, { shards, replicas }) => sum + shards * (1 + replicas), 0);
  const successful = indices.reduce((sum, { recovery }) => sum + doneOf(recovery.stages), 0);
  return { total, successful, failed: 0 };
}

/** The `_shards` part of a search: it asks one copy of each shard. */
export function searchedShards(indices: SearchIndex[]) {
  const total = indices.reduce((sum, { shards }) => sum + shards, 0);
  const successful = indices.reduce((sum, { recovery }) => sum + doneOf(recovery.stages), 0);
  return { total, successful, skipped: 0, failed: 0 };
}

/** What an index takes, roughly: nobody measures it. */
function bytesOf({ documents }: SearchIndex): number {
  return 250 + 500 * documents.size;
}

/** The disk of the one node. */
const DISK_BYTES = 100_000_000_000;

/** The answer of `/_nodes/stats/fs`. */
export function disksOf(nodeId: string, indices: SearchIndex[]): object {
  const free = DISK_BYTES - indices.reduce((sum, index) => sum + bytesOf(index), 0);
  const total = { total_in_bytes: DISK_BYTES, free_in_bytes: free, available_in_bytes: free };
  return {
    _nodes: { total: 1, successful: 1, failed: 0 },
    cluster_name: "elasticsearch",
    nodes: {
      [nodeId]: {
        name: "node-0",
        roles: ["data", "ingest", "master", "remote_cluster_client"],
        fs: { timestamp: Date.now(), total, data: [{ path: "/data", ...total }] },
      },
    },
  };
}

/**
 * The answer of `/_stats/docs` and `/_stats/store`, with a part for each copy of a shard when it is asked by shard: both
 * parts, whichever is asked for.
 */
export function statsOf(indices: SearchIndex[], level: string | null = null): object {
  const stats = (count: number, bytes: number) => ({
    docs: { count, deleted: 0 },
    store: { size_in_bytes: bytes },
  });
  const both = (count: number, bytes: number) => ({
    primaries: stats(count, bytes),
    total: stats(count, bytes),
  });
  return {
    _shards: shardCounts(indices),
    _all:
      indices.length === 0
        ? { primaries: {}, total: {} }
        : both(
            countOf(indices),
            indices.reduce((sum, index) => sum + bytesOf(index), 0),
          ),
    indices: Object.fromEntries(
      indices.map((index) => [
        index.name,
        {
          uuid: index.uuid,
          ...both(searchable(index).size, bytesOf(index)),
          ...(level === "shards" && { shards: copiesOf(index) }),
        },
      ]),
    ),
  };
}
