import { isRecord } from "../../../components/base/json";

/** A Kubernetes object as the API has it. Everything but the metadata is the kind's own. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  [field: string]: unknown;
}

/** What every object says about itself. The store fills in what is not given. */
export interface Metadata {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  uid?: string;
  /** Counts the changes of `spec`. */
  generation?: number;
  /** Counts all changes, of all objects of the store. */
  resourceVersion?: string;
  creationTimestamp?: string;
  /** Set while the object is going. */
  deletionTimestamp?: string;
  [field: string]: unknown;
}

/** A kind of objects, and where the API has it. */
export interface Kind {
  kind: string;
  apiVersion: string;
  plural: string;
  namespaced: boolean;
}

/** The kinds that a {@link ObjectStore} is asked for through the API. It keeps any other too. */
export const KINDS: readonly Kind[] = [
  { kind: "Namespace", apiVersion: "v1", plural: "namespaces", namespaced: false },
  { kind: "Node", apiVersion: "v1", plural: "nodes", namespaced: false },
  { kind: "Pod", apiVersion: "v1", plural: "pods", namespaced: true },
  { kind: "Service", apiVersion: "v1", plural: "services", namespaced: true },
  { kind: "Event", apiVersion: "v1", plural: "events", namespaced: true },
  { kind: "ConfigMap", apiVersion: "v1", plural: "configmaps", namespaced: true },
  { kind: "Secret", apiVersion: "v1", plural: "secrets", namespaced: true },
  { kind: "ServiceAccount", apiVersion: "v1", plural: "serviceaccounts", namespaced: true },
  { kind: "Deployment", apiVersion: "apps/v1", plural: "deployments", namespaced: true },
  { kind: "StatefulSet", apiVersion: "apps/v1", plural: "statefulsets", namespaced: true },
  {
    kind: "StorageClass",
    apiVersion: "storage.k8s.io/v1",
    plural: "storageclasses",
    namespaced: false,
  },
  {
    kind: "NetworkPolicy",
    apiVersion: "networking.k8s.io/v1",
    plural: "networkpolicies",
    namespaced: true,
  },
];

/** What happened to an object. */
export interface ObjectChange {
  type: "created" | "changed" | "removed";
  /** As it is now; of a removed one, as it was. */
  object: KubeObject;
  /** As it was before. */
  before?: KubeObject;
}

/**
 * The objects of one cluster, by kind, namespace and name, in memory. What it returns is frozen: an object
 * is changed by {@link apply}, {@link patch} and {@link remove} alone, and each change is told to the
 * listeners.
 */
export class ObjectStore {
  private readonly objects = new Map<string, KubeObject>();
  private readonly listeners = new Set<(change: ObjectChange) => void>();
  private versions = 0;

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: (change: ObjectChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The object, or undefined. Objects without a namespace are asked for with `undefined`. */
  get(kind: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.objects.get(keyOf(kind, namespace, name));
  }

  /** The objects of a kind, by name; of one namespace, and those with all the labels, when given. */
  list(kind: string, namespace?: string, labels: Record<string, string> = {}): KubeObject[] {
    return [...this.objects.values()]
      .filter(
        ({ kind: own, metadata }) =>
          own === kind &&
          (namespace === undefined || metadata.namespace === namespace) &&
          Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value),
      )
      .sort((a, b) => a.metadata.name.localeCompare(b.metadata.name));
  }

  /** Creates the object, or puts it in the place of the one with its name. The status stays when none is given. */
  apply(object: KubeObject): KubeObject {
    const { kind, metadata } = object;
    const key = keyOf(kind, metadata.namespace, metadata.name);
    const before = this.objects.get(key);
    const after = structuredClone(object);
    if (before?.status !== undefined && after.status === undefined) {
      after.status = before.status;
    }
    const sameSpec = JSON.stringify(before?.spec) === JSON.stringify(after.spec);
    const generation = before?.metadata.generation ?? 0;
    after.metadata = {
      ...after.metadata,
      uid: before?.metadata.uid ?? crypto.randomUUID(),
      creationTimestamp: before?.metadata.creationTimestamp ?? new Date().toISOString(),
      generation: before !== undefined && sameSpec ? generation : generation + 1,
      resourceVersion: String(++this.versions),
    };
    this.objects.set(key, frozen(after));
    this.tell({ type: before === undefined ? "created" : "changed", object: after, before });
    return after;
  }

  /** Keeps an object of another API as that one has it, in the place of the one with its name. */
  mirror(object: KubeObject): void {
    const { kind, metadata } = object;
    const key = keyOf(kind, metadata.namespace, metadata.name);
    const before = this.objects.get(key);
    const after = frozen(structuredClone(object));
    this.objects.set(key, after);
    this.tell({ type: before === undefined ? "created" : "changed", object: after, before });
  }

  /** Merges a JSON merge patch into the object; undefined when there is none. */
  patch(
    kind: string,
    namespace: string | undefined,
    name: string,
    changes: Record<string, unknown>,
  ): KubeObject | undefined {
    const found = this.objects.get(keyOf(kind, namespace, name));
    return found && this.apply(merged(found, changes) as KubeObject);
  }

  /** Removes the object at once; returns what it was. */
  remove(kind: string, namespace: string | undefined, name: string): KubeObject | undefined {
    const key = keyOf(kind, namespace, name);
    const before = this.objects.get(key);
    if (before === undefined) {
      return undefined;
    }
    this.objects.delete(key);
    this.versions++;
    this.tell({ type: "removed", object: before, before });
    return before;
  }

  /** The version of the last change. */
  get resourceVersion(): string {
    return String(this.versions);
  }

  private tell(change: ObjectChange): void {
    for (const listener of [...this.listeners]) {
      listener(change);
    }
  }
}

function keyOf(kind: string, namespace: string | undefined, name: string): string {
  return `${kind}/${namespace ?? ""}/${name}`;
}

/** Copies would be safe, too, and were nine tenths of what a world with two clusters costs. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

/** A JSON merge patch (RFC 7396). */
function merged(value: unknown, changes: unknown): unknown {
  if (!isRecord(changes)) {
    return structuredClone(changes);
  }
  const result: Record<string, unknown> = isRecord(value) ? { ...value } : {};
  for (const [key, change] of Object.entries(changes)) {
    if (change === null) {
      delete result[key];
    } else {
      result[key] = merged(result[key], change);
    }
  }
  return result;
}

/** Whether a pod or a node says that it is ready; false when it is not there. */
export function saysReady(object: KubeObject | undefined): boolean {
  const { conditions = [] } = (object?.status ?? {}) as {
    conditions?: { type: string; status: string }[];
  };
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}
