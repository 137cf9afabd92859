import { LocalWorkspace, LocalWorkspaceOptions, PulumiFn, Stack } from "@pulumi/pulumi/automation";
import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { pulumiCommand } from "../../world/pulumi/workspace";
import { Vault } from "../../world/pulumi/vault";

const run = promisify(execFile);

/** How a `pulumi` of one's own ended. */
export interface Ended {
  code: number;
  output: string;
}

/** Folder and environment of a process. */
export interface Shell {
  cwd: string;
  env: NodeJS.ProcessEnv;
}

/** Runs `pulumi` to its end, with a folder of programs in front of PATH. */
export async function pulumiIn({ cwd, env }: Shell, args: string[], bin: string): Promise<Ended> {
  const options = {
    cwd,
    env: { ...env, PATH: [bin, env.PATH].join(path.delimiter) },
    maxBuffer: 16 * 1024 * 1024,
  };
  try {
    const { stdout, stderr } = await run("pulumi", args, options);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    if (typeof code !== "number") {
      throw error;
    }
    return { code, output: stdout + stderr };
  }
}

/** A throw-away Pulumi for any program: own backend and home in a temporary folder. */
export class Sandbox {
  private constructor(
    readonly folder: string,
    private readonly environment: Record<string, string>,
    private readonly vault: Vault,
  ) {}

  static async create(): Promise<Sandbox> {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), "camunda-dual-region-"));
    await fs.mkdir(path.join(folder, "state"));
    const vault = await Vault.start();
    const environment = {
      PULUMI_HOME: path.join(folder, "home"),
      PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
      ...vault.environment,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    };
    return new Sandbox(folder, environment, vault);
  }

  /** A stack of a program that is a function here. */
  async inline(project: string, stack: string, program: PulumiFn): Promise<Stack> {
    const workDir = path.join(this.folder, "inline", project);
    await fs.mkdir(workDir, { recursive: true });
    return LocalWorkspace.createOrSelectStack(
      { projectName: project, stackName: stack, program },
      { ...(await this.options()), workDir },
    );
  }

  /** A stack of a program in a folder, with its own Pulumi.yaml. Nothing is written into that folder. */
  async program(folder: string, stack: string): Promise<Stack> {
    const workDir = await fs.mkdtemp(path.join(this.folder, "project-"));
    const project = await fs.readFile(path.join(folder, "Pulumi.yaml"), "utf8");
    await fs.writeFile(path.join(workDir, "Pulumi.yaml"), `${project}main: ${folder}\n`);
    return LocalWorkspace.createOrSelectStack({ stackName: stack, workDir }, await this.options());
  }

  /** Where a `pulumi` of one's own runs, for a stack of {@link program}. */
  shell(stack: Stack): Shell {
    return { cwd: stack.workspace.workDir, env: { ...process.env, ...this.environment } };
  }

  /** Removes the folder. */
  async dispose(): Promise<void> {
    this.vault.stop();
    await fs.rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private async options(): Promise<LocalWorkspaceOptions> {
    return {
      envVars: this.environment,
      secretsProvider: Vault.SECRETS_PROVIDER,
      pulumiCommand: await pulumiCommand(),
    };
  }
}
