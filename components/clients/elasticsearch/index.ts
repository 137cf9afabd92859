import { isRecord, wordIn } from "../../base/json";
import type { Credentials } from "../../settings/types";
import { listOf, PartialAnswer, reason, Refused } from "../http";
import { Indices } from "./indices";
import { Records } from "./records";
import { Repositories } from "./repositories";
import { SearchRequests } from "./requests";

export type { Contents, ShardRecovery } from "./indices";
export type { LastRecord } from "./records";
export type { Repository, SnapshotInfo } from "./repositories";

/** How far the primary shards of an index can be used. */
export interface IndexHealth {
  /** The shards whose primary is active. */
  active: number[];
  /** The others. */
  inactive: number[];
}

/** Why the primary of a shard is not allocated. */
export interface Unallocated {
  /** In the server's words. */
  why: string;
  /** No node that is there has a copy of it: nothing is tried any more, until one comes that has. */
  gone: boolean;
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

/** The roles of the nodes that an index comes to which is restored. */
const DATA_ROLES: unknown[] = ["data", "data_content", "data_hot"];

/** Elasticsearch (or OpenSearch) of a region: what is asked of it as a whole, and by what it holds. */
export class ElasticsearchClient extends SearchRequests {
  readonly indices: Indices;
  readonly records: Records;
  readonly repositories: Repositories;

  constructor(url: string, timeoutMs: number, credentials?: Credentials) {
    super(url, timeoutMs, credentials);
    this.indices = new Indices(url, timeoutMs, credentials);
    this.records = new Records(url, timeoutMs, credentials);
    this.repositories = new Repositories(url, timeoutMs, credentials);
  }

  /** Health of the cluster, or of the indices that match the patterns, closed ones too; green when none does. */
  async health(patterns: readonly string[] = []): Promise<Health> {
    const path = `/_cluster/health${patterns.length > 0 ? `/${patterns.join(",")}` : ""}`;
    return healthIn(this.request("GET", path), await this.ok("GET", path));
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

  /** Why the primary of a shard is not allocated; undefined when it is, or the server does not say so. */
  async unallocated(index: string, shard: number): Promise<Unallocated | undefined> {
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
    return body.current_state === "unassigned" && typeof why === "string"
      ? { why, gone: body.can_allocate === "no_valid_shard_copy" }
      : undefined;
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

  /** Names of the index and component templates that begin with one of the prefixes, sorted. */
  async templates(prefixes: readonly string[]): Promise<string[]> {
    const index = await this.ok("GET", "/_index_template");
    const component = await this.ok("GET", "/_component_template");
    const names = [
      ...listOf("GET /_index_template", index.index_templates, "templates").map(
        (template) => `index template ${wordIn(template.name)}`,
      ),
      ...listOf("GET /_component_template", component.component_templates, "templates").map(
        (template) => `component template ${wordIn(template.name)}`,
      ),
    ];
    return names
      .filter((name) => prefixes.some((prefix) => name.split(" ").at(-1)?.startsWith(prefix)))
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
