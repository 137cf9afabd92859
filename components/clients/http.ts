import axios, { AxiosError } from "axios";
import * as http from "node:http";
import * as https from "node:https";

/** What a server answered, whatever its status: the status alone decides nothing in these APIs. */
export interface Answer {
  status: number;
  body: unknown;
}

/** A user name and password for HTTP basic authentication. */
export interface Credentials {
  user: string;
  password: string;
}

/** Nothing answered, or the answer broke off: whether a request took effect is not known. */
export class Unreachable extends Error {
  constructor(
    readonly url: string,
    readonly why: string,
  ) {
    super(`${url} does not answer (${why})`);
    this.name = "Unreachable";
  }
}

/** A server answered, but not as asked for: the status and its own message in one line. */
export class Refused extends Error {
  constructor(
    readonly request: string,
    readonly status: number,
    readonly reason: string,
  ) {
    super(`${request} answered ${status}: ${reason}`);
    this.name = "Refused";
  }
}

// Kept-alive sockets of a server that has just died answer the next request with a reset, which would
// make a restarted broker look broken once. A recovery sends few requests: a fresh socket for each.
const client = axios.create({
  httpAgent: new http.Agent({ keepAlive: false }),
  httpsAgent: new https.Agent({ keepAlive: false }),
  validateStatus: () => true,
  maxRedirects: 0,
  maxContentLength: 64 * 1024 * 1024,
});

/**
 * Sends one request and returns the answer with any status. Never repeats a request: a caller that
 * changes something must look at the cluster before it sends again.
 *
 * @param timeoutMs bound on the whole exchange, connecting included
 * @throws {@link Unreachable} when there is no whole answer in time
 */
export async function send(
  method: "GET" | "POST" | "PUT" | "DELETE",
  url: string,
  options: { body?: unknown; timeoutMs: number; credentials?: Credentials },
): Promise<Answer> {
  try {
    const response = await client.request<unknown>({
      method,
      url,
      data: options.body === undefined ? undefined : JSON.stringify(options.body),
      headers: {
        Accept: "application/json",
        // Without `false`, axios calls an empty body a form.
        "Content-Type": options.body === undefined ? false : "application/json",
      },
      auth: options.credentials && {
        username: options.credentials.user,
        password: options.credentials.password,
      },
      timeout: options.timeoutMs,
      // `timeout` alone starts anew with each byte; a trickling answer must end too.
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    return { status: response.status, body: response.data };
  } catch (error) {
    throw new Unreachable(withoutCredentials(url), reasonOf(error, options.timeoutMs));
  }
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof AxiosError) {
    if (error.code === "ERR_CANCELED" || error.code === "ECONNABORTED") {
      return `no answer within ${timeoutMs / 1000} s`;
    }
    return error.code ?? error.message;
  }
  return error instanceof Error ? error.message : String(error);
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}

/** The first line of a server's own explanation, short enough for one line of an error. */
export function reason(body: unknown): string {
  const text = textOf(body).split("\n")[0] ?? "";
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function textOf(body: unknown): string {
  if (typeof body === "string") {
    return body;
  }
  if (isRecord(body)) {
    const error = body.error;
    if (isRecord(error)) {
      return `${String(error.type ?? "error")}: ${String(error.reason ?? JSON.stringify(error))}`;
    }
    if (typeof body.message === "string") {
      return body.message;
    }
    if (typeof body.detail === "string") {
      return body.detail;
    }
    if (typeof error === "string") {
      return error;
    }
  }
  return JSON.stringify(body) ?? "no body";
}

/** Whether a value is a JSON object (not an array, not null). */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The list under `key` of a JSON object, checked to be one: half an answer must not pass as an empty list. */
export function listOf(request: string, value: unknown, what: string): Record<string, unknown>[] {
  if (!Array.isArray(value) || !value.every(isRecord)) {
    throw new Refused(request, 200, `the answer has no list of ${what}: ${reason(value)}`);
  }
  return value;
}
