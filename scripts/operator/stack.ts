import { EngineEvent, LocalWorkspace, Stack } from "@pulumi/pulumi/automation";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { peerOf, RegionName, REGIONS } from "../../components/base/brokers";
import { LastAttempt, readLastAttempt } from "../../components/base/declaration";
import { isRecord } from "../../components/base/json";
import { readable } from "./readable";
import { RECOVERY_TARGETS } from "./targets";
import { REPOSITORY } from "../repository";
import { npmRunPulumi, Place } from "./commands";
import { Stop, say } from "./console";
import { Engine, EngineError, engineOf } from "./engine";
import { Interrupt } from "./interrupt";
import { isLeftOver, Lock, locksIn } from "./locks";
import { errorsOf, Progress } from "./progress";

/** What a recovery has recorded, as far as the commands need it. */
export interface Recorded {
  /** `attempt` of the gate in the state: its steps may have begun. */
  gateAttempt: string | undefined;
  /** The last attempt, and whether it was abandoned. */
  lastAttempt: LastAttempt | undefined;
  /** The output `recovery`. */
  recovery: Record<string, unknown>;
}

/** What `pulumi stack export` prints. */
interface State {
  deployment: Record<string, unknown>;
}

/** What a run of the engine is to do. */
export interface RunOptions {
  /** Look at everything that is recorded first. */
  refresh: boolean;
  /** The resources, as patterns of their URNs. Default: those of a recovery. `all`: the whole stack. */
  targets?: readonly string[] | "all";
}

/** What a preview has found. */
export interface Found {
  text: string;
  /** Whether `up` would change anything. */
  changes: boolean;
}

/** The stacks of a user: their folder, their backend, their login. */
export class Stacks {
  private constructor(
    readonly folder: string,
    private readonly engine: Engine,
    private readonly workspace: LocalWorkspace,
    private readonly project: string,
    private readonly interrupt: Interrupt,
  ) {}

  /** The stacks of the project in a folder. */
  static async in(folder: string, interrupt: Interrupt): Promise<Stacks> {
    const engine = await engineOf(interrupt);
    const workspace = await LocalWorkspace.create({ workDir: folder, pulumiCommand: engine });
    const project = await workspace.projectSettings().catch((error: unknown) => {
      throw new Stop(
        `${folder} is not the folder of a Pulumi project: ${error instanceof Error ? error.message : String(error)}`,
        2,
      );
    });
    return new Stacks(folder, engine, workspace, project.name, interrupt);
  }

  /** The configuration of a stack without the project's name before each key, or undefined when there is no such stack. */
  async config(name: string): Promise<Record<string, string> | undefined> {
    try {
      const all = await this.workspace.getAllConfig(name);
      const prefix = `${this.project}:`;
      return Object.fromEntries(
        Object.entries(all)
          // A key that Pulumi.yaml describes is listed although it is not set, with an empty value.
          .filter(([key, { value }]) => key.startsWith(prefix) && value !== "")
          .map(([key, { value }]) => [key.slice(prefix.length), value]),
      );
    } catch (error) {
      if (error instanceof EngineError && /no stack named/.test(error.message)) {
        return undefined;
      }
      throw error;
    }
  }

  /** Whether the recovery of a stack is not over: by its configuration, or by its last `up`. */
  async isRecovering(name: string): Promise<boolean> {
    const config = await this.config(name);
    if (config === undefined) {
      return false;
    }
    if (config.lostRegion !== undefined) {
      return true;
    }
    // A finish that was killed has removed the keys, but not run.
    const recovery = (await this.workspace.stackOutputs(name)).recovery?.value as unknown;
    return isRecord(recovery) && ["failed-over", "restored"].includes(String(recovery.phase));
  }

  /** A stack. Never makes one: a new stack knows nothing of the cluster. */
  async open(name: string): Promise<OperatorStack> {
    const config = await this.config(name);
    if (config === undefined) {
      const others = (await this.workspace.listStacks()).map((stack) => stack.name);
      throw new Stop(
        `there is no stack ${name}; --stack NAME with ${others.length > 0 ? `one of: ${others.join(", ")}` : "a stack that exists: pulumi stack ls"}`,
        2,
      );
    }
    const region = REGIONS.find((known) => known === config.region);
    if (region === undefined) {
      throw new Stop(
        `stack ${name} has no region in its configuration: pulumi config set region region0 (or region1) --stack ${name}`,
        2,
      );
    }
    const stack = await Stack.select(name, this.workspace);
    return new OperatorStack(stack, region, this.folder, this.engine, this.interrupt, () =>
      this.config(name).then((found) => found ?? {}),
    );
  }
}

/** One stack of a user, with what the commands do to it. */
export class OperatorStack {
  constructor(
    private readonly stack: Stack,
    /** The region of the stack. */
    readonly region: RegionName,
    private readonly folder: string,
    private readonly engine: Engine,
    private readonly interrupt: Interrupt,
    /** The configuration as it is now, without the project's name before each key. */
    readonly config: () => Promise<Record<string, string>>,
  ) {}

  get name(): string {
    return this.stack.name;
  }

  private get place(): Place {
    return { dir: this.folder === REPOSITORY ? undefined : this.folder, stack: this.name };
  }

  /** The other region. */
  get peer(): RegionName {
    return peerOf(this.region);
  }

  /**
   * Changes keys of the configuration (undefined removes one).
   *
   * @returns puts them back, to the byte when the configuration is a file
   */
  async configure(changes: Record<string, string | undefined>): Promise<() => Promise<void>> {
    const before = await this.config();
    const file = path.join(this.folder, `Pulumi.${this.name.split("/").pop()}.yaml`);
    const bytes = await fs.readFile(file).catch(() => undefined);
    await this.apply(changes, before);
    return async () => {
      await this.apply(
        Object.fromEntries(Object.keys(changes).map((key) => [key, before[key]])),
        await this.config(),
      );
      if (bytes !== undefined) {
        await fs.writeFile(file, bytes);
      }
    };
  }

  /** What the state has recorded. */
  async recorded(): Promise<Recorded> {
    const resources = list((await this.state()).deployment.resources);
    const attemptOf = (type: string) =>
      readLastAttempt(resources.find((resource) => resource.type === type)?.outputs);
    const recovery = (await this.outputs()).recovery;
    return {
      gateAttempt: attemptOf("pulumi-nodejs:dynamic/camunda:FailbackGate")?.attempt,
      lastAttempt: attemptOf("pulumi-nodejs:dynamic/camunda:Exporting"),
      recovery: isRecord(recovery) ? recovery : {},
    };
  }

  /** The outputs of the last `up`. */
  async outputs(): Promise<Record<string, unknown>> {
    return Object.fromEntries(
      Object.entries(await this.stack.outputs()).map(([key, { value }]) => [key, value]),
    );
  }

  /**
   * Drops what a killed run has left in the state: operations that were creating a step. The engine keeps
   * them for ever and warns at every run; whether the step has had an effect is found out by the step
   * itself. Operations that were updating are repeated by the engine, so they stay.
   */
  async clearLeftovers(): Promise<void> {
    if (pendingCreates(await this.state()).length === 0) {
      return;
    }
    const dropped = await this.unlocking(async () => {
      // Read again right before it is written: a run that was alive a moment ago has ended its own.
      const state = await this.state();
      const creating = pendingCreates(state);
      if (creating.length > 0) {
        const pending = list(state.deployment.pending_operations).filter(
          (operation) => !creating.includes(operation),
        );
        await this.import({
          ...state,
          deployment: { ...state.deployment, pending_operations: pending },
        });
      }
      return creating;
    });
    for (const operation of dropped) {
      say(
        `cleared: a killed run was creating ${nameOf(operation)}; this run looks what came of it`,
      );
    }
  }

  /** `pulumi preview`, of the recovery or of the whole stack. */
  async preview({ refresh, targets }: RunOptions): Promise<Found> {
    const progress = new Progress(() => undefined);
    const result = await this.running(progress, targets, (common) =>
      this.stack.preview({ ...common, refresh, diff: true }),
    );
    const kinds = Object.entries(result.changeSummary).filter(([kind, count]) => {
      return count > 0 && !["same", "refresh", "read"].includes(kind);
    });
    // The outputs repeat the whole history of recoveries; what changes is said by the resources.
    const changes = readable(result.stdout)
      .replace(/^\s*--outputs:--[\s\S]*?^(?=Resources:)/m, "")
      .split("\n")
      .filter((line) => !/^\s*\[urn=/.test(line));
    return {
      text: [...progress.messages, ...changes].join("\n"),
      changes: kinds.length > 0,
    };
  }

  /** `pulumi up`, of the recovery or of the whole stack. A lock that a killed run has left is removed first. */
  async up({ refresh, targets }: RunOptions): Promise<void> {
    await this.unlocking(() =>
      this.running(new Progress(say), targets, (common) => this.stack.up({ ...common, refresh })),
    );
  }

  /** Runs the engine; its error becomes what its diagnostics say. */
  private async running<T>(
    progress: Progress,
    targets: RunOptions["targets"],
    run: (common: {
      color: "never";
      target?: string[];
      signal: AbortSignal;
      onEvent: (event: EngineEvent) => void;
    }) => Promise<T>,
  ): Promise<T> {
    if (this.interrupt.signal.aborted) {
      throw new Stop("stopped on request", 130);
    }
    try {
      return await run({
        color: "never",
        ...(targets === "all" ? {} : { target: [...(targets ?? RECOVERY_TARGETS)] }),
        signal: this.interrupt.signal,
        onEvent: (event) => progress.see(event),
      });
    } catch (error) {
      if (!(error instanceof EngineError) || locksIn(error.stderr + error.stdout) !== undefined) {
        throw error;
      }
      throw this.interrupt.signal.aborted
        ? new Stop("stopped on request", 130)
        : new Stop(errorsOf(progress.errors) ?? error.message);
    }
  }

  private async unlocking<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      const locks = error instanceof EngineError ? locksIn(error.stderr + error.stdout) : undefined;
      if (locks === undefined) {
        throw error;
      }
      await this.clearLocks(locks);
      return run();
    }
  }

  private async clearLocks(locks: Lock[]): Promise<void> {
    const held = locks.find((lock) => !isLeftOver(lock));
    if (held !== undefined || locks.length === 0) {
      throw new Locked(
        `stack ${this.name} is locked by ${held?.text ?? "another update"}: wait for it to end; only when it is surely dead: ${npmRunPulumi(["cancel", "--yes"], this.name, this.place)}`,
      );
    }
    await this.pulumi("cancel", "--yes");
    for (const lock of locks) {
      say(`cleared: the lock of ${lock.text}, a run that is dead`);
    }
  }

  private async apply(
    changes: Record<string, string | undefined>,
    before: Record<string, string>,
  ): Promise<void> {
    for (const [key, value] of Object.entries(changes)) {
      if (value === undefined && before[key] !== undefined) {
        await this.stack.removeConfig(key);
      } else if (value !== undefined && before[key] !== value) {
        await this.stack.setConfig(key, { value });
      }
    }
  }

  /** The state with its secrets still encrypted: the Automation API's own export would have them in clear. */
  private async state(): Promise<State> {
    return JSON.parse(await this.pulumi("stack", "export")) as State;
  }

  private async import(state: State): Promise<void> {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), "camunda-dual-region-"));
    const file = path.join(folder, "state.json");
    try {
      await fs.writeFile(file, JSON.stringify(state), { mode: 0o600 });
      await this.pulumi("stack", "import", "--file", file);
    } finally {
      await fs.rm(folder, { recursive: true, force: true });
    }
  }

  private async pulumi(...args: string[]): Promise<string> {
    const { stdout } = await this.engine.run([...args, "--stack", this.name], this.folder, {});
    return stdout;
  }
}

/** Somebody else works on the stack: nothing was done. */
export class Locked extends Stop {}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** The operations that have not ended and were creating a part of the recovery. */
function pendingCreates(state: State): Record<string, unknown>[] {
  return list(state.deployment.pending_operations).filter(
    (operation) =>
      operation.type === "creating" && /camunda8:recovery:Recovery\$/.test(urnOf(operation)),
  );
}

function urnOf(operation: Record<string, unknown>): string {
  return isRecord(operation.resource) ? String(operation.resource.urn) : "";
}

function nameOf(operation: Record<string, unknown>): string {
  return urnOf(operation).split("::").pop() ?? "a resource";
}
