import { readFile } from "node:fs/promises";
import { thirdParty, thirdPartyFor } from "../../scripts/thirdParty";
import { pipInstall } from "./artifacts";
import { cached, cacheRoot, isCached } from "./cache";
import { findOrInstallJava, javaAvailable } from "../camunda/real/java";
import { assembleOpenSearch, OPENSEARCH } from "../search/real/opensearch";
import type { Log } from "../../components/clients/poll";
import { onPath, run, stamped } from "./tools";

/** The search engine that runs. */
export type SearchKind = "elasticsearch" | "opensearch";

/** Where everything is that real search consists of, unpacked and ready. */
export interface SearchDistribution {
  search: SearchKind;
  javaHome: string;
  searchHome: string;
  /** The directory of Python packages that holds moto, an S3 server; with OpenSearch only. */
  motoHome?: string;
}

const ENTRY = `opensearch-${OPENSEARCH.version}-s3`;
const MOTO = thirdParty("pypi", "moto");

/** What the nodes and S3 servers of two test files at once take at their largest, and a drill's engine. */
const NEEDED_MEMORY = 4 * 2 ** 30;

/**
 * Fetches what real search runs (Java, OpenSearch with its S3 plugin, an S3 server) through the machine's
 * `mvn` and `pip` into the cache directory, once. Some 250 MB and a minute the first time.
 *
 * @throws Error with one line that says what could not be had
 */
export async function prepareSearch(options: { log: Log }): Promise<SearchDistribution> {
  const log = stamped(options.log);
  const available = await searchAvailable();
  if (!available.ok) {
    throw new Error(`real search cannot run here: ${available.why}`);
  }
  const javaHome = await findOrInstallJava(log);
  // Maven is a Java program too: without a Java on the machine it takes the one of the cache.
  const env = onPath("java") ? process.env : { ...process.env, JAVA_HOME: javaHome };
  if (!isCached(ENTRY)) {
    log(`fetching OpenSearch ${OPENSEARCH.version} and its S3 plugin (200 MB) with mvn`);
  }
  const searchHome = await cached(ENTRY, (dir) => assembleOpenSearch(dir, javaHome, env));
  return { search: "opensearch", javaHome, searchHome, motoHome: await prepareMoto(log) };
}

/** Whether real search can run here; a quick check that downloads nothing. */
export async function searchAvailable(): Promise<{ ok: true } | { ok: false; why: string }> {
  if (process.platform !== "linux") {
    return { ok: false, why: "it needs Linux" };
  }
  const available = await availableMemory();
  if (available < NEEDED_MEMORY) {
    const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
    const why = `it needs ${gib(NEEDED_MEMORY)} GiB of free memory, and there are ${gib(available)}`;
    return { ok: false, why };
  }
  if (!isCached(ENTRY) && !onPath("mvn")) {
    return { ok: false, why: `mvn is not on the PATH and ${cacheRoot()} does not hold all of it` };
  }
  if (!onPath("python3")) {
    return { ok: false, why: "python3 is not on the PATH, and the S3 server needs it" };
  }
  if (!(await javaAvailable())) {
    return { ok: false, why: "there is no Java 21, nor pip for python3 to install one" };
  }
  return { ok: true };
}

async function availableMemory(): Promise<number> {
  const info = await readFile("/proc/meminfo", "utf8");
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(info)?.[1] ?? 0) * 1024;
}

async function prepareMoto(log: Log): Promise<string> {
  const version = await run(
    "python3",
    ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
    { purpose: "ask Python for its version" },
  );
  // Some of its libraries are compiled for one version of Python.
  const entry = `moto-${MOTO.version}-python${version.trim()}`;
  if (!isCached(entry)) {
    log("installing moto (an S3 server) with pip");
  }
  const packages = [MOTO, ...thirdPartyFor("pypi", "libraries of moto")];
  return cached(entry, (dir) => pipInstall(packages, dir));
}
