import { join } from "node:path";
import { cacheFolder, isMade, makeOnce } from "../../scripts/setup/cache.mjs";
import { run } from "./tools";

/** The directory, outside the repository, that keeps the distributions between runs: the one of the set-up. */
export function cacheRoot(): string {
  return cacheFolder(process.env);
}

/** Whether the cache holds the finished entry `name`. */
export function isCached(name: string): boolean {
  return isMade(join(cacheRoot(), name));
}

/** The directory of the cache entry `name`, made by `make` when it is not there yet. Of several one makes it. */
export async function cached(name: string, make: (dir: string) => Promise<void>): Promise<string> {
  const target = join(cacheRoot(), name);
  const readable = async (dir: string) => {
    await make(dir);
    // Elasticsearch may have to run as another user than we do, who must be able to read it all.
    await run("chmod", ["-R", "a+rX", dir], { purpose: `make ${name} readable` });
  };
  await makeOnce(target, readable, { log: (line) => console.error(line) });
  return target;
}
