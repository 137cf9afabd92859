import { isRecord } from "../../../components/base/json";
import { shortId } from "../../camunda/embedded/log";
import { Demand, isMet } from "../../camunda/embedded/demands";
import type { Incoming, Reply } from "../../exchange";
import { indexNotFound, SearchError } from "./searchErrors";
import { matching, searchFor, toJson } from "./searchQueries";
import { isPattern, matcher, searchable, SearchIndex, SearchStore } from "./searchStore";
import { answerSnapshot } from "./snapshotApi";
import { Snapshots } from "./snapshots";
import {
  disksOf,
  explained,
  healthOf,
  recoveriesOf,
  searchedShards,
  shardCounts,
  statsOf,
} from "./searchViews";

const ACKNOWLEDGED: Reply = { status: 200, body: { acknowledged: true } };
const PRODUCT = { "X-elastic-product": "Elasticsearch" };

/**
 * The HTTP API of one Elasticsearch, held to a real OpenSearch by test/contract/search.ts. Where the two differ,
 * it answers as Elasticsearch 8.15 was recorded: it takes `feature_states`, does not look twice into a writable
 * repository, says "master node", and has a type of its own for the name of a snapshot that is in use. Left out:
 * replicas that are ever assigned, `_bulk`, what a body says beyond the aliases of an index.
 */
export class EmbeddedElasticsearch {
  constructor(
    private readonly store: SearchStore,
    private readonly snapshots: Snapshots,
    /** What it asks for. */
    private readonly demand: Demand | undefined,
    /** Privileges that it says its user has not. */
    private readonly withheld: readonly string[] = [],
  ) {}

  async answer(request: Incoming): Promise<Reply> {
    const reply = await this.answerOrFail(request);
    return { ...reply, headers: { ...PRODUCT, ...reply.headers } };
  }

  private async answerOrFail(request: Incoming): Promise<Reply> {
    try {
      this.checkCredentials(request);
      const body = bodyOf(request);
      const method = request.method === "HEAD" ? "GET" : request.method;
      const reply = await this.route({ ...request, method }, body);
      return reply ?? noHandler(request);
    } catch (error) {
      if (!(error instanceof SearchError)) {
        throw error;
      }
      const denied = error.status === 401;
      return {
        ...error.reply(),
        ...(denied && {
          headers: { "WWW-Authenticate": 'Basic realm="security" charset="UTF-8"' },
        }),
      };
    }
  }

  private async route(
    request: Incoming,
    body: Record<string, unknown>,
  ): Promise<Reply | undefined> {
    const [, first = "", second] = request.path.split("/");
    switch (first) {
      case "":
        return this.banner();
      case "_snapshot":
        return answerSnapshot(this.snapshots, this.store, request, body);
      case "_cluster":
        return second === "health" ? this.health(request) : this.explanation(request, body);
      case "_nodes":
        return request.method === "GET" && request.path === "/_nodes/stats/fs"
          ? { status: 200, body: disksOf(this.store.nodeId, [...this.store.indices.values()]) }
          : undefined;
      case "_security":
        return this.privileges(request, body);
      case "_index_template":
        return this.templates(request, "index", body);
      case "_component_template":
        return this.templates(request, "component", body);
      default:
        return this.routeIndex(request, body);
    }
  }

  private routeIndex(request: Incoming, body: Record<string, unknown>): Reply | undefined {
    const parts = request.path.split("/").slice(1);
    const own = parts[0]?.startsWith("_") && parts[0] !== "_all";
    const expression = own ? undefined : parts.shift();
    const [action = "", id] = parts;
    if (action === "") {
      return this.wholeIndex(request, expression ?? "", body);
    }
    if (action === "_doc") {
      return this.document(request, expression ?? "", id, body);
    }
    const reads = ["GET", "POST"].includes(request.method);
    if (!reads) {
      return undefined;
    }
    switch (action) {
      case "_count": {
        const indices = this.readable(expression, request);
        const count = matching(indices, body["query"]).length;
        return { status: 200, body: { count, _shards: searchedShards(indices) } };
      }
      case "_refresh":
        return { status: 200, body: { _shards: shardCounts(this.readable(expression, request)) } };
      case "_recovery":
        return {
          status: 200,
          body: recoveriesOf(this.store.nodeId, this.indices(expression, request, "all")),
        };
      case "_close":
        this.indices(expression, request).forEach((index) => this.store.close(index));
        return ACKNOWLEDGED;
      case "_stats":
        return {
          status: 200,
          body: statsOf(this.readable(expression, request), request.query.get("level")),
        };
      case "_search":
        return searchFor(this.readable(expression, request), request, body);
      default:
        return undefined;
    }
  }

  private wholeIndex(
    request: Incoming,
    expression: string,
    body: Record<string, unknown>,
  ): Reply | undefined {
    switch (request.method) {
      case "GET":
        return {
          status: 200,
          body: Object.fromEntries(
            this.indices(expression, request).map((index) => [index.name, definition(index)]),
          ),
        };
      case "PUT":
        if (this.store.indices.has(expression)) {
          const uuid = this.store.indices.get(expression)?.uuid;
          const reason = `index [${expression}/${uuid}] already exists`;
          throw new SearchError(400, "resource_already_exists_exception", reason, {
            index: expression,
          });
        }
        this.store.create(expression, Object.keys((body["aliases"] ?? {}) as object));
        return {
          status: 200,
          body: { acknowledged: true, shards_acknowledged: true, index: expression },
        };
      case "DELETE":
        if (expression.split(",").some((part) => isPattern(part))) {
          const reason = "Wildcard expressions or all indices are not allowed";
          throw new SearchError(400, "illegal_argument_exception", reason);
        }
        for (const index of this.indices(expression, request)) {
          if (expression.split(",").some((part) => index.aliases.includes(part))) {
            const reason = `The provided expression [${expression}] matches an alias, specify the corresponding concrete indices instead.`;
            throw new SearchError(400, "illegal_argument_exception", reason);
          }
        }
        this.indices(expression, request).forEach(({ name }) => this.store.indices.delete(name));
        return ACKNOWLEDGED;
      default:
        return undefined;
    }
  }

  private document(
    request: Incoming,
    name: string,
    id: string | undefined,
    body: Record<string, unknown>,
  ): Reply | undefined {
    if (request.method === "GET") {
      const index = this.indices(name, request)[0];
      const source = index && searchable(index).get(id ?? "");
      if (source === undefined) {
        return { status: 404, body: { _index: name, _id: id, found: false } };
      }
      return { status: 200, text: toJson({ _index: name, _id: id, found: true, _source: source }) };
    }
    if (!["PUT", "POST"].includes(request.method)) {
      return undefined;
    }
    const documentId = id ?? shortId();
    const existed = this.store.indices.get(name)?.documents.has(documentId) ?? false;
    this.store.write(name, documentId, body);
    return {
      status: existed ? 200 : 201,
      body: { _index: name, _id: documentId, result: existed ? "updated" : "created" },
    };
  }

  private explanation(
    { path }: Incoming,
    { index: name, shard }: Record<string, unknown>,
  ): Reply | undefined {
    const index = this.store.indices.get(String(name));
    if (path !== "/_cluster/allocation/explain") {
      return undefined;
    }
    if (index === undefined) {
      throw indexNotFound(String(name));
    }
    return { status: 200, body: explained(this.store.nodeId, index, Number(shard)) };
  }

  private async health(request: Incoming): Promise<Reply> {
    const wanted = request.query.get("wait_for_status");
    const deadline = Date.now() + milliseconds(request.query.get("timeout") ?? "30s");
    for (;;) {
      const expression = request.path.split("/")[3];
      // What is not there may come: until then it is red.
      const absent = this.store.resolve(expression).missing !== undefined;
      const level = request.query.get("level");
      const health = healthOf(absent ? [] : this.indices(expression, request, "all"), level);
      const body = absent ? { ...health, status: "red" } : health;
      const reached = !absent && (!wanted || RANKS.indexOf(body.status) <= RANKS.indexOf(wanted));
      if (reached) {
        return { status: 200, body };
      }
      if (Date.now() >= deadline) {
        return { status: 408, body: { ...body, timed_out: true } };
      }
      await new Promise((resolve) => setTimeout(resolve, 20).unref());
    }
  }

  private templates(
    request: Incoming,
    kind: "index" | "component",
    body: Record<string, unknown>,
  ): Reply | undefined {
    const templates = this.store.templates[kind];
    const name = request.path.split("/")[2] ?? "*";
    const matching = [...templates.keys()].filter(matcher(name));
    if (request.method === "PUT") {
      templates.set(name, body);
      return ACKNOWLEDGED;
    }
    if (matching.length === 0 && !isPattern(name)) {
      const reason = `${kind} template matching [${name}] not found`;
      throw new SearchError(404, "resource_not_found_exception", reason);
    }
    if (request.method === "DELETE") {
      matching.forEach((one) => templates.delete(one));
      return ACKNOWLEDGED;
    }
    if (request.method !== "GET") {
      return undefined;
    }
    const described = matching.map((one) => ({
      name: one,
      [`${kind}_template`]: templates.get(one),
    }));
    return { status: 200, body: { [`${kind}_templates`]: described } };
  }

  /** @param expand which indices a pattern stands for when the request does not say */
  private indices(
    expression: string | undefined,
    request: Incoming,
    expand: "open" | "all" = "open",
  ): SearchIndex[] {
    const { found, missing } = this.store.resolve(expression);
    if (missing === undefined) {
      const states = (request.query.get("expand_wildcards") ?? expand).split(",");
      const names = (expression ?? "").split(",");
      return found.filter(
        ({ closed, name }) =>
          names.includes(name) ||
          states.includes("all") ||
          states.includes(closed ? "closed" : "open"),
      );
    }
    if (request.query.get("ignore_unavailable") !== "true") {
      throw indexNotFound(missing);
    }
    const rest = (expression ?? "").split(",").filter((part) => part !== missing);
    return rest.length === 0 ? [] : this.indices(rest.join(","), request, expand);
  }

  /** The indices to read from: one that is closed cannot be read, when it is named. */
  private readable(expression: string | undefined, request: Incoming): SearchIndex[] {
    const found = this.indices(expression, request);
    const closed = found.find((index) => index.closed);
    if (closed) {
      const { name, uuid } = closed;
      throw new SearchError(400, "index_closed_exception", "closed", {
        index: name,
        index_uuid: uuid,
      });
    }
    return found;
  }

  /** Whether the user may do what is asked for. Without security nobody answers it. */
  private privileges(
    { method, path }: Incoming,
    { cluster = [], index = [] }: Record<string, unknown>,
  ): Reply | undefined {
    if (
      this.demand === undefined ||
      method !== "POST" ||
      path !== "/_security/user/_has_privileges"
    ) {
      return undefined;
    }
    const given = (rights: string[]) =>
      Object.fromEntries(rights.map((right) => [right, !this.withheld.includes(right)]));
    const byCluster = given(cluster as string[]);
    const byIndex = Object.fromEntries(
      (index as { names: string[]; privileges: string[] }[]).flatMap(({ names, privileges }) =>
        names.map((name) => [name, given(privileges)]),
      ),
    );
    const all = [byCluster, ...Object.values(byIndex)].flatMap((rights) => Object.values(rights));
    return {
      status: 200,
      body: {
        username: "user" in this.demand ? this.demand.user : "key",
        has_all_requested: all.every(Boolean),
        cluster: byCluster,
        index: byIndex,
        application: {},
      },
    };
  }

  private banner(): Reply {
    return {
      status: 200,
      body: {
        name: "node-0",
        cluster_name: "elasticsearch",
        cluster_uuid: this.store.nodeId,
        version: { number: "8.15.0", build_flavor: "default", lucene_version: "9.11.1" },
        tagline: "You Know, for Search",
      },
    };
  }

  private checkCredentials(request: Incoming): void {
    if (isMet(this.demand, request)) {
      return;
    }
    const { headers, method, path } = request;
    const [scheme, value = ""] = headers.authorization?.split(" ") ?? [];
    const user = Buffer.from(value, "base64").toString().split(":")[0];
    const reason =
      scheme === undefined
        ? `missing authentication credentials for REST request [${path}]`
        : scheme === "Basic"
          ? `unable to authenticate user [${user}] for REST request [${path}]`
          : "unable to authenticate with provided credentials and anonymous access is not allowed for this request";
    throw new SearchError(401, "security_exception", method === "HEAD" ? "" : reason);
  }
}

const RANKS = ["green", "yellow", "red"];

function bodyOf({ text, headers }: Incoming): Record<string, unknown> {
  if (text === "") {
    return {};
  }
  const contentType = headers["content-type"] ?? "";
  if (!/json/.test(contentType)) {
    const reason = `Content-Type header [${contentType}] is not supported`;
    throw new SearchError(406, "media_type_header_exception", reason);
  }
  try {
    const body = JSON.parse(text) as unknown;
    if (isRecord(body)) {
      return body;
    }
  } catch {
    // Answered like any other body that is no object.
  }
  throw new SearchError(400, "parse_exception", "Failed to parse content to map");
}

function noHandler({ method, path }: Incoming): Reply {
  return {
    status: 400,
    body: { error: `no handler found for uri [${path}] and method [${method}]` },
  };
}

function definition(index: SearchIndex): object {
  return {
    aliases: Object.fromEntries(index.aliases.map((alias) => [alias, {}])),
    mappings: {},
    settings: {
      index: {
        number_of_shards: String(index.shards),
        number_of_replicas: String(index.replicas),
        uuid: index.uuid,
        provided_name: index.name,
      },
    },
  };
}

function milliseconds(duration: string): number {
  const [, amount, unit] = /^(\d+)(ms|s|m)$/.exec(duration) ?? [];
  return Number(amount ?? 30) * (unit === "ms" ? 1 : unit === "m" ? 60_000 : 1000);
}
