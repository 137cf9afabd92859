import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { promisify } from "node:util";
import { Interrupt } from "../../scripts/operator/interrupt";
import { RegionStack, Stacks } from "../../scripts/operator/stack";
import { REPOSITORY } from "../../scripts/repository";
import type { RegionName } from "../world";
import { ThrowAwayPulumi } from "./throwAway";

/** A resource plugin from a file of this machine. */
export interface Plugin {
  name: string;
  version: string;
  file: string;
}

/**
 * The two stacks of a throw-away Pulumi, with stack files of their own. The program runs from the repository,
 * but nothing is written there.
 */
export class Workspace {
  private readonly stacks = new Map<RegionName, Promise<RegionStack>>();

  private constructor(
    private readonly pulumi: ThrowAwayPulumi,
    private readonly all: Stacks,
  ) {}

  /** Makes the two stacks and their files. `config` is what both share. */
  static async create(options: {
    config: Record<string, unknown>;
    environment?: Record<string, string>;
    plugins?: readonly Plugin[];
    /** Folder of the program, when it is not the repository's own. */
    program?: string;
    interrupt?: Interrupt;
  }): Promise<Workspace> {
    const pulumi = await ThrowAwayPulumi.create(options.environment);
    await pulumi.link(options.program ?? REPOSITORY, pulumi.folder, REPOSITORY);
    for (const { name, version, file } of options.plugins ?? []) {
      await promisify(execFile)(
        "pulumi",
        ["plugin", "install", "resource", name, version, "--file", file],
        pulumi.shell(),
      );
    }
    const silent = () => undefined;
    const watch = { interrupt: options.interrupt ?? new Interrupt(silent), say: silent };
    const all = await Stacks.in(pulumi.folder, watch, pulumi.options);
    const workspace = new Workspace(pulumi, all);
    for (const region of ["region0", "region1"] as const) {
      await workspace.writeConfig(region, { ...options.config, region });
      await workspace.stack(region);
    }
    return workspace;
  }

  /** The stack of a region, which is made when it is not there. */
  stack(region: RegionName): Promise<RegionStack> {
    const stack = this.stacks.get(region) ?? this.all.make(region);
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
  dispose(): Promise<void> {
    return this.pulumi.dispose();
  }

  /** Environment for a `pulumi` of one's own on this workspace, and its folder. */
  get shell(): { cwd: string; env: NodeJS.ProcessEnv } {
    return this.pulumi.shell();
  }

  private async writeConfig(region: RegionName, config: Record<string, unknown>): Promise<void> {
    // JSON is YAML: structured values need no other writer.
    const keyed = Object.fromEntries(
      Object.entries(config).map(([key, value]) => [`camunda-dual-region:${key}`, value]),
    );
    await fs.writeFile(
      path.join(this.pulumi.folder, `Pulumi.${region}.yaml`),
      `config: ${JSON.stringify(keyed)}\n`,
    );
  }
}
