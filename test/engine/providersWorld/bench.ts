import type { Stack } from "@pulumi/pulumi/automation";
import * as pulumi from "@pulumi/pulumi";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { Outages } from "../../../world/pulumi/outages";
import { debugProviders, ProviderServer } from "../../../world/pulumi/server";
import type { StandIn } from "../../../world/pulumi/standIn";
import { ThrowAwayPulumi } from "../../../world/pulumi/throwAway";

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

/** Programs that are functions of a test, whose providers are stand-ins in this process. */
export class Bench {
  readonly servers: ProviderServer[];
  private pulumi!: ThrowAwayPulumi;

  constructor(
    readonly outages: Outages,
    ...standIns: StandIn[]
  ) {
    this.servers = standIns.map((standIn) => new ProviderServer(standIn, this.outages));
  }

  async start(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.start()));
    this.pulumi = await ThrowAwayPulumi.create({
      PULUMI_DEBUG_PROVIDERS: debugProviders(this.servers),
    });
  }

  async stop(): Promise<void> {
    this.servers.forEach((server) => server.stop());
    await this.pulumi?.dispose();
  }

  /** The state of a stack, as it is on disk. */
  state(name: string): Promise<string> {
    const file = path.join("state/.pulumi/stacks/stand-in", `${name}.json`);
    return readFile(path.join(this.pulumi.folder, file), "utf8");
  }

  /** A stack with this program. The same name again is the same stack with another program. */
  stack(name: string, program: () => Promise<Record<string, unknown> | void>): Promise<Stack> {
    return this.pulumi.inline("stand-in", name, program);
  }
}
