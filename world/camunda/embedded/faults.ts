import { RegionName } from "../../world";
import type { Reply } from "../../exchange";

/** Which server of a region a request went to. */
export type ServerName = "management" | "gateway" | "elasticsearch";

/** The server that received a request. */
export interface Receiver {
  region: RegionName;
  server: ServerName;
  brokerId?: number;
}

/** A request that a server of the world received. */
export interface ReceivedRequest extends Receiver {
  /** Milliseconds since the epoch. */
  at: number;
  method: string;
  /** Path and query. */
  path: string;
  /** Parsed when it is JSON, else text. */
  body?: unknown;
  /** Status of the answer; 0 as long as there is none (or when the socket was destroyed instead). */
  status: number;
  /** Status that the server itself has given it, whatever was told; missing when it was never asked. */
  truth?: number;
}

/** What a client is told. Instead of an answer the connection may end, or nothing may come at all. */
export type Told =
  | (Reply & {
      /** Milliseconds between one byte and the next, instead of all at once. */
      trickleMs?: number;
    })
  | {
      ends: "reset" | "never";
      /** The server then refuses connections for so long. */
      refusesMs?: number;
    };

/** Something that goes wrong with the requests that it matches. */
export interface Fault {
  region?: RegionName;
  server?: ServerName;
  brokerId?: number;
  method?: string;
  /** Tested against path and query. */
  path: RegExp;
  /** How many requests it hits; all when missing. */
  times?: number;
  /** How many matching requests pass before it begins. */
  skip?: number;
  /** Answers this without doing what was asked. */
  respond?: { status: number; body?: unknown; headers?: Record<string, string> };
  /** Changes the true answer. The body is the parsed answer of whichever endpoint, hence untyped. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  transform?: (body: any, status: number) => any;
  /** Waits before the request is handled. */
  delayMs?: number;
  /** Never answers, and keeps the socket open. */
  hang?: true;
  /** Does what was asked, then destroys the socket without an answer. */
  drop?: true;
  /**
   * Decides on everything: whether the request is carried out, by asking for the truth, and what is told.
   */
  tell?: (truth: () => Promise<Reply>, request: ReceivedRequest) => Told | Promise<Told>;
}

interface Injected {
  fault: Fault;
  seen: number;
}

/** The faults that are injected at the moment. */
export class FaultBook {
  private readonly injected = new Set<Injected>();

  /** Adds a fault; the returned function removes it. */
  inject(fault: Fault): () => void {
    const entry = { fault, seen: 0 };
    this.injected.add(entry);
    return () => {
      this.injected.delete(entry);
    };
  }

  /** The fault that hits this request: of several, the one that was injected first. */
  take(request: ReceivedRequest): Fault | undefined {
    let hit: Fault | undefined;
    for (const entry of this.injected) {
      if (!matches(entry.fault, request)) {
        continue;
      }
      const number = entry.seen++;
      const first = entry.fault.skip ?? 0;
      const last = first + (entry.fault.times ?? Infinity);
      if (number >= first && number < last) {
        hit ??= entry.fault;
      }
    }
    return hit;
  }
}

/** Every request so far, and who wants to know of the next. */
export class Journal {
  readonly requests: ReceivedRequest[] = [];
  private readonly listeners = new Set<(request: ReceivedRequest) => void>();

  add(request: ReceivedRequest): void {
    this.requests.push(request);
    this.listeners.forEach((listener) => listener(request));
  }

  listen(listener: (request: ReceivedRequest) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** The requests that change something. */
  mutations(): ReceivedRequest[] {
    return this.requests.filter(changesSomething);
  }
}

/** Whether a request changes something: no read, no dry run. */
export function changesSomething({
  method,
  path,
}: Pick<ReceivedRequest, "method" | "path">): boolean {
  return (
    !["GET", "HEAD"].includes(method) &&
    !/[?&]dryRun=true/.test(path) &&
    !/\/_(refresh|count|search|verify|cluster\/allocation\/explain|security\/user\/_has_privileges)(\/|\?|$)/.test(
      path,
    )
  );
}

function matches(fault: Fault, request: ReceivedRequest): boolean {
  // A pattern with the flag "g" or "y" would remember where the last test ended.
  fault.path.lastIndex = 0;
  return (
    (fault.region === undefined || fault.region === request.region) &&
    (fault.server === undefined || fault.server === request.server) &&
    (fault.brokerId === undefined || fault.brokerId === request.brokerId) &&
    (fault.method === undefined || fault.method.toUpperCase() === request.method) &&
    fault.path.test(request.path)
  );
}
