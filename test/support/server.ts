import assert from "node:assert/strict";
import { createServer, IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that the server got. */
export interface Received {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: unknown;
}

/** An HTTP server that answers as a test tells it. */
export class TestServer {
  readonly received: Received[] = [];
  private handle: (response: ServerResponse) => void = (response) => response.end();
  private running: Server | undefined;

  get url(): string {
    assert.ok(this.running, "the server was not started");
    return `http://127.0.0.1:${(this.running.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    this.running = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        this.received.push({
          method: request.method ?? "",
          path: request.url ?? "",
          headers: request.headers,
          body: text === "" ? undefined : (JSON.parse(text) as unknown),
        });
        this.handle(response);
      });
    });
    await new Promise<void>((resolve) => this.running?.listen(0, "127.0.0.1", resolve));
  }

  async stop(): Promise<void> {
    const server = this.running;
    this.running = undefined;
    this.received.length = 0;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  }

  /** Answers every request so from now on. */
  answer(status: number, body?: unknown): void {
    this.do((response) => {
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Does this with every response from now on. */
  do(handle: (response: ServerResponse) => void): void {
    this.handle = handle;
  }
}

/** A server for the tests of a suite. */
export function useServer(): TestServer {
  const server = new TestServer();
  beforeEach(() => server.start());
  afterEach(() => server.stop());
  return server;
}
