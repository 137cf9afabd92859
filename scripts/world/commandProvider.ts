import * as provider from "@pulumi/pulumi/provider";
import { spawnSync } from "node:child_process";

/**
 * A stand-in for the plugin of `@pulumi/command`, for machines without Pulumi's plugin registry. Does
 * what `command.local.Command` is used for here: runs `create` when it is created or its inputs change,
 * and fails when the command fails. Started as a process of its own; prints its port.
 */
class CommandProvider implements provider.Provider {
  readonly version = "1.2.1";

  async check(_urn: string, _olds: unknown, news: Record<string, unknown>) {
    return { inputs: news };
  }

  async diff(
    _id: string,
    _urn: string,
    olds: Record<string, unknown>,
    news: Record<string, unknown>,
  ) {
    const keys = ["create", "update", "environment", "triggers"];
    return {
      changes: keys.some((key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key])),
    };
  }

  async create(_urn: string, inputs: Record<string, unknown>) {
    return { id: "command", outs: { ...inputs, stdout: run(inputs.create, inputs.environment) } };
  }

  async update(_id: string, _urn: string, _olds: unknown, news: Record<string, unknown>) {
    return { outs: { ...news, stdout: run(news.update ?? news.create, news.environment) } };
  }

  async delete(_id: string, _urn: string, outs: Record<string, unknown>): Promise<void> {
    if (outs.delete !== undefined) {
      run(outs.delete, outs.environment);
    }
  }
}

function run(command: unknown, environment: unknown): string {
  const result = spawnSync("/bin/sh", ["-c", String(command)], {
    env: { ...process.env, ...(environment as NodeJS.ProcessEnv) },
    encoding: "utf8",
  });
  if (result.status !== 0) {
    throw new Error(`exit status ${result.status}: ${String(command)}: ${result.stderr.trim()}`);
  }
  return result.stdout;
}

void provider.main(new CommandProvider(), process.argv.slice(2));
