import { randomBytes } from "node:crypto";
import { RepositorySettings } from "../../world";
import { shortId } from "../../camunda/embedded/log";
import { WorldSettings } from "../../camunda/embedded/options";
import {
  cannotRestore,
  indexNotFound,
  repositoryMissing,
  SearchError,
  snapshotMissing,
} from "./searchErrors";
import {
  FROM_DISK,
  isPattern,
  matcher,
  SearchIndex,
  SearchStore,
  stages,
  Templates,
} from "./searchStore";

/** An index as a snapshot keeps it. */
interface StoredIndex {
  shards: number;
  replicas: number;
  aliases: readonly string[];
  documents: Map<string, unknown>;
  writes: number;
}

/** One snapshot in a repository. */
export interface StoredSnapshot {
  name: string;
  uuid: string;
  state: "IN_PROGRESS" | "SUCCESS";
  indices: Map<string, StoredIndex>;
  templates?: Templates;
  metadata?: unknown;
  startedAt: number;
  endedAt: number;
}

/** What a request asks to be taken or restored. */
export interface Selection {
  indices?: string | string[];
  include_global_state?: boolean;
  metadata?: unknown;
  rename_pattern?: string;
  rename_replacement?: string;
}

/** A repository as one cluster has registered it. */
export interface Registered extends RepositorySettings {
  contents: Map<string, StoredSnapshot>;
  /**
   * Snapshots that the cluster knows of: those it took, and those it found when it registered. It looks
   * again only into a readonly repository, as others may write to that.
   */
  known: Set<string>;
}

/** Why a bucket cannot be used with a client of Elasticsearch; undefined when it can. */
export type RepositoryGuard = (
  bucket: string,
  client: string,
  write: boolean,
) => string | undefined;

/** The buckets and folders that both regions reach. */
export class RepositoryStorage {
  private readonly contents = new Map<string, Map<string, StoredSnapshot>>();

  constructor(private readonly settings: WorldSettings) {}

  /**
   * Opens a place, or refuses it as Elasticsearch does. With a guard it is the guard that knows which
   * buckets there are, and who may use them.
   */
  open(
    name: string,
    { type, settings }: RepositorySettings,
    guard?: RepositoryGuard,
  ): Map<string, StoredSnapshot> {
    const known = this.settings.repository;
    if (type === "fs") {
      const location = String(settings["location"] ?? "");
      const allowed = [known.settings["location"], ...this.settings.locations];
      if (!allowed.includes(location)) {
        throw locationRefused(name, location);
      }
      return this.at(`fs:${location}`);
    }
    if (!["s3", "gcs", "azure"].includes(type)) {
      const cause = {
        type: "repository_exception",
        reason: `[${name}] repository type [${type}] does not exist`,
      };
      throw new SearchError(500, cause.type, cause.reason);
    }
    const bucket = String(settings["bucket"] ?? settings["container"] ?? "");
    const path = String(settings["base_path"] ?? "");
    const buckets = [
      known.settings["bucket"],
      known.settings["container"],
      ...this.settings.buckets,
    ];
    if (guard) {
      const client = String(settings["client"] ?? "default");
      const problem = guard(bucket, client, !isTrue(settings["readonly"]));
      if (problem !== undefined) {
        throw notAccessible(name, path, problem);
      }
    } else if (!buckets.includes(bucket)) {
      throw bucketMissing(name, path);
    }
    return this.at(`${type}:${bucket}/${path}`);
  }

  private at(place: string): Map<string, StoredSnapshot> {
    const contents = this.contents.get(place) ?? new Map<string, StoredSnapshot>();
    this.contents.set(place, contents);
    return contents;
  }
}

/** The snapshots of one Elasticsearch: what is registered, taken and restored. */
export class Snapshots {
  readonly repositories = new Map<string, Registered>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private ended = false;

  constructor(
    private readonly store: SearchStore,
    private readonly storage: RepositoryStorage,
    private readonly settings: WorldSettings,
    private readonly guard?: RepositoryGuard,
  ) {}

  register(name: string, settings: RepositorySettings): void {
    const contents = this.placeOf(name, settings);
    const known = new Set([...contents.values()].filter(isSnapshotComplete).map((s) => s.name));
    this.repositories.set(name, { ...settings, contents, known });
  }

  /** Looks at the place of a repository again. */
  verify(name: string): void {
    this.storage.open(name, this.repository(name), this.guard);
  }

  /** What is at a place. One that cannot be used is refused, and registered all the same. */
  private placeOf(name: string, settings: RepositorySettings): Map<string, StoredSnapshot> {
    try {
      return this.storage.open(name, settings, this.guard);
    } catch (error) {
      if ((error as SearchError).type === "repository_verification_exception") {
        this.repositories.set(name, { ...settings, contents: new Map(), known: new Set() });
      }
      throw error;
    }
  }

  repository(name: string): Registered {
    const repository = this.repositories.get(name);
    if (!repository) {
      throw repositoryMissing(name);
    }
    return repository;
  }

  /** The snapshots that a name, a pattern or a list of them stands for. */
  find(repositoryName: string, expression: string): StoredSnapshot[] {
    const repository = this.repository(repositoryName);
    const visible = [...repository.contents.values()].filter((s) => isVisible(repository, s));
    if (expression === "_current") {
      return visible.filter((s) => !isSnapshotComplete(s));
    }
    const found = expression.split(",").flatMap((part) => {
      const matching = visible.filter(({ name }) => matcher(part)(name));
      if (matching.length === 0 && !isPattern(part)) {
        throw snapshotMissing(repositoryName, part);
      }
      return matching;
    });
    return [...new Set(found)].sort((a, b) => a.startedAt - b.startedAt);
  }

  /** Takes a snapshot; the promise ends when it is complete. */
  take(
    repositoryName: string,
    name: string,
    selection: Selection,
  ): [StoredSnapshot, Promise<void>] {
    const { contents, known, settings } = this.repository(repositoryName);
    if (isTrue(settings["readonly"])) {
      const reason = `[${repositoryName}] cannot create snapshot in a readonly repository`;
      throw new SearchError(500, "repository_exception", reason);
    }
    const invalid = invalidName(name);
    const refusal = invalid ?? nameInUse(contents.get(name));
    if (refusal !== undefined) {
      const reason = `[${repositoryName}:${name}] Invalid snapshot name [${name}], ${refusal}`;
      const kind = invalid === undefined ? "snapshot_name_already_in_use" : "invalid_snapshot_name";
      throw new SearchError(400, `${kind}_exception`, reason);
    }
    const { found, missing } = this.store.resolve(joined(selection.indices));
    if (missing !== undefined) {
      throw indexNotFound(missing);
    }
    const snapshot: StoredSnapshot = {
      name,
      uuid: shortId(),
      state: "IN_PROGRESS",
      indices: new Map(found.map((index) => [index.name, stored(index)])),
      ...(selection.include_global_state !== false && {
        templates: structuredClone(this.store.templates),
      }),
      ...(selection.metadata !== undefined && { metadata: selection.metadata }),
      startedAt: Date.now(),
      endedAt: 0,
    };
    contents.set(name, snapshot);
    known.add(name);
    const done = this.after(this.settings.snapshotMs).then((ended) => {
      if (!ended || contents.get(name) !== snapshot) {
        return;
      }
      snapshot.state = "SUCCESS";
      snapshot.endedAt = Date.now();
    });
    return [snapshot, done];
  }

  delete(repositoryName: string, expression: string): void {
    const { contents, known, settings } = this.repository(repositoryName);
    if (isTrue(settings["readonly"])) {
      const reason = `[${repositoryName}] cannot delete snapshot from a readonly repository`;
      throw new SearchError(500, "repository_exception", reason);
    }
    for (const { name } of this.find(repositoryName, expression)) {
      contents.delete(name);
      known.delete(name);
    }
  }

  /** Restores a snapshot; returns the indices, and a promise that ends when all of them are complete. */
  restore(
    repositoryName: string,
    name: string,
    selection: Selection,
  ): [SearchIndex[], Promise<void>] {
    const repository = this.repository(repositoryName);
    const snapshot = repository.contents.get(name);
    if (!snapshot || !isVisible(repository, snapshot)) {
      throw cannotRestore(repositoryName, name, "snapshot does not exist");
    }
    if (!isSnapshotComplete(snapshot)) {
      throw cannotRestore(repositoryName, name, "unsupported snapshot state [IN_PROGRESS]");
    }
    const names = selected(snapshot, joined(selection.indices));
    const targets = names.map((from) => ({ from, to: renamed(from, selection) }));
    for (const { to } of targets) {
      const existing = this.store.indices.get(to);
      if (!existing || existing.closed) {
        continue;
      }
      const reason =
        `cannot restore index [${to}] because an open index with same name already exists in the cluster. ` +
        "Either close or delete the existing index or restore the index under a different name by providing a rename pattern and replacement name";
      throw cannotRestore(repositoryName, name, reason);
    }
    if (selection.include_global_state && snapshot.templates) {
      const { index, component } = structuredClone(snapshot.templates);
      index.forEach((template, key) => this.store.templates.index.set(key, template));
      component.forEach((template, key) => this.store.templates.component.set(key, template));
    }
    const indices = targets.map(({ from, to }): SearchIndex => {
      const { shards, replicas, documents, writes, aliases } = snapshot.indices.get(
        from,
      ) as StoredIndex;
      return {
        name: to,
        uuid: shortId(),
        shards,
        replicas,
        aliases,
        documents: new Map(documents),
        writes,
        recovery: {
          type: "SNAPSHOT",
          repository: repositoryName,
          snapshot: name,
          stages: stages(shards, "WAITING"),
          startedAt: Date.now(),
        },
      };
    });
    indices.forEach((index) => this.store.indices.set(index.name, index));
    return [indices, this.recover(indices)];
  }

  /** The process ends: what it was doing stops in the middle. */
  end(): void {
    this.ended = true;
    this.timers.forEach((timer) => clearTimeout(timer));
    this.timers.clear();
    for (const { contents } of this.repositories.values()) {
      for (const snapshot of contents.values()) {
        if (!isSnapshotComplete(snapshot) && this.owns(snapshot)) {
          contents.delete(snapshot.name);
        }
      }
    }
  }

  /** The process runs again on its old disk. A restore that it was in the middle of does not go on. */
  resume(): void {
    this.ended = false;
    for (const { recovery } of this.store.indices.values()) {
      Object.assign(recovery, FROM_DISK);
      recovery.stages = recovery.stages.map((stage) => (stage === "DONE" ? stage : "LOST"));
    }
  }

  private owns(snapshot: StoredSnapshot): boolean {
    return [...this.repositories.values()].some(
      ({ contents, known }) => known.has(snapshot.name) && contents.get(snapshot.name) === snapshot,
    );
  }

  /** Completes one shard after the other. */
  private async recover(indices: SearchIndex[]): Promise<void> {
    const open = indices.flatMap(({ recovery }) =>
      recovery.stages.flatMap((stage, i) => (stage === "DONE" ? [] : [{ recovery, i }])),
    );
    for (const { recovery, i } of open) {
      // A restore is accepted before any of its shards is assigned.
      for (const stage of ["INDEX", "DONE"] as const) {
        if (!(await this.after(this.settings.restoreMs / open.length / 2))) {
          return;
        }
        recovery.stages[i] = stage;
      }
    }
  }

  /** Whether the process still ran when the time was over. */
  private after(ms: number): Promise<boolean> {
    if (this.ended) {
      return Promise.resolve(false);
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        resolve(true);
      }, ms);
      timer.unref();
      this.timers.add(timer);
    });
  }
}

/** Whether a snapshot is no longer being taken. */
export function isSnapshotComplete(snapshot: StoredSnapshot): boolean {
  return snapshot.state !== "IN_PROGRESS";
}

function nameInUse(existing: StoredSnapshot | undefined): string | undefined {
  if (!existing) {
    return undefined;
  }
  return isSnapshotComplete(existing)
    ? "snapshot with the same name already exists"
    : "snapshot with the same name is already in-progress";
}

function stored({ shards, replicas, aliases, documents, writes }: SearchIndex): StoredIndex {
  return { shards, replicas, aliases, documents: new Map(documents), writes };
}

function joined(indices: string | string[] | undefined): string | undefined {
  return Array.isArray(indices) ? indices.join(",") : indices;
}

function selected(snapshot: StoredSnapshot, expression: string | undefined): string[] {
  const names = [...snapshot.indices.keys()];
  if (!expression) {
    return names;
  }
  return [
    ...new Set(
      expression.split(",").flatMap((part) => {
        const matching = names.filter(matcher(part));
        if (matching.length === 0 && !isPattern(part)) {
          throw indexNotFound(part);
        }
        return matching;
      }),
    ),
  ];
}

function renamed(name: string, { rename_pattern, rename_replacement }: Selection): string {
  if (!rename_pattern) {
    return name;
  }
  return name.replace(new RegExp(rename_pattern, "g"), rename_replacement ?? "");
}

function isVisible({ known, settings }: Registered, snapshot: StoredSnapshot): boolean {
  return isTrue(settings["readonly"]) ? isSnapshotComplete(snapshot) : known.has(snapshot.name);
}

function isTrue(value: string | boolean | undefined): boolean {
  return value === true || value === "true";
}

function invalidName(name: string): string | undefined {
  if (name !== name.toLowerCase()) {
    return "must be lowercase";
  }
  if (/\s/.test(name)) {
    return "must not contain whitespace";
  }
  if (/[,#"*\\<>|/?]/.test(name)) {
    return "must not contain special characters";
  }
  return name.startsWith("_") ? "must not start with '_'" : undefined;
}

function notAccessible(name: string, path: string, problem: string): SearchError {
  return new SearchError(
    500,
    "repository_verification_exception",
    `[${name}] path [${path}] is not accessible on master node`,
    {},
    { type: "i_o_exception", reason: problem },
  );
}

function bucketMissing(name: string, path: string): SearchError {
  return new SearchError(
    500,
    "repository_verification_exception",
    `[${name}] path [${path}] is not accessible on master node`,
    {},
    {
      type: "i_o_exception",
      reason: `Unable to upload object [${path}/tests-${randomBytes(12).toString("base64url")}/master.dat] using a single upload`,
      caused_by: {
        type: "no_such_bucket_exception",
        reason: "The specified bucket does not exist (Service: S3, Status Code: 404)",
      },
    },
  );
}

function locationRefused(name: string, location: string): SearchError {
  const reason = `[${name}] location [${location}] doesn't match any of the locations specified by path.repo`;
  const cause = { type: "repository_exception", reason };
  return new SearchError(500, cause.type, `[${name}] failed to create repository`, {}, cause);
}
