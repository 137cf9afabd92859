import { isRecord, wordIn } from "../../base/json";
import { listOf, PartialAnswer, Refused } from "../http";
import { SearchRequests } from "./requests";

/** What an index holds, as far as two copies of it can be compared. */
export interface Contents {
  documents: number;
  /**
   * The number of the last operation on each shard, by shard. Writing a document again in place changes no count, but
   * this one. A snapshot keeps it, and a restore brings it back.
   */
  lastOperations: number[];
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

/** Closed and hidden indices too, which a pattern alone passes over; no error when there is none. */
const ALL = "allow_no_indices=true&expand_wildcards=all";

/** Its indices: one method for each request, no decisions. */
export class Indices extends SearchRequests {
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
            type: wordIn(shard.type),
            stage: wordIn(shard.stage),
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
}
