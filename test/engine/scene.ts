import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { EmbeddedWorld, EmbeddedWorldOptions } from "../../world/camunda/embedded";
import type { RegionName } from "../../world/world";
import { CommandStandIn } from "../../world/pulumi/command";
import { debugProviders, ProviderServer } from "../../world/pulumi/server";
import type { RegionStack } from "../../scripts/operator/stack";
import { Workspace } from "../../world/pulumi/workspace";
import { endpointsConfig } from "../../world/scenes/endpointsConfig";
import { until } from "../../world/processes/until";

/** The processes of one `up`: the engine, and what it starts. */
const VICTIMS = {
  engine: undefined,
  program: /pulumi-language-nodejs-exec|\/cmd\/run\b/,
  provider: /\/cmd\/dynamic-provider\b/,
};

export type Victim = keyof typeof VICTIMS;

/** A world, a throw-away Pulumi, and the adopted stack of the region that will survive. */
export class Scene {
  private readonly children: ChildProcess[] = [];
  private provider: ProviderServer | undefined;
  /** Processes that a killed `up` has left behind, as it would leave them behind for a user. */
  private readonly orphans: number[] = [];

  private constructor(
    readonly world: EmbeddedWorld,
    readonly workspace: Workspace,
    readonly stack: RegionStack,
    readonly region: RegionName,
  ) {}

  static async of(
    options: {
      region?: RegionName;
      world?: EmbeddedWorldOptions;
      config?: Record<string, unknown>;
      commands?: boolean;
      /** Whether the stack is made; else it is empty. */
      up?: boolean;
    } = {},
  ): Promise<Scene> {
    const world = new EmbeddedWorld({ detectionMs: 300, electionMs: 200, ...options.world });
    await world.start();
    await world.startInstances("region0", 3);
    const provider = options.commands ? new ProviderServer(new CommandStandIn()) : undefined;
    await provider?.start();
    const workspace = await Workspace.create({
      config: {
        ...endpointsConfig(world),
        // Only those are short that a test lets run out: a busy machine needs the others.
        timeouts: {
          request: 2,
          loss: 10,
          // The world's brokers drop the dead within 0.3 s, where real ones need 12.
          absence: 0.5,
          failover: 60,
          exporter: 60,
          exporting: 60,
          settle: 0.2,
          gate: 5,
          snapshot: 60,
          restore: 60,
          catchUp: 10,
          join: 60,
        },
        ...options.config,
      },
      environment: provider ? { PULUMI_DEBUG_PROVIDERS: debugProviders([provider]) } : {},
    });
    const region = options.region ?? "region0";
    const scene = new Scene(world, workspace, await workspace.stack(region), region);
    scene.provider = provider;
    if (options.up ?? true) {
      await scene.stack.up();
    }
    return scene;
  }

  /** What was sent since a moment that changed something: method and path. */
  since(mark: number): string[] {
    return this.world
      .mutations()
      .slice(mark)
      .map((request) => `${request.method} ${request.path}`);
  }

  /** The moment for {@link since}. */
  mark(): number {
    return this.world.mutations().length;
  }

  readonly until = until;

  async recovery(): Promise<Record<string, unknown>> {
    return (await this.stack.outputs()).recovery as Record<string, unknown>;
  }

  /** Fails over from the other region. */
  async failOver(): Promise<void> {
    const lost = this.region === "region0" ? "region1" : "region0";
    await this.world.lose(lost);
    await this.stack.set("lostRegion", lost);
    await this.stack.up();
  }

  /** Runs `pulumi up` as a process of its own and kills all of it when a request reaches the world. */
  async killUpAt(method: string, request: RegExp): Promise<void> {
    const up = this.spawnUp();
    const exited = once(up, "exit");
    const stop = this.world.onRequest((seen) => {
      if (seen.method === method && request.test(seen.path)) {
        this.orphans.push(...descendants(up.pid));
        kill(up);
      }
    });
    await exited;
    stop();
    if (up.signalCode !== "SIGKILL") {
      throw new Error(`up ended by itself before ${method} ${request}`);
    }
    await this.stack.stack.cancel();
  }

  /** Ends what killed runs have left behind: a provider goes on with its step, as long as the machine does. */
  endOrphans(): void {
    this.orphans.splice(0).forEach(killOrphan);
  }

  /**
   * Runs `pulumi up` as a process of its own, and kills one of its processes before or after a request is carried out,
   * whose answer is lost then. What a killed engine has started goes on beside the next run, as it would for a user.
   */
  async killOneOfUp(victim: Victim, moment: "before" | "after", request: RegExp): Promise<void> {
    const up = this.spawnUp();
    const exited = once(up, "exit");
    let killed = false;
    const stop = this.world.inject({
      path: request,
      times: 1,
      tell: async (truth) => {
        if (moment === "after") {
          await truth();
        }
        this.orphans.push(...descendants(up.pid));
        killOrphan(victimOf(victim, up.pid));
        killed = true;
        return { ends: "reset" };
      },
    });
    await exited;
    stop();
    if (!killed || up.exitCode === 0) {
      throw new Error(`up was not ended by the kill of its ${victim} at ${request}`);
    }
    if (victim === "engine") {
      await this.stack.stack.cancel();
    }
  }

  private spawnUp(): ChildProcess {
    const up = spawn(
      "pulumi",
      ["up", "-s", this.region, "--yes", "--skip-preview", "--non-interactive"],
      {
        ...this.workspace.shell,
        detached: true,
        stdio: "ignore",
      },
    );
    this.children.push(up);
    return up;
  }

  async end(): Promise<void> {
    this.children.forEach(kill);
    this.endOrphans();
    this.provider?.stop();
    await this.world.stop();
    await this.workspace.dispose();
  }
}

function kill(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  killOrphan(-child.pid);
}

/** All processes below one, by the system's process table. */
export function descendants(pid: number | undefined): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** The process of an `up` that is meant. */
function victimOf(victim: Victim, up: number | undefined): number {
  const pattern = VICTIMS[victim];
  const found =
    pattern === undefined ? up : descendants(up).find((pid) => pattern.test(commandOf(pid)));
  if (found === undefined) {
    throw new Error(`no ${victim} runs`);
  }
  return found;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

function parentOf(pid: number): number | undefined {
  try {
    // "pid (name) state ppid ...": the name may hold anything but the last parenthesis.
    return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[1]);
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) {
      return undefined;
    }
    throw error;
  }
}

/** Kills a process, or with a negative number its group, that may have ended by now. */
export function killOrphan(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error;
    }
  }
}
