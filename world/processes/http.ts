/** An answer of a server, of any status. */
export interface TextAnswer {
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
): Promise<TextAnswer> {
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

/** Keys of partition 4 and above do not fit into a JavaScript number. */
function quoteLargeNumbers(text: string): string {
  return text.replace(/([:[,]\s*)(\d{16,})(?=\s*[,}\]])/g, '$1"$2"');
}
