import type * as pulumi from "@pulumi/pulumi";
import { InstalledSettings, isInstalled, readSettings } from "../../../../components/settings";
import type { KubernetesSettings } from "../../../../components/settings";
import { lookup, Raw } from "../../../support/config";

import { Declared, declare as declareAll } from "../declared";

export { Declared, SECRET } from "../declared";

/** Settings of a stack that installs its region on EKS. */
export function eksSettings(raw: Raw = {}): InstalledSettings {
  return installed({ platform: "eks", awsAccount: "123456789012", ...raw });
}

/** Settings of a stack that installs its region in a cluster that is given. */
export function kubernetesSettings(raw: Raw = {}): InstalledSettings & {
  installation: { cluster: KubernetesSettings };
} {
  return installed({
    platform: "kubernetes",
    contexts: { region0: "gke-london", region1: "gke-paris" },
    cidrs: {
      region0: { nodes: ["10.10.0.0/20"], pods: ["10.20.0.0/16"], services: ["10.30.0.0/20"] },
      region1: { nodes: ["10.11.0.0/20"], pods: ["10.21.0.0/16"], services: ["10.31.0.0/20"] },
    },
    dns: {
      kind: "coredns",
      addresses: { region0: ["10.10.0.53"], region1: ["10.11.0.53"] },
      annotations: { "networking.gke.io/load-balancer-type": "Internal" },
    },
    snapshotRepository: { type: "s3", settings: { bucket: "camunda-backup", client: "backup" } },
    ...raw,
  }) as InstalledSettings & { installation: { cluster: KubernetesSettings } };
}

function installed(raw: Raw): InstalledSettings {
  const settings = readSettings(lookup({ region: "region0", ...raw }));
  if (!isInstalled(settings)) {
    throw new Error("nothing is installed");
  }
  return settings;
}

/**
 * Registers what `body` declares.
 *
 * @param state what the provider fills in, by type
 * @returns the resources by type, and what `body` returned with its outputs resolved
 */
export async function declare<T>(
  body: () => T,
  state: Record<string, Record<string, unknown>> = {},
): Promise<{ all: Declared[]; of(type: string): Declared[]; outputs: pulumi.Unwrap<T> }> {
  const { declared, outputs } = await declareAll(body, { state: (type) => state[type] ?? {} });
  return { all: declared.all, of: (type) => declared.of(type), outputs };
}
