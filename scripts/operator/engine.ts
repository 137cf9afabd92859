import { PulumiCommand } from "@pulumi/pulumi/automation";
import { spawn } from "node:child_process";
import { Stop } from "../commandLine";
import type { Interrupt } from "./interrupt";
import { noteRun } from "./locks";

/** A `pulumi` that has ended with an error. */
export class EngineError extends Stop {
  constructor(
    readonly args: readonly string[],
    readonly code: number | null,
    readonly stdout: string,
    readonly stderr: string,
  ) {
    super(
      ofStack(
        errorLine(stderr) ?? errorLine(stdout) ?? `pulumi ${args[0]} ended with ${code}`,
        args,
      ),
    );
    this.name = "EngineError";
  }
}

/** The first error of the engine, on one line. */
function errorLine(text: string): string | undefined {
  return text
    .split("\n")
    .find((line) => /^\s*error: /.test(line))
    ?.trim()
    .replace(/^error: /, "");
}

/** With the name of the stack, which Pulumi leaves out of some: there are two, of two passphrases perhaps. */
function ofStack(line: string, args: readonly string[]): string {
  const name = args[args.indexOf("--stack") + 1];
  return !args.includes("--stack") || name === undefined || line.includes(name)
    ? line
    : `stack ${name}: ${line}`;
}

/** What a `pulumi` that went well has printed. */
export interface EngineResult {
  stdout: string;
  stderr: string;
  code: number;
}

/** The `pulumi` on PATH, as this program runs it. */
export interface Engine extends PulumiCommand {
  /** Runs `pulumi` with arguments. The Automation API calls this for everything it does. */
  run(
    args: string[],
    cwd: string,
    environment: Record<string, string>,
    onOutput?: (text: string) => void,
    onError?: (text: string) => void,
    signal?: AbortSignal,
  ): Promise<EngineResult>;
}

let found: Promise<PulumiCommand> | undefined;

/** The `pulumi` on PATH, which is asked for its version once. */
export function pulumiOnPath(): Promise<PulumiCommand> {
  return (found ??= PulumiCommand.get());
}

/**
 * The `pulumi` on PATH, in a process group of its own. The Automation API's own runner leaves it in the
 * terminal's group: Ctrl-C would reach it once from the terminal and once more from us, and two mean
 * "stop at once", in the middle of a step.
 */
export async function engineOf(interrupt: Interrupt): Promise<Engine> {
  const { command, version } = await pulumiOnPath();
  return {
    command,
    version,
    run: (args, cwd, environment, onOutput, onError, signal) =>
      new Promise((resolve, reject) => {
        const all = args.includes("--non-interactive") ? args : [...args, "--non-interactive"];
        const child = spawn(command, all, {
          cwd,
          env: { ...process.env, ...environment, PULUMI_AUTOMATION_API: "true" },
          detached: true,
          stdio: ["ignore", "pipe", "pipe"],
        });
        const forget = noteRun(child.pid);
        const stop = () => child.kill("SIGINT");
        // What is only asked for something has no signal: it ends by itself, soon.
        const stops = signal === undefined ? [] : [signal, interrupt.force];
        stops.forEach((one) => one.addEventListener("abort", stop));
        process.on("exit", stop);
        let stdout = "";
        let stderr = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          stdout += text;
          onOutput?.(text);
        });
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
          stderr += text;
          onError?.(text);
        });
        const ended = () => {
          forget();
          stops.forEach((one) => one.removeEventListener("abort", stop));
          process.off("exit", stop);
        };
        child.on("error", (error) => {
          ended();
          reject(new EngineError(args, null, "", `error: pulumi cannot be run: ${error.message}`));
        });
        child.on("close", (code) => {
          ended();
          if (code === 0) {
            resolve({ stdout, stderr, code: 0 });
          } else {
            reject(new EngineError(args, code, stdout, stderr));
          }
        });
      }),
  };
}
