import * as fs from "node:fs";
import * as os from "node:os";

/** Who holds the lock of a stack, as the engine's message names it. */
export interface Lock {
  host: string;
  pid: number;
  /** As in the message, for people. */
  text: string;
}

const HOLDER = /created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)/g;

/** The locks that a refusal of the engine names; undefined when it is no refusal because of a lock. */
export function locksIn(message: string): Lock[] | undefined {
  if (!/currently locked by|Another update is currently in progress/.test(message)) {
    return undefined;
  }
  return [...message.matchAll(HOLDER)].map(([text, , host, pid]) => ({
    host: host as string,
    pid: Number(pid),
    text: text.replace(/^created by /, ""),
  }));
}

/** Whether a lock is left over: its process was on this machine and is gone. */
export function isLeftOver(lock: Lock): boolean {
  return lock.host === os.hostname() && !isPulumi(lock.pid);
}

/** Whether the process runs and is a `pulumi`: after a restart its number may be another program's. */
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
    // No /proc on this system: whatever runs under this number may be it.
    return true;
  }
}
