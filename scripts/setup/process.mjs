// Child processes, progress lines and clean-up for setup. Node's own modules only: setup runs
// before npm's packages exist.
import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";

const PROGRESS_INTERVAL_MS = 30_000;
const OUTPUT_KEPT = 64 * 1024;

/** An error whose message is one line meant for the reader of the terminal: no stack is shown. */
export class SetupError extends Error {
  /**
   * @param {string} message one line
   * @param {string} [output] what the failed command printed, when it helps
   */
  constructor(message, output = "") {
    super(message);
    this.name = "SetupError";
    this.output = output;
  }
}

/** A command was ended because nobody needs what it makes any more. */
export class NotNeeded extends SetupError {
  constructor() {
    super("not needed any more");
  }
}

/**
 * The first executable file called `name` on PATH, or undefined.
 *
 * @param {string} name
 * @param {string | undefined} searchPath the value of PATH
 */
export function which(name, searchPath) {
  for (const folder of (searchPath ?? "").split(path.delimiter)) {
    // An empty entry means the working directory: an accident more often than a wish, so not here.
    if (folder === "") continue;
    const file = path.join(folder, name);
    if (isExecutable(file)) return file;
  }
  return undefined;
}

/**
 * Whether `file` is a file that may be executed.
 *
 * @param {string} file
 */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * Milliseconds as "1m15s" or "4s".
 *
 * @param {number} ms
 */
export function duration(ms) {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/**
 * Runs a long step: one line when it begins, one every 30 s, one when it is done or has failed.
 *
 * @template T
 * @param {(line: string) => void} log
 * @param {string} text what is being done, as "building the Pulumi CLI"
 * @param {() => Promise<T>} step
 * @returns {Promise<T>}
 */
export async function withProgress(log, text, step) {
  const begin = Date.now();
  const clock = () => new Date().toTimeString().slice(0, 8);
  log(`[${clock()}] ${text} ...`);
  const timer = setInterval(
    () => log(`[${clock()}] ${text} (${duration(Date.now() - begin)}) ...`),
    PROGRESS_INTERVAL_MS,
  );
  try {
    const result = await step();
    log(`[${clock()}] ${text}: done in ${duration(Date.now() - begin)}`);
    return result;
  } catch (error) {
    const reason = error instanceof SetupError ? `: ${error.message}` : "";
    log(`[${clock()}] ${text}${error instanceof NotNeeded ? "" : ": failed"}${reason}`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

const cleanups = new Set();
const SIGNALS = /** @type {const} */ ({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 });

function cleanUp() {
  // The last one first: a command has to end before the folder it works in is removed.
  for (const action of [...cleanups].reverse()) {
    try {
      action();
    } catch (error) {
      // The process is ending: the other actions still have to run, and the next setup copes with
      // leftovers.
      console.error(`setup: cleaning up: ${error instanceof Error ? error.message : error}`);
    }
  }
  cleanups.clear();
}

const signalHandlers = Object.entries(SIGNALS).map(([signal, code]) => ({
  signal,
  // process.exit runs the "exit" handler, which is cleanUp.
  handler: () => process.exit(code),
}));

/**
 * Registers an action for when the process ends early, by a signal too. Returns the function that
 * takes it off again; with none registered the process has no signal handlers of ours.
 *
 * @param {() => void} action
 */
export function onEarlyExit(action) {
  if (cleanups.size === 0) {
    process.on("exit", cleanUp);
    for (const { signal, handler } of signalHandlers) process.on(signal, handler);
  }
  cleanups.add(action);
  return () => {
    cleanups.delete(action);
    if (cleanups.size > 0) return;
    process.off("exit", cleanUp);
    for (const { signal, handler } of signalHandlers) process.off(signal, handler);
  };
}

/**
 * Runs a command to its end and returns what it printed (stdout and stderr together, the last
 * 64 KiB). Rejects with a {@link SetupError} when it cannot start, fails or misses its deadline.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, deadlineMs: number, name?: string, signal?: AbortSignal }} options
 *   `name`: what the command is called in messages; its file name unless given; `signal`: ends it
 * @returns {Promise<string>}
 */
export function run(
  command,
  args,
  { cwd, env, deadlineMs, name = path.basename(command), signal },
) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new NotNeeded());
      return;
    }
    // A process group of its own: at a deadline, or when setup is stopped, the grandchildren (a
    // download, a compiler) end as well.
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    let timedOut = false;
    const collect = (chunk) => {
      output = (output + chunk).slice(-OUTPUT_KEPT);
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);

    const endGroup = (signal) => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, signal);
      } catch (error) {
        if (error.code !== "ESRCH") throw error;
      }
    };
    const stop = () => endGroup("SIGTERM");
    const forget = onEarlyExit(stop);
    signal?.addEventListener("abort", stop);
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup("SIGKILL");
    }, deadlineMs);
    const settle = (action) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      forget();
      action();
    };

    child.on("error", (error) =>
      settle(() => reject(new SetupError(`${name} could not be started: ${error.message}`))),
    );
    child.on("close", (code, endedBy) =>
      settle(() => {
        if (signal?.aborted) {
          reject(new NotNeeded());
        } else if (timedOut) {
          reject(new SetupError(`${name} was not done within ${duration(deadlineMs)}`, output));
        } else if (code !== 0) {
          const how =
            endedBy === null ? `failed with exit code ${code}` : `was ended by ${endedBy}`;
          const last = lastLine(output);
          reject(new SetupError(`${name} ${how}${last === "" ? "" : `: ${last}`}`, output));
        } else {
          resolve(output);
        }
      }),
    );
  });
}

/** The last line of a command's output that says something: Go's notes on its downloads do not. */
function lastLine(output) {
  const lines = output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^go: (downloading|finding|added|upgraded)\b/.test(line));
  return (lines.at(-1) ?? "").slice(0, 300);
}
