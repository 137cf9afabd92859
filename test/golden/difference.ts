import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../../components/base/json";

/** A resource as the program registers it. */
export interface GoldenResource {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  dependsOn: string[];
  /** Options that decide what an update, a replacement or a deletion does, by name; missing when none is set. */
  options?: Record<string, unknown>;
}

/** What a graph has otherwise than its base; what is empty is left out. */
export interface GraphDifference {
  /** Resources, as `type name`. */
  removed?: string[];
  added?: GoldenResource[];
  changed?: ResourceDifference[];
}

interface ResourceDifference {
  type: string;
  name: string;
  /** By JSON pointer; without `was` it is new, without `now` it is gone. */
  inputs?: Record<string, Change>;
  dependsOn?: { removed?: string[]; added?: string[] };
  /** As the inputs. */
  options?: Record<string, Change>;
}

interface Change {
  was?: unknown;
  now?: unknown;
}

/** The order of resources in a golden graph, which does not vary with that of their registration. */
export function inOrder(graph: readonly GoldenResource[]): GoldenResource[] {
  return [...graph].sort((a, b) => a.name.localeCompare(b.name) || a.type.localeCompare(b.type));
}

/** What makes `graph` of `base`, with `applied`. */
export function differenceOf(
  base: readonly GoldenResource[],
  graph: readonly GoldenResource[],
): GraphDifference {
  const [before, after] = [byKey(base), byKey(graph)];
  return withoutEmpty({
    removed: [...before.keys()].filter((key) => !after.has(key)),
    added: graph.filter((resource) => !before.has(keyOf(resource))),
    changed: graph.flatMap((resource) => {
      const was = before.get(keyOf(resource));
      return was === undefined || isDeepStrictEqual(was, resource) ? [] : [changed(was, resource)];
    }),
  });
}

/** The graph that differs from `base` by `difference`. */
export function applied(
  base: readonly GoldenResource[],
  { removed = [], added = [], changed = [] }: GraphDifference,
): GoldenResource[] {
  const resources = byKey(structuredClone([...base, ...added]));
  removed.forEach((key) => resources.delete(key));
  for (const { type, name, inputs = {}, dependsOn = {}, options = {} } of changed) {
    const resource = resources.get(keyOf({ type, name }));
    if (resource === undefined) {
      throw new Error(`the base has no ${type} ${name}`);
    }
    setAll(resource.inputs, inputs);
    setAll((resource.options ??= {}), options);
    if (Object.keys(resource.options).length === 0) {
      delete resource.options;
    }
    resource.dependsOn = resource.dependsOn
      .filter((dependency) => !dependsOn.removed?.includes(dependency))
      .concat(dependsOn.added ?? [])
      .sort();
  }
  return inOrder([...resources.values()]);
}

function keyOf({ type, name }: { type: string; name: string }): string {
  return `${type} ${name}`;
}

function byKey(graph: readonly GoldenResource[]): Map<string, GoldenResource> {
  return new Map(graph.map((resource) => [keyOf(resource), resource]));
}

function changed(was: GoldenResource, now: GoldenResource): ResourceDifference {
  return withoutEmpty({
    type: now.type,
    name: now.name,
    inputs: Object.fromEntries(changes(was.inputs, now.inputs, "")),
    dependsOn: withoutEmpty({
      removed: was.dependsOn.filter((name) => !now.dependsOn.includes(name)),
      added: now.dependsOn.filter((name) => !was.dependsOn.includes(name)),
    }),
    options: Object.fromEntries(changes(was.options ?? {}, now.options ?? {}, "")),
  });
}

/** The smallest values that differ; a list of another length is one value. */
function* changes(was: unknown, now: unknown, pointer: string): Iterable<[string, Change]> {
  if (isDeepStrictEqual(was, now)) {
    return;
  }
  const lists = Array.isArray(was) && Array.isArray(now) && was.length === now.length;
  if (!lists && !(isRecord(was) && isRecord(now))) {
    yield [
      pointer,
      { ...(was === undefined ? {} : { was }), ...(now === undefined ? {} : { now }) },
    ];
    return;
  }
  const [before, after] = [was, now] as Record<string, unknown>[];
  for (const key of new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])) {
    yield* changes(before?.[key], after?.[key], `${pointer}/${escaped(key)}`);
  }
}

function setAll(at: Record<string, unknown>, changes: Record<string, Change>): void {
  for (const [pointer, { now }] of Object.entries(changes)) {
    set(at, pointer.slice(1).split("/").map(unescaped), now);
  }
}

function set(at: Record<string, unknown>, [key = "", ...rest]: string[], value: unknown): void {
  if (rest.length > 0) {
    set(at[key] as Record<string, unknown>, rest, value);
  } else if (value === undefined) {
    delete at[key];
  } else {
    at[key] = value;
  }
}

function escaped(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

function unescaped(key: string): string {
  return key.replaceAll("~1", "/").replaceAll("~0", "~");
}

function withoutEmpty<T extends object>(value: T): T {
  const kept = Object.entries(value).filter(
    ([, one]) => typeof one !== "object" || Object.keys(one as object).length > 0,
  );
  return Object.fromEntries(kept) as T;
}
