import { RepositorySettings } from "../../world";
import type { Incoming, Reply } from "../../exchange";
import { SearchError } from "./searchErrors";
import { SearchIndex, SearchStore } from "./searchStore";
import { isSnapshotComplete, Selection, Snapshots, StoredSnapshot } from "./snapshots";

const ACKNOWLEDGED: Reply = { status: 200, body: { acknowledged: true } };

/** Answers what begins with `/_snapshot`. Undefined for what does not exist. */
export async function answerSnapshot(
  snapshots: Snapshots,
  store: SearchStore,
  request: Incoming,
  body: Record<string, unknown>,
): Promise<Reply | undefined> {
  const [, , repository, name, action] = request.path.split("/");
  if (repository === undefined || repository === "") {
    return request.method === "GET" ? describeRepositories(snapshots, "_all") : undefined;
  }
  if (name === undefined || name === "") {
    return answerRepository(snapshots, request, repository, body);
  }
  if (request.method === "POST" && name === "_verify") {
    snapshots.verify(repository);
    return { status: 200, body: { nodes: { [store.nodeId]: { name: "node-0" } } } };
  }
  const waits = ["true", ""].includes(request.query.get("wait_for_completion") ?? "false");
  switch (`${request.method} ${action ?? ""}`.trim()) {
    case "GET": {
      const found = findOrIgnore(snapshots, repository, name, request);
      return {
        status: 200,
        body: {
          snapshots: found.map((s) => describe(s, repository)),
          total: found.length,
          remaining: 0,
        },
      };
    }
    case "PUT":
    case "POST": {
      const [snapshot, done] = snapshots.take(repository, name, body as Selection);
      if (!waits) {
        return { status: 200, body: { accepted: true } };
      }
      await done;
      return { status: 200, body: { snapshot: describe(snapshot, repository) } };
    }
    case "DELETE":
      snapshots.delete(repository, name);
      return ACKNOWLEDGED;
    case "GET _status":
      return {
        status: 200,
        body: { snapshots: snapshots.find(repository, name).map((s) => status(s, repository)) },
      };
    case "POST _restore": {
      const [indices, done] = snapshots.restore(repository, name, body as Selection);
      if (!waits) {
        return { status: 200, body: { accepted: true } };
      }
      await done;
      return { status: 200, body: { snapshot: restored(name, indices) } };
    }
    default:
      return undefined;
  }
}

function answerRepository(
  snapshots: Snapshots,
  request: Incoming,
  name: string,
  body: Record<string, unknown>,
): Reply | undefined {
  switch (request.method) {
    case "GET":
      return describeRepositories(snapshots, name);
    case "PUT":
    case "POST": {
      if (typeof body["type"] !== "string") {
        const reason = "Validation Failed: 1: type is missing;";
        throw new SearchError(400, "action_request_validation_exception", reason);
      }
      const settings = (body["settings"] ?? {}) as RepositorySettings["settings"];
      snapshots.register(name, { type: body["type"], settings });
      return ACKNOWLEDGED;
    }
    case "DELETE":
      snapshots.repository(name);
      snapshots.repositories.delete(name);
      return ACKNOWLEDGED;
    default:
      return undefined;
  }
}

function describeRepositories(snapshots: Snapshots, name: string): Reply {
  const names =
    name === "_all" || name === "*" ? [...snapshots.repositories.keys()] : name.split(",");
  const body = Object.fromEntries(
    names.map((one) => {
      const { type, settings } = snapshots.repository(one);
      // Elasticsearch gives every setting back as text.
      const texts = Object.entries(settings).map(([key, value]) => [key, String(value)]);
      return [one, { type, settings: Object.fromEntries(texts) as Record<string, string> }];
    }),
  );
  return { status: 200, body };
}

function findOrIgnore(
  snapshots: Snapshots,
  repository: string,
  name: string,
  request: Incoming,
): StoredSnapshot[] {
  try {
    return snapshots.find(repository, name);
  } catch (error) {
    const ignores = request.query.get("ignore_unavailable") === "true";
    if (ignores && (error as SearchError).type === "snapshot_missing_exception") {
      return [];
    }
    throw error;
  }
}

function describe(snapshot: StoredSnapshot, repository: string): object {
  const { name, uuid, state, indices, startedAt, endedAt } = snapshot;
  const shards = shardsOf(snapshot);
  const done = isSnapshotComplete(snapshot);
  return {
    snapshot: name,
    uuid,
    repository,
    version_id: 8512000,
    version: "8.15.0",
    indices: [...indices.keys()],
    data_streams: [],
    include_global_state: snapshot.templates !== undefined,
    ...(snapshot.metadata !== undefined && { metadata: snapshot.metadata }),
    state,
    start_time: new Date(startedAt).toISOString(),
    start_time_in_millis: startedAt,
    ...(done && {
      end_time: new Date(endedAt).toISOString(),
      end_time_in_millis: endedAt,
      duration_in_millis: endedAt - startedAt,
    }),
    failures: [],
    shards: { total: done ? shards : 0, failed: 0, successful: done ? shards : 0 },
    feature_states: [],
  };
}

function status(snapshot: StoredSnapshot, repository: string): object {
  const total = shardsOf(snapshot);
  const done = isSnapshotComplete(snapshot);
  const statsOf = (count: number) => ({
    initializing: 0,
    started: done ? 0 : count,
    finalizing: 0,
    done: done ? count : 0,
    failed: 0,
    total: count,
  });
  return {
    snapshot: snapshot.name,
    repository,
    uuid: snapshot.uuid,
    state: done ? snapshot.state : "STARTED",
    include_global_state: snapshot.templates !== undefined,
    shards_stats: statsOf(total),
    indices: Object.fromEntries(
      [...snapshot.indices].map(([name, { shards }]) => [name, { shards_stats: statsOf(shards) }]),
    ),
  };
}

function restored(snapshot: string, indices: SearchIndex[]): object {
  const total = indices.reduce((sum, { shards }) => sum + shards, 0);
  return {
    snapshot,
    indices: indices.map(({ name }) => name),
    shards: { total, failed: 0, successful: total },
  };
}

function shardsOf({ indices }: StoredSnapshot): number {
  return [...indices.values()].reduce((sum, { shards }) => sum + shards, 0);
}
