import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";

/** What a command has cost. */
export interface Usage {
  /** Its exit code; undefined when a signal ended it. */
  code: number | undefined;
  /** What it wrote, both streams. */
  output: string;
  /** Seconds from its start to its end. */
  wall: number;
  /** Seconds of processor time, its own and that of every process below it; undefined outside Linux. */
  cpu: number | undefined;
}

/** What is known of one process of the tree. Times are of the last look at it, in seconds. */
export interface ProcessTimes {
  parent: number;
  own: number;
  /** Of its children that have ended and that it has waited for. */
  reaped: number;
}

/** How often the process table is looked at. What a killed process does after the last look is not counted. */
const EVERY_MS = 20;

/** Of `/proc/PID/stat`, which Linux gives in hundredths of a second on every architecture that Node runs on. */
const TICKS = 100;

/** Runs a command to its end and measures it with everything that it starts, also what it kills or leaves behind. */
export async function measured(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Usage> {
  const linux = process.platform === "linux";
  const before = linux ? (look(process.pid)?.reaped ?? 0) : 0;
  const began = performance.now();
  // A session of its own: by its number every process of the tree is known, whoever its parent is by now.
  const child = spawn(command, args, { ...options, detached: true, stdio: "pipe" });
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  const exited = once(child, "exit") as Promise<[number | null]>;
  const tree = new Tree(child.pid ?? 0);
  const sampler = linux ? setInterval(() => tree.look(), EVERY_MS) : undefined;
  try {
    const [code] = await exited;
    const wall = (performance.now() - began) / 1000;
    return {
      code: code ?? undefined,
      output: Buffer.concat(output).toString(),
      wall,
      cpu: linux
        ? Math.max((look(process.pid)?.reaped ?? 0) - before, costOf(child.pid ?? 0, tree.seen))
        : undefined,
    };
  } finally {
    clearInterval(sampler);
  }
}

/**
 * Cost of a process and everything below it. A child that was waited for is in its parent's `reaped`; one
 * that was killed and not waited for is only in what was seen of it.
 */
export function costOf(pid: number, seen: ReadonlyMap<number, ProcessTimes>): number {
  const here = seen.get(pid);
  if (here === undefined) {
    return 0;
  }
  const children = [...seen].filter(([, { parent }]) => parent === pid);
  const below = children.reduce((sum, [child]) => sum + costOf(child, seen), 0);
  return here.own + Math.max(here.reaped, below);
}

/** The processes of one session. */
class Tree {
  readonly seen = new Map<number, ProcessTimes>();
  private readonly others = new Set<number>();

  constructor(private readonly session: number) {}

  look(): void {
    for (const name of readdirSync("/proc")) {
      const pid = Number(name);
      if (Number.isNaN(pid) || this.others.has(pid)) {
        continue;
      }
      const found = look(pid);
      if (found === undefined) {
        continue;
      }
      // The root, too, is of the session that it comes from until it has made its own.
      if (found.session !== this.session && pid !== this.session) {
        this.others.add(pid);
        continue;
      }
      // The first parent: one that has ended is followed by init.
      const parent = this.seen.get(pid)?.parent ?? found.parent;
      this.seen.set(pid, { parent, own: found.own, reaped: found.reaped });
    }
  }
}

function look(pid: number): (ProcessTimes & { session: number }) | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) {
      return undefined;
    }
    throw error;
  }
  return parseStat(text);
}

/** Reads a line of `/proc/PID/stat`: "pid (name) state parent group session …". */
export function parseStat(text: string): ProcessTimes & { session: number } {
  // The name may hold anything but the last parenthesis.
  const fields = (text.split(") ").at(-1) ?? "").split(" ");
  const number = (index: number) => Number(fields[index] ?? 0);
  return {
    parent: number(1),
    session: number(3),
    own: (number(11) + number(12)) / TICKS,
    reaped: (number(13) + number(14)) / TICKS,
  };
}
