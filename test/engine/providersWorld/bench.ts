import { LocalWorkspace, Stack } from "@pulumi/pulumi/automation";
import * as pulumi from "@pulumi/pulumi";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { Outages } from "../../../world/pulumi/outages";
import { debugProviders, ProviderServer } from "../../../world/pulumi/server";
import type { StandIn } from "../../../world/pulumi/standIn";
import { Vault } from "../../../world/pulumi/vault";
import { pulumiCommand } from "../../../world/pulumi/workspace";

/** A resource of any type, so that a test needs no SDK. */
export class Thing extends pulumi.CustomResource {
  [output: string]: unknown;

  /** @param outputs names of outputs that are no inputs */
  constructor(
    type: string,
    name: string,
    inputs: pulumi.Inputs,
    options?: pulumi.CustomResourceOptions,
    outputs: readonly string[] = [],
  ) {
    super(
      type,
      name,
      { ...Object.fromEntries(outputs.map((output) => [output, undefined])), ...inputs },
      options,
    );
  }

  /** An output by its name. */
  output<T = string>(name: string): pulumi.Output<T> {
    return this[name] as pulumi.Output<T>;
  }
}

/** A provider of any package. */
export class AnyProvider extends pulumi.ProviderResource {}

/** A throw-away Pulumi with inline programs, whose providers are stand-ins in this process. */
export class Bench {
  readonly servers: ProviderServer[];
  private folder = "";
  private vault: Vault | undefined;

  constructor(
    readonly outages: Outages,
    ...standIns: StandIn[]
  ) {
    this.servers = standIns.map((standIn) => new ProviderServer(standIn, this.outages));
  }

  async start(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.start()));
    this.vault = await Vault.start();
    this.folder = await mkdtemp(path.join(tmpdir(), "stand-in-"));
  }

  async stop(): Promise<void> {
    this.servers.forEach((server) => server.stop());
    this.vault?.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The state of a stack, as it is on disk. */
  state(name: string): Promise<string> {
    return readFile(path.join(this.folder, ".pulumi/stacks/stand-in", `${name}.json`), "utf8");
  }

  /** A stack with this program. The same name again is the same stack with another program. */
  async stack(
    name: string,
    program: () => Promise<Record<string, unknown> | void>,
  ): Promise<Stack> {
    return LocalWorkspace.createOrSelectStack(
      { stackName: name, projectName: "stand-in", program },
      {
        projectSettings: {
          name: "stand-in",
          runtime: "nodejs",
          backend: { url: `file://${this.folder}` },
        },
        // The stack's file stays in it, with the key.
        workDir: this.folder,
        secretsProvider: Vault.SECRETS_PROVIDER,
        pulumiCommand: await pulumiCommand(),
        envVars: {
          PULUMI_HOME: path.join(this.folder, "home"),
          ...this.vault?.environment,
          PULUMI_SKIP_UPDATE_CHECK: "true",
          PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
          PULUMI_DEBUG_PROVIDERS: debugProviders(this.servers),
        },
      },
    );
  }
}
