import { Answer, listOf, PartialAnswer, reason, Refused, send } from "./http";
import type { Credentials } from "../settings/types";
import { isRecord } from "../base/json";

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

/**
 * Where the data of one copy of a shard came from, and how far it is. Which copy is the primary, `_recovery`
 * does not say: its `primary` is of the moment when the recovery began, and a replica that took over since
 * stays `false`.
 */
export interface ShardRecovery {
  index: string;
  /**
   * `SNAPSHOT`, `EMPTY_STORE` (a new index), `EXISTING_STORE` (after a restart), `PEER` (from the shard's
   * primary: a replica, also one that took over, and a shard that was moved), ...
   */
  type: string;
  /** `DONE` when the shard is whole. */
  stage: string;
  snapshot?: string;
  repository?: string;
}

/** A snapshot repository as it is registered. */
export interface Repository {
  type: string;
  settings: Record<string, string>;
}

/** The last record of a partition. */
export interface LastRecord {
  position: number;
  /** How many records the partition has, this one too. */
  count: number;
}

/** What an index holds, as far as two copies of it can be compared. */
export interface Contents {
  documents: number;
  /**
   * The number of the last operation on each shard, by shard. Writing a document again in place changes no count, but
   * this one. A snapshot keeps it, and a restore brings it back.
   */
  lastOperations: number[];
}

/** How far the primary shards of an index can be used. */
export interface IndexHealth {
  /** The shards whose primary is active. */
  active: number[];
  /** The others. */
  inactive: number[];
}

/** Health of a set of indices. */
export interface Health {
  status: string;
  /** Shards that can be used, whichever of their copies it is. */
  activePrimaryShards: number;
  unassignedShards: number;
  /** How many nodes of the whole cluster hold data. */
  dataNodes: number;
}

/** Closed and hidden indices too, which a pattern alone passes over; no error when there is none. */
const ALL = "allow_no_indices=true&expand_wildcards=all";

/** The roles of the nodes that an index comes to which is restored. */
const DATA_ROLES: unknown[] = ["data", "data_content", "data_hot"];

/** More groups than Zeebe can have partitions (8191), and fewer than a search engine refuses (65,535). */
const EVERY_PARTITION = { field: "partitionId", size: 10_000 };

/**
 * A search engine takes 1,024 clauses by default and counts four for each of these: OpenSearch 3.6 refuses 257.
 * One `filters` aggregation would need no clause, but tests every record against every partition: with 512
 * partitions it took six times as long on 200,000 records.
 */
const PARTITIONS_AT_ONCE = 200;

/** Elasticsearch's (or OpenSearch's) snapshot API: one method for each request, no decisions. */
export class ElasticsearchClient {
  constructor(
    readonly url: string,
    private readonly timeoutMs: number,
    private readonly credentials?: Credentials,
  ) {}

  /** Health of the cluster, or of the indices that match the patterns, closed ones too; green when none does. */
  async health(patterns: readonly string[] = []): Promise<Health> {
    const path = `/_cluster/health${patterns.length > 0 ? `/${patterns.join(",")}` : ""}`;
    return healthIn(this.request("GET", path), await this.ok("GET", path));
  }

  /**
   * Names of the existing indices that match the patterns (`zeebe-record*`), sorted, also of closed ones, and
   * of those whose shards wait to be assigned: statistics and recoveries do not list these.
   */
  async existing(patterns: readonly string[]): Promise<string[]> {
    const path = `/${patterns.join(",")}?${ALL}&filter_path=*.settings.index.uuid`;
    return Object.keys(await this.ok("GET", path)).sort();
  }

  /** Those of {@link existing} that are closed. */
  async closed(patterns: readonly string[]): Promise<string[]> {
    const path = `/${patterns.join(",")}?allow_no_indices=true&expand_wildcards=closed,hidden&filter_path=*.settings.index.uuid`;
    return Object.keys(await this.ok("GET", path)).sort();
  }

  /** Makes what was written until now count: without it, documents of the last moment do not. */
  async refresh(patterns: readonly string[]): Promise<void> {
    await this.ok("POST", `/${patterns.join(",")}/_refresh?allow_no_indices=true`);
  }

  /** Number of documents by index, after a refresh. */
  async documents(patterns: readonly string[]): Promise<Record<string, number>> {
    const target = patterns.join(",");
    await this.refresh(patterns);
    const body = await this.ok("GET", `/${target}/_stats/docs?allow_no_indices=true`);
    const indices = isRecord(body.indices) ? body.indices : {};
    return Object.fromEntries(
      Object.entries(indices).map(([name, stats]) => {
        const primaries = isRecord(stats) ? stats.primaries : undefined;
        const docs = isRecord(primaries) ? primaries.docs : undefined;
        const count = isRecord(docs) ? docs.count : undefined;
        if (typeof count !== "number") {
          throw new Refused(
            this.request("GET", `/${target}/_stats/docs`),
            200,
            `no count of ${name}`,
          );
        }
        return [name, count];
      }),
    );
  }

  /**
   * What each index holds, after a refresh.
   *
   * @throws {@link PartialAnswer} when a primary shard does not say it
   */
  async contents(patterns: readonly string[]): Promise<Record<string, Contents>> {
    await this.refresh(patterns);
    const path = `/${patterns.join(",")}/_stats/docs?level=shards&allow_no_indices=true`;
    const body = await this.ok("GET", path);
    const indices = isRecord(body.indices) ? body.indices : {};
    return Object.fromEntries(
      Object.entries(indices).map(([name, stats]) => [
        name,
        this.contentsOf(path, name, isRecord(stats) ? stats : {}),
      ]),
    );
  }

  private contentsOf(path: string, name: string, stats: Record<string, unknown>): Contents {
    const docs = isRecord(stats.primaries) ? stats.primaries.docs : undefined;
    const documents = isRecord(docs) ? docs.count : undefined;
    const shards = isRecord(stats.shards) ? stats.shards : {};
    const lastOperations = Object.entries(shards)
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, copies]) => {
        const primary = listOf(this.request("GET", path), copies, "copies").find(
          ({ routing }) => isRecord(routing) && routing.primary === true,
        );
        return isRecord(primary?.seq_no) ? primary.seq_no.max_seq_no : undefined;
      });
    const said = lastOperations.filter((last) => typeof last === "number");
    if (typeof documents !== "number" || said.length !== lastOperations.length) {
      throw new PartialAnswer(this.request("GET", path), `not every primary shard of ${name}`);
    }
    return { documents, lastOperations: said };
  }

  /**
   * Bytes that the indices that match the patterns take, with and without their replicas.
   *
   * @throws {@link PartialAnswer} when a shard does not say it
   */
  async storeSize(patterns: readonly string[]): Promise<{ primaries: number; total: number }> {
    const path = `/${patterns.join(",")}/_stats/store?allow_no_indices=true`;
    const body = await this.ok("GET", path);
    const all = isRecord(body._all) ? body._all : {};
    const sizeOf = (part: unknown) => {
      const store = isRecord(part) ? part.store : undefined;
      return isRecord(store) ? store.size_in_bytes : undefined;
    };
    const [primaries, total] = [sizeOf(all.primaries), sizeOf(all.total)];
    const { total: shards, failed } = isRecord(body._shards) ? body._shards : {};
    if (shards === 0) {
      return { primaries: 0, total: 0 };
    }
    if (failed !== 0 || typeof primaries !== "number" || typeof total !== "number") {
      throw new PartialAnswer(this.request("GET", path), "not the size of every shard");
    }
    return { primaries, total };
  }

  /**
   * Bytes that are free on all nodes that new indices come to.
   *
   * @throws {@link PartialAnswer} when a node does not say it
   */
  async freeSpace(): Promise<number> {
    const path = "/_nodes/stats/fs";
    const { _nodes: asked, nodes } = await this.ok("GET", path);
    const free = Object.values(isRecord(nodes) ? nodes : {})
      .filter(isRecord)
      .filter(
        ({ roles }) => Array.isArray(roles) && roles.some((role) => DATA_ROLES.includes(role)),
      )
      .map(({ fs }) =>
        isRecord(fs) && isRecord(fs.total) ? fs.total.available_in_bytes : undefined,
      );
    const said = free.filter((bytes) => typeof bytes === "number");
    if (!isRecord(asked) || asked.failed !== 0 || said.length === 0 || said.length < free.length) {
      throw new PartialAnswer(this.request("GET", path), "not the disk of every data node");
    }
    return said.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Health of the indices that match the patterns, and how far each of them is. */
  async healthByIndex(
    patterns: readonly string[],
  ): Promise<Health & { indices: Record<string, IndexHealth> }> {
    const path = `/_cluster/health/${patterns.join(",")}?level=shards`;
    const body = await this.ok("GET", path);
    const indices = isRecord(body.indices) ? body.indices : {};
    return {
      ...healthIn(this.request("GET", path), body),
      indices: Object.fromEntries(
        Object.entries(indices).map(([name, index]) => {
          const shards = isRecord(index) && isRecord(index.shards) ? index.shards : {};
          const isActive = (shard: unknown) => isRecord(shard) && shard.primary_active === true;
          const ids = (active: boolean) =>
            Object.keys(shards)
              .filter((id) => isActive(shards[id]) === active)
              .map(Number);
          return [name, { active: ids(true), inactive: ids(false) }];
        }),
      ),
    };
  }

  /** Why the primary of a shard is not allocated, in the server's words; undefined when it does not say so. */
  async unallocated(index: string, shard: number): Promise<string | undefined> {
    const body = await this.ok("POST", "/_cluster/allocation/explain", {
      index,
      shard,
      primary: true,
    });
    const nodes = Array.isArray(body.node_allocation_decisions)
      ? body.node_allocation_decisions.filter(isRecord)
      : [];
    const deciders = nodes.flatMap((node) =>
      Array.isArray(node.deciders) ? node.deciders.filter(isRecord) : [],
    );
    const why =
      deciders.find(({ decision }) => decision === "NO")?.explanation ?? body.allocate_explanation;
    return body.current_state === "unassigned" && typeof why === "string" ? why : undefined;
  }

  /** Names of the index and component templates that begin with one of the prefixes, sorted. */
  async templates(prefixes: readonly string[]): Promise<string[]> {
    const index = await this.ok("GET", "/_index_template");
    const component = await this.ok("GET", "/_component_template");
    const names = [
      ...listOf("GET /_index_template", index.index_templates, "templates").map(
        (template) => `index template ${String(template.name)}`,
      ),
      ...listOf("GET /_component_template", component.component_templates, "templates").map(
        (template) => `component template ${String(template.name)}`,
      ),
    ];
    return names
      .filter((name) => prefixes.some((prefix) => name.split(" ").at(-1)?.startsWith(prefix)))
      .sort();
  }

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
      type: String(found.type),
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
      .map(({ snapshot }) => String(snapshot))
      .sort();
  }

  /**
   * Which rights the user of this client lacks, of those that are asked for by the names that Elasticsearch has for
   * them. None where there is nobody to ask: security is off, or the search engine has no such question (OpenSearch).
   *
   * @param cluster over the cluster
   * @param indices over the indices that match the patterns
   */
  async lackingRights(
    cluster: readonly string[],
    indices?: { patterns: readonly string[]; privileges: readonly string[] },
  ): Promise<string[]> {
    const path = "/_security/user/_has_privileges";
    const answer = await this.send("POST", path, {
      cluster,
      ...(indices && { index: [{ names: indices.patterns, privileges: indices.privileges }] }),
    });
    if ([400, 404, 405].includes(answer.status)) {
      return [];
    }
    const body = this.body("POST", path, answer);
    if (typeof body.has_all_requested !== "boolean") {
      throw new Refused(
        this.request("POST", path),
        200,
        `no rights in the answer: ${reason(body)}`,
      );
    }
    const byIndex = isRecord(body.index) ? Object.values(body.index) : [];
    return body.has_all_requested
      ? []
      : [...new Set([body.cluster, ...byIndex].flatMap(refusedIn))];
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

  /** Where every assigned copy of every shard of the matching indices came from, and how far it is. */
  async recoveries(patterns: readonly string[]): Promise<ShardRecovery[]> {
    const path = `/${patterns.join(",")}/_recovery?${ALL}`;
    const body = await this.ok("GET", path);
    return Object.entries(body).flatMap(([index, value]) =>
      listOf(this.request("GET", path), isRecord(value) ? value.shards : undefined, "shards").map(
        (shard) => {
          const source = isRecord(shard.source) ? shard.source : {};
          return {
            index,
            type: String(shard.type),
            stage: String(shard.stage),
            ...(typeof source.snapshot === "string" ? { snapshot: source.snapshot } : {}),
            ...(typeof source.repository === "string" ? { repository: source.repository } : {}),
          };
        },
      ),
    );
  }

  /** Deletes indices by their exact names, some at a time: a request line is limited to 4 kB. */
  async deleteIndices(names: readonly string[]): Promise<void> {
    for (let at = 0; at < names.length; at += 20) {
      await this.ok(
        "DELETE",
        `/${names
          .slice(at, at + 20)
          .map(encodeURIComponent)
          .join(",")}`,
      );
    }
  }

  /**
   * The last record of each partition, ascending, and how many there are up to it, of those that Zeebe's exporter
   * has written: both in one answer, so that nothing is written or deleted in between.
   *
   * @returns nothing for a partition without a record, and nothing at all where no index matches
   * @throws {@link PartialAnswer} when a partition may be left out, or its position or number too low
   */
  async lastRecords(pattern: string): Promise<Map<number, LastRecord>> {
    const path = search(pattern);
    const { buckets } = await this.byPartition(path, {
      aggs: {
        partitions: { terms: EVERY_PARTITION, aggs: { last: { max: { field: "position" } } } },
      },
    });
    const records = buckets.map((bucket): [number, LastRecord] => {
      const position = isRecord(bucket.last) ? bucket.last.value : undefined;
      const count = bucket.doc_count;
      if (typeof position !== "number" || typeof count !== "number" || count === 0) {
        const lacks = typeof position !== "number" ? "position" : "number of records";
        throw new PartialAnswer(
          this.request("POST", path),
          `no ${lacks} of partition ${String(bucket.key)}`,
        );
      }
      return [Number(bucket.key), { position, count }];
    });
    return new Map(records.sort(([a], [b]) => a - b));
  }

  /**
   * Number of records of each partition up to a position of its own, in one request for every
   * {@link PARTITIONS_AT_ONCE} partitions.
   *
   * @returns a number for each partition that was asked for: 0 only where the answer is whole and has none
   * @throws {@link PartialAnswer} when a number may be too low
   */
  async countsUpTo(
    pattern: string,
    upTo: ReadonlyMap<number, number>,
  ): Promise<Map<number, number>> {
    const path = search(pattern);
    const counts = new Map([...upTo.keys()].map((partition) => [partition, 0]));
    const asked = [...upTo];
    for (let at = 0; at < asked.length; at += PARTITIONS_AT_ONCE) {
      const should = asked.slice(at, at + PARTITIONS_AT_ONCE).map(([partition, position]) => ({
        bool: {
          filter: [
            { term: { partitionId: partition } },
            { range: { position: { lte: position } } },
          ],
        },
      }));
      const { buckets, total } = await this.byPartition(path, {
        track_total_hits: true,
        query: { bool: { should, minimum_should_match: 1 } },
        aggs: { partitions: { terms: EVERY_PARTITION } },
      });
      let sum = 0;
      for (const { key, doc_count: count } of buckets) {
        if (typeof count !== "number" || !upTo.has(Number(key))) {
          throw new PartialAnswer(
            this.request("POST", path),
            `${String(count)} records of partition ${String(key)}`,
          );
        }
        counts.set(Number(key), count);
        sum += count;
      }
      // Without it, a group that is missing would read as a partition without records.
      if (total !== sum) {
        throw new PartialAnswer(
          this.request("POST", path),
          `${String(total)} records, of which its partitions have ${sum}`,
        );
      }
    }
    return counts;
  }

  /** Groups records by partition. An answer that is not whole is none: what it left out would count as 0. */
  private async byPartition(
    path: string,
    body: Record<string, unknown>,
  ): Promise<{ buckets: Record<string, unknown>[]; total: unknown }> {
    const request = this.request("POST", path);
    const answer = await this.ok("POST", path, { size: 0, ...body });
    const shards = isRecord(answer._shards) ? answer._shards : {};
    if (answer.timed_out !== false) {
      throw new PartialAnswer(request, "it ran out of time");
    }
    // A shard that no node has counts neither as failed nor as successful.
    if (shards.failed !== 0 || shards.successful !== shards.total) {
      throw new PartialAnswer(
        request,
        `${String(shards.successful)} of ${String(shards.total)} shards, ${String(shards.failed)} failed`,
      );
    }
    const hits = isRecord(answer.hits) && isRecord(answer.hits.total) ? answer.hits.total : {};
    const total = hits.relation === "eq" ? hits.value : undefined;
    const partitions = isRecord(answer.aggregations) ? answer.aggregations.partitions : undefined;
    if (partitions === undefined && shards.total === 0) {
      // Where no index matches, nothing is grouped.
      return { buckets: [], total };
    }
    if (!isRecord(partitions)) {
      throw new PartialAnswer(request, "it has no groups");
    }
    if (partitions.sum_other_doc_count !== 0 || partitions.doc_count_error_upper_bound !== 0) {
      throw new PartialAnswer(
        request,
        `${String(partitions.sum_other_doc_count)} records in groups that it left out`,
      );
    }
    return { buckets: listOf(request, partitions.buckets, "buckets"), total };
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

  private async ok(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
  ): Promise<Record<string, unknown>> {
    return this.body(method, path, await this.send(method, path, body));
  }

  private body(method: string, path: string, answer: Answer): Record<string, unknown> {
    if (answer.status < 200 || answer.status > 299 || !isRecord(answer.body)) {
      throw new Refused(this.request(method, path), answer.status, reason(answer.body));
    }
    return answer.body;
  }

  private request(method: string, path: string): string {
    return `${method} ${this.url}${path}`;
  }

  private async send(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
  ): Promise<Answer> {
    return send(method, `${this.url}${path}`, {
      body,
      timeoutMs: this.timeoutMs,
      credentials: this.credentials,
    });
  }
}

/** An answer that leaves one of them out would read as no shard at all. */
function healthIn(request: string, body: Record<string, unknown>): Health {
  const {
    status,
    active_primary_shards: active,
    unassigned_shards: unassigned,
    number_of_data_nodes: nodes,
  } = body;
  if (
    typeof status !== "string" ||
    typeof active !== "number" ||
    typeof unassigned !== "number" ||
    typeof nodes !== "number"
  ) {
    throw new Refused(request, 200, `no health in the answer: ${reason(body)}`);
  }
  return {
    status,
    activePrimaryShards: active,
    unassignedShards: unassigned,
    dataNodes: nodes,
  };
}

/** The rights that an answer says are not given. */
function refusedIn(rights: unknown): string[] {
  return isRecord(rights) ? Object.keys(rights).filter((right) => rights[right] !== true) : [];
}

function search(pattern: string): string {
  return `/${pattern}/_search?allow_no_indices=true`;
}
