import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Log } from "../../components/clients/poll";

/** A log that puts the time of day before each line: `[HH:MM:SS] text`. */
export function stamped(log: Log): Log {
  return (line) => log(`[${new Date().toTimeString().slice(0, 8)}] ${line}`);
}

/** Whether a program of that name is on the PATH. */
export function onPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** How a command is run: see {@link run}. */
export interface CommandOptions {
  /** What the command does, in the words of the error: `could not <purpose>`. */
  purpose: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Text for its standard input. */
  input?: string;
}

/**
 * Runs a command to its end and returns what it printed. Rejects with one line that says what could
 * not be done and the first line of the output that looks like the reason.
 */
export function run(command: string, args: string[], options: CommandOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: options.env ?? process.env, cwd: options.cwd });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stdin.on("error", (error) => (output += `${error.message}\n`));
    child.stdin.end(options.input ?? "");
    child.on("error", (error) =>
      reject(new Error(`could not ${options.purpose}: ${command}: ${error.message}`)),
    );
    child.on("close", (code, signal) => {
      if (code === 0) {
        resolve(output);
      } else {
        const ending = signal ? `killed by ${signal}` : `exit status ${code}`;
        reject(
          new Error(`could not ${options.purpose}: ${command}: ${reason(output)} (${ending})`),
        );
      }
    });
  });
}

function reason(output: string): string {
  const lines = output
    // Maven colours its output even when it goes to a pipe.
    .replace(/\u001b\[[0-9;]*m/g, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const line = lines.find((l) => /error/i.test(l)) ?? lines.at(-1) ?? "no output";
  return line.replace(/^\[?ERROR\]?:?\s*/i, "").slice(0, 400);
}
