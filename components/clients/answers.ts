import { shortened } from "../base/bounded";
import { isRecord } from "../base/json";
import type { Credentials } from "../settings/types";

/** A URL may be longer than a line: what became of it must be in the line too. */
const LONGEST_URL = 90;

/** Nothing answered, or the answer broke off: whether a request took effect is not known. */
export class Unreachable extends Error {
  constructor(
    readonly url: string,
    readonly why: string,
  ) {
    super(`${shortened(url, LONGEST_URL)} does not answer (${why})`);
    this.name = "Unreachable";
  }
}

/** A server's certificate is of an authority that this machine does not trust: no time mends it. Nothing was sent. */
export class Untrusted extends Error {
  constructor(url: string, code: string) {
    super(
      `${url} has a certificate of an unknown authority (${code}): set NODE_EXTRA_CA_CERTS to a file with it`,
    );
    this.name = "Untrusted";
  }
}

/** A server answered, but not as asked for: the status and its own message in one line. */
export class Refused extends Error {
  constructor(
    readonly request: string,
    readonly status: number,
    readonly reason: string,
  ) {
    super(`${shortened(request, LONGEST_URL)} answered ${status}: ${reason}`);
    this.name = "Refused";
  }
}

/** So many characters of a request, and of what is wrong with it, keep the line short, with a word before it too. */
const REQUEST_SHOWN = 50;
const WRONG_SHOWN = 75;

/** An API answered 401 or 403: what it was asked with, and the key of the configuration that says so. */
export class SignInRefused extends Refused {
  /** What the server says, whole: it may name a right. */
  readonly said: string;

  /** @param said by the server: a 403 may also be of a right, or of an index that is blocked */
  constructor(
    request: string,
    status: number,
    { key, sent, authorization }: Credentials,
    said: string,
  ) {
    const wrong =
      status === 401
        ? `${sent}: ${authorization === undefined ? "set" : "correct"} ${key}`
        : `${sent} (${key}): ${withoutSecret(said, authorization)}`;
    super(request, status, shortened(wrong, WRONG_SHOWN));
    this.said = withoutSecret(said, authorization);
    this.message = `${shortened(request, REQUEST_SHOWN)} answered ${status} to ${this.reason}`;
    this.name = "SignInRefused";
  }
}

/** What a server says, should it repeat what it was sent. */
function withoutSecret(said: string, authorization = ""): string {
  const [scheme, value = ""] = authorization.split(" ");
  const secret =
    scheme === "Basic" ? Buffer.from(value, "base64").toString().replace(/^.*?:/, "") : value;
  return [value, secret].reduce(
    (text, one) => (one === "" ? text : text.replaceAll(one, "…")),
    said,
  );
}

/**
 * A search answered 200, but not with all that was asked: it ran out of time, left shards or groups out. What
 * it would say in full is not known; in a moment it may be.
 */
export class PartialAnswer extends Refused {
  constructor(request: string, why: string) {
    super(request, 200, `not the whole answer: ${why}`);
    this.name = "PartialAnswer";
  }
}

/** Statuses below 500 that a server, or what stands before it, answers for a moment: starting, busy, moved. */
const PASSING = [404, 408, 429];

/**
 * Whether the same question may be answered in a moment: nothing answered, an error of the server's own or of what
 * stands before it, or an answer of success that cannot be read. The only place that says so.
 */
export function isTransient(error: unknown): error is Unreachable | Refused {
  return error instanceof Unreachable || (error instanceof Refused && isPassing(error.status));
}

function isPassing(status: number): boolean {
  return status >= 500 || status < 300 || PASSING.includes(status);
}

/** Whether the credentials were refused: for a moment that is a token which is just exchanged, not longer. */
export function isForbidden(error: unknown): error is Refused {
  return error instanceof Refused && (error.status === 401 || error.status === 403);
}

/**
 * Whether a request that changes something may have taken effect though it has failed: the answer was lost, is an
 * error that says nothing of it, or cannot be read. Then the cluster is to be looked at.
 */
export function mayHaveTakenEffect(error: unknown): error is Unreachable | Refused {
  return isTransient(error) && !(error instanceof Refused && error.status === 404);
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
      const cause = innermost(error);
      return `${String(cause.type ?? "error")}: ${String(cause.reason ?? JSON.stringify(cause))}`;
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

/** What an error of Elasticsearch comes from: what is around it says only what was tried. */
function innermost(error: Record<string, unknown>): Record<string, unknown> {
  const { caused_by: cause } = error;
  return isRecord(cause) && typeof cause.reason === "string" ? innermost(cause) : error;
}

/** The list under `key` of a JSON object, checked to be one: half an answer must not pass as an empty list. */
export function listOf(request: string, value: unknown, what: string): Record<string, unknown>[] {
  if (!Array.isArray(value) || !value.every(isRecord)) {
    throw new Refused(request, 200, `the answer has no list of ${what}: ${reason(value)}`);
  }
  return value;
}
