import { setTimeout as sleep } from "node:timers/promises";
import { OwnProcess } from "./processes";

/** An answer of a server, of any status. */
export interface Answer {
  status: number;
  text: string;
}

/** Sends a request and reads the whole answer. Rejects when there is none within the time. */
export async function request(
  url: string,
  options: {
    method?: string;
    json?: unknown;
    /** Lines of JSON, as `_bulk` takes them. */
    lines?: string[];
    form?: FormData;
    timeout?: number;
  } = {},
): Promise<Answer> {
  const { method = "GET", json, lines, form, timeout = 10_000 } = options;
  const text = lines === undefined ? JSON.stringify(json) : `${lines.join("\n")}\n`;
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(timeout),
    ...(text === undefined
      ? { body: form }
      : { body: text, headers: { "content-type": "application/json" } }),
  });
  return { status: response.status, text: await response.text() };
}

/** Sends a request that must succeed, and returns the parsed answer. */
export async function requestJson<T>(
  url: string,
  options: Parameters<typeof request>[1] = {},
): Promise<T> {
  const answer = await request(url, options);
  if (answer.status < 200 || answer.status > 299) {
    const what = `${options.method ?? "GET"} ${url}`;
    throw new Error(`${what} answered ${answer.status}: ${answer.text.slice(0, 500)}`);
  }
  return JSON.parse(quoteLargeNumbers(answer.text)) as T;
}

/** Why a request got no answer, in one line. */
export function whyNoAnswer(error: unknown): string {
  const cause = (error as Error).cause;
  return cause instanceof Error && cause.message ? cause.message : (error as Error).message;
}

/** Waits until a condition holds: see {@link until}. */
export interface Wait {
  /** What is waited for, in the words of the error. */
  what: string;
  seconds: number;
  /** Processes that the condition needs: the wait ends when one of them does. */
  processes: OwnProcess[];
  /** Resolves to `true` when the condition holds, else to what is missing. */
  holds: () => Promise<true | string>;
}

/** Polls a condition; at the deadline rejects with what is missing and the ends of the logs. */
export async function until(wait: Wait): Promise<void> {
  const deadline = Date.now() + wait.seconds * 1000;
  for (;;) {
    const missing = await wait
      .holds()
      .catch((error: unknown) => `no answer (${whyNoAnswer(error)})`);
    if (missing === true) {
      return;
    }
    const ended = wait.processes.filter((p) => !p.alive);
    if (ended.length > 0) {
      const list = ended.map((p) => `${p.name} ended (${p.ending})`).join(", ");
      throw new Error(`${wait.what}: ${list}\n${logs(ended)}`);
    }
    if (Date.now() > deadline) {
      const text = `${wait.what}: not within ${wait.seconds} s; ${missing}`;
      throw new Error(`${text}\n${logs(wait.processes)}`);
    }
    await sleep(250);
  }
}

function logs(processes: OwnProcess[]): string {
  return processes.map((p) => `  last lines of ${p.name}:\n${p.tail()}`).join("\n");
}

/** Keys of partition 4 and above do not fit into a JavaScript number. */
function quoteLargeNumbers(text: string): string {
  return text.replace(/([:[,]\s*)(\d{16,})(?=\s*[,}\]])/g, '$1"$2"');
}
