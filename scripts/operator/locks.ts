import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { isRecord } from "../../components/base/json";
import { cacheFolder } from "../setup/cache.mjs";

/** Who holds the lock of a stack, as the engine's message names it. */
export interface Lock {
  host: string;
  pid: number;
  /** Since when, in milliseconds since 1970. */
  at: number;
  /** As in the message, for people. */
  text: string;
}

const HOLDER = /created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)/g;

/** The engine takes its lock at the beginning of a run, by a clock that it says to the second. */
const LOCKED_WITHIN_MS = 600_000;
const CLOCK_MS = 1_000;

/** The locks that a refusal of the engine names; undefined when it is no refusal because of a lock. */
export function locksIn(message: string): Lock[] | undefined {
  if (!/currently locked by|Another update is currently in progress/.test(message)) {
    return undefined;
  }
  return [...message.matchAll(HOLDER)].map(([text, , host, pid, at = ""]) => ({
    host: host as string,
    pid: Number(pid),
    at: Date.parse(at),
    text: text.replace(/^created by /, ""),
  }));
}

/** Where a process is: its number means something there alone. Containers may have a host name in common. */
export interface Where {
  host: string;
  /** Of the running kernel. */
  boot: string;
  /** The namespace of process ids. */
  namespace: string;
}

/** Where this process is; undefined on a system that does not tell. */
export function here(): Where | undefined {
  try {
    return {
      host: os.hostname(),
      boot: fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
      namespace: fs.readlinkSync("/proc/self/ns/pid"),
    };
  } catch {
    return undefined;
  }
}

/**
 * Notes that a run of the engine was started here, for whoever finds its lock after both were killed.
 *
 * @returns forgets it, when it has ended
 */
export function noteRun(pid: number | undefined, where = here()): () => void {
  if (pid === undefined || where === undefined) {
    return () => undefined;
  }
  const file = fileOf(where, pid);
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, JSON.stringify({ at: Date.now() }));
  } catch {
    // A cache that cannot be written keeps no recovery up: its lock will be asked about.
  }
  return () => fs.rmSync(file, { force: true });
}

/**
 * Whether a lock is left over for certain: it was taken by a run that these commands have started, on this machine
 * since its last start, and among the processes that are seen from here; and its process is gone. Of anything else,
 * as a container of the same host name, a process that is not seen may well live.
 */
export function isLeftOver(lock: Lock, where = here()): boolean {
  const at = where === undefined || where.host !== lock.host ? undefined : noted(where, lock.pid);
  return (
    at !== undefined &&
    lock.at + CLOCK_MS >= at &&
    lock.at <= at + LOCKED_WITHIN_MS &&
    !isPulumi(lock.pid)
  );
}

/** The file of a note: its name says where the run is and under which number. */
function fileOf({ host, boot, namespace }: Where, pid: number): string {
  const place = [host, boot, namespace].join("-").replace(/[^\w.-]/g, "_");
  return path.join(cacheFolder(process.env), "runs", `${place}-${pid}.json`);
}

/** When a run of these commands was started there under this number; undefined when none was. */
function noted(where: Where, pid: number): number | undefined {
  try {
    const note: unknown = JSON.parse(fs.readFileSync(fileOf(where, pid), "utf8"));
    return isRecord(note) && typeof note.at === "number" ? note.at : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the process runs and is a `pulumi`: its number may be another program's by now. */
function isPulumi(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, under another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("pulumi");
  } catch {
    return true;
  }
}
