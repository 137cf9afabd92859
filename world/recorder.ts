import * as http from "node:http";
import type { AddressInfo } from "node:net";
import type { RegionEndpoints, RegionName, World } from "./world";

/** One request that reached a world through the recorder. */
export interface RecordedRequest {
  /** Milliseconds since the recorder was made. */
  at: number;
  region: RegionName;
  server: "gateway" | "management" | "broker" | "elasticsearch";
  method: string;
  path: string;
  body?: string;
  /** Status of the answer; 0 when there was none. */
  status: number;
  /** How long the answer took. */
  milliseconds: number;
}

const HARMLESS =
  /[?&]dryRun=true|\/_(refresh|search|count|verify|cluster\/allocation\/explain|security\/user\/_has_privileges)\b/;

/** Whether a request changed something: no reads, no dry runs, and none that was refused as a wrong one. */
export function changesSomething(
  request: Pick<RecordedRequest, "method" | "path" | "status">,
): boolean {
  const refused = request.status >= 400 && request.status < 500;
  return (
    request.method !== "GET" &&
    request.method !== "HEAD" &&
    !HARMLESS.test(request.path) &&
    !refused
  );
}

/** Is told of a request before it is passed on, which waits for it; may answer it instead. */
export type Meddler = (
  request: RecordedRequest,
) => Promise<{ status: number; body: object } | undefined>;

/**
 * Stands between the program and a world, of either kind, and writes down every request. So "the second
 * `up` sends nothing that changes anything" is seen, not concluded.
 */
export class Recorder {
  readonly requests: RecordedRequest[] = [];
  private readonly servers: http.Server[] = [];
  /** When the recorder was made, milliseconds since the epoch. */
  readonly start = Date.now();

  private constructor(
    private readonly world: World,
    private readonly meddler: Meddler,
  ) {}

  /** Starts a recorder; its `endpoints` stand for the world's. */
  static async of(
    world: World,
    meddler: Meddler = () => Promise.resolve(undefined),
  ): Promise<{ recorder: Recorder; endpoints: Record<RegionName, RegionEndpoints> }> {
    const recorder = new Recorder(world, meddler);
    return {
      recorder,
      endpoints: {
        region0: await recorder.region("region0"),
        region1: await recorder.region("region1"),
      },
    };
  }

  /** The requests that changed something, from an index of {@link requests} on. */
  changes(from = 0): RecordedRequest[] {
    return this.requests.slice(from).filter(changesSomething);
  }

  /** Ends the recorder. */
  async close(): Promise<void> {
    await Promise.all(
      this.servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      ),
    );
  }

  private async region(region: RegionName): Promise<RegionEndpoints> {
    const brokers: Record<string, string> = {};
    for (const id of Object.keys(this.world.endpoints[region].brokers)) {
      brokers[id] = await this.forward(
        region,
        "broker",
        () => this.world.endpoints[region].brokers[id] as string,
      );
    }
    const one = (server: "gateway" | "management" | "elasticsearch") =>
      this.forward(region, server, () => this.world.endpoints[region][server]);
    return {
      gateway: await one("gateway"),
      management: await one("management"),
      brokers,
      elasticsearch: await one("elasticsearch"),
    };
  }

  private async forward(
    region: RegionName,
    server: RecordedRequest["server"],
    target: () => string,
  ): Promise<string> {
    const listener = http.createServer((request, response) => {
      this.relay(region, server, target(), request, response).catch(() => response.destroy());
    });
    this.servers.push(listener);
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  }

  private async relay(
    region: RegionName,
    server: RecordedRequest["server"],
    target: string,
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const body = Buffer.concat(chunks);
    const recorded: RecordedRequest = {
      at: Date.now() - this.start,
      region,
      server,
      method: request.method ?? "GET",
      path: request.url ?? "/",
      ...(body.length > 0 ? { body: body.toString("utf8").slice(0, 2_000) } : {}),
      status: 0,
      milliseconds: 0,
    };
    this.requests.push(recorded);
    const began = Date.now();
    const instead = await this.meddler(recorded);
    if (instead !== undefined) {
      recorded.status = instead.status;
      response.writeHead(instead.status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(instead.body));
      return;
    }
    const headers = { ...request.headers };
    delete headers.host;
    const upstream = http.request(
      new URL(recorded.path, target),
      { method: recorded.method, headers, agent: false },
      (answer) => {
        recorded.status = answer.statusCode ?? 0;
        recorded.milliseconds = Date.now() - began;
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        answer.on("error", () => response.destroy());
      },
    );
    // A dead server must look dead: the connection breaks off, as it would without the recorder.
    upstream.on("error", () => response.destroy());
    upstream.end(body);
  }
}
