import { randomBytes } from "node:crypto";
import { createServer, IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { StreamHooks } from "../played/apiServer";

/** What the node asks: `pod` is `namespace/name`. */
interface Question {
  pod: string;
  port: number;
  container: string;
  command: string[];
}

/** Answers the streams of a node (`programs/kubelet`) by hooks: where a port leads to, what a command comes to. */
export class HookServer {
  private constructor(
    private readonly server: Server,
    private readonly secret: string,
  ) {}

  static async start(hooks: StreamHooks): Promise<HookServer> {
    // Commands may run on this machine: who does not know the path gets nothing.
    const secret = randomBytes(16).toString("hex");
    const server = createServer((request, response) => {
      // The node would ask again on a connection that is closed for idleness at that moment, and fail.
      response.setHeader("Connection", "close");
      answer(hooks, secret, request).then(
        (result) => response.end(JSON.stringify(result)),
        (error: Error) => response.writeHead(500).end(error.message),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new HookServer(server, secret);
  }

  /** Where it answers. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/${this.secret}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

async function answer(
  hooks: StreamHooks,
  secret: string,
  request: IncomingMessage,
): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  const { pod, port, container, command } = JSON.parse(
    Buffer.concat(chunks).toString("utf8"),
  ) as Question;
  const [namespace = "", name = ""] = pod.split("/");
  switch (request.url) {
    case `/${secret}/forward`: {
      const local = hooks.forward?.(namespace, name, port);
      // As the kubelet says it when nothing listens there.
      if (local === undefined) {
        throw new Error(`dial tcp4 127.0.0.1:${port}: connect: connection refused`);
      }
      return local;
    }
    case `/${secret}/exec`:
      if (hooks.exec === undefined) {
        throw new Error("no command runs here");
      }
      return hooks.exec(namespace, name, container, command);
    default:
      throw new Error("there is nothing here");
  }
}
