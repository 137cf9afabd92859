import {
  LocalWorkspace,
  OutputMap,
  PreviewResult,
  PulumiCommand,
  Stack,
  UpResult,
} from "@pulumi/pulumi/automation";
import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { readable } from "../../scripts/operator/readable";
import { REPOSITORY } from "../../scripts/repository";
import { Vault } from "./vault";
import type { RegionName } from "../world";

/** What a preview showed a person, and what it would do. */
export interface Preview {
  text: string;
  changes: Record<string, number>;
}

let command: Promise<PulumiCommand> | undefined;

/** The `pulumi` on PATH, which is asked for its version once. */
export function pulumiCommand(): Promise<PulumiCommand> {
  return (command ??= PulumiCommand.get());
}

/** A resource plugin from a file of this machine. */
export interface Plugin {
  name: string;
  version: string;
  file: string;
}

/**
 * A throw-away Pulumi: own backend, own home, own stack files, in a temporary folder. The program runs
 * from the repository, but nothing is written there, and nothing of the user's Pulumi is touched.
 */
export class Workspace {
  private readonly stacks = new Map<RegionName, Promise<RegionStack>>();

  private constructor(
    private readonly folder: string,
    private readonly environment: Record<string, string>,
    private readonly vault: Vault,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Makes the folder and the two stack files. `config` is what both stacks share. */
  static async create(options: {
    config: Record<string, unknown>;
    environment?: Record<string, string>;
    plugins?: readonly Plugin[];
    signal?: AbortSignal;
  }): Promise<Workspace> {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), "camunda-dual-region-"));
    await fs.mkdir(path.join(folder, "state"));
    const project = await fs.readFile(path.join(REPOSITORY, "Pulumi.yaml"), "utf8");
    await fs.writeFile(path.join(folder, "Pulumi.yaml"), `${project}main: ${REPOSITORY}\n`);
    const vault = await Vault.start();
    const workspace = new Workspace(
      folder,
      {
        PULUMI_HOME: path.join(folder, "home"),
        PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
        ...vault.environment,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        ...options.environment,
      },
      vault,
      options.signal,
    );
    for (const { name, version, file } of options.plugins ?? []) {
      await promisify(execFile)(
        "pulumi",
        ["plugin", "install", "resource", name, version, "--file", file],
        workspace.shell,
      );
    }
    for (const region of ["region0", "region1"] as const) {
      await workspace.writeConfig(region, { ...options.config, region });
      await workspace.stack(region);
    }
    return workspace;
  }

  /** The stack of a region, which is made when it is not there. */
  stack(region: RegionName): Promise<RegionStack> {
    const stack = this.stacks.get(region) ?? this.make(region);
    this.stacks.set(region, stack);
    return stack;
  }

  /** Makes the stack of a recreated region anew, as the documentation says: state gone, configuration kept. */
  async recreate(region: RegionName): Promise<void> {
    const { stack } = await this.stack(region);
    await stack.workspace.removeStack(region, { force: true, preserveConfig: true });
    this.stacks.delete(region);
    await this.stack(region);
  }

  /** Removes the folder. */
  async dispose(): Promise<void> {
    this.vault.stop();
    await fs.rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Environment for a `pulumi` of one's own on this workspace, and its folder. */
  get shell(): { cwd: string; env: NodeJS.ProcessEnv } {
    return { cwd: this.folder, env: { ...process.env, ...this.environment } };
  }

  private async make(region: RegionName): Promise<RegionStack> {
    const workspace = await LocalWorkspace.create({
      workDir: this.folder,
      envVars: this.environment,
      secretsProvider: Vault.SECRETS_PROVIDER,
      pulumiCommand: await pulumiCommand(),
    });
    return new RegionStack(await Stack.create(region, workspace), this.signal);
  }

  private async writeConfig(region: RegionName, config: Record<string, unknown>): Promise<void> {
    // JSON is YAML: structured values need no other writer.
    const keyed = Object.fromEntries(
      Object.entries(config).map(([key, value]) => [`camunda-dual-region:${key}`, value]),
    );
    await fs.writeFile(
      path.join(this.folder, `Pulumi.${region}.yaml`),
      `config: ${JSON.stringify(keyed)}\n`,
    );
  }
}

/** What an `up` did with one resource. */
export interface ResourceChange {
  /** `create`, `update`, `delete`, `replace` and the parts of a replacement. */
  op: string;
  /** Type token of the resource. */
  type: string;
  name: string;
}

/** What an `up` did. */
export interface UpOutcome extends UpResult {
  /** What it changed, in order. */
  changed: ResourceChange[];
}

/** One stack, with the moves of an operator. */
export class RegionStack {
  constructor(
    readonly stack: Stack,
    private readonly signal?: AbortSignal,
  ) {}

  /** `pulumi config set key value`, with `--path` when the key is one. */
  async set(key: string, value: string, options: { path?: boolean } = {}): Promise<void> {
    await this.stack.setConfig(key, { value }, options.path);
  }

  /** `pulumi config rm key`. */
  async unset(key: string): Promise<void> {
    await this.stack.removeConfig(key);
  }

  /** `pulumi preview`. */
  async preview(options: { refresh?: boolean } = {}): Promise<Preview> {
    const messages: string[] = [];
    const result: PreviewResult = await this.stack.preview({
      color: "never",
      refresh: options.refresh,
      diff: true,
      signal: this.signal,
      onEvent: ({ diagnosticEvent }) => {
        if (diagnosticEvent !== undefined && shown(diagnosticEvent)) {
          messages.push(diagnosticEvent.message.trimEnd());
        }
      },
    });
    return {
      text: [readable(result.stdout), ...messages].join("\n"),
      changes: { ...result.changeSummary },
    };
  }

  /** `pulumi up --yes`. Rejects with the engine's error when it fails. */
  async up(options: { refresh?: boolean; target?: string[] } = {}): Promise<UpOutcome> {
    const changed: ResourceChange[] = [];
    const result = await this.stack.up({
      color: "never",
      ...options,
      signal: this.signal,
      onEvent: ({ resourcePreEvent }) => {
        const { op = "same", type = "", urn = "" } = resourcePreEvent?.metadata ?? {};
        // The provider of the program's own resources has the whole configuration as its own.
        const own = type === "pulumi:providers:pulumi-nodejs";
        if (!own && !["same", "refresh", "read"].includes(op)) {
          changed.push({ op, type, name: urn.split("::").slice(3).join("::") });
        }
      },
    });
    return { ...result, changed };
  }

  /** `pulumi destroy --yes`. */
  async destroy(): Promise<void> {
    await this.stack.destroy({ color: "never", signal: this.signal });
  }

  /** The stack's outputs, as another stack would read them. */
  async outputs(): Promise<Record<string, unknown>> {
    const outputs: OutputMap = await this.stack.outputs();
    return Object.fromEntries(
      Object.entries(outputs).map(([name, output]) => [name, output.value as unknown]),
    );
  }
}

function shown(event: { severity: string; ephemeral?: boolean }): boolean {
  return event.severity !== "debug" && event.ephemeral !== true;
}
