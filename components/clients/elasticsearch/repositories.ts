import { isRecord, wordIn } from "../../base/json";
import { listOf, reason, Refused } from "../http";
import { SearchRequests } from "./requests";

/** A snapshot repository as it is registered. */
export interface Repository {
  type: string;
  settings: Record<string, string>;
}

/** A snapshot as its repository lists it. */
export interface SnapshotInfo {
  name: string;
  /** `IN_PROGRESS`, `SUCCESS`, `PARTIAL`, `FAILED`, ... Only `SUCCESS` with no failed shard may be restored from. */
  state: string;
  indices: string[];
  shards: { total: number; failed: number; successful: number };
  failures: string[];
  includeGlobalState: boolean;
  /** What was written beside the snapshot when it was taken. */
  metadata: Record<string, unknown>;
}

/** Its snapshot repositories, and the snapshots in them: one method for each request, no decisions. */
export class Repositories extends SearchRequests {
  /** The registered repository of that name, or undefined. */
  async repository(name: string): Promise<Repository | undefined> {
    const path = `/_snapshot/${encodeURIComponent(name)}`;
    const answer = await this.send("GET", path);
    if (answer.status === 404) {
      return undefined;
    }
    const found = this.body("GET", path, answer)[name];
    if (!isRecord(found) || !isRecord(found.settings)) {
      throw new Refused(this.request("GET", path), 200, reason(answer.body));
    }
    return {
      type: wordIn(found.type),
      settings: Object.fromEntries(
        Object.entries(found.settings).map(([key, value]) => [key, String(value)]),
      ),
    };
  }

  /** Registers a repository, also over an existing registration of that name: its data is not touched. */
  async registerRepository(
    name: string,
    type: string,
    settings: Record<string, unknown>,
  ): Promise<void> {
    await this.ok("PUT", `/_snapshot/${encodeURIComponent(name)}`, { type, settings });
  }

  /** Takes the registration of a repository back, if there is one. What lies in it is not touched. */
  async forgetRepository(name: string): Promise<void> {
    const path = `/_snapshot/${encodeURIComponent(name)}`;
    const answer = await this.send("DELETE", path);
    if (answer.status !== 404) {
      this.body("DELETE", path, answer);
    }
  }

  /** Lets every node check that it reaches the repository, and says how many have. */
  async verifyRepository(name: string): Promise<number> {
    const path = `/_snapshot/${encodeURIComponent(name)}/_verify`;
    const body = await this.ok("POST", path);
    if (!isRecord(body.nodes)) {
      throw new Refused(this.request("POST", path), 200, `no nodes in the answer: ${reason(body)}`);
    }
    return Object.keys(body.nodes).length;
  }

  /** Names of the snapshots in a repository, as this cluster sees it, sorted; none that is being taken. */
  async snapshots(repository: string): Promise<string[]> {
    const path = `/_snapshot/${encodeURIComponent(repository)}/_all?verbose=false`;
    const body = await this.ok("GET", path);
    return listOf(this.request("GET", path), body.snapshots, "snapshots")
      .filter(({ state }) => state !== "IN_PROGRESS")
      .map(({ snapshot }) => wordIn(snapshot))
      .sort();
  }

  /** A snapshot by name, or undefined when the repository, as this cluster sees it, has none. */
  async snapshot(repository: string, name: string): Promise<SnapshotInfo | undefined> {
    const path = `/_snapshot/${encodeURIComponent(repository)}/${encodeURIComponent(name)}`;
    const answer = await this.send("GET", path);
    if (answer.status === 404) {
      return undefined;
    }
    const body = this.body("GET", path, answer);
    const found = listOf(this.request("GET", path), body.snapshots, "snapshots").find(
      (snapshot) => snapshot.snapshot === name,
    );
    return found && this.snapshotInfo(path, name, found);
  }

  /** Starts a snapshot and returns at once. */
  async createSnapshot(
    repository: string,
    name: string,
    indices: readonly string[],
    metadata: Record<string, unknown>,
  ): Promise<void> {
    // Without the global state the restored Elasticsearch lacks the index templates, and Camunda's web
    // applications loop at their start.
    await this.withoutFeatureStates(
      "PUT",
      `/_snapshot/${encodeURIComponent(repository)}/${encodeURIComponent(name)}`,
      { indices: indices.join(","), include_global_state: true, metadata },
    );
  }

  /** Starts a restore of a snapshot and returns at once. Refused when an index of it exists. */
  async restoreSnapshot(
    repository: string,
    name: string,
    indices: readonly string[],
  ): Promise<void> {
    await this.withoutFeatureStates(
      "POST",
      `/_snapshot/${encodeURIComponent(repository)}/${encodeURIComponent(name)}/_restore`,
      { indices: indices.join(","), include_global_state: true },
    );
  }

  /**
   * The global state brings the system indices of all features along (users, roles, tasks), unless asked
   * not to. OpenSearch has no feature states and refuses the word; a refused request has done nothing.
   */
  private async withoutFeatureStates(
    method: "PUT" | "POST",
    path: string,
    body: Record<string, unknown>,
  ): Promise<void> {
    const answer = await this.send(method, path, { ...body, feature_states: ["none"] });
    if (answer.status === 400 && /feature_states/.test(JSON.stringify(answer.body))) {
      await this.ok(method, path, body);
      return;
    }
    this.body(method, path, answer);
  }

  private snapshotInfo(path: string, name: string, found: Record<string, unknown>): SnapshotInfo {
    const shards = isRecord(found.shards) ? found.shards : {};
    const failures = Array.isArray(found.failures) ? found.failures : [];
    if (typeof found.state !== "string") {
      throw new Refused(this.request("GET", path), 200, `snapshot ${name} has no state`);
    }
    return {
      name,
      state: found.state,
      indices: Array.isArray(found.indices) ? found.indices.map(String).sort() : [],
      shards: {
        total: Number(shards.total),
        failed: Number(shards.failed),
        successful: Number(shards.successful),
      },
      failures: failures.map((failure) => reason(failure)),
      includeGlobalState: found.include_global_state === true,
      metadata: isRecord(found.metadata) ? found.metadata : {},
    };
  }
}
