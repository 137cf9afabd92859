import type { Credentials } from "../../settings/types";
import { isRecord } from "../../base/json";
import { Answer, reason, Refused, send } from "../http";

type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Requests to one search engine, and the answer as it must be. */
export class SearchRequests {
  constructor(
    readonly url: string,
    private readonly timeoutMs: number,
    private readonly credentials?: Credentials,
  ) {}

  protected async ok(
    method: Method,
    path: string,
    body?: unknown,
  ): Promise<Record<string, unknown>> {
    return this.body(method, path, await this.send(method, path, body));
  }

  protected body(method: Method, path: string, answer: Answer): Record<string, unknown> {
    if (answer.status < 200 || answer.status > 299 || !isRecord(answer.body)) {
      throw new Refused(this.request(method, path), answer.status, reason(answer.body));
    }
    return answer.body;
  }

  /** A request in words. */
  protected request(method: Method, path: string): string {
    return `${method} ${this.url}${path}`;
  }

  protected async send(method: Method, path: string, body?: unknown): Promise<Answer> {
    return send(method, `${this.url}${path}`, {
      body,
      timeoutMs: this.timeoutMs,
      credentials: this.credentials,
    });
  }
}
