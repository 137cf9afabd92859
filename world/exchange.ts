import type { IncomingMessage } from "node:http";

/** A request as the handlers see it. */
export interface Incoming {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  text: string;
}

/** An answer: `body` goes out as JSON, `text` as it is, neither as an empty answer. */
export interface Reply {
  status: number;
  body?: unknown;
  text?: string;
  headers?: Record<string, string>;
}
