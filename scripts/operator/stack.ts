import {
  LocalWorkspace,
  LocalWorkspaceOptions,
  OutputMap,
  Stack,
  UpOptions,
  UpResult,
} from "@pulumi/pulumi/automation";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { peerOf, RegionName, REGIONS } from "../../components/base/brokers";
import { isRecord } from "../../components/base/json";
import { isUnfinished, recoveryOf } from "../../components/stack/contract";
import { RecordedState, recordedOf } from "../../components/stack/stackState";
import { Stop } from "../commandLine";
import { REPOSITORY } from "../repository";
import { npmRunPulumi, Place } from "./commands";
import { Engine, EngineError, engineOf } from "./engine";
import { Interrupt } from "./interrupt";
import { isLeftOver, Lock, locksIn } from "./locks";
import { readable } from "./readable";
import { changesIn, errorsOf, ResourceChange, RunEvents } from "./runEvents";
import { messageOf } from "../../components/base/messageOf";

/** What `pulumi stack export` prints. */
interface ExportedState {
  deployment: Record<string, unknown>;
}

/** What a run of the engine is to do. */
export interface RunOptions {
  /** Look at everything that is recorded first. Default: no. */
  refresh?: boolean;
  /** The resources, as patterns of their URNs. Default: the whole stack. */
  targets?: readonly string[];
}

/** What a preview has found. */
export interface Preview {
  /** As a person reads it. */
  text: string;
  /** How often each kind of change is in it: none, when `up` would change nothing. */
  changes: Record<string, number>;
}

/** What an `up` did. */
export interface UpOutcome extends UpResult {
  /** What it changed, in order. */
  changed: ResourceChange[];
}

/** Who looks on, and who may stop it. */
export interface Watch {
  interrupt: Interrupt;
  /** Gets what a person is to read while it runs. */
  say: (line: string) => void;
  /** Asks a person to type a word; without one nobody is asked, and what is asked for is not done. */
  ask?: (word: string) => Promise<boolean>;
}

/** As a pattern of URNs. */
const EVERYTHING = "**";

/** In the URN of what finds out by itself whether it has had an effect: all of a recovery, and our own types elsewhere. */
const OWN_STEP = /camunda8:recovery:Recovery\$|:dynamic\/camunda:/;

/** The stacks of a project: their folder, their backend, their login. */
export class Stacks {
  private constructor(
    readonly folder: string,
    readonly engine: Engine,
    readonly watch: Watch,
    private readonly workspace: LocalWorkspace,
    private readonly project: string,
  ) {}

  /** What is set besides the environment of this process. */
  get environment(): Record<string, string> {
    return this.workspace.envVars;
  }

  /**
   * The stacks of the project in a folder.
   *
   * @param options of a Pulumi that is not the user's
   */
  static async in(
    folder: string,
    watch: Watch,
    options: Pick<LocalWorkspaceOptions, "envVars" | "secretsProvider"> = {},
  ): Promise<Stacks> {
    const engine = await engineOf(watch.interrupt);
    const workspace = await LocalWorkspace.create({
      ...options,
      workDir: folder,
      pulumiCommand: engine,
    });
    const project = await workspace.projectSettings().catch((error: unknown) => {
      throw new Stop(`${folder} is not the folder of a Pulumi project: ${messageOf(error)}`, 2);
    });
    return new Stacks(folder, engine, watch, workspace, project.name);
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
    if (config.lostRegion !== undefined || config.drainRegion !== undefined) {
      return true;
    }
    // A finish that was killed has removed the keys, but not run.
    return isUnfinished(recoveryOf(valuesOf(await this.workspace.stackOutputs(name))));
  }

  /**
   * A stack. Never makes one: a new stack knows nothing of the cluster.
   *
   * @param option of the command line, which names another
   */
  async open(name: string, option = "--stack NAME"): Promise<RegionStack> {
    const config = await this.config(name);
    if (config === undefined) {
      const others = (await this.workspace.listStacks()).map((stack) => stack.name);
      throw new Stop(
        `there is no stack ${name}; ${option} with ${others.length > 0 ? `one of: ${others.join(", ")}` : "a stack that exists: pulumi stack ls"}`,
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
    return new RegionStack(this, await Stack.select(name, this.workspace), region);
  }

  /** Makes a stack whose file says its region. For stacks that are thrown away: see {@link open}. */
  async make(name: string): Promise<RegionStack> {
    await this.workspace.createStack(name);
    return this.open(name);
  }
}

/** One stack, with what the commands of an operator do to it. A drill does it by this class too. */
export class RegionStack {
  constructor(
    private readonly stacks: Stacks,
    /** As Pulumi's Automation API has it. */
    readonly stack: Stack,
    /** The region of the stack. */
    readonly region: RegionName,
  ) {}

  get name(): string {
    return this.stack.name;
  }

  private get place(): Place {
    const { folder } = this.stacks;
    return { dir: folder === REPOSITORY ? undefined : folder, stack: this.name };
  }

  /** The other region. */
  get peer(): RegionName {
    return peerOf(this.region);
  }

  /** The configuration as it is now, without the project's name before each key. */
  async config(): Promise<Record<string, string>> {
    return (await this.stacks.config(this.name)) ?? {};
  }

  /** `pulumi config set key value`, with `--path` when the key is one. */
  async set(key: string, value: string, { path: isPath = false } = {}): Promise<void> {
    await this.stack.setConfig(key, { value }, isPath);
  }

  /** `pulumi config rm key`, with `--path` when the key is one. */
  async unset(key: string): Promise<void> {
    await this.stack.removeConfig(key, key.includes("."));
  }

  /**
   * Changes keys of the configuration (undefined removes one, which may be a part of one: `overrides.still-seen`).
   *
   * @returns puts them back, to the byte when the configuration is a file
   */
  async configure(changes: Record<string, string | undefined>): Promise<() => Promise<void>> {
    const before = await this.config();
    const file = path.join(this.stacks.folder, `Pulumi.${this.name.split("/").pop()}.yaml`);
    const bytes = await fs.readFile(file).catch(() => undefined);
    await this.apply(changes, before);
    return async () => {
      await this.apply(
        Object.fromEntries(Object.keys(changes).map((key) => [key, valueAt(before, key)])),
        await this.config(),
      );
      if (bytes !== undefined) {
        await fs.writeFile(file, bytes);
      }
    };
  }

  /** What the state has recorded. */
  async recorded(): Promise<RecordedState> {
    return recordedOf(list((await this.state()).deployment.resources));
  }

  /** The outputs of the last `up`. */
  async outputs(): Promise<Record<string, unknown>> {
    return valuesOf(await this.stack.outputs());
  }

  /**
   * Lets the engine forget what a killed run has left in the state: operations that were creating a step. It
   * keeps them for ever and warns at every run; whether the step has had an effect is found out by the step
   * itself. Operations that were updating are repeated by the engine, so they stay.
   */
  async clearLeftovers(): Promise<void> {
    const creating = list((await this.state()).deployment.pending_operations)
      .filter((operation) => operation.type === "creating")
      .map(urnOf);
    if (creating.length === 0) {
      return;
    }
    const others = creating.filter((urn) => !OWN_STEP.test(urn));
    if (others.length > 0) {
      // It may be there, in an account or a cluster, and nobody's: this warning is all that knows of it.
      const clear = ["refresh", "--clear-pending-creates", "--exclude", EVERYTHING];
      this.say(
        `kept: a killed run was creating ${others.map(nameOf).join(", ")}: look whether it is there, then ${npmRunPulumi(clear, this.name, this.place)}`,
      );
      return;
    }
    await this.unlocking(() =>
      this.running(new RunEvents(() => undefined), (common) =>
        // Nothing is read of the cluster, which may not answer: that is for the run to say.
        this.stack.refresh({ ...common, clearPendingCreates: true, exclude: [EVERYTHING] }),
      ),
    );
    for (const urn of creating) {
      this.say(`cleared: a killed run was creating ${nameOf(urn)}; this run looks what came of it`);
    }
  }

  /** `pulumi preview`. */
  async preview({ refresh, targets }: RunOptions = {}): Promise<Preview> {
    const events = new RunEvents(() => undefined);
    const result = await this.running(events, (common) =>
      this.stack.preview({ ...common, ...targeted(targets), refresh, diff: true }),
    );
    return {
      text: [...events.messages, readable(result.stdout)].join("\n"),
      changes: changesIn(result.changeSummary),
    };
  }

  /**
   * `pulumi up --yes`. A lock that a killed run has left is removed first.
   *
   * @throws Stop with what the engine's diagnostics say
   */
  up({ refresh, targets }: RunOptions = {}): Promise<UpOutcome> {
    return this.unlocking(async () => {
      const events = new RunEvents((line) => this.say(line));
      const result = await this.running(events, (common) =>
        this.stack.up({ ...common, ...targeted(targets), refresh }),
      );
      return { ...result, changed: events.changed };
    });
  }

  /** `pulumi destroy --yes`. */
  async destroy(): Promise<void> {
    await this.running(new RunEvents(() => undefined), (common) => this.stack.destroy(common));
  }

  /** Runs the engine; its error becomes what its diagnostics say. */
  private async running<T>(
    events: RunEvents,
    run: (common: Required<Pick<UpOptions, "color" | "signal" | "onEvent">>) => Promise<T>,
  ): Promise<T> {
    const { signal } = this.stacks.watch.interrupt;
    if (signal.aborted) {
      throw new Stop("stopped on request", 130);
    }
    try {
      return await run({ color: "never", signal, onEvent: (event) => events.see(event) });
    } catch (error) {
      if (!(error instanceof EngineError) || locksIn(error.stderr + error.stdout) !== undefined) {
        throw error;
      }
      throw signal.aborted
        ? new Stop("stopped on request", 130)
        : new Stop(errorsOf(events.errors) ?? error.message, 1, { cause: error });
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
    const unknown = locks.find((lock) => !isLeftOver(lock));
    if (locks.length === 0 || (unknown !== undefined && !(await this.isSurelyDead(unknown)))) {
      throw new Locked(
        `stack ${this.name} is locked by ${unknown?.text ?? "another update"}: wait for it to end; only when it is surely dead: ${npmRunPulumi(["cancel", "--yes"], this.name, this.place)}`,
      );
    }
    await this.pulumi("cancel", "--yes");
    for (const lock of locks) {
      this.say(
        `cleared: the lock of ${lock.text}, a run that is dead${lock === unknown ? ", as you say" : ""}`,
      );
    }
  }

  /** Asked of a person: `--yes` says that a change is wanted, not that somebody else's run is dead. */
  private async isSurelyDead({ text, pid }: Lock): Promise<boolean> {
    const { ask } = this.stacks.watch;
    if (ask === undefined) {
      return false;
    }
    this.say(
      `stack ${this.name} is locked by ${text}. Nothing here shows that it is dead: it may run in a container or on another machine. Two runs at once change the cluster against each other. When you know that it is dead, its number:`,
    );
    return ask(String(pid));
  }

  private async apply(
    changes: Record<string, string | undefined>,
    before: Record<string, string>,
  ): Promise<void> {
    for (const [key, value] of Object.entries(changes)) {
      const was = valueAt(before, key);
      if (value === undefined && was !== undefined) {
        await this.unset(key);
      } else if (value !== undefined && was !== value) {
        await this.set(key, value, { path: key.includes(".") });
      }
    }
  }

  /** The state with its secrets still encrypted: the Automation API's own export would have them in clear. */
  private async state(): Promise<ExportedState> {
    return JSON.parse(await this.pulumi("stack", "export")) as ExportedState;
  }

  private async pulumi(...args: string[]): Promise<string> {
    const { engine, folder, environment } = this.stacks;
    return (await engine.run([...args, "--stack", this.name], folder, environment)).stdout;
  }

  private say(line: string): void {
    this.stacks.watch.say(line);
  }
}

/** Somebody else works on the stack: nothing was done. */
export class Locked extends Stop {}

/** The value of a key, or of a part of one, which is text. */
function valueAt(config: Record<string, string>, key: string): string | undefined {
  const [name = "", part] = key.split(".", 2);
  const value = config[name];
  if (part === undefined || value === undefined) {
    return value;
  }
  const parts: unknown = JSON.parse(value);
  const found = isRecord(parts) ? parts[part] : undefined;
  return found === undefined ? undefined : String(found);
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function valuesOf(outputs: OutputMap): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(outputs).map(([key, { value }]) => [key, value as unknown]),
  );
}

function targeted(targets: readonly string[] | undefined): { target?: string[] } {
  return targets === undefined ? {} : { target: [...targets] };
}

function urnOf(operation: Record<string, unknown>): string {
  return isRecord(operation.resource) ? String(operation.resource.urn) : "";
}

function nameOf(urn: string): string {
  return urn.split("::").pop() ?? "a resource";
}
