import { isRecord } from "../../base/json";
import * as s from "../schema";

/** Name of the snapshot repository, unless it is given another. */
export const REPOSITORY = "camunda_backup";

const context = s.pipe(
  s.text,
  s.check((name) => name !== "", "is empty: kubectl config get-contexts names the contexts"),
);

const addresses = s.custom<string[]>(
  (list) =>
    Array.isArray(list) && list.every((address) => /^\d{1,3}(\.\d{1,3}){3}$/.test(String(address))),
  "must be a list of fixed internal addresses, which a recreated region has again",
);

/** Repositories that no snapshot can be taken into, or none that can be searched. */
function unwritable(type: string): string | undefined {
  switch (type) {
    case "url":
      return "is url, which can only be read: name one that the survivor can write to, as s3";
    case "source":
      return "is source, whose snapshots cannot be searched after a restore: name the type of its place, as s3";
    default:
      return undefined;
  }
}

const repository = s.parts({
  name: s.part(s.optional(s.text, REPOSITORY), "its name"),
  type: s.part(s.pipe(s.text, s.wrong(unwritable)), "its type, as `s3`"),
  settings: s.part(
    s.pipe(
      s.anything,
      s.check(
        (settings) => !("access_key" in settings || "secret_key" in settings),
        "holds keys of S3 in clear: put them into the keystore of Elasticsearch and name its client here",
      ),
      s.check(
        ({ readonly = false }) => String(readonly) === "false",
        "has readonly, but the survivor writes its snapshot there: leave it out; the recreated region only reads",
      ),
    ),
    "its settings, without keys of S3: they belong into the keystore of Elasticsearch",
  ),
});

export const KUBERNETES = s.section("Two clusters that are there", ["kubernetes"], {
  contexts: {
    type: "object",
    schema: s.pipe(
      s.object(
        s.byRegion(() =>
          s.part(
            context,
            "the context of that region's cluster in your kubeconfig (kubectl config get-contexts)",
          ),
        ),
      ),
      s.different((name) => `are both ${name}: each region has its own cluster`),
    ),
    text: "Context of each region's cluster in your kubeconfig (`KUBECONFIG`, or `~/.kube/config`). Required.",
    change: "the name, while it leads to the same cluster. The preview must replace nothing",
  },
  dns: {
    type: "object",
    schema: s.pipe(
      s.object({
        kind: s.part(
          s.optional(s.oneOf(["coredns", "coredns-custom", "kube-dns", "none"]), "coredns"),
          "what resolves names in the clusters: `coredns` with a Corefile that may be changed; `coredns-custom` where it is the provider's and imports blocks from the ConfigMap of that name (AKS); `kube-dns` (GKE); `none` where names of the other cluster resolve already",
        ),
        addresses: s.part(
          s.object(s.byRegion(() => s.optional(addresses, []))),
          "the fixed internal addresses of each region's DNS entry point, so that a recreated region has the same; not for `none`",
        ),
        annotations: s.part(
          s.optional(s.named(s.text), {}),
          "of the entry point's Service, which make the cloud give it an internal address",
        ),
      }),
    ),
    text: "How DNS names of the other region resolve: `kind`, `addresses` and `annotations` of each region's DNS entry point. [Which kind](kubernetes.md#dns).",
    change: "on both stacks",
  },
  snapshotRepository: {
    type: "object",
    platforms: ["kubernetes", "endpoints"],
    schema: s.pipe(
      s.custom<s.InferInput<typeof repository>>(
        (given) => !(isRecord(given) && "bucket" in given),
        "has bucket beside settings, where it is not taken: write it as settings.bucket",
      ),
      repository,
    ),
    text: "The snapshot repository of a failback, as Elasticsearch registers it: `name`, `type`, `settings`. Both regions must reach the same place, and no loss of a region may take it along. On `eks` it is the survivor's bucket. Required. Refused are keys of S3, and what cannot be written: `readonly`, the types `url` and `source`.",
    change: "not while `failback` is set",
  },
});
