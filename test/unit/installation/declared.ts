import * as pulumi from "@pulumi/pulumi";
import * as debuggable from "@pulumi/pulumi/runtime/debuggable";

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
  ignoreChanges: string[];
  deletedWith: string;
  importId: string;
  secretInputs: boolean;
  /** The inputs as they were registered, as text: secrets are marked in it, by {@link SECRET}. */
  registered: string;
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

/** What a run of {@link declare} is like. */
export interface Circumstances {
  /** What the provider fills in. */
  state?: (type: string, name: string, inputs: Record<string, unknown>) => Record<string, unknown>;
  /** Set when an error in an input keeps a resource from ever being registered: it would be waited for. */
  stuck?: boolean;
  /** Answers an invoke, or throws. */
  call?: (args: pulumi.runtime.MockCallArgs) => Record<string, unknown>;
}

/** Registers what `body` declares and returns it, and what `body` returns with its outputs resolved. */
export async function declare<T>(
  body: () => T | Promise<T>,
  { state = () => ({}), stuck = false, call }: Circumstances = {},
): Promise<{ declared: Declarations; outputs: pulumi.Unwrap<T> }> {
  const declared = new Map<string, Declared>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => ({
        id: `${name}-id`,
        state: { ...inputs, ...state(type, name, inputs as Record<string, unknown>) },
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
  getIgnorechangesList(): string[];
  getDeletedwith(): string;
  getImportid(): string;
}

/** Mark of a secret in a registration. */
export const SECRET = "4dabf18193072939515e22adb298388d";

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
      ignoreChanges: request.getIgnorechangesList(),
      deletedWith: named(request.getDeletedwith()),
      importId: request.getImportid(),
      secretInputs: JSON.stringify(inputs).includes(SECRET),
      registered: JSON.stringify(inputs),
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

/** The value of an output, or the error that it ended with. */
function resolved<T>(output: pulumi.Output<T>): Promise<T> {
  return (output as unknown as { promise(): Promise<T> }).promise();
}
