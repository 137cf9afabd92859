import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { REPOSITORY } from "../repository";

/**
 * The processes of one run of tests. All of them, and all that these start, have one temporary folder as
 * their TMPDIR. It goes with the run, and by it everything that is still running is found.
 */
export class Processes {
  readonly folder = mkdtempSync(path.join(tmpdir(), "test-"));
  private readonly running = new Set<ChildProcess>();

  constructor() {
    // What refuses to run as root runs as nobody, below this folder.
    chmodSync(this.folder, 0o711);
  }

  /** Starts a program in the repository. Its output is this one's, or goes to a file. */
  start(file: string, args: string[], options: StartOptions = {}): ChildProcess {
    const output = options.output ?? "inherit";
    const child = spawn(file, args, {
      cwd: REPOSITORY,
      env: { ...process.env, ...options.env, TMPDIR: this.folder },
      stdio: ["ignore", output, output],
    });
    this.running.add(child);
    child.once("exit", () => this.running.delete(child));
    return child;
  }

  /** Runs a program to its end. Resolves to its exit code, null when a signal has ended it. */
  async run(file: string, args: string[], options?: StartOptions): Promise<number | null> {
    const [code] = (await once(this.start(file, args, options), "exit")) as [number | null];
    return code;
  }

  /** Kills everything that was started, whoever started it, and removes the folder. */
  end(): void {
    this.running.forEach((child) => child.kill("SIGKILL"));
    // Once more for what was being started meanwhile.
    for (let left = this.family(); left.length > 0; left = this.family()) {
      left.forEach(kill);
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Linux shows the environment of a process, also of one whose parent is gone. Elsewhere nothing is found. */
  private family(): number[] {
    if (process.platform !== "linux") {
      return [];
    }
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => environment(pid).includes(`TMPDIR=${this.folder}`))
      .map(Number);
  }
}

/** How a process is started. */
export interface StartOptions {
  env?: Record<string, string>;
  /** Descriptor of the file that takes the output. */
  output?: number;
}

function environment(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    // It has ended, or is somebody else's.
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error;
    }
  }
}
