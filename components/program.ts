import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import {
  ConfigError,
  openSecrets,
  plainSecrets,
  readSettings,
  Settings,
  unknownKeys,
} from "./settings";
import { ConfigFile, rewrittenNumbers } from "./settings/written";
import { fetchCharts } from "./installation/kubernetes/charts";
import { Region } from "./region";
import { UserError } from "./base/userError";

// Of the SDK, which does not declare it: its public way to a secret hands out an output, not whether it is one.
const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret(key: string): boolean };

/** The stack's configuration, or one error with every problem in it, before the first resource. */
function configuration(): Settings {
  const config = new pulumi.Config();
  const project = pulumi.getProject();
  const prefix = `${project}:`;
  const get = (key: string) => config.get(key);
  const written = files();
  const keys = Object.keys(pulumi.runtime.allConfig())
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length));
  const problems = [
    ...unknownKeys(keys),
    ...openSecrets(keys.filter((key) => isConfigSecret(prefix + key))),
    ...plainSecrets(keys, (key) => isConfigSecret(prefix + key), get, written, project),
    ...rewrittenNumbers(written, project, get),
  ];
  try {
    const settings = readSettings(get, pulumi.getStack());
    if (problems.length > 0) {
      throw new ConfigError(problems);
    }
    return settings;
  } catch (error) {
    if (error instanceof ConfigError) {
      const all = error.problems === problems ? problems : [...problems, ...error.problems];
      throw new UserError(new ConfigError(all).message);
    }
    throw error;
  }
}

/** The files that the configuration is read from, as far as they are there. */
function files(): ConfigFile[] {
  return [`Pulumi.${pulumi.getStack()}.yaml`, "Pulumi.yaml"].flatMap((name) => {
    try {
      return [{ name, text: readFileSync(name, "utf8") }];
    } catch {
      // Pulumi's Automation API, --config-file, a program beside its project: what has arrived is all that is known.
      return [];
    }
  });
}

/** The configuration, with the charts that it names at hand. */
async function prepared(): Promise<Settings> {
  const settings = configuration();
  const { problems, refuse } = await fetchCharts(settings);
  if (refuse && problems.length > 0) {
    throw new UserError(problems.join("\n"));
  }
  for (const problem of problems) {
    await pulumi.log.warn(problem);
  }
  return settings;
}

/** What a stack is, from its configuration to the outputs that other stacks and pipelines read. */
export const program = async () => ({
  ...(await Region.create("region", await prepared())).outputs,
  /** What the Pulumi console shows of the stack. */
  readme: readFileSync(path.join(__dirname, "../Pulumi.README.md"), "utf8"),
});
