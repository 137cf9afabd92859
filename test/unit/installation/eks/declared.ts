import * as pulumi from "@pulumi/pulumi";
import * as debuggable from "@pulumi/pulumi/runtime/debuggable";
import type { RegionName } from "../../../../components/base/brokers";
import type { EksSettings } from "../../../../components/settings";

/** A resource as a component registers it, with the options that decide over running data. */
export interface Declared {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** Reference of the provider; empty when it is a default one. */
  provider: string;
  dependsOn: string[];
  protect: boolean;
  retainOnDelete: boolean;
  deleteBeforeReplace: boolean;
  replaceOnChanges: string[];
  deletedWith: string;
  importId: string;
  secretInputs: boolean;
}

/** Everything that was declared. */
export class Declarations {
  constructor(readonly all: Declared[]) {}

  of(type: string): Declared[] {
    return this.all.filter((resource) => resource.type === type);
  }

  only(type: string): Declared {
    const found = this.of(type);
    if (found.length !== 1 || found[0] === undefined) {
      throw new Error(`${found.length} of ${type}: ${found.map(({ name }) => name).join(", ")}`);
    }
    return found[0];
  }

  named(type: string, name: string): Declared {
    const found = this.of(type).find((resource) => resource.name === name);
    if (found === undefined) {
      throw new Error(
        `no ${type} ${name}; there are ${this.of(type)
          .map(({ name }) => name)
          .join(", ")}`,
      );
    }
    return found;
  }
}

/** Settings as the defaults of the configuration make them. */
export function eksSettings(overrides: Partial<EksSettings> = {}): EksSettings {
  return {
    kind: "eks",
    prefix: "camunda",
    awsAccount: "123456789012",
    awsRegions: { region0: "eu-west-2", region1: "eu-west-3" },
    cidrs: {
      region0: { vpc: "10.192.0.0/16", services: "10.190.0.0/16" },
      region1: { vpc: "10.202.0.0/16", services: "10.200.0.0/16" },
    },
    natGateways: "single",
    kubernetesVersion: "1.35",
    nodes: { instanceType: "m6i.xlarge", min: 1, desired: 4, max: 10, diskGb: 20 },
    administrators: [],
    apiAccessCidrs: ["203.0.113.0/24"],
    bucketEncryption: "AES256",
    bucketSuffix: undefined,
    traffic: undefined,
    ...overrides,
  };
}

/** What a run of {@link declare} is like. */
export interface Circumstances {
  /** Account that the credentials belong to. Default that of the settings. */
  account?: string;
  /** Set when an error in an input keeps a resource from ever being registered: it would be waited for. */
  stuck?: boolean;
  /** Answers an invoke, or throws. */
  call?: (args: pulumi.runtime.MockCallArgs) => Record<string, unknown>;
}

/** Registers what `body` declares and returns it, and what `body` returns with its outputs resolved. */
export async function declare<T>(
  body: () => T | Promise<T>,
  { account = "123456789012", stuck = false, call }: Circumstances = {},
): Promise<{ declared: Declarations; outputs: pulumi.Unwrap<T> }> {
  const declared = new Map<string, Declared>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => ({
        id: `${name}-id`,
        state: { ...inputs, ...answer(type, name, inputs as Record<string, unknown>, account) },
      }),
      call: (args) => {
        if (call === undefined) {
          throw new Error(`unexpected look-up ${args.token}`);
        }
        return call(args);
      },
    },
    "camunda-dual-region",
    "region0",
    false,
    "organization",
  );
  listen(declared);
  const outputs = await resolved(pulumi.output(await body()));
  await (stuck ? idle(declared) : runtime.waitForRPCs());
  return {
    declared: new Declarations([...declared.values()]),
    outputs: outputs as pulumi.Unwrap<T>,
  };
}

const runtime = pulumi.runtime as unknown as { waitForRPCs(): Promise<void> };

/** Until nothing more is declared in many turns of the event loop: mocks wait for nothing outside of it. */
async function idle(declared: Map<string, Declared>): Promise<void> {
  for (let quiet = 0, size = declared.size; quiet < 1000; quiet += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (declared.size !== size) {
      size = declared.size;
      quiet = 0;
    }
  }
  // What is stuck for good is no leak to be reported when the process ends.
  (debuggable as unknown as { leakedPromises(): unknown }).leakedPromises();
}

interface Registration {
  getType(): string;
  getName(): string;
  getObject(): { toJavaScript(): Record<string, unknown> };
  getCustom(): boolean;
  getProvider(): string;
  getDependenciesList(): string[];
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getDeletebeforereplace(): boolean;
  getReplaceonchangesList(): string[];
  getDeletedwith(): string;
  getImportid(): string;
}

const SECRET = "4dabf18193072939515e22adb298388d";

/** Mocks are told a part of a registration only, and none of its options: so listen in. */
function listen(declared: Map<string, Declared>): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource(request: Registration, callback: unknown): Promise<void>;
  };
  const register = monitor.registerResource.bind(monitor);
  const named = (urn: string) => urn.split("::").at(-1) ?? urn;
  monitor.registerResource = (request, callback) => {
    const inputs = request.getObject().toJavaScript();
    const key = `${request.getType()} ${request.getName()}`;
    if (declared.has(key)) {
      throw new Error(`${key} is declared twice`);
    }
    declared.set(key, {
      type: request.getType(),
      name: request.getName(),
      inputs: open(inputs) as Record<string, unknown>,
      provider: request.getProvider(),
      dependsOn: request.getDependenciesList().map(named).sort(),
      protect: request.getProtect(),
      retainOnDelete: request.getRetainondelete(),
      deleteBeforeReplace: request.getDeletebeforereplace(),
      replaceOnChanges: request.getReplaceonchangesList(),
      deletedWith: named(request.getDeletedwith()),
      importId: request.getImportid(),
      secretInputs: JSON.stringify(inputs).includes(SECRET),
    });
    return register(request, callback);
  };
}

/** A value without its wrapping as a secret. */
function open(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(open);
  }
  if (typeof value === "object" && value !== null) {
    const record = value as Record<string, unknown>;
    return SECRET in record
      ? open(record.value)
      : Object.fromEntries(Object.entries(record).map(([key, inner]) => [key, open(inner)]));
  }
  return value;
}

/** What AWS and EKS fill in. */
function answer(
  type: string,
  name: string,
  inputs: Record<string, unknown>,
  account: string,
): Record<string, unknown> {
  const arn = `arn:aws:${type.split(/[:/]/)[1]}::${account}:${name}`;
  switch (type) {
    case "aws:eks/cluster:Cluster":
      return {
        arn,
        endpoint: "https://cluster.example",
        certificateAuthority: { data: "Y2E=" },
        identities: [{ oidcs: [{ issuer: "https://oidc.eks.example/id/ABC" }] }],
        vpcConfig: {
          ...(inputs.vpcConfig as object),
          clusterSecurityGroupId: "sg-cluster",
        },
      };
    case "aws:eks/nodeGroup:NodeGroup":
      return { arn, resources: [{ autoscalingGroups: [{ name: "asg-nodes" }] }] };
    case "aws:ec2/launchTemplate:LaunchTemplate":
      return { arn, latestVersion: 3 };
    case "aws:iam/role:Role":
      return { arn: `arn:aws:iam::${account}:role/${name}`, name: `${name}-role` };
    default:
      return { arn };
  }
}

/** The value of an output, or the error that it ended with. */
function resolved<T>(output: pulumi.Output<T>): Promise<T> {
  return (output as unknown as { promise(): Promise<T> }).promise();
}

/** AWS names of both regions, to go through a test in both. */
export const BOTH: readonly RegionName[] = ["region0", "region1"];
