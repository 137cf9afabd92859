import * as grpc from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { Outages, RegionUnreachable } from "./outages";
import { compare, decode, Diff, encode, Properties } from "./properties";
import { Call, Failure, Method, PartialFailure, RecordedResource, StandIn } from "./standIn";
import { messageOf } from "../../components/base/messageOf";

/** A call that came in, for drills: whose stack, and which region it would have reached. */
export interface ProviderCall {
  /** When it came, in ms since the epoch. */
  at: number;
  package: string;
  method: Method;
  /** Type of the resource, or token of the function. */
  type: string;
  name: string;
  stack: string;
  /** Region that the calling provider is configured for. */
  region: string | undefined;
  /** Regions that the real provider would have asked for the answer: none when it knows it itself. */
  reaches: string[];
}

/** One provider resource of one run, which the engine opens a connection for. */
interface Instance {
  stack: string;
  provider: string;
  config: Properties;
  region: string | undefined;
}

type Handler<Request, Response> = grpc.handleUnaryCall<Request, Response>;

/**
 * A provider of Pulumi that the engine attaches to by `PULUMI_DEBUG_PROVIDERS`, instead of starting a
 * plugin, with a {@link StandIn} behind it. One server serves all stacks and all their provider resources:
 * the engine opens a connection for each, by which the server tells them apart.
 */
export class ProviderServer {
  /** Every call since the start, also those that failed. */
  readonly calls: ProviderCall[] = [];
  private readonly server = new grpc.Server({ "grpc.max_receive_message_length": 400 * 2 ** 20 });
  private readonly instances = new Map<string, Instance>();
  private readonly running = new Map<string, Set<AbortController>>();
  private bound: number | undefined;

  /** @param outages the world's lost regions: calls that need one of them fail */
  constructor(
    readonly standIn: StandIn,
    private readonly outages = new Outages(),
  ) {
    this.server.addService(ResourceProviderService, this.service());
  }

  /** Port on 127.0.0.1, once it was started. */
  get port(): number {
    if (this.bound === undefined) {
      throw new Error(`the provider server of ${this.standIn.package} was not started`);
    }
    return this.bound;
  }

  /** Listens on a free port of 127.0.0.1. */
  async start(): Promise<void> {
    this.bound = await new Promise<number>((resolve, reject) =>
      this.server.bindAsync(
        "127.0.0.1:0",
        grpc.ServerCredentials.createInsecure(),
        (error, port) => (error ? reject(error) : resolve(port)),
      ),
    );
  }

  /** Closes the port and every connection. */
  stop(): void {
    this.running.forEach((calls) => calls.forEach((call) => call.abort()));
    this.server.forceShutdown();
    this.bound = undefined;
  }

  private service(): grpc.UntypedServiceImplementation {
    const respond = <Request, Response>(
      answer: (request: Request, peer: string) => Response | Promise<Response>,
    ): Handler<Request, Response> => {
      return (call, callback) => {
        void Promise.resolve()
          .then(() => answer(call.request, call.getPeer()))
          .then(
            (response) => callback(null, response),
            (error: unknown) => callback(statusOf(error)),
          );
      };
    };
    return {
      handshake: respond(() => {
        // The engine itself keeps what was secret among inputs: most real plugins leave that to it too.
        return new messages.ProviderHandshakeResponse();
      }),
      attach: respond(() => new Empty()),
      getPluginInfo: respond(() => new PluginInfo().setVersion(this.standIn.version)),
      getSchema: respond(() => new messages.GetSchemaResponse().setSchema("{}")),
      cancel: respond((_: Empty, peer) => {
        this.running.get(peer)?.forEach((call) => call.abort());
        return new Empty();
      }),
      checkConfig: respond((request: messages.CheckRequest) => this.checkConfig(request)),
      diffConfig: respond((request: messages.DiffRequest) => this.diffConfig(request)),
      configure: respond((request: messages.ConfigureRequest, peer) =>
        this.configure(request, peer),
      ),
      check: respond((request: messages.CheckRequest, peer) => this.check(request, peer)),
      diff: respond((request: messages.DiffRequest, peer) => this.diff(request, peer)),
      create: respond((request: messages.CreateRequest, peer) => this.create(request, peer)),
      read: respond((request: messages.ReadRequest, peer) => this.read(request, peer)),
      update: respond((request: messages.UpdateRequest, peer) => this.update(request, peer)),
      delete: respond((request: messages.DeleteRequest, peer) => this.delete(request, peer)),
      invoke: respond((request: messages.InvokeRequest, peer) => this.invoke(request, peer)),
    };
  }

  private checkConfig(request: messages.CheckRequest): messages.CheckResponse {
    const config = decode(request.getNews());
    this.record("checkConfig", this.callOf(request.getUrn(), config), []);
    return checked(this.standIn.checkConfig?.(config) ?? [], request.getNews());
  }

  private diffConfig(request: messages.DiffRequest): messages.DiffResponse {
    const config = decode(request.getNews());
    this.record("diffConfig", this.callOf(request.getUrn(), config), []);
    const { changes } = compare(decode(request.getOldInputs()), config);
    delete changes.version;
    return differs({ changes });
  }

  private async configure(
    request: messages.ConfigureRequest,
    peer: string,
  ): Promise<messages.ConfigureResponse> {
    const config = decode(request.getArgs());
    const call = this.callOf(request.getUrn() ?? "", config);
    const { stack, name: provider, region } = call;
    const reaches = this.standIn.asksWhenConfigured && region !== undefined ? [region] : [];
    this.record("configure", call, reaches);
    // It gives up after a while, and each call tells.
    await this.outages
      .reach(reaches, "configure", new AbortController().signal)
      .catch(() => undefined);
    this.instances.set(peer, { stack, provider, config, region });
    return new messages.ConfigureResponse().setSupportspreview(true);
  }

  private async check(
    request: messages.CheckRequest,
    peer: string,
  ): Promise<messages.CheckResponse> {
    const old = request.hasOlds() ? decode(request.getOlds()) : undefined;
    const inputs = decode(request.getNews());
    const result = await this.answer("check", request.getUrn(), peer, (call) =>
      this.standIn.check(call, inputs, old),
    );
    return checked(
      result.failures ?? [],
      result.inputs === undefined ? request.getNews() : encode(result.inputs),
    );
  }

  private async diff(request: messages.DiffRequest, peer: string): Promise<messages.DiffResponse> {
    const old = { inputs: decode(request.getOldInputs()), outputs: decode(request.getOlds()) };
    const inputs = decode(request.getNews());
    return differs(
      await this.answer("diff", request.getUrn(), peer, (call) =>
        this.standIn.diff(call, request.getId(), old, inputs),
      ),
    );
  }

  private async create(
    request: messages.CreateRequest,
    peer: string,
  ): Promise<messages.CreateResponse> {
    const inputs = decode(request.getProperties());
    if (request.getPreview()) {
      const outputs = await this.answer("preview", request.getUrn(), peer, (call) =>
        this.standIn.preview(call, inputs, undefined),
      );
      return new messages.CreateResponse().setProperties(encode(outputs));
    }
    const { id, outputs } = await this.answer("create", request.getUrn(), peer, (call) =>
      this.standIn.create(call, inputs),
    );
    return new messages.CreateResponse().setId(id).setProperties(encode(outputs));
  }

  private async read(request: messages.ReadRequest, peer: string): Promise<messages.ReadResponse> {
    const old = { inputs: decode(request.getInputs()), outputs: decode(request.getProperties()) };
    const found = await this.answer("read", request.getUrn(), peer, (call) =>
      this.standIn.read(call, request.getId(), old),
    );
    return found === undefined
      ? new messages.ReadResponse()
      : new messages.ReadResponse()
          .setId(found.id ?? request.getId())
          .setProperties(encode(found.outputs))
          .setInputs(encode(found.inputs));
  }

  private async update(
    request: messages.UpdateRequest,
    peer: string,
  ): Promise<messages.UpdateResponse> {
    const old = recorded(request.getOldInputs(), request.getOlds());
    const inputs = decode(request.getNews());
    const outputs = request.getPreview()
      ? await this.answer("preview", request.getUrn(), peer, (call) =>
          this.standIn.preview(call, inputs, old),
        )
      : await this.answer("update", request.getUrn(), peer, (call) =>
          this.standIn.update(call, request.getId(), old, inputs),
        );
    return new messages.UpdateResponse().setProperties(encode(outputs));
  }

  private async delete(request: messages.DeleteRequest, peer: string): Promise<Empty> {
    const old = recorded(request.getOldInputs(), request.getProperties());
    await this.answer("delete", request.getUrn(), peer, (call) =>
      this.standIn.delete(call, request.getId(), old),
    );
    return new Empty();
  }

  private async invoke(
    request: messages.InvokeRequest,
    peer: string,
  ): Promise<messages.InvokeResponse> {
    const args = decode(request.getArgs());
    const token = request.getTok();
    const result = await this.answer("invoke", token, peer, (call) =>
      this.standIn.invoke(call, args),
    );
    return new messages.InvokeResponse().setReturn(encode(result));
  }

  /** Lets the stand-in answer, unless the region is lost that it would have to ask. */
  private async answer<T>(
    method: Method,
    urnOrToken: string,
    peer: string,
    ask: (call: Call) => T | Promise<T>,
  ): Promise<T> {
    const instance = this.instances.get(peer);
    if (instance === undefined) {
      throw new Error(`${method} of ${urnOrToken}: its provider was not configured`);
    }
    const controller = new AbortController();
    const call: Call = {
      ...instance,
      ...partsOf(urnOrToken),
      stack: instance.stack,
      urn: urnOrToken,
      preview: method === "preview",
      signal: controller.signal,
    };
    const reaches = this.standIn.local.includes(method) ? [] : this.regionsOf(call);
    this.record(method, call, reaches);
    const running = this.running.get(peer) ?? new Set();
    this.running.set(peer, running.add(controller));
    try {
      await this.outages
        .reach(reaches, `${method} of ${call.type} ${call.name}`, call.signal)
        .catch((error: unknown) => {
          throw (
            (error instanceof RegionUnreachable && this.standIn.whenLost?.(method, call)) || error
          );
        });
      return await ask(call);
    } finally {
      running.delete(controller);
    }
  }

  private callOf(urn: string, config: Properties) {
    return { ...partsOf(urn), region: this.standIn.regionOf(config) };
  }

  private regionsOf(call: Call): string[] {
    return this.standIn.reaches?.(call) ?? (call.region === undefined ? [] : [call.region]);
  }

  private record(
    method: Method,
    { type, name, stack, region }: Pick<ProviderCall, "type" | "name" | "stack" | "region">,
    reaches: string[],
  ): void {
    const { package: packageName } = this.standIn;
    this.calls.push({
      at: Date.now(),
      package: packageName,
      method,
      type,
      name,
      stack,
      region,
      reaches,
    });
  }
}

/** Value of `PULUMI_DEBUG_PROVIDERS` for servers that were started. */
export function debugProviders(servers: readonly ProviderServer[]): string {
  return servers.map(({ standIn, port }) => `${standIn.package}:${port}`).join(",");
}

/** `urn:pulumi:stack::project::parent$type::name`, or a token, which has a type only. */
function partsOf(urnOrToken: string): { stack: string; type: string; name: string } {
  const [urn = "", , types, ...name] = urnOrToken.split("::");
  return types === undefined
    ? { stack: "", type: urnOrToken, name: "" }
    : {
        stack: urn.replace("urn:pulumi:", ""),
        type: types.split("$").at(-1) ?? "",
        name: name.join("::"),
      };
}

function recorded(inputs: Struct | undefined, outputs: Struct | undefined): RecordedResource {
  return { inputs: decode(inputs), outputs: decode(outputs) };
}

function checked(failures: Failure[], inputs: Struct | undefined): messages.CheckResponse {
  return new messages.CheckResponse()
    .setInputs(inputs)
    .setFailuresList(
      failures.map(({ property, reason }) =>
        new messages.CheckFailure().setProperty(property).setReason(reason),
      ),
    );
}

function differs({ changes, deleteBeforeReplace }: Diff): messages.DiffResponse {
  const { DiffChanges } = messages.DiffResponse;
  const entries = Object.entries(changes);
  const topLevel = (path: string) => path.split(/[.[]/)[0] ?? path;
  const response = new messages.DiffResponse()
    .setChanges(entries.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE)
    .setDiffsList([...new Set(entries.map(([path]) => topLevel(path)))])
    .setReplacesList([
      ...new Set(entries.filter(([, { replace }]) => replace).map(([path]) => topLevel(path))),
    ])
    .setDeletebeforereplace(deleteBeforeReplace ?? false)
    .setHasdetaileddiff(true);
  const { Kind } = messages.PropertyDiff;
  for (const [path, { kind, replace }] of entries) {
    const [plain, replacing] = {
      add: [Kind.ADD, Kind.ADD_REPLACE] as const,
      update: [Kind.UPDATE, Kind.UPDATE_REPLACE] as const,
      delete: [Kind.DELETE, Kind.DELETE_REPLACE] as const,
    }[kind];
    response
      .getDetaileddiffMap()
      .set(
        path,
        new messages.PropertyDiff().setKind(replace ? replacing : plain).setInputdiff(true),
      );
  }
  return response;
}

function statusOf(error: unknown): grpc.ServiceError {
  const message = messageOf(error);
  const code =
    error instanceof RegionUnreachable
      ? grpc.status.UNAVAILABLE
      : error instanceof Error && error.name === "AbortError"
        ? grpc.status.CANCELLED
        : grpc.status.UNKNOWN;
  const metadata = new grpc.Metadata();
  if (error instanceof PartialFailure) {
    const detail = new messages.ErrorResourceInitFailed()
      .setId(error.id)
      .setProperties(encode(error.outputs))
      .setReasonsList([message]);
    const packed = new Any();
    packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const status = new Status().setCode(code).setMessage(message).setDetailsList([packed]);
    metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  }
  return Object.assign(new Error(message), { code, details: message, metadata });
}
