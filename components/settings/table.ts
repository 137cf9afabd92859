import type { InferOutput } from "valibot";
import { CLUSTER } from "./keys/cluster";
import { EKS } from "./keys/eks";
import { ENDPOINTS } from "./keys/endpoints";
import { INSTALLATION } from "./keys/installation";
import { KUBERNETES } from "./keys/kubernetes";
import { RECOVERY } from "./keys/recovery";
import { STACK } from "./keys/stack";
import type { Context, Entry, Schema } from "./schema";

/** The parts of the table, in the order in which they are told. */
export const SECTIONS = [STACK, CLUSTER, INSTALLATION, EKS, KUBERNETES, ENDPOINTS, RECOVERY];

/** Every key of the configuration, with all that is to be said of it. */
export const TABLE = {
  ...STACK.keys,
  ...CLUSTER.keys,
  ...INSTALLATION.keys,
  ...EKS.keys,
  ...KUBERNETES.keys,
  ...ENDPOINTS.keys,
  ...RECOVERY.keys,
};

/** A key of the configuration. */
export type Key = keyof typeof TABLE;

/** Every key that the program reads. A key that is not listed here is a typing error of the user's. */
export const KEYS = Object.keys(TABLE) as Key[];

/** What the table says of a key. */
export function entryOf(key: Key): Entry {
  return TABLE[key] as Entry;
}

type SchemaOf<E> = E extends { schema: infer S }
  ? S extends (context: Context) => infer R
    ? R
    : S
  : never;

/** What a stack's configuration says, by key, with the defaults. Those of another platform are not there. */
export type Values = {
  [K in Key]: SchemaOf<(typeof TABLE)[K]> extends infer S extends Schema ? InferOutput<S> : never;
};
