import assert from "node:assert/strict";

/** An answer of the world that a test changes. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers of many endpoints
export type Body = any;

/** A member in an answer of `GET /actuator/cluster`. */
export function broker(body: Body, id: number): Body {
  return found(body.brokers, id);
}

/** A partition of such a member. */
export function partitionOf(member: Body, id: number): Body {
  return found(member.partitions, id);
}

/** An exporter of such a partition. */
export function exporterOf(partition: Body, id: string): Body {
  return found(partition.config.exporting.exporters, id);
}

function found(list: Body[], id: unknown): Body {
  const one = list.find((entry) => entry.id === id);
  assert.ok(one, `${String(id)} is not in the answer`);
  return one;
}
