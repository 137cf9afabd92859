import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { compare, Diff, hasUnknown, Properties, UNKNOWN } from "./properties";
import type { Call, Failure, RecordedResource, StandIn } from "./standIn";

/**
 * A stand-in for `@pulumi/command`, for machines without Pulumi's plugin registry. Does what
 * `command.local.Command` is used for here: runs `create`, `update` (else `create` again) and `delete`,
 * and fails when the command fails. A change of `triggers` replaces.
 */
export class CommandStandIn implements StandIn {
  readonly package = "command";
  readonly version = "1.2.1";
  readonly local = [];

  regionOf(): undefined {
    return undefined;
  }

  check(call: Call, inputs: Properties): { failures: Failure[] } {
    const unknownKeys = Object.keys(inputs).filter((key) => !INPUTS.includes(key));
    const failures = unknownKeys.map((property) => ({
      property,
      reason: `the stand-in for ${TYPE} does not know it: ${INPUTS.join(", ")} are known`,
    }));
    if (call.type !== TYPE) {
      failures.push({ property: "", reason: `no stand-in for ${call.type}: only for ${TYPE}` });
    }
    return { failures };
  }

  diff(_call: Call, _id: string, old: RecordedResource, inputs: Properties): Diff {
    return compare(old.inputs, inputs, { replaces: ["triggers"] });
  }

  preview(_call: Call, inputs: Properties): Properties {
    return { ...inputs, stdout: UNKNOWN, stderr: UNKNOWN };
  }

  async create(call: Call, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    return { id: randomUUID(), outputs: await this.outputs(call, inputs, inputs.create) };
  }

  read(_call: Call, _id: string, old: RecordedResource): RecordedResource {
    return old;
  }

  update(call: Call, _id: string, _old: RecordedResource, inputs: Properties): Promise<Properties> {
    return this.outputs(call, inputs, inputs.update ?? inputs.create);
  }

  async delete(call: Call, _id: string, old: RecordedResource): Promise<void> {
    await this.outputs(call, old.outputs, old.outputs.delete);
  }

  invoke(call: Call): never {
    throw new Error(`no stand-in for the function ${call.type}`);
  }

  private async outputs(call: Call, inputs: Properties, command: unknown): Promise<Properties> {
    if (hasUnknown(inputs)) {
      throw new Error(`${call.name} has inputs that are not known`);
    }
    return {
      ...inputs,
      ...(command === undefined
        ? { stdout: "", stderr: "" }
        : await run(String(command), inputs, call.signal)),
    };
  }
}

const TYPE = "command:local:Command";
const INPUTS = [
  "create",
  "update",
  "delete",
  "environment",
  "triggers",
  "dir",
  "stdin",
  "interpreter",
];

async function run(
  command: string,
  inputs: Properties,
  signal: AbortSignal,
): Promise<{ stdout: string; stderr: string }> {
  const [shell, ...args] = Array.isArray(inputs.interpreter)
    ? inputs.interpreter.map(String)
    : ["/bin/sh", "-c"];
  const child = spawn(shell ?? "/bin/sh", [...args, command], {
    cwd: typeof inputs.dir === "string" ? inputs.dir : undefined,
    env: { ...process.env, ...(inputs.environment as NodeJS.ProcessEnv | undefined) },
    stdio: "pipe",
    signal,
  });
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (texts.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (texts.stderr += text));
  // A command that does not read its input is no failure; how it ends, its exit status says.
  child.stdin.on("error", (error) => (texts.stderr += error.message));
  child.stdin.end(typeof inputs.stdin === "string" ? inputs.stdin : "");
  const [code, killedBy] = (await once(child, "close")) as [number | null, string | null];
  if (code !== 0) {
    throw new Error(
      `exit status ${code ?? String(killedBy)}: running ${JSON.stringify(command)}: ${texts.stderr.trim()}`,
    );
  }
  return { stdout: texts.stdout.trimEnd(), stderr: texts.stderr.trimEnd() };
}
