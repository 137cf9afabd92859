import { LocalWorkspace, LocalWorkspaceOptions, PulumiFn, Stack } from "@pulumi/pulumi/automation";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { pulumiOnPath } from "../../scripts/operator/engine";
import { Vault } from "./vault";

/** A throw-away Pulumi: own backend, home and key, in a temporary folder. Nothing of the user's Pulumi is touched. */
export class ThrowAwayPulumi {
  private constructor(
    readonly folder: string,
    private readonly environment: Record<string, string>,
    private readonly vault: Vault,
  ) {}

  /** @param environment what its programs and providers are to have besides */
  static async create(environment: Record<string, string> = {}): Promise<ThrowAwayPulumi> {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), "camunda-dual-region-"));
    await fs.mkdir(path.join(folder, "state"));
    const vault = await Vault.start();
    return new ThrowAwayPulumi(
      folder,
      {
        PULUMI_HOME: path.join(folder, "home"),
        PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
        ...vault.environment,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        ...environment,
      },
      vault,
    );
  }

  /** What makes a workspace of the Automation API one of this Pulumi. */
  get options(): Required<Pick<LocalWorkspaceOptions, "envVars" | "secretsProvider">> {
    return { envVars: this.environment, secretsProvider: Vault.SECRETS_PROVIDER };
  }

  /** Environment for a `pulumi` of one's own, and the folder to run it in. */
  shell(cwd = this.folder): { cwd: string; env: NodeJS.ProcessEnv } {
    return { cwd, env: { ...process.env, ...this.environment } };
  }

  /**
   * Makes a folder the place of stacks of a program in another one, into which nothing is written.
   *
   * @param from where its project file lies
   */
  async link(program: string, folder: string, from = program): Promise<void> {
    const project = await fs.readFile(path.join(from, "Pulumi.yaml"), "utf8");
    await fs.writeFile(path.join(folder, "Pulumi.yaml"), `${project}main: ${program}\n`);
  }

  /** A stack of a program in a folder. */
  async program(folder: string, stackName: string): Promise<Stack> {
    const workDir = await fs.mkdtemp(path.join(this.folder, "project-"));
    await this.link(folder, workDir);
    const options = { ...this.options, pulumiCommand: await pulumiOnPath() };
    return LocalWorkspace.createOrSelectStack({ stackName, workDir }, options);
  }

  /** A stack of a program that is a function here. The same name again is the same stack with another program. */
  async inline(projectName: string, stackName: string, program: PulumiFn): Promise<Stack> {
    const workDir = path.join(this.folder, "inline", projectName);
    await fs.mkdir(workDir, { recursive: true });
    return LocalWorkspace.createOrSelectStack(
      { projectName, stackName, program },
      { ...this.options, workDir, pulumiCommand: await pulumiOnPath() },
    );
  }

  /** Removes the folder. */
  async dispose(): Promise<void> {
    this.vault.stop();
    await fs.rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
