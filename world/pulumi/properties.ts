import { specialSecretSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../../components/base/json";

/** Inputs or outputs of a resource, as a program writes them. */
export type Properties = Record<string, unknown>;

/** A value that is not known in a preview. */
export const UNKNOWN = Symbol("unknown");

/** What the engine writes for a value that is not known, by the type that the value will have. */
const SENTINELS = new Set([
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);
const [SENTINEL] = SENTINELS;

/** A secret among the outputs of a stand-in. Of inputs the engine itself remembers which were secret. */
export class Secret {
  constructor(readonly value: unknown) {}
}

/** Properties of a message, with {@link UNKNOWN} where the engine does not know, and secrets unwrapped. */
export function decode(struct: Struct | undefined): Properties {
  return struct === undefined ? {} : (decodeValue(struct.toJavaScript()) as Properties);
}

function decodeValue(value: unknown): unknown {
  if (typeof value === "string" && SENTINELS.has(value)) {
    return UNKNOWN;
  }
  if (Array.isArray(value)) {
    return value.map(decodeValue);
  }
  if (!isRecord(value)) {
    return value;
  }
  return value[specialSigKey] === specialSecretSig
    ? decodeValue(value.value)
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decodeValue(item)]));
}

/** Properties for a message. Undefined ones are left out. */
export function encode(properties: Properties): Struct {
  return Struct.fromJavaScript(
    encodeValue(properties) as Parameters<typeof Struct.fromJavaScript>[0],
  );
}

function encodeValue(value: unknown): unknown {
  if (value === UNKNOWN) {
    return SENTINEL;
  }
  if (value instanceof Secret) {
    return { [specialSigKey]: specialSecretSig, value: encodeValue(value.value) };
  }
  if (Array.isArray(value)) {
    return value.map((item) => encodeValue(item ?? null));
  }
  return isRecord(value)
    ? Object.fromEntries(
        Object.entries(value)
          .filter(([, item]) => item !== undefined)
          .map(([key, item]) => [key, encodeValue(item)]),
      )
    : value;
}

/** Whether a value is unknown, or has an unknown one in it. */
export function hasUnknown(value: unknown): boolean {
  return (
    value === UNKNOWN ||
    (Array.isArray(value) && value.some(hasUnknown)) ||
    (isRecord(value) && Object.values(value).some(hasUnknown))
  );
}

/** How a property differs, and whether the resource must be made anew for it. */
export interface PropertyChange {
  kind: "add" | "update" | "delete";
  replace: boolean;
}

/** What changes a resource: by the path of each property that does. Empty: nothing. */
export interface Diff {
  changes: Record<string, PropertyChange>;
  /** Whether a replacement deletes the old resource first. Default: the new one comes first. */
  deleteBeforeReplace?: boolean;
}

/** How a type compares its inputs. */
export interface Comparison {
  /** Paths (`name`, `vpcConfig.subnetIds`) at or below which a change replaces the resource. */
  replaces?: readonly string[];
  /** Properties that keep their value when the program no longer gives them. */
  kept?: readonly string[];
  /** Lists in which the order means nothing. */
  sets?: readonly string[];
}

/** Compares inputs as most providers do: property by property, deeply. */
export function compare(olds: Properties, news: Properties, comparison: Comparison = {}): Diff {
  const changes: Record<string, PropertyChange> = {};
  for (const key of new Set([...Object.keys(olds), ...Object.keys(news)])) {
    if (key === "__defaults" || (news[key] === undefined && comparison.kept?.includes(key))) {
      continue;
    }
    const ordered = (value: unknown) =>
      comparison.sets?.includes(key) && Array.isArray(value)
        ? [...value].sort((a, b) => (stable(a) < stable(b) ? -1 : 1))
        : value;
    collect(changes, key, ordered(olds[key]), ordered(news[key]), comparison.replaces ?? []);
  }
  return { changes };
}

function collect(
  changes: Record<string, PropertyChange>,
  path: string,
  old: unknown,
  value: unknown,
  replaces: readonly string[],
): void {
  if (isDeepStrictEqual(old, value)) {
    return;
  }
  if (isRecord(old) && isRecord(value)) {
    for (const key of new Set([...Object.keys(old), ...Object.keys(value)])) {
      const step = /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
      collect(changes, path + step, old[key], value[key], replaces);
    }
  } else if (Array.isArray(old) && Array.isArray(value)) {
    const length = Math.max(old.length, value.length);
    for (let index = 0; index < length; index++) {
      collect(changes, `${path}[${index}]`, old[index], value[index], replaces);
    }
  } else {
    const kind = old === undefined ? "add" : value === undefined ? "delete" : "update";
    const replace = replaces.some(
      (prefix) => `${path}.`.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`),
    );
    changes[path] = { kind, replace };
  }
}

/** JSON of a value with its keys sorted. */
export function stable(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    isRecord(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : typeof item === "symbol"
        ? item.toString()
        : item,
  );
}

/** A record; an empty one when there is none. */
export function record(value: unknown): Properties {
  return isRecord(value) ? value : {};
}
