import { ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** The user that Elasticsearch runs as when we are root, which it refuses: nobody. */
export const UNPRIVILEGED = { uid: 65534, gid: 65534 };

/** What to start: see {@link OwnProcess.start}. */
export interface ProcessSpec {
  /** What it is called in errors. */
  name: string;
  command: string;
  args: string[];
  cwd: string;
  /** Its whole environment: nothing of ours leaks into it. */
  env: Record<string, string>;
  /** Gets what it prints; what an earlier process printed is moved to `<logFile>.previous`. */
  logFile: string;
  /** Whether it has to run as another user when we are root. */
  refusesRoot?: boolean;
}

const running = new Set<OwnProcess>();
const ownDirectories = new Set<string>();
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
let hooked = false;

/** A process that we started, with everything that it started itself (its process group). */
export class OwnProcess {
  readonly name: string;
  private readonly exit: Promise<void>;
  private exited = false;
  private failure = "";

  private constructor(
    private readonly spec: ProcessSpec,
    private readonly child: ChildProcess,
  ) {
    this.name = spec.name;
    this.exit = new Promise((resolve) => {
      const ended = (how: string) => {
        this.failure = how;
        // The launcher of Elasticsearch may end before what it launched.
        this.signal("SIGKILL");
        this.exited = true;
        running.delete(this);
        resolve();
      };
      child.on("exit", (code, signal) => ended(signal ?? `exit status ${code}`));
      child.on("error", (error) => ended(error.message));
    });
  }

  /** Starts a process in a group of its own. */
  static start(spec: ProcessSpec): OwnProcess {
    hookExit();
    if (existsSync(spec.logFile)) {
      renameSync(spec.logFile, `${spec.logFile}.previous`);
    }
    const out = openSync(spec.logFile, "a");
    try {
      const child = spawn(spec.command, spec.args, {
        cwd: spec.cwd,
        env: spec.env,
        detached: true,
        stdio: ["ignore", out, out],
        ...(spec.refusesRoot && process.getuid?.() === 0 ? UNPRIVILEGED : {}),
      });
      const own = new OwnProcess(spec, child);
      if (child.pid !== undefined) {
        running.add(own);
      }
      return own;
    } finally {
      closeSync(out);
    }
  }

  /** Whether the process (not necessarily what it is for) is still there. */
  get alive(): boolean {
    return !this.exited;
  }

  /** How it ended, when it has. */
  get ending(): string {
    return this.failure;
  }

  /** The last lines that it printed. */
  tail(lines = 12): string {
    const text = readFileSync(this.spec.logFile, "utf8").trimEnd();
    return text
      .split("\n")
      .slice(-lines)
      .map((line) => `    ${line.slice(0, 500)}`)
      .join("\n");
  }

  /** Whether it has printed the text. */
  hasPrinted(text: string): boolean {
    return readFileSync(this.spec.logFile, "utf8").includes(text);
  }

  /** The processes of its group. */
  pids(): number[] {
    return this.exited || this.child.pid === undefined ? [] : membersOf(this.child.pid);
  }

  /** Kills the whole group at once; resolves when it is gone, and its ports are free. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exit;
    const group = this.child.pid;
    while (group !== undefined && membersOf(group).length > 0) {
      await sleep(20);
    }
  }

  /** Asks it to end, and kills what is still there after the grace time. */
  async end(graceMilliseconds: number): Promise<void> {
    this.signal("SIGTERM");
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise((resolve) => (timer = setTimeout(resolve, graceMilliseconds)));
    await Promise.race([this.exit, grace]);
    clearTimeout(timer);
    await this.kill();
  }

  /** Sends a signal to the group; without effect when it is gone. */
  signal(signal: NodeJS.Signals): void {
    // Once it has exited, the number may belong to somebody else.
    if (this.exited || this.child.pid === undefined) {
      return;
    }
    try {
      process.kill(-this.child.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
        throw error;
      }
    }
  }
}

/** Memory that is resident for these processes, in bytes. */
export function residentMemory(pids: number[]): number {
  return pids.reduce((sum, pid) => {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(processFile(pid, "status"))?.[1] ?? 0;
    return sum + Number(kilobytes) * 1024;
  }, 0);
}

/** Has a directory removed when this process ends, however it ends (SIGKILL excepted). */
export function removeAtExit(directory: string): void {
  hookExit();
  ownDirectories.add(directory);
}

/** The directory has been removed. */
export function removedAlready(directory: string): void {
  ownDirectories.delete(directory);
}

function membersOf(group: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      // After the name of the program, which may hold spaces and brackets: state, parent, group.
      const stat = processFile(pid, "stat");
      const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(pgrp) === group && state !== "Z";
    });
}

/** A process may end between being listed and being read. */
function processFile(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** Last resort, when the program crashes or is interrupted: it must be synchronous. */
function endEverything(): void {
  for (const own of running) {
    own.signal("SIGKILL");
  }
  for (const directory of ownDirectories) {
    try {
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    } catch (error) {
      process.stderr.write(`could not remove ${directory}: ${(error as Error).message}\n`);
    }
  }
  running.clear();
  ownDirectories.clear();
}

function hookExit(): void {
  if (hooked) {
    return;
  }
  hooked = true;
  process.on("exit", endEverything);
  for (const signal of SIGNALS) {
    const onSignal = () => {
      // With a handler of its own the program decides what happens; its exit ends everything then.
      if (process.listenerCount(signal) > 1) {
        return;
      }
      endEverything();
      process.removeListener(signal, onSignal);
      process.kill(process.pid, signal);
    };
    process.on(signal, onSignal);
  }
}
