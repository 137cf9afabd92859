import type { Reply } from "../../exchange";

/** An error of Elasticsearch, which becomes its answer. */
export class SearchError extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    readonly reason: string,
    private readonly details: Record<string, unknown> = {},
    private readonly causedBy?: Record<string, unknown>,
    /** Where each shard has its own; else the error itself. */
    private readonly rootCauses?: Record<string, unknown>[],
  ) {
    super(reason);
  }

  reply(): Reply {
    const cause = { type: this.type, reason: this.reason, ...this.details };
    return {
      status: this.status,
      body: {
        error: {
          root_cause: this.rootCauses ?? [cause],
          ...cause,
          ...(this.causedBy && { caused_by: this.causedBy }),
        },
        status: this.status,
      },
    };
  }
}

/** No index of this name. */
export function indexNotFound(name: string): SearchError {
  return new SearchError(404, "index_not_found_exception", `no such index [${name}]`, {
    "resource.type": "index_or_alias",
    "resource.id": name,
    index_uuid: "_na_",
    index: name,
  });
}

/** No repository of this name. */
export function repositoryMissing(name: string): SearchError {
  return new SearchError(404, "repository_missing_exception", `[${name}] missing`);
}

/** No snapshot of this name. */
export function snapshotMissing(repository: string, name: string): SearchError {
  return new SearchError(404, "snapshot_missing_exception", `[${repository}:${name}] is missing`);
}

/** A snapshot that cannot be restored. */
export function cannotRestore(repository: string, name: string, reason: string): SearchError {
  return new SearchError(500, "snapshot_restore_exception", `[${repository}:${name}] ${reason}`);
}
