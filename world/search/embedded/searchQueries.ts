import { isRecord } from "../../../components/base/json";
import type { Incoming, Reply } from "../../exchange";
import { SearchError } from "./searchErrors";
import { searchable, SearchIndex } from "./searchStore";
import { searchedShards } from "./searchViews";

type Source = Record<string, unknown>;
type Test = (source: Source) => boolean;

/** A document that a query has found. */
interface Hit {
  _index: string;
  _id: string;
  _score: number;
  _source: unknown;
}

/** Documents of these indices that a query matches; all without one. */
export function matching(indices: SearchIndex[], query: unknown): Hit[] {
  const matches = testOf(query ?? { match_all: {} });
  return indices.flatMap((index) =>
    [...searchable(index)]
      .filter(([, source]) => matches(source as Source))
      .map(([_id, _source]) => ({ _index: index.name, _id, _score: 1, _source })),
  );
}

/** The answer of `_search`: hits and aggregations. */
export function searchFor(
  indices: SearchIndex[],
  request: Incoming,
  body: Record<string, unknown>,
): Reply {
  const size = Number(request.query.get("size") ?? body["size"] ?? 10);
  const from = Number(request.query.get("from") ?? body["from"] ?? 0);
  if (indices.length > 0 && clausesOf(body["query"]) > MOST_CLAUSES) {
    throw tooManyClauses(indices);
  }
  const hits = matching(indices, body["query"]);
  const aggregations = body["aggs"] ?? body["aggregations"];
  const noScore = indices.length === 0 ? 0 : null;
  return {
    status: 200,
    text: toJson({
      took: 1,
      timed_out: false,
      _shards: searchedShards(indices),
      hits: {
        ...totalOf(hits.length, body["track_total_hits"]),
        max_score: hits.length === 0 || size === 0 ? noScore : 1,
        hits: hits.slice(from, from + size),
      },
      // Left out when no index matches.
      ...(aggregations !== undefined &&
        indices.length > 0 && {
          aggregations: aggregate(
            hits.map((hit) => hit._source as Source),
            aggregations,
          ),
        }),
    }),
  };
}

/** Hits are counted up to 10,000, unless a request wants more, fewer, or none of it. */
function totalOf(count: number, tracked: unknown): { total?: object } {
  if (tracked === false) {
    return {};
  }
  const most = tracked === true ? Infinity : Number(tracked ?? 10_000);
  return {
    total: count > most ? { value: most, relation: "gte" } : { value: count, relation: "eq" },
  };
}

/**
 * What an engine takes in one query by default (seen of OpenSearch 3.6.0). Those that no record of a shard could
 * match it leaves out of the count, and here they are in it.
 */
const MOST_CLAUSES = 1_024;

/** The clauses of a query: a term or a range of a number is searched for in two ways, and both count. */
function clausesOf(query: unknown): number {
  return Object.entries(query ?? {}).reduce((sum, [kind, value]) => {
    if (kind !== "bool") {
      return sum + (kind === "term" || kind === "range" ? 2 : 1);
    }
    const clauses = Object.values(value as Source)
      .filter(isRecord)
      .flat();
    return sum + clauses.reduce((inner: number, clause) => inner + clausesOf(clause), 0);
  }, 0);
}

function tooManyClauses(indices: SearchIndex[]): SearchError {
  const type = "too_many_nested_clauses";
  const reason = `Query contains too many nested clauses; maxClauseCount is set to ${MOST_CLAUSES}`;
  return new SearchError(
    500,
    "search_phase_execution_exception",
    "all shards failed",
    {
      phase: "query",
      grouped: true,
      failed_shards: indices.map(({ name }) => ({
        shard: 0,
        index: name,
        reason: { type, reason },
      })),
    },
    { type, reason, caused_by: { type, reason } },
    indices.map(() => ({ type, reason })),
  );
}

function testOf(query: unknown): Test {
  const [[kind, value] = ["", undefined], ...others] = Object.entries(query ?? {});
  if (others.length > 0) {
    throw malformed(`[${kind}] malformed query, expected [END_OBJECT]`);
  }
  switch (kind) {
    case "match_all":
      return () => true;
    case "term": {
      const [field, wanted] = single(value);
      const term = isRecord(wanted) ? wanted["value"] : wanted;
      return (source) => source[field] === term;
    }
    case "range": {
      const [field, bounds] = single(value);
      return (source) =>
        Object.entries(bounds as Record<string, number>).every(([operator, bound]) =>
          within(source[field], operator, bound),
        );
    }
    case "bool":
      return boolTest(value as Source);
    default:
      throw malformed(`unknown query [${kind}]`);
  }
}

function boolTest({ minimum_should_match: minimum, ...occurrences }: Source): Test {
  const tests: Test[] = [];
  const optional: Test[] = [];
  for (const [occurrence, clauses] of Object.entries(occurrences)) {
    if (!["filter", "must", "should"].includes(occurrence)) {
      throw malformed(`[bool] of this Elasticsearch does not support [${occurrence}]`);
    }
    const into = occurrence === "should" ? optional : tests;
    into.push(...(Array.isArray(clauses) ? clauses : [clauses]).map(testOf));
  }
  const needed = optional.length === 0 ? 0 : Number(minimum ?? (tests.length === 0 ? 1 : 0));
  if (needed > 1) {
    throw malformed("[bool] of this Elasticsearch counts to 1 only");
  }
  return (source) =>
    tests.every((test) => test(source)) && (needed === 0 || optional.some((test) => test(source)));
}

function within(value: unknown, operator: string, bound: number): boolean {
  if (typeof value !== "number") {
    return false;
  }
  switch (operator) {
    case "lte":
      return value <= bound;
    case "lt":
      return value < bound;
    case "gte":
      return value >= bound;
    case "gt":
      return value > bound;
    default:
      throw malformed(`[range] query does not support [${operator}]`);
  }
}

function aggregate(sources: Source[], aggregations: unknown): Source {
  return Object.fromEntries(
    Object.entries(aggregations as Source).map(([name, definition]) => {
      const { aggs, aggregations: nested, ...kinds } = definition as Source;
      const [kind, options] = single(kinds);
      const field = String((options as Source)["field"]);
      if (kind === "max") {
        return [name, { value: highest(sources, field) }];
      }
      if (kind !== "terms") {
        throw malformed(`Unknown aggregation type [${kind}]`);
      }
      return [name, termsOf(sources, field, options as Source, aggs ?? nested)];
    }),
  );
}

function termsOf(sources: Source[], field: string, options: Source, nested: unknown): Source {
  const groups = new Map<unknown, Source[]>();
  for (const source of sources) {
    if (source[field] === undefined) {
      continue;
    }
    const group = groups.get(source[field]);
    if (group) {
      group.push(source);
    } else {
      groups.set(source[field], [source]);
    }
  }
  const ordered = [...groups].sort(
    ([key, a], [other, b]) => b.length - a.length || ((key as number) < (other as number) ? -1 : 1),
  );
  const shown = ordered.slice(0, Number(options["size"] ?? 10));
  return {
    doc_count_error_upper_bound: 0,
    sum_other_doc_count: ordered.slice(shown.length).reduce((sum, [, g]) => sum + g.length, 0),
    buckets: shown.map(([key, group]) => ({
      key,
      doc_count: group.length,
      ...(nested !== undefined && aggregate(group, nested)),
    })),
  };
}

function highest(sources: Source[], field: string): number | null {
  const values = sources.map((source) => source[field]).filter((v) => typeof v === "number");
  return values.length === 0 ? null : values.reduce((a, b) => Math.max(a, b));
}

function single(value: unknown): [string, unknown] {
  const entries = Object.entries(value ?? {});
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) {
    throw malformed("expected exactly one field");
  }
  return entry;
}

function malformed(reason: string): SearchError {
  return new SearchError(400, "parsing_exception", reason);
}

/** Keys are numbers in Elasticsearch, but too large for the numbers of JavaScript. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(/"(key|processInstanceKey|scopeKey)":"(\d+)"/g, '"$1":$2');
}
