import type { V1ObjectMeta, V1Secret } from "@kubernetes/client-node";
import { gunzipSync, gzipSync } from "node:zlib";
import { isRecord } from "../base/json";

/** One revision of a release, as Helm keeps it: a Secret, with what it stands for in its labels. */
export interface HelmRevision {
  release: string;
  revision: number;
  /** `deployed`, `superseded`, `failed`, `uninstalling`, `pending-install`, `pending-upgrade`, `pending-rollback`. */
  status: string;
  /** Name of the Secret. */
  secret: string;
  /** When the Secret was last written, in milliseconds. Helm writes it when an operation begins and when it ends. */
  writtenAt: number;
  /** Who wrote it last, as the API server has it: the beginning of the client's name (`pulumi-...`, `helm`). */
  writtenBy: string;
  /** The Secret's `resourceVersion`: changes when anybody writes it. */
  version: string;
}

/** Whether an operation of Helm on the release has begun and not ended: Helm begins no other until then. */
export function isPending({ status }: HelmRevision): boolean {
  return status.startsWith("pending-");
}

/** The revision that a Secret is; none when it is not one of Helm's. */
export function revisionOf({
  name,
  labels = {},
  creationTimestamp,
  managedFields = [],
  resourceVersion,
}: V1ObjectMeta): HelmRevision[] {
  const revision = Number(labels.version);
  if (labels.owner !== "helm" || labels.name === undefined || !(revision > 0)) {
    return [];
  }
  const writes = [...managedFields].sort((a, b) => Number(a.time ?? 0) - Number(b.time ?? 0));
  return [
    {
      release: labels.name,
      revision,
      status: labels.status ?? "unknown",
      secret: name ?? "",
      writtenAt: Number(new Date(writes.at(-1)?.time ?? creationTimestamp ?? 0)),
      writtenBy: writes.at(-1)?.manager ?? "",
      version: resourceVersion ?? "",
    },
  ];
}

/** The last revision of a release; undefined when there is no such release. */
export function lastRevision(
  revisions: readonly HelmRevision[],
  release: string,
): HelmRevision | undefined {
  return revisions
    .filter((one) => one.release === release)
    .sort((a, b) => a.revision - b.revision)
    .at(-1);
}

/** A revision's Secret with the status that Helm gives to what has failed, in its label and in its body. */
export function markedAsFailed(secret: V1Secret): V1Secret {
  const text = Buffer.from(secret.data?.release ?? "", "base64").toString("ascii");
  const body: unknown = JSON.parse(gunzipSync(Buffer.from(text, "base64")).toString("utf8"));
  if (!isRecord(body) || !isRecord(body.info)) {
    throw new Error(`Secret ${secret.metadata?.name} holds no release of Helm`);
  }
  body.info.status = "failed";
  body.info.description = "Interrupted: nobody worked on it any more";
  const packed = gzipSync(JSON.stringify(body)).toString("base64");
  return {
    ...secret,
    metadata: {
      ...secret.metadata,
      labels: { ...secret.metadata?.labels, status: "failed" },
    },
    data: { ...secret.data, release: Buffer.from(packed, "ascii").toString("base64") },
  };
}
