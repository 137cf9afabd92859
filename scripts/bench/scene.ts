import * as fs from "node:fs/promises";
import * as path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Site, SiteScene } from "../drill/scene";
import { REPOSITORY } from "../repository";
import { Vault } from "../../world/pulumi/vault";
import type { Cost } from "./numbers";
import { measured } from "./usage";

/** Programs to compare with, by the names of their stacks. */
const OTHERS = {
  /** As `pulumi new` makes one. */
  empty: "export {};\n",
  /** As Pulumi's documentation writes a dynamic resource: the least that has what this program consists of. */
  dynamic: `import { dynamic } from "@pulumi/pulumi";

class Thing extends dynamic.Resource {
  constructor(name: string) {
    super({ create: async () => ({ id: name }) }, name, {});
  }
}

new Thing("thing");
`,
};

type Other = keyof typeof OTHERS;

/** A run of `pulumi`: no display that draws, and only one of the two runs that an `up` is. */
const COMMANDS = {
  preview: ["preview", "--non-interactive"],
  up: ["up", "--yes", "--skip-preview", "--non-interactive"],
};

/** Stacks of the program on a site, and of others in the same backend. Region1 is lost. */
export class BenchScene extends SiteScene {
  private attempts = 0;

  /** Both regions up and at work, and the other programs up. */
  static async of(site: Site, say: (line: string) => void): Promise<BenchScene> {
    await site.start();
    const scene = new BenchScene(site, "region1", say);
    try {
      await scene.install();
      // A failback compares records: without any it is refused.
      await scene.startInstances(scene.survivor, 10);
      await scene.make("empty");
      await scene.make("dynamic");
      return scene;
    } catch (error) {
      await scene.end();
      throw error;
    }
  }

  /** `pulumi preview` or `pulumi up` of the survivor's stack, measured. */
  program(command: keyof typeof COMMANDS): Promise<Cost> {
    return this.pulumi(command, this.survivor, this.workspace.shell.cwd);
  }

  /** The same of a program to compare with. */
  other(command: keyof typeof COMMANDS, other: Other): Promise<Cost> {
    return this.pulumi(command, other, this.folderOf(other));
  }

  /** The region is lost and declared so; resolves when the survivors have noticed. */
  async lose(): Promise<void> {
    await this.site.lose(this.lost);
    await (await this.stack(this.survivor)).set("lostRegion", this.lost);
  }

  /** Seconds that the steps of the survivor's last `up` took, the waits for the cluster among them. */
  async waited(since: number): Promise<number> {
    const { deployment } = await (await this.stack(this.survivor)).stack.exportStack();
    const resources = (deployment as { resources?: { outputs?: Record<string, unknown> }[] })
      .resources;
    return (resources ?? [])
      .map(({ outputs }) => outputs?.record as { startedAt: string; seconds: number } | undefined)
      .filter((record) => record !== undefined && Date.parse(record.startedAt) >= since)
      .reduce((sum, record) => sum + (record?.seconds ?? 0), 0);
  }

  /** The lost region is there again and empty, and waits for its failback, which is declared. */
  async recreate(): Promise<void> {
    await this.recreateLost();
    this.attempts += 1;
    await (await this.stack(this.survivor)).set("failback", `bench-${this.attempts}`);
  }

  /** Steady again, after a failback. */
  async finish(): Promise<void> {
    const stack = await this.stack(this.survivor);
    await stack.unset("failback");
    await stack.unset("lostRegion");
    await this.up(this.survivor);
    await this.up(this.lost);
  }

  /** A bench judges nothing, but numbers of something that did not come about are none. */
  check(name: string, expected: unknown, observed: unknown): void {
    if (!isDeepStrictEqual(expected, observed)) {
      throw new Error(`${name}: ${JSON.stringify(observed)}`);
    }
  }

  private folderOf(other: Other): string {
    return path.join(this.workspace.shell.cwd, other);
  }

  /** Compiled as this program is: without a check of its types. */
  private async make(other: Other): Promise<void> {
    const folder = this.folderOf(other);
    await fs.mkdir(folder);
    await fs.writeFile(path.join(folder, "Pulumi.yaml"), `name: ${other}\nruntime: nodejs\n`);
    await fs.writeFile(path.join(folder, "package.json"), `{ "name": "${other}" }\n`);
    await fs.writeFile(path.join(folder, "index.ts"), OTHERS[other]);
    await fs.copyFile(path.join(REPOSITORY, "tsconfig.json"), path.join(folder, "tsconfig.json"));
    await fs.symlink(path.join(REPOSITORY, "node_modules"), path.join(folder, "node_modules"));
    await this.run(["stack", "init", other, "--secrets-provider", Vault.SECRETS_PROVIDER], folder);
    await this.other("up", other);
  }

  private pulumi(command: keyof typeof COMMANDS, stack: string, cwd: string): Promise<Cost> {
    return this.run([...COMMANDS[command], "--stack", stack], cwd);
  }

  private async run(args: string[], cwd: string): Promise<Cost> {
    const { env } = this.workspace.shell;
    const { code, output, cpu, wall } = await measured("pulumi", args, { cwd, env });
    if (code !== 0) {
      throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${output}`);
    }
    return { cpu, wall };
  }
}
