import * as pulumi from "@pulumi/pulumi";
import { InstalledSettings, isInstalled, readSettings } from "../../../../components/settings";
import type { KubernetesSettings } from "../../../../components/settings";
import { lookup, Raw } from "../../../support/config";

/** A resource as a component registers it. */
export interface Declared {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  dependsOn: string[];
  /** The inputs as they were registered, as text: secrets are marked in it. */
  registered: string;
}

/** Mark of a secret in a registration. */
export const SECRET = "4dabf18193072939515e22adb298388d";

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
      region0: { nodes: "10.10.0.0/20", pods: "10.20.0.0/16", services: "10.30.0.0/20" },
      region1: { nodes: "10.11.0.0/20", pods: "10.21.0.0/16", services: "10.31.0.0/20" },
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

interface Registration {
  getType(): string;
  getName(): string;
  getObject(): { toJavaScript(): Record<string, unknown> };
  getDependenciesList(): string[];
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
  const all: Declared[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => ({
        id: `${name}-id`,
        state: { ...inputs, ...state[type] },
      }),
      call: ({ token }) => {
        throw new Error(`unexpected look-up ${token}`);
      },
    },
    "camunda-dual-region",
    "region0",
    false,
  );
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource(request: Registration, callback: unknown): Promise<void>;
  };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    const inputs = request.getObject().toJavaScript();
    all.push({
      type: request.getType(),
      name: request.getName(),
      inputs: open(inputs) as Record<string, unknown>,
      dependsOn: request.getDependenciesList().map((urn) => urn.split("::").at(-1) ?? urn),
      registered: JSON.stringify(inputs),
    });
    return register(request, callback);
  };
  const outputs = pulumi.output(body()) as unknown as { promise(): Promise<pulumi.Unwrap<T>> };
  const resolved = await outputs.promise();
  await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
  return { all, of: (type) => all.filter((one) => one.type === type), outputs: resolved };
}

/** A value without its wrapping as a secret. */
function open(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(open);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const record = value as Record<string, unknown>;
  return SECRET in record
    ? open(record.value)
    : Object.fromEntries(Object.entries(record).map(([key, inner]) => [key, open(inner)]));
}
