import type { ExportTarget } from "../../camunda/embedded/exportTarget";
import { BROKER_VERSION, LogRecord, RECORDS_PREFIX, shortId } from "../../camunda/embedded/log";
import { COMPONENT_TEMPLATE, INDEX_TEMPLATES, NamedTemplate, shardsOf } from "./templates";

/**
 * The stages of a shard that is restored. As long as it waits for its turn, `_recovery` does not list it; nor once it is
 * `LOST`, because the node ended before it was restored.
 */
export type ShardStage = "WAITING" | "INDEX" | "DONE" | "LOST";

/**
 * How a shard's primary came to another node than the one that it was created on. `promoted`: a replica took
 * over; `moved`: it was relocated; `moving`: it is being relocated, and both copies are listed.
 */
export type ShardMove = "promoted" | "moved" | "moving";

/** Where the shards of an index came from. */
export interface IndexRecovery {
  type: "EMPTY_STORE" | "SNAPSHOT" | "EXISTING_STORE";
  repository?: string;
  snapshot?: string;
  stages: ShardStage[];
  /** Shards whose primary came to another node since. */
  moves?: Map<number, ShardMove>;
  startedAt: number;
}

/** One index. */
export interface SearchIndex {
  name: string;
  uuid: string;
  shards: number;
  replicas: number;
  /** Other names of it. */
  aliases: readonly string[];
  documents: Map<string, unknown>;
  /** How often a document was written, also in place: all on the first shard. */
  writes: number;
  recovery: IndexRecovery;
  /** A pattern passes a closed index over in most requests, unless they ask for all. */
  closed?: boolean;
}

/** Templates by name. */
export interface Templates {
  index: Map<string, unknown>;
  component: Map<string, unknown>;
}

/** One index for all that a web application makes. */
const WEB_APP_INDICES = {
  operate: "operate-list-view-8.3.0_",
  tasklist: "tasklist-task-8.5.0_",
};

/** What one Elasticsearch holds. */
export class SearchStore implements ExportTarget {
  readonly nodeId = shortId();
  readonly indices = new Map<string, SearchIndex>();
  readonly templates: Templates = { index: new Map(), component: new Map() };

  /** @param recordsPrefix how the names of the indices begin that exporters write here */
  constructor(readonly recordsPrefix: string = RECORDS_PREFIX) {}

  export(records: readonly LogRecord[], opens: boolean): number {
    if (opens) {
      this.createTemplates();
    }
    const refused = records.findIndex(
      ({ index, id, source }) => !this.write(this.named(index), id, { ...source }),
    );
    return refused === -1 ? records.length : refused;
  }

  /** Creates the templates of Zeebe's records, as an exporter does when it opens. */
  private createTemplates(): void {
    const { name, template } = this.prefixed(COMPONENT_TEMPLATE);
    this.templates.component.set(name, template);
    INDEX_TEMPLATES.forEach((one) => {
      const { name, template } = this.prefixed(one);
      this.templates.index.set(name, template);
    });
  }

  /** With the prefix of this store's exporters, wherever there is one. */
  private named(text: string): string {
    return text.replaceAll(RECORDS_PREFIX, this.recordsPrefix);
  }

  private prefixed(template: NamedTemplate): NamedTemplate {
    return JSON.parse(this.named(JSON.stringify(template))) as NamedTemplate;
  }

  /** Writes a document, and creates its index. False while the index is being restored. */
  write(indexName: string, id: string, source: unknown): boolean {
    const index = this.indices.get(indexName) ?? this.create(indexName);
    if (!isReady(index)) {
      return false;
    }
    index.documents.set(id, source);
    index.writes += 1;
    return true;
  }

  /** Creates what a web application needs, as it does when it starts and finds nothing. */
  openWebApp(app: "operate" | "tasklist"): void {
    const name = WEB_APP_INDICES[app];
    if (this.indices.has(name)) {
      return;
    }
    this.templates.index.set(name, { index_patterns: [`${name}*`], template: {}, priority: 50 });
    this.create(name);
  }

  /** Creates an index with the settings and aliases of its template. */
  create(name: string, aliases: readonly string[] = []): SearchIndex {
    const { recordsPrefix } = this;
    const kind = name.startsWith(`${recordsPrefix}_`)
      ? /^_([a-z-]+)_/.exec(name.slice(recordsPrefix.length))?.[1]
      : undefined;
    const template = kind && this.templates.index.has(`${recordsPrefix}_${kind}_${BROKER_VERSION}`);
    const shards = template ? shardsOf(kind) : 1;
    const index: SearchIndex = {
      name,
      uuid: shortId(),
      shards,
      replicas: template ? 0 : 1,
      aliases: [...(template ? [`${recordsPrefix}-${kind}`] : []), ...aliases],
      documents: new Map(),
      writes: 0,
      recovery: { type: "EMPTY_STORE", stages: stages(shards, "DONE"), startedAt: Date.now() },
    };
    this.indices.set(name, index);
    return index;
  }

  /** Closes an index: its shards are started anew from what their disks have. */
  close(index: SearchIndex): void {
    index.closed = true;
    index.recovery = { ...index.recovery, ...FROM_DISK };
  }

  /**
   * The indices that an expression names: names, aliases and patterns with commas, `_all`, or nothing for all.
   * A name without pattern that does not exist is returned as `missing`.
   */
  resolve(expression: string | undefined): { found: SearchIndex[]; missing?: string } {
    const parts = (expression ?? "").split(",").filter((part) => part !== "");
    const found = new Set<SearchIndex>();
    for (const part of parts.length === 0 ? ["*"] : parts) {
      if (part.startsWith("-")) {
        [...found]
          .filter(({ name }) => matcher(part.slice(1))(name))
          .forEach((i) => found.delete(i));
        continue;
      }
      const matching = [...this.indices.values()].filter(({ name, aliases }) =>
        [name, ...aliases].some(matcher(part)),
      );
      if (matching.length === 0 && !isPattern(part)) {
        return { found: [], missing: part };
      }
      matching.forEach((index) => found.add(index));
    }
    return { found: [...found].sort((a, b) => a.name.localeCompare(b.name)) };
  }
}

/** What it had is what it finds: where that came from once is not asked any more. */
export const FROM_DISK = {
  type: "EXISTING_STORE",
  repository: undefined,
  snapshot: undefined,
  moves: undefined,
} as const;

/** Whether all shards of an index can be used. */
export function isReady(index: SearchIndex): boolean {
  return index.recovery.stages.every((stage) => stage === "DONE");
}

/** Documents that a search finds: none as long as the index is restored. */
export function searchable(index: SearchIndex): Map<string, unknown> {
  return isReady(index) ? index.documents : new Map();
}

/** As many stages as an index has shards. */
export function stages(shards: number, stage: ShardStage): ShardStage[] {
  return Array.from({ length: shards }, () => stage);
}

/** Whether an expression can stand for several names. */
export function isPattern(expression: string): boolean {
  return expression === "_all" || expression.includes("*");
}

/** Tests names against one pattern. */
export function matcher(pattern: string): (name: string) => boolean {
  if (pattern === "_all") {
    return () => true;
  }
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  const expression = new RegExp(`^${escaped}$`);
  return (name) => expression.test(name);
}
