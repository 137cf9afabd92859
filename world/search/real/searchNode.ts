import { execFile, spawnSync } from "node:child_process";
import { chownSync, existsSync } from "node:fs";
import { cp, lstat, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { KEYSTORE_FILE } from "./opensearch";
import { SearchDistribution } from "../../processes/prepare";
import { OwnProcess, UNPRIVILEGED } from "../../processes/processes";

/** One node of Elasticsearch or OpenSearch: a region's. */
export interface SearchNode {
  name: string;
  /** Its directory: configuration, data, logs. */
  dir: string;
  httpPort: number;
  transportPort: number;
  /** Where repositories of type `fs` may lie. */
  repositoryDir: string;
  /** Where the S3 server answers; with OpenSearch only. */
  s3Url?: string;
}

const HEAP = "-Xms384m -Xmx384m -XX:+UseSerialGC";

/** Starts a node with the data that its directory holds. */
export async function startSearchNode(
  distribution: SearchDistribution,
  node: SearchNode,
): Promise<OwnProcess> {
  const { search, searchHome, javaHome } = distribution;
  await writeConfiguration(distribution, node);
  const prefix = search === "elasticsearch" ? "ES" : "OPENSEARCH";
  return OwnProcess.start({
    name: node.name,
    command: join(searchHome, "bin", search),
    args: [],
    cwd: node.dir,
    env: {
      PATH: process.env.PATH ?? "/usr/bin:/bin",
      HOME: node.dir,
      // Elasticsearch brings its own, which is the one that it is tested with.
      ...(existsSync(join(searchHome, "jdk")) ? {} : { [`${prefix}_JAVA_HOME`]: javaHome }),
      [`${prefix}_PATH_CONF`]: join(node.dir, "config"),
      [`${prefix}_TMPDIR`]: join(node.dir, "tmp"),
      [search === "elasticsearch" ? "ES_JAVA_OPTS" : "OPENSEARCH_JAVA_OPTS"]: HEAP,
      CLI_JAVA_OPTS: "-Xmx64m -XX:+UseSerialGC",
      // For every Java that the start script runs: its files lie in a directory of the machine
      // that we could not remove.
      JDK_JAVA_OPTIONS: "-XX:-UsePerfData",
    },
    logFile: join(node.dir, "out.log"),
    refusesRoot: true,
  });
}

/** Removes everything that a node has written. */
export function eraseSearchNode(node: SearchNode): Promise<void> {
  return rm(node.dir, { recursive: true, force: true });
}

/**
 * The distribution with copies, below `dir`, of those parts that the search engine cannot read where
 * they are: it refuses to run as root, and root's own cache is closed to everybody else.
 */
export async function readableBySearch(
  distribution: SearchDistribution,
  dir: string,
): Promise<SearchDistribution> {
  if (process.getuid?.() !== 0) {
    return distribution;
  }
  const readable = async (home: string, probe: string): Promise<string> => {
    const test = spawnSync("test", ["-x", join(home, "bin", probe)], UNPRIVILEGED);
    if (test.status === 0) {
      return home;
    }
    const copy = join(dir, probe);
    await mkdir(dir, { recursive: true });
    const run = promisify(execFile);
    // Hard links cost nothing, but do not reach across file systems.
    await run("cp", ["-al", home, copy]).catch(async () => {
      await rm(copy, { recursive: true, force: true });
      await run("cp", ["-a", home, copy]);
    });
    await run("chmod", ["-R", "a+rX", dir]);
    return copy;
  };
  const javaHome = await readable(distribution.javaHome, "java");
  const searchHome = await readable(distribution.searchHome, distribution.search);
  return { ...distribution, javaHome, searchHome };
}

/** Gives a directory and all in it to the user that the search engine runs as. */
export async function giveToSearchUser(path: string): Promise<void> {
  if (process.getuid?.() !== 0) {
    return;
  }
  chownSync(path, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
  if (!(await lstat(path)).isDirectory()) {
    return;
  }
  for (const entry of await readdir(path)) {
    await giveToSearchUser(join(path, entry));
  }
}

/** Nothing of what a distribution of Elasticsearch has on by itself and a drill has no use for. */
function elasticsearchSettings(home: string): Record<string, boolean> {
  const has = (module: string) => existsSync(join(home, "modules", module));
  return {
    "xpack.security.enabled": false,
    // A setting is refused where its module is missing.
    ...(has("x-pack-ml") ? { "xpack.ml.enabled": false } : {}),
    ...(has("ingest-geoip") ? { "ingest.geoip.downloader.enabled": false } : {}),
  };
}

async function writeConfiguration(
  distribution: SearchDistribution,
  node: SearchNode,
): Promise<void> {
  const { search, searchHome } = distribution;
  const config = join(node.dir, "config");
  for (const name of ["data", "logs", "tmp"]) {
    await mkdir(join(node.dir, name), { recursive: true });
  }
  await rm(config, { recursive: true, force: true });
  await cp(join(searchHome, "config"), config, { recursive: true });
  const settings: Record<string, string | number | boolean> = {
    "cluster.name": node.name,
    "node.name": node.name,
    "network.host": "127.0.0.1",
    "http.port": node.httpPort,
    "transport.port": node.transportPort,
    "discovery.type": "single-node",
    "path.data": join(node.dir, "data"),
    "path.logs": join(node.dir, "logs"),
    "path.repo": node.repositoryDir,
    // The disk of a test machine may be nearly full, which is no reason to lock the indices.
    "cluster.routing.allocation.disk.threshold_enabled": false,
    // As Elasticsearch has it by itself: a pattern deletes nothing.
    "action.destructive_requires_name": true,
    ...(search === "elasticsearch" ? elasticsearchSettings(searchHome) : {}),
    ...(node.s3Url === undefined
      ? {}
      : {
          "s3.client.default.endpoint": node.s3Url,
          "s3.client.default.region": "us-east-1",
          "s3.client.default.path_style_access": true,
        }),
  };
  await writeFile(
    join(config, `${search}.yml`),
    Object.entries(settings)
      .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
      .join(""),
  );
  // The serial collector replaces theirs; the vector module is not in a slim Java.
  const options = await readFile(join(config, "jvm.options"), "utf8");
  const unwanted = /UseG1GC|incubator\.vector|Xlog:gc/;
  await writeFile(
    join(config, "jvm.options"),
    options
      .split("\n")
      .filter((line) => !unwanted.test(line))
      .join("\n"),
  );
  if (search === "opensearch") {
    await cp(join(searchHome, KEYSTORE_FILE), join(config, "opensearch.keystore"));
  }
  await giveToSearchUser(node.dir);
}
