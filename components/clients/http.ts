import type { AxiosInstance } from "axios";
import { Agent } from "node:http";
import { Agent as SecureAgent } from "node:https";
import { reason, SignInRefused, Unreachable, Untrusted } from "./answers";
import { proxyFor, throughProxy } from "./proxy";
import type { Credentials } from "../settings/types";
import { kubernetesLibrary } from "./kubernetesLibrary";
import { isKubernetesUrl } from "../base/kubernetesAddress";
import { forward } from "./portForward";

export { listOf, PartialAnswer, reason, Refused, Unreachable, Untrusted } from "./answers";

/** An API, and what its requests sign in with. */
export interface Endpoint {
  url: string;
  credentials?: Credentials;
}

/** What a server answered, whatever its status: the status alone decides nothing in these APIs. */
export interface Answer {
  status: number;
  body: unknown;
}

let made: AxiosInstance | undefined;

/** The client, made for the first request: a run that sends none does not load the library. */
function http(): AxiosInstance {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded here, not at the top
  const { default: axios } = require("axios") as typeof import("axios");
  // Kept-alive sockets of a server that has just died answer the next request with a reset, which would
  // make a restarted broker look broken once. A recovery sends few requests: a fresh socket for each.
  return (made ??= axios.create({
    httpAgent: new Agent({ keepAlive: false }),
    httpsAgent: new SecureAgent({ keepAlive: false }),
    validateStatus: () => true,
    maxRedirects: 0,
    maxContentLength: 64 * 1024 * 1024,
  }));
}

/**
 * Sends one request and returns the answer with any status. Never repeats a request: a caller that
 * changes something must look at the cluster before it sends again.
 *
 * @param url `http:`, `https:`, or the `eks:` or `kubernetes:` address of a pod or Service, which is
 *   reached by a port-forward for this one request
 * @param timeoutMs bound on the whole exchange, connecting included
 * @throws {@link Unreachable} when there is no whole answer in time; {@link Untrusted} when it is of a certificate that
 *   waiting does not mend; {@link SignInRefused} for 401 and 403, where it is known what is signed in with
 */
export async function send(
  method: "GET" | "POST" | "PUT" | "DELETE",
  url: string,
  options: { body?: unknown; timeoutMs: number; credentials?: Credentials },
): Promise<Answer> {
  const client = http();
  const { credentials, credentials: { authorization } = {} } = options;
  if (isKubernetesUrl(url)) {
    // Before the clock starts: what this machine takes to load it is no silence of the cluster.
    await kubernetesLibrary();
  }
  // `timeout` alone starts anew with each byte; a trickling answer must end too.
  const signal = AbortSignal.timeout(options.timeoutMs);
  const forwarded = isKubernetesUrl(url) ? forward(url, signal, options.timeoutMs) : undefined;
  const proxy = forwarded === undefined ? proxyFor(url) : undefined;
  try {
    const response = await client.request<unknown>({
      method,
      url: forwarded?.url ?? url,
      // A proxy of the environment knows nothing of pods.
      ...(forwarded && { httpAgent: forwarded.agent, proxy: false as const }),
      data: options.body === undefined ? undefined : JSON.stringify(options.body),
      headers: {
        Accept: "application/json",
        // Without `false`, axios calls an empty body a form.
        "Content-Type": options.body === undefined ? false : "application/json",
        // To this address alone: no redirect is followed.
        ...(authorization !== undefined && { Authorization: authorization }),
      },
      timeout: options.timeoutMs,
      signal,
    });
    const { status, headers, data } = response;
    const body = otherThanMeant(status, headers.location, data, proxy) ?? data;
    if (credentials !== undefined && (status === 401 || status === 403)) {
      throw new SignInRefused(`${method} ${url}`, status, credentials, reason(body));
    }
    return { status, body };
  } catch (error) {
    if (error instanceof SignInRefused) {
      throw error;
    }
    const { code } = error as { code?: string };
    if (code !== undefined && UNTRUSTED.includes(code)) {
      throw new Untrusted(withoutCredentials(url), code);
    }
    throw (
      forwarded?.unreachable(error) ??
      new Unreachable(
        withoutCredentials(url),
        reasonOf(error, options.timeoutMs) + throughProxy(proxy),
      )
    );
  }
}

/** What Node says of a certificate whose authority it does not know. */
const UNTRUSTED = [
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
];

/** In place of an answer that is none of the API's: what it is, for whoever reads why it was not taken. No JSON. */
function otherThanMeant(
  status: number,
  location: unknown,
  body: unknown,
  proxy: string | undefined,
): string | undefined {
  if (status >= 300 && status < 400 && typeof location === "string") {
    const where = withoutCredentials(location.split(/[?#]/)[0] ?? "");
    return `a redirect to ${where}: give the address that it leads to`;
  }
  if (typeof body === "string" && /^\s*<(!doctype html|html)\b/i.test(body)) {
    const title = /<title>\s*([^<]{1,60})/i.exec(body)?.[1]?.trim();
    return `a web page${title === undefined ? "" : ` ("${title}")`} and no JSON${throughProxy(proxy)}`;
  }
  return undefined;
}

function reasonOf(error: unknown, timeoutMs: number): string {
  const { code, message } = error as { code?: string; message?: string };
  return code === "ERR_CANCELED" || code === "ECONNABORTED"
    ? `no answer within ${timeoutMs / 1000} s`
    : (code ?? message ?? String(error));
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}
