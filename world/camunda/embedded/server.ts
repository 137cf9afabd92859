import type { Incoming, Reply } from "../../exchange";
import { createSocket, type Socket as Datagrams } from "node:dgram";
import { createServer, IncomingMessage, Server, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault, FaultBook, Journal, ReceivedRequest, Receiver, Told } from "./faults";

/** Answers one request. */
export type Handler = (request: Incoming) => Reply | Promise<Reply>;

const LOWEST_PORT = 12000;
/** Above, the kernel gives ports to outgoing connections: one could sit on the port of a lost region. */
const HIGHEST_PORT = 32000;
const REOPEN_FOR_MS = 5000;

/**
 * An HTTP server on loopback that can be closed as a killed process is, and opened again on the same
 * port.
 */
export class LoopbackServer {
  private server?: Server;
  private assignedPort?: number;
  private reservation?: Datagrams;
  private readonly sockets = new Set<Socket>();
  private readonly waiting = new Set<NodeJS.Timeout>();

  constructor(
    private readonly site: Receiver,
    private readonly handle: Handler,
    private readonly faults: FaultBook,
    private readonly journal: Journal,
  ) {}

  /** Where the server answers. Known from the first {@link open} on. */
  get url(): string {
    if (this.assignedPort === undefined) {
      throw new Error("the world was not started");
    }
    return `http://127.0.0.1:${this.assignedPort}`;
  }

  get port(): number {
    return this.assignedPort ?? 0;
  }

  async open(): Promise<void> {
    if (this.server) {
      return;
    }
    const deadline = Date.now() + REOPEN_FOR_MS;
    for (;;) {
      const port =
        this.assignedPort ?? LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT));
      const server = createServer((request, response) => void this.serve(request, response));
      // Clients keep connections for longer than a test; the server decides when they end.
      server.keepAliveTimeout = 0;
      server.on("connection", (socket: Socket) => {
        this.sockets.add(socket);
        socket.on("error", () => socket.destroy());
        socket.on("close", () => this.sockets.delete(socket));
      });
      try {
        this.reservation ??= await reserve(port);
        await listen(server, port);
        this.assignedPort = port;
        this.server = server;
        return;
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (!["EADDRINUSE", "EACCES"].includes(code ?? "") || Date.now() > deadline) {
          throw error;
        }
        if (this.assignedPort !== undefined) {
          await this.pause(50);
        } else {
          this.release();
        }
      }
    }
  }

  /** Closes at once: connections in use end with a reset, new ones are refused. */
  async close(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    this.waiting.forEach((timer) => clearTimeout(timer));
    this.waiting.clear();
    if (!server) {
      return;
    }
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.sockets.forEach((socket) => socket.resetAndDestroy());
    await closed;
  }

  /** Gives the port of a closed server to others: it is opened no more. */
  release(): void {
    this.reservation?.close();
    this.reservation = undefined;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    response.on("error", () => socket.destroy());
    try {
      const text = await readText(request);
      const url = request.url ?? "/";
      const record: ReceivedRequest = {
        at: Date.now(),
        ...this.site,
        method: (request.method ?? "GET").toUpperCase(),
        path: url,
        ...(text !== "" && { body: parsedOrText(text) }),
        status: 0,
      };
      const fault = this.faults.take(record);
      this.journal.add(record);
      if (fault?.delayMs) {
        await this.pause(fault.delayMs);
      }
      if (fault?.hang) {
        return;
      }
      const reply = await this.reply(fault, record, request, text);
      if ("ends" in reply) {
        this.end(socket, reply);
        return;
      }
      if (fault?.drop) {
        socket.resetAndDestroy();
        return;
      }
      if (socket.destroyed) {
        return;
      }
      record.status = reply.status;
      await send(response, record.method, reply);
    } catch {
      // The client went away in the middle, or the server was closed: there is nobody to answer.
      socket.destroy();
    }
  }

  private async reply(
    fault: Fault | undefined,
    record: ReceivedRequest,
    request: IncomingMessage,
    text: string,
  ): Promise<Told> {
    const truth = () => this.truth(record, request, text);
    if (fault?.tell) {
      return fault.tell(truth, record);
    }
    if (fault?.respond) {
      return fault.respond;
    }
    const reply = await truth();
    if (!fault?.transform) {
      return reply;
    }
    return { ...reply, text: undefined, body: fault.transform(bodyOf(reply), reply.status) };
  }

  /** Does what was asked. */
  private async truth(
    record: ReceivedRequest,
    { headers }: IncomingMessage,
    text: string,
  ): Promise<Reply> {
    let reply: Reply;
    try {
      const { path, query } = parsedTarget(record.path);
      reply = await this.handle({ method: record.method, path, query, headers, text });
    } catch (error) {
      reply = { status: 500, body: { message: String(error) } };
    }
    record.truth = reply.status;
    return reply;
  }

  private end(socket: Socket, { ends, refusesMs }: Exclude<Told, Reply>): void {
    if (ends === "reset") {
      socket.resetAndDestroy();
    }
    if (refusesMs !== undefined) {
      void this.close().then(() => this.pause(refusesMs).then(() => this.open()));
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.waiting.delete(timer);
        resolve();
      }, ms);
      this.waiting.add(timer);
    });
  }
}

/**
 * Keeps a port for a server also while that is closed: a world of another process that took it would answer
 * for the region that is lost. The kernel knows no closed server, but it knows who has the datagrams of a
 * port, so worlds ask it for those, too.
 */
function reserve(port: number): Promise<Datagrams> {
  return new Promise((resolve, reject) => {
    const datagrams = createSocket("udp4").unref();
    datagrams.once("error", reject);
    datagrams.bind({ port, address: "127.0.0.1", exclusive: true }, () => resolve(datagrams));
  });
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** The body of an answer, parsed when it is JSON. */
export function bodyOf(reply: Reply): unknown {
  return reply.text === undefined ? reply.body : parsedOrText(reply.text);
}

function parsedTarget(target: string): { path: string; query: URLSearchParams } {
  const [rawPath = "/", ...rest] = target.split("?");
  let path = rawPath;
  try {
    path = decodeURIComponent(rawPath);
  } catch {
    // A stray percent sign: the raw path matches no endpoint, which answers it well enough.
  }
  return { path, query: new URLSearchParams(rest.join("?")) };
}

async function send(
  response: ServerResponse,
  method: string,
  reply: Reply & { trickleMs?: number },
): Promise<void> {
  const text = reply.text ?? (reply.body === undefined ? "" : JSON.stringify(reply.body));
  response.writeHead(reply.status, {
    ...(text !== "" && { "Content-Type": "application/json" }),
    "Content-Length": Buffer.byteLength(text),
    ...reply.headers,
  });
  if (reply.trickleMs !== undefined) {
    for (const byte of Buffer.from(text)) {
      response.write(Buffer.of(byte));
      await sleep(reply.trickleMs);
      if (response.destroyed) {
        return;
      }
    }
  }
  response.end(method === "HEAD" || reply.trickleMs !== undefined ? undefined : text);
}
