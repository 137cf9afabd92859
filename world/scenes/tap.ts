import { AddressInfo, connect, createServer, Server, Socket } from "node:net";

/** Stands in front of a server on this machine, at an address that stays, and notes when it is connected to. */
export class Tap {
  /** When connections came, milliseconds since the epoch. */
  readonly connections: number[] = [];
  private readonly sockets = new Set<Socket>();
  private target = 0;

  private constructor(private readonly server: Server) {
    server.on("connection", (near: Socket) => {
      this.connections.push(Date.now());
      const far = connect(this.target, "127.0.0.1");
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(socket);
        socket.on("error", () => other.destroy());
        socket.on("close", () => {
          this.sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
  }

  static async open(): Promise<Tap> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Tap(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Leads connections to a port of this machine from now on. */
  lead(port: number): void {
    this.target = port;
  }

  close(): void {
    this.sockets.forEach((socket) => socket.destroy());
    this.server.close();
  }
}
