import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, Server } from "node:https";
import { AddressInfo, connect, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import { Certificate, loopbackCertificate } from "./certificate";
import { kubeconfig } from "./kubeconfig";
import { Kind, KINDS, KubeObject, ObjectStore } from "./objects";
import { Timers } from "./timers";
import { messageOf } from "../../../components/base/messageOf";

/** What a command in a container came to. */
export interface CommandResult {
  stdout: string;
  stderr?: string;
  exitCode: number;
}

/** Where the streams of a {@link KubeApiServer} lead to. */
export interface StreamHooks {
  /** The port on loopback that a pod's port leads to; undefined when nothing listens there. */
  forward?: (namespace: string, pod: string, port: number) => number | undefined;
  /** Runs a command in a container. One that throws did not start: its message is the API's. */
  exec?: (
    namespace: string,
    pod: string,
    container: string,
    command: string[],
  ) => Promise<CommandResult>;
}

/** A request that the API got. */
export interface ApiRequest {
  at: number;
  method: string;
  /** With the query. */
  path: string;
  /** What was answered; 101 for a stream, undefined while there is no answer. */
  status?: number;
}

/** What a request is about: `/api/v1/namespaces/NS/PLURAL/NAME/SUB`. */
interface Target {
  kind: Kind;
  namespace?: string;
  name?: string;
  sub?: string;
}

/**
 * As much of a Kubernetes API server as this project's clients and its stand-in providers ask for: objects
 * are read and patched, port-forwards and commands go through web sockets as the kubelet speaks them. HTTPS
 * on loopback; every request needs the token.
 */
export class KubeApiServer {
  /** All requests, in the order in which they came. */
  readonly requests: ApiRequest[] = [];
  /** What is asked for in `Authorization: Bearer`. */
  readonly token = randomBytes(16).toString("hex");

  private readonly sockets = new Set<Socket>();
  private readonly streams = new Set<WebSocket>();
  private readonly forwards = new Map<WebSocket, Socket>();
  private readonly upgrades = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => PROTOCOLS.find((one) => offered.has(one)) ?? false,
  });
  private lostMs: number | undefined;
  private readonly timers = new Timers();

  private constructor(
    readonly store: ObjectStore,
    private readonly hooks: StreamHooks,
    private readonly server: Server,
    private readonly certificate: Certificate,
  ) {
    server.on("request", (request, response) => void this.answer(request, response));
    server.on("upgrade", (request, socket, head) => this.upgrade(request, socket, head));
    server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => this.sockets.delete(socket));
    });
    server.on("tlsClientError", (_error, socket) => socket.destroy());
  }

  /** Starts a server for the objects of a store, on a free port of loopback. */
  static async start(store: ObjectStore, hooks: StreamHooks = {}): Promise<KubeApiServer> {
    const certificate = await loopbackCertificate();
    const server = createServer(certificate);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", () => resolve());
    });
    return new KubeApiServer(store, hooks, server, certificate);
  }

  /** Where it answers. */
  get url(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The authority of its certificate, as PEM. */
  get ca(): string {
    return this.certificate.cert;
  }

  /** Text of a kubeconfig with this cluster as a context of that name. */
  kubeconfig(context: string): string {
    return kubeconfig([{ context, server: this.url, ca: this.ca, token: this.token }]);
  }

  /**
   * The region is lost: nothing is answered any more, open streams stall, and after some time each
   * connection breaks. Until {@link restore}.
   */
  lose(failAfterMs = 1_000): void {
    this.lostMs = failAfterMs;
    for (const socket of this.forwards.values()) {
      socket.pause();
    }
    const present = [...this.sockets];
    this.timers.later(failAfterMs, () => present.forEach((socket) => socket.destroy()));
  }

  /** Everything answers again. Connections that were open when it was lost stay broken. */
  restore(): void {
    this.lostMs = undefined;
    for (const socket of this.forwards.values()) {
      socket.resume();
    }
  }

  /** Number of port-forwards that are open. */
  get openForwards(): number {
    return this.forwards.size;
  }

  /** Cuts all port-forwards that are open, as a kubelet that dies does. Returns how many there were. */
  breakStreams(): number {
    const open = [...this.forwards.keys()];
    open.forEach((stream) => stream.terminate());
    return open.length;
  }

  /** Ends it: connections that are open break. */
  async close(): Promise<void> {
    this.timers.end();
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.streams.forEach((stream) => stream.terminate());
    this.forwards.forEach((socket) => socket.destroy());
    this.sockets.forEach((socket) => socket.destroy());
    await closed;
  }

  private record(request: IncomingMessage): ApiRequest {
    const record = { at: Date.now(), method: request.method ?? "", path: request.url ?? "" };
    this.requests.push(record);
    return record;
  }

  /** Whether the request is one of those that get no answer. */
  private isLost(socket: Duplex): boolean {
    if (this.lostMs === undefined) {
      return false;
    }
    this.timers.later(this.lostMs, () => socket.destroy());
    return true;
  }

  private isAllowed(request: IncomingMessage): boolean {
    return request.headers.authorization === `Bearer ${this.token}`;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const record = this.record(request);
    response.on("error", () => request.socket.destroy());
    if (this.isLost(request.socket)) {
      return;
    }
    let answered: { status: number; body: unknown };
    try {
      const text = await textOf(request);
      if (!this.isAllowed(request)) {
        throw new ApiError(401, "Unauthorized");
      }
      answered = { status: 200, body: this.objects(request, text) };
    } catch (error) {
      answered = failure(error);
    }
    // The region may have been lost in between.
    if (this.isLost(request.socket)) {
      return;
    }
    record.status = answered.status;
    const json = JSON.stringify(answered.body);
    response.writeHead(answered.status, {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(json),
    });
    response.end(json);
  }

  private objects(request: IncomingMessage, text: string): unknown {
    const url = new URL(request.url ?? "/", "https://localhost");
    if (/^\/version\/?$/.test(url.pathname)) {
      return { major: "1", minor: "33", gitVersion: "v1.33.0" };
    }
    const target = targetOf(url.pathname);
    const { kind, namespace, name, sub } = target;
    if (request.method === "GET" && name === undefined) {
      const labels = labelsOf(url.searchParams.get("labelSelector") ?? "");
      return {
        apiVersion: kind.apiVersion,
        kind: `${kind.kind}List`,
        metadata: { resourceVersion: this.store.resourceVersion },
        items: this.store
          .list(kind.kind, namespace, labels)
          .filter(fieldsOf(url.searchParams.get("fieldSelector") ?? "")),
      };
    }
    if (request.method === "GET") {
      const found = this.expect(target);
      return sub === "scale" ? scaleOf(found) : found;
    }
    if (request.method === "PATCH" && name !== undefined) {
      const type = (request.headers["content-type"] ?? "").split(";")[0] ?? "";
      if (!PATCHES.includes(type)) {
        throw new ApiError(415, `the body of the request was in an unknown format: ${type}`);
      }
      this.expect(target);
      const changes = JSON.parse(text) as Record<string, unknown>;
      const patched = this.store.patch(kind.kind, namespace, name, changes) as KubeObject;
      return sub === "scale" ? scaleOf(patched) : patched;
    }
    if (request.method === "PUT" && name !== undefined && sub === undefined) {
      const found = this.expect(target);
      const body = JSON.parse(text) as KubeObject;
      const { resourceVersion } = body.metadata;
      if (resourceVersion !== undefined && resourceVersion !== found.metadata.resourceVersion) {
        throw new ApiError(
          409,
          `Operation cannot be fulfilled on ${kind.plural} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
        );
      }
      return this.store.apply({ ...body, apiVersion: kind.apiVersion, kind: kind.kind });
    }
    if (request.method === "DELETE" && name !== undefined && sub === undefined) {
      const found = this.expect(target);
      const { preconditions = {} } = JSON.parse(text || "{}") as {
        preconditions?: { resourceVersion?: string };
      };
      if (
        preconditions.resourceVersion !== undefined &&
        preconditions.resourceVersion !== found.metadata.resourceVersion
      ) {
        throw new ApiError(409, "Precondition failed: ResourceVersion in precondition");
      }
      this.store.remove(kind.kind, namespace, name);
      return status("Success");
    }
    throw new ApiError(405, `the server does not allow ${request.method} here`);
  }

  private expect({ kind, namespace, name = "" }: Target): KubeObject {
    const found = this.store.get(kind.kind, namespace, name);
    if (found === undefined) {
      throw new ApiError(404, `${kind.plural} "${name}" not found`);
    }
    return found;
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const record = this.record(request);
    socket.on("error", () => socket.destroy());
    if (this.isLost(socket)) {
      return;
    }
    try {
      const open = this.streamOf(request);
      record.status = 101;
      this.upgrades.handleUpgrade(request, socket, head, (stream) => {
        this.streams.add(stream);
        stream.on("close", () => this.streams.delete(stream));
        stream.on("error", () => stream.terminate());
        open(stream);
      });
    } catch (error) {
      const { status, body } = failure(error);
      record.status = status;
      const json = JSON.stringify(body);
      socket.end(
        `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
      );
    }
  }

  /** What to do with a stream, once it is open. */
  private streamOf(request: IncomingMessage): (stream: WebSocket) => void {
    if (!this.isAllowed(request)) {
      throw new ApiError(401, "Unauthorized");
    }
    const url = new URL(request.url ?? "/", "https://localhost");
    const target = targetOf(url.pathname);
    const { kind, namespace = "", name = "", sub } = target;
    if (kind.kind !== "Pod" || (sub !== "portforward" && sub !== "exec")) {
      throw new ApiError(400, "Upgrade request required");
    }
    const pod = this.expect(target);
    if ((pod.status as { phase?: string } | undefined)?.phase !== "Running") {
      throw new ApiError(400, `pod ${name} does not have a host assigned`);
    }
    if (sub === "portforward") {
      const port = Number(url.searchParams.get("ports"));
      return (stream) => this.portForward(stream, namespace, name, port);
    }
    const container = url.searchParams.get("container") ?? "";
    const command = url.searchParams.getAll("command");
    return (stream) => void this.exec(stream, namespace, name, container, command);
  }

  /** Channel 0 carries the data, channel 1 what went wrong; each begins with the port. */
  private portForward(stream: WebSocket, namespace: string, pod: string, port: number): void {
    const send = (channel: number, data: Buffer | string) =>
      stream.send(Buffer.concat([Buffer.from([channel]), Buffer.from(data)]));
    const portBytes = Buffer.alloc(2);
    portBytes.writeUInt16LE(port);
    send(0, portBytes);
    send(1, portBytes);
    const complain = (why: string) => {
      send(1, `error forwarding port ${port} to pod ${pod}_${namespace}, uid : ${why}`);
      stream.close(1000);
    };
    const refused = `dial tcp4 127.0.0.1:${port}: connect: connection refused`;
    const local = this.hooks.forward?.(namespace, pod, port);
    if (local === undefined) {
      complain(refused);
      return;
    }
    const socket = connect(local, "127.0.0.1");
    this.forwards.set(stream, socket);
    socket.on("data", (chunk) => send(0, chunk));
    socket.on("end", () => stream.close(1000));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      complain(error.code === "ECONNREFUSED" ? refused : error.message),
    );
    stream.on("message", (data: Buffer) => {
      if (data[0] === 0) {
        socket.write(data.subarray(1));
      }
    });
    stream.on("close", () => {
      this.forwards.delete(stream);
      socket.destroy();
    });
  }

  /** Channels 1 and 2 carry the output, channel 3 what the command came to. */
  private async exec(
    stream: WebSocket,
    namespace: string,
    pod: string,
    container: string,
    command: string[],
  ): Promise<void> {
    const send = (channel: number, text: string) =>
      stream.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));
    try {
      if (this.hooks.exec === undefined) {
        throw new Error(`container ${container} is not there`);
      }
      const result = await this.hooks.exec(namespace, pod, container, command);
      // The region may have been lost in between.
      if (this.lostMs !== undefined) {
        return;
      }
      send(1, result.stdout);
      send(2, result.stderr ?? "");
      send(3, JSON.stringify(statusOf(result.exitCode)));
    } catch (error) {
      const message = `error executing command in container: ${(error as Error).message}`;
      send(
        3,
        JSON.stringify({ ...status("Failure", message), reason: "InternalError", code: 500 }),
      );
    }
    stream.close(1000);
  }
}

/** What web sockets of Kubernetes speak, the newest first. */
const PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

const PATCHES = ["application/merge-patch+json", "application/strategic-merge-patch+json"];

class ApiError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

function failure(error: unknown): { status: number; body: unknown } {
  const code = error instanceof ApiError ? error.code : 500;
  const message = messageOf(error);
  const reason = { 401: "Unauthorized", 404: "NotFound", 405: "MethodNotAllowed" }[code];
  return { status: code, body: { ...status("Failure", message), reason, code } };
}

function status(result: "Success" | "Failure", message?: string): Record<string, unknown> {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: result, message };
}

function statusOf(exitCode: number): Record<string, unknown> {
  return exitCode === 0
    ? status("Success")
    : {
        ...status("Failure", `command terminated with non-zero exit code: exit status ${exitCode}`),
        reason: "NonZeroExitCode",
        details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
      };
}

function targetOf(path: string): Target {
  const match =
    /^\/(?:api|apis\/[^/]+)\/v[^/]+(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(
      path,
    );
  const [, namespace, plural, name, sub] = match ?? [];
  const apiVersion = /^\/apis?\/((?:[^/]+\/)?v[^/]+)\//.exec(path)?.[1];
  const kind = KINDS.find((one) => one.plural === plural && one.apiVersion === apiVersion);
  if (kind === undefined) {
    throw new ApiError(404, "the server could not find the requested resource");
  }
  return { kind, namespace, name, sub };
}

/** `a=b,c=d`; what else a selector can say is refused. */
function labelsOf(selector: string): Record<string, string> {
  const terms = selector.split(",").filter((term) => term !== "");
  return Object.fromEntries(
    terms.map((term) => {
      const [, key, value] = /^([^=!]+)==?([^=!]*)$/.exec(term) ?? [];
      if (key === undefined || value === undefined) {
        throw new ApiError(400, `unable to parse requirement: ${term}`);
      }
      return [key, value];
    }),
  );
}

/** Whether an object has the fields of a selector: `involvedObject.kind=StatefulSet,...`. */
function fieldsOf(selector: string): (object: KubeObject) => boolean {
  const wanted = Object.entries(labelsOf(selector));
  return (object) =>
    wanted.every(
      ([path, value]) =>
        path
          .split(".")
          .reduce<unknown>((found, key) => (found as Record<string, unknown>)?.[key], object) ===
        value,
    );
}

function scaleOf({ metadata, spec, status: current }: KubeObject): unknown {
  const { replicas } = (spec ?? {}) as { replicas?: number };
  const { replicas: present = 0 } = (current ?? {}) as { replicas?: number };
  return {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata,
    spec: { replicas: replicas ?? 1 },
    status: { replicas: present },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
