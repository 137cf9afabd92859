import * as pulumi from "@pulumi/pulumi";
import { isDeepStrictEqual } from "node:util";
import { program } from "../../../components/program";
import { isRecord } from "../../../components/base/json";
import { Checkpoint, keyOf, RecordedResource, StackState, STACK_TYPE, States } from "./state";
import { messageOf } from "../../../components/base/messageOf";

/** The project of the program. */
export const PROJECT = "camunda-dual-region";

/** What a run is of. */
export interface Run {
  stack: string;
  /** Configuration of the stack: texts, structured values as JSON. */
  config: Readonly<Record<string, string>>;
  /** Keys of it that are secret. */
  secrets?: readonly string[];
  states: States;
  /** Whether every resource is read before, as by `up --refresh`. */
  refresh?: boolean;
  /** Names of the only resources that are touched, as by `up --target`. */
  targets?: readonly string[];
  /** Names of resources that are destroyed instead, as by `destroy --target`. */
  destroy?: readonly string[];
}

/** How a run has ended. */
export interface Ended {
  ok: boolean;
  /** What an operator reads of it, one for each resource that has failed. */
  errors: string[];
  /** What the program has warned of. */
  warnings: string[];
}

/** The methods of a dynamic provider, as the engine calls them. */
interface Provider {
  configure(request: { config: { get(key: string): string | undefined } }): Promise<void>;
  create(inputs: object): Promise<{ id: string; outs: Record<string, unknown> }>;
  update(id: string, olds: object, news: object): Promise<{ outs: Record<string, unknown> }>;
  read(id: string, props: object): Promise<{ props: object; inputs: object }>;
  delete(id: string, props: object): Promise<void>;
}

/** What of the SDK's monitor stands between the program and its mocks. */
interface Monitor {
  registerResource(
    request: { getName(): string; getDependenciesList(): string[] },
    answer: unknown,
  ): Promise<void>;
}

/** What a provider throws when its operation had begun: the engine keeps the resource. */
interface Unfinished {
  id: string;
  properties: Record<string, unknown>;
  reasons: string[];
}

const NEVER = new Promise<never>(() => undefined);

/**
 * What the Pulumi engine does with this program in an `up`, as far as a recovery depends on it, without the engine: the
 * real program registers its resources at the SDK's mocks, and the real providers are called by the text that they have
 * in the state. Thousands of runs take place where the engine would have time for some dozens.
 *
 * Runs follow one another: the SDK keeps its program in globals of the process.
 */
export class PlayedEngine {
  private readonly providers = new Map<string, Promise<Provider>>();
  private readonly registered = new Set<string>();
  /** Names of what a resource that is registered depends on. */
  private readonly dependencies = new Map<string, string[]>();
  /** Names of resources that are not there and no targets. */
  private readonly skipped = new Set<string>();
  private readonly errors: string[] = [];
  private readonly warnings: string[] = [];
  private readonly old: Map<string, RecordedResource>;
  private operations = 0;
  private failed!: () => void;
  private readonly failure = new Promise<void>((resolve) => {
    this.failed = resolve;
  });

  private constructor(
    private readonly run: Run,
    private readonly say: (checkpoint: Checkpoint) => void,
  ) {
    this.old = new Map(this.own.map((resource) => [keyOf(resource), resource]));
  }

  /**
   * One `up`.
   *
   * @param say gets what is to be kept of it, at once
   */
  static async up(run: Run, say: (checkpoint: Checkpoint) => void): Promise<Ended> {
    return new PlayedEngine(run, say).deploy();
  }

  private get own(): StackState {
    return this.run.states[this.run.stack] ?? [];
  }

  private async deploy(): Promise<Ended> {
    if (this.run.refresh === true && !(await this.refresh())) {
      return this.ended();
    }
    const { stack, config, secrets, destroy } = this.run;
    if (destroy !== undefined) {
      await this.delete(this.own.filter(({ name }) => destroy.includes(name)));
      return this.ended();
    }
    await pulumi.runtime.setMocks(
      { newResource: (args) => this.register(args), call: (args) => this.call(args) },
      PROJECT,
      stack,
      false,
      "organization",
    );
    this.learnDependencies();
    Object.assign(pulumi.log, {
      warn: (line: string) => {
        this.warnings.push(line);
        return Promise.resolve();
      },
    });
    pulumi.runtime.setAllConfig(
      Object.fromEntries(Object.entries(config).map(([key, text]) => [`${PROJECT}:${key}`, text])),
      secrets?.map((key) => `${PROJECT}:${key}`),
    );
    const outputs = await Promise.race([this.runProgram(), this.failure]);
    if (outputs === undefined) {
      return this.ended();
    }
    const made = { type: STACK_TYPE, name: stack, id: "", inputs: {}, outputs };
    this.say({ made });
    this.registered.add(keyOf(made));
    await this.deleteOthers();
    return this.ended();
  }

  private ended(): Ended {
    const { errors, warnings } = this;
    return { ok: errors.length === 0, errors, warnings };
  }

  /** The mocks are not told of them. */
  private learnDependencies(): void {
    const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
    const register = monitor.registerResource.bind(monitor);
    monitor.registerResource = (request, answer) => {
      const names = request.getDependenciesList().map((urn) => urn.split("::").at(-1) ?? "");
      this.dependencies.set(request.getName(), names);
      return register(request, answer);
    };
  }

  /** @returns the outputs of the stack; undefined when it was refused */
  private async runProgram(): Promise<Record<string, unknown> | undefined> {
    try {
      const outputs = await settled(pulumi.output(await program()));
      await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
      return JSON.parse(JSON.stringify(outputs)) as Record<string, unknown>;
    } catch (error) {
      this.errors.push(
        pulumi.RunError.isInstance(error) ? error.message : String((error as Error).stack),
      );
      return undefined;
    }
  }

  private call({ token, inputs }: pulumi.runtime.MockCallArgs): Record<string, unknown> {
    if (token !== "pulumi:pulumi:readStackResourceOutputs") {
      throw new Error(`nothing is played that answers ${token}`);
    }
    const name =
      String((inputs as { stackName: string }).stackName)
        .split("/")
        .at(-1) ?? "";
    const state = this.run.states[name];
    if (state === undefined) {
      // The SDK reads the reason of an answer by gRPC.
      throw Object.assign(new Error(), { details: `unknown stack "${name}"` });
    }
    return {
      outputs: Object.fromEntries(
        state.map(({ type, name, outputs }) => [keyOf({ type, name }), { type, outputs }]),
      ),
    };
  }

  private async register({ type, name, inputs: raw, custom }: pulumi.runtime.MockResourceArgs) {
    if (custom !== true) {
      return { id: undefined, state: {} };
    }
    const inputs = JSON.parse(JSON.stringify(raw)) as Record<string, unknown>;
    const key = keyOf({ type, name });
    this.registered.add(key);
    const old = this.old.get(key);
    const isTarget = this.run.targets?.includes(name) ?? true;
    if (!isTarget && old === undefined) {
      this.skipped.add(name);
    }
    const missing = this.dependencies.get(name)?.find((other) => this.skipped.has(other));
    if (isTarget && missing !== undefined) {
      this.errors.push(`${name} depends on ${missing}, which was not specified in --target list`);
      this.endWhenIdle();
      return NEVER;
    }
    if (!isTarget || (old && !old.unfinished && isDeepStrictEqual(old.inputs, inputs))) {
      if (old) {
        this.say({ made: old });
      }
      return { id: old?.id, state: old?.outputs ?? inputs };
    }
    if (this.errors.length > 0) {
      // No operation begins after one has failed.
      return NEVER;
    }
    const made = await this.operate({ type, name, inputs }, old);
    return made === undefined ? NEVER : { id: made.id, state: made.outputs };
  }

  /** @returns the resource as it is kept; undefined when the operation has failed */
  private async operate(
    { type, name, inputs }: Pick<RecordedResource, "type" | "name" | "inputs">,
    old: RecordedResource | undefined,
  ): Promise<RecordedResource | undefined> {
    this.operations++;
    try {
      const provider = await this.provider(inputs.__provider);
      const { id, outs } = old
        ? { id: old.id, ...(await provider.update(old.id, old.outputs, inputs)) }
        : await provider.create(inputs);
      const made = { type, name, id, inputs, outputs: kept(outs, inputs) };
      this.say({ made });
      return made;
    } catch (error) {
      if (isUnfinished(error)) {
        const { id, properties, reasons: unfinished } = error;
        this.say({
          made: { type, name, id, inputs, outputs: kept(properties, inputs), unfinished },
        });
        this.errors.push(...unfinished);
      } else {
        this.errors.push(messageOf(error));
      }
      return undefined;
    } finally {
      this.operations--;
      this.endWhenIdle();
    }
  }

  /** What runs beside a failure goes on to its end. */
  private endWhenIdle(): void {
    if (this.operations === 0 && this.errors.length > 0) {
      this.failed();
    }
  }

  private async deleteOthers(): Promise<void> {
    const { targets } = this.run;
    await this.delete(
      this.own.filter(
        (resource) =>
          resource.type !== STACK_TYPE &&
          !this.registered.has(keyOf(resource)) &&
          targets?.includes(resource.name) !== false,
      ),
    );
  }

  /** Deletes resources, the last first. */
  private async delete(gone: StackState): Promise<void> {
    for (const resource of [...gone].reverse()) {
      try {
        const provider = await this.provider(resource.outputs.__provider);
        await provider.delete(resource.id, resource.outputs);
        this.say({ gone: keyOf(resource) });
      } catch (error) {
        this.errors.push(messageOf(error));
        return;
      }
    }
  }

  /** @returns whether every resource could be read */
  private async refresh(): Promise<boolean> {
    const dynamic = this.own.filter(({ outputs }) => outputs.__provider !== undefined);
    const read = await Promise.all(
      dynamic.map(async (old) => {
        try {
          const provider = await this.provider(old.outputs.__provider);
          const { props, inputs } = await provider.read(old.id, old.outputs);
          return { ...old, inputs: kept(inputs, old.inputs), outputs: kept(props, old.inputs) };
        } catch (error) {
          this.errors.push(messageOf(error));
          return old;
        }
      }),
    );
    if (this.errors.length > 0) {
      return false;
    }
    for (const made of read) {
      this.old.set(keyOf(made), made);
    }
    return true;
  }

  /** The provider of a text, made once for each run: the engine starts a process for it. */
  private provider(text: unknown): Promise<Provider> {
    const source = String(text);
    let made = this.providers.get(source);
    if (made === undefined) {
      made = this.configured(source);
      this.providers.set(source, made);
    }
    return made;
  }

  private async configured(source: string): Promise<Provider> {
    const exported: { handler?: () => Provider } = {};
    // As the SDK's own process does: the text is a CommonJS module.
    new Function("exports", "require", source)(exported, require);
    const provider = (exported.handler as () => Provider)();
    await provider.configure({ config: { get: (key) => this.run.config[key] } });
    return provider;
  }
}

function kept(outs: object, { __provider }: Record<string, unknown>): Record<string, unknown> {
  return { ...(JSON.parse(JSON.stringify(outs)) as Record<string, unknown>), __provider };
}

function isUnfinished(error: unknown): error is Unfinished {
  return isRecord(error) && Array.isArray(error.reasons);
}

/** The value of an output, when everything that it depends on has been made. */
function settled(output: pulumi.Output<unknown>): Promise<unknown> {
  return new Promise((resolve) => {
    output.apply((value) => resolve(value));
  });
}
