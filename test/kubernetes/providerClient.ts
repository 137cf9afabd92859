import * as grpc from "@grpc/grpc-js";
import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { decode, encode, Properties } from "../../world/pulumi/properties";

/** A resource as the engine has it in its state. */
export interface Held {
  id: string;
  inputs: Properties;
  outputs: Properties;
}

/** One provider, asked as the engine asks it. */
export class ProviderClient {
  private readonly client: ResourceProviderClient;

  constructor(port: number) {
    // A connection of its own: the played provider tells its callers apart by it.
    this.client = new ResourceProviderClient(
      `127.0.0.1:${port}`,
      grpc.credentials.createInsecure(),
      { "grpc.use_local_subchannel_pool": 1, "grpc.max_receive_message_length": 400 * 2 ** 20 },
    );
  }

  async configure(config: Record<string, string>): Promise<void> {
    const request = new messages.ConfigureRequest()
      .setArgs(encode(config))
      .setUrn("urn:pulumi:test::test::pulumi:providers:kubernetes::provider");
    for (const [key, value] of Object.entries(config)) {
      request.getVariablesMap().set(`kubernetes:config:${key}`, value);
    }
    await this.ask<messages.ConfigureResponse>("configure", request);
  }

  /** Inputs as the provider makes them of the program's; or what is wrong with them. */
  async check(
    type: string,
    inputs: Properties,
    old?: Properties,
  ): Promise<{ inputs: Properties; failures: string[] }> {
    const request = new messages.CheckRequest()
      .setUrn(urnOf(type))
      .setNews(encode({ ...asTheSdk(type), ...inputs }));
    if (old !== undefined) {
      request.setOlds(encode(old));
    }
    const answer = await this.ask<messages.CheckResponse>("check", request);
    return {
      inputs: decode(answer.getInputs()),
      failures: answer.getFailuresList().map((failure) => failure.getReason()),
    };
  }

  /** What a change of inputs would do: update the object, replace it, or nothing. */
  async diff(type: string, held: Held, inputs: Properties): Promise<"same" | "update" | "replace"> {
    const request = new messages.DiffRequest()
      .setUrn(urnOf(type))
      .setId(held.id)
      .setOlds(encode(held.outputs))
      .setOldInputs(encode(held.inputs))
      .setNews(encode(inputs));
    const answer = await this.ask<messages.DiffResponse>("diff", request);
    if (answer.getChanges() !== messages.DiffResponse.DiffChanges.DIFF_SOME) {
      return "same";
    }
    return answer.getReplacesList().length > 0 ? "replace" : "update";
  }

  /** Checks and creates. */
  async create(type: string, inputs: Properties): Promise<Held> {
    const checked = await this.check(type, inputs);
    if (checked.failures.length > 0) {
      throw new Error(checked.failures.join("; "));
    }
    const request = new messages.CreateRequest()
      .setUrn(urnOf(type))
      .setProperties(encode(checked.inputs));
    const answer = await this.ask<messages.CreateResponse>("create", request);
    return {
      id: answer.getId(),
      inputs: checked.inputs,
      outputs: decode(answer.getProperties()),
    };
  }

  /** Checks and updates. */
  async update(type: string, held: Held, inputs: Properties): Promise<Held> {
    const checked = await this.check(type, inputs, held.inputs);
    const request = new messages.UpdateRequest()
      .setUrn(urnOf(type))
      .setId(held.id)
      .setOlds(encode(held.outputs))
      .setOldInputs(encode(held.inputs))
      .setNews(encode(checked.inputs));
    const answer = await this.ask<messages.UpdateResponse>("update", request);
    return { ...held, inputs: checked.inputs, outputs: decode(answer.getProperties()) };
  }

  /** What a refresh shows; undefined when it is gone. */
  async read(type: string, held: Held): Promise<Held | undefined> {
    const request = new messages.ReadRequest()
      .setUrn(urnOf(type))
      .setId(held.id)
      .setProperties(encode(held.outputs))
      .setInputs(encode(held.inputs));
    const answer = await this.ask<messages.ReadResponse>("read", request);
    return answer.getId() === ""
      ? undefined
      : {
          id: answer.getId(),
          inputs: decode(answer.getInputs()),
          outputs: decode(answer.getProperties()),
        };
  }

  async delete(type: string, held: Held): Promise<void> {
    const request = new messages.DeleteRequest()
      .setUrn(urnOf(type))
      .setId(held.id)
      .setProperties(encode(held.outputs))
      .setOldInputs(encode(held.inputs));
    await this.ask<Empty>("delete", request);
  }

  /** What the engine sends on Ctrl-C. */
  async cancel(): Promise<void> {
    await this.ask<Empty>("cancel", new Empty());
  }

  close(): void {
    this.client.close();
  }

  private ask<Answer>(method: string, request: unknown): Promise<Answer> {
    const call = (this.client as unknown as Record<string, (...args: unknown[]) => unknown>)[
      method
    ] as (request: unknown, done: (error: Error | null, answer: Answer) => void) => unknown;
    return new Promise((resolve, reject) => {
      call.call(this.client, request, (error, answer) =>
        error === null
          ? resolve(answer)
          : reject(new Error((error as grpc.ServiceError).details, { cause: error })),
      );
    });
  }
}

/** What the SDK adds to the inputs of an object. */
function asTheSdk(type: string): Properties {
  const [, group = "", kind = ""] = type.split(":");
  return kind === "Release"
    ? {}
    : { apiVersion: group.replace(/^core\//, ""), kind: kind.replace(/Patch$/, "") };
}

function urnOf(type: string): string {
  return `urn:pulumi:test::test::${type}::one`;
}

/** A plugin of Pulumi that runs as the engine starts it. */
export class RunningPlugin {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly engine: grpc.Server,
  ) {}

  static async start(file: string, env: Record<string, string>): Promise<RunningPlugin> {
    // What a plugin needs of the engine is somebody to tell its warnings.
    const engine = new grpc.Server();
    engine.addService(EngineService as unknown as grpc.ServiceDefinition, {
      log: (_call: unknown, done: grpc.sendUnaryData<Empty>) => done(null, new Empty()),
    });
    const enginePort = await new Promise<number>((resolve, reject) =>
      engine.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
    const child = spawn(file, [`127.0.0.1:${enginePort}`], {
      stdio: ["ignore", "pipe", "ignore"],
      env: { PATH: process.env.PATH, ...env },
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    return new RunningPlugin(Number(line.toString().trim()), child, engine);
  }

  async stop(): Promise<void> {
    // One that has crashed has ended already.
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, "exit");
      this.child.kill("SIGKILL");
      await ended;
    }
    this.engine.forceShutdown();
  }
}
