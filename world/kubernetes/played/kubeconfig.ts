import { stringify } from "yaml";

/** A cluster as a kubeconfig has it. */
export interface KubeconfigCluster {
  /** Name of the context, which the cluster and the user get too. */
  context: string;
  server: string;
  /** The authority of its certificate, as PEM. */
  ca: string;
  token: string;
}

/** The text of a kubeconfig with one context for each cluster; the first is the current one. */
export function kubeconfig(clusters: readonly KubeconfigCluster[]): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": clusters[0]?.context,
    clusters: clusters.map(({ context, server, ca }) => ({
      name: context,
      cluster: {
        server,
        "certificate-authority-data": Buffer.from(ca).toString("base64"),
      },
    })),
    users: clusters.map(({ context, token }) => ({ name: context, user: { token } })),
    contexts: clusters.map(({ context }) => ({
      name: context,
      context: { cluster: context, user: context },
    })),
  });
}
