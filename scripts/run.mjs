// node scripts/run.mjs <script.ts | command> [args...]: the launcher behind the npm scripts. Makes
// sure that setup is done, then runs a TypeScript file, or a command of npm's packages or of
// Pulumi, in the repository with the right Pulumi CLI on PATH.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { reportFailure, setup } from "./setup/setup.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Everything goes to stderr: stdout belongs to the command. */
const log = (line) => console.error(line);

async function main([command, ...args]) {
  if (command === undefined) {
    log("usage: node scripts/run.mjs <script.ts | command> [args...]");
    process.exitCode = 2;
    return;
  }
  const env = process.env;
  const { pulumi } = await setup({ root, env, log });
  start(command, args, {
    ...env,
    PATH: searchPath(pulumi.folder, env.PATH),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...localWithoutProxy(env),
    // For every Node process below, Pulumi's own too (22.1 and later): where Node itself would put it.
    NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE ?? path.join(os.tmpdir(), "node-compile-cache"),
  });
}

/**
 * The engine, the program and the providers speak over sockets of this machine, which gRPC would lead through the
 * proxy too: without an exception, or where a blank in the list hides it, none of them finds the other.
 */
function localWithoutProxy(env) {
  const given = env.no_proxy || env.NO_PROXY || "";
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "GRPC_PROXY"];
  const proxied = names.some((name) => env[name] || env[name.toLowerCase()]);
  if (!proxied && given === "") {
    return {};
  }
  const hosts = [...given.split(/[\s,]+/), "127.0.0.1", "localhost"].filter((host) => host);
  const list = [...new Set(hosts)].join(",");
  return { NO_PROXY: list, no_proxy: list };
}

function searchPath(pulumiFolder, inherited) {
  const packages = path.join(root, "node_modules", ".bin");
  return [pulumiFolder, ...(inherited ?? "").split(path.delimiter), packages]
    .filter((entry) => entry)
    .join(path.delimiter);
}

function start(command, args, env) {
  const isScript = command.endsWith(".ts");
  const file = isScript ? process.execPath : command;
  // tsx/cjs rather than "--import tsx": the project is CommonJS, and this starts 0.2 s sooner.
  const fileArgs = isScript ? ["-r", "tsx/cjs", command, ...args] : args;
  const child = spawn(file, fileArgs, { cwd: root, env, stdio: "inherit" });

  // Ctrl-C reaches every process of the terminal's foreground group, the child too: passing it on
  // would make it two, and two mean "stop at once" to many programs. Without a terminal a SIGINT
  // was sent to this process alone.
  const fromKeyboard = hasTerminal();
  const forwarded = new Set();
  const handlers = ["SIGINT", "SIGTERM"].map((signal) => {
    const handler = () => {
      if ((signal === "SIGINT" && fromKeyboard) || forwarded.has(signal)) return;
      forwarded.add(signal);
      child.kill(signal);
    };
    process.on(signal, handler);
    return { signal, handler };
  });

  child.on("error", (error) => {
    log(`${command} could not be started: ${error.message}`);
    process.exitCode = 127;
  });
  child.on("exit", (code, signal) => {
    for (const { signal: name, handler } of handlers) process.off(name, handler);
    if (signal === null) {
      process.exitCode = code;
      return;
    }
    // The caller sees the same end as without the launcher. The exit code is for a signal that
    // does not end this process.
    process.exitCode = 128 + (os.constants.signals[signal] ?? 0);
    process.kill(process.pid, signal);
  });
}

/** Whether this process has a controlling terminal, wherever its input and output go. */
function hasTerminal() {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  reportFailure(error);
}
