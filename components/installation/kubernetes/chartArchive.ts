import axios, { AxiosError, AxiosResponse } from "axios";
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { parse } from "yaml";
import { listOf } from "../../clients/answers";
import { isRecord } from "../../base/json";
import type { Chart } from "../../generations/generation";

/** Longest time for one request, in milliseconds: an index has megabytes. */
const REQUEST_MS = 60_000;

const client = axios.create({
  timeout: REQUEST_MS,
  responseType: "arraybuffer",
  validateStatus: () => true,
  maxContentLength: 64 * 1024 * 1024,
});

/** What a repository says of an archive. */
interface Source {
  url: string;
  /** SHA-256 in hexadecimal digits. */
  digest: string;
  headers: Record<string, string>;
}

/**
 * Fetches the archive of a chart and puts it at a place, whole or not at all. What comes must have the digest that the
 * repository's index or manifest says.
 *
 * @throws Error with a few words: what did not answer, or what is wrong with what came
 */
export async function download(chart: Chart, place: string): Promise<void> {
  const source = chart.chart.startsWith("oci://") ? await inRegistry(chart) : await inIndex(chart);
  const archive = await get(source.url, source.headers);
  const digest = createHash("sha256").update(archive).digest("hex");
  if (digest !== source.digest) {
    throw new Error(`what ${hostOf(source.url)} gives has another digest`);
  }
  await fs.mkdir(path.dirname(place), { recursive: true });
  const temporary = `${place}.${process.pid}.tmp`;
  await fs.writeFile(temporary, archive);
  await fs.rename(temporary, place);
}

/** A repository of Helm: an index of everything in it, with digests. */
async function inIndex({ chart, repository = "", version }: Chart): Promise<Source> {
  const base = repository.endsWith("/") ? repository : `${repository}/`;
  const index: unknown = parse((await get(new URL("index.yaml", base).href)).toString("utf8"));
  const entries = isRecord(index) && isRecord(index.entries) ? index.entries[chart] : undefined;
  const entry = Array.isArray(entries)
    ? entries.filter(isRecord).find((one) => one.version === version)
    : undefined;
  const [url] = Array.isArray(entry?.urls) ? (entry.urls as unknown[]) : [];
  if (entry === undefined || typeof url !== "string") {
    throw new Error(`${hostOf(base)} has no ${chart} ${version}`);
  }
  return { url: new URL(url, base).href, digest: digestOf(entry.digest, base), headers: {} };
}

/** A registry of OCI: a manifest, in which one layer is the chart. */
async function inRegistry({ chart, version }: Chart): Promise<Source> {
  const [host = "", ...parts] = chart.slice("oci://".length).split("/");
  // As Docker does: on this machine without TLS.
  const scheme = /^(localhost|127\.0\.0\.1)(:|$)/.test(host) ? "http" : "https";
  const base = `${scheme}://${host}/v2/${parts.join("/")}`;
  const accept = { Accept: "application/vnd.oci.image.manifest.v1+json" };
  const url = `${base}/manifests/${version}`;
  let headers: Record<string, string> = accept;
  let answer = await ask(url, headers);
  if (answer.status === 401) {
    headers = { ...accept, Authorization: `Bearer ${await anonymousToken(answer)}` };
    answer = await ask(url, headers);
  }
  const manifest: unknown = JSON.parse(bodyOf(url, answer).toString("utf8"));
  const layer = listOf(url, isRecord(manifest) ? manifest.layers : undefined, "layers").find(
    ({ mediaType }) => String(mediaType).startsWith("application/vnd.cncf.helm.chart.content"),
  );
  const digest = digestOf(layer?.digest, base);
  return { url: `${base}/blobs/sha256:${digest}`, digest, headers };
}

/** Registries want a token also of whoever may read without a login: the refusal says where it is to be had. */
async function anonymousToken({ headers }: AxiosResponse): Promise<string> {
  const challenge = String(headers["www-authenticate"] ?? "");
  const said = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map((match) => [match[1] ?? "", match[2] ?? ""]),
  );
  const url = new URL(said.realm ?? "");
  for (const key of ["service", "scope"]) {
    if (said[key] !== undefined) {
      url.searchParams.set(key, said[key]);
    }
  }
  const body: unknown = JSON.parse((await get(url.href)).toString("utf8"));
  return String(isRecord(body) ? (body.token ?? body.access_token) : "");
}

function digestOf(said: unknown, url: string): string {
  const digest = /^(?:sha256:)?([0-9a-f]{64})$/.exec(String(said))?.[1];
  if (digest === undefined) {
    throw new Error(`${hostOf(url)} says no digest of it`);
  }
  return digest;
}

async function get(url: string, headers: Record<string, string> = {}): Promise<Buffer> {
  return bodyOf(url, await ask(url, headers));
}

async function ask(url: string, headers: Record<string, string>): Promise<AxiosResponse<Buffer>> {
  try {
    return await client.get<Buffer>(url, { headers, signal: AbortSignal.timeout(REQUEST_MS) });
  } catch (error) {
    const why = error instanceof AxiosError ? (error.code ?? error.message) : String(error);
    throw new Error(`${hostOf(url)}: ${why}`);
  }
}

function bodyOf(url: string, { status, data }: AxiosResponse<Buffer>): Buffer {
  if (status !== 200) {
    throw new Error(`${hostOf(url)} answered ${status}`);
  }
  return Buffer.from(data);
}

function hostOf(url: string): string {
  return new URL(url).host;
}
