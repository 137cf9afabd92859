import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { run } from "./tools";

const MARKER = ".complete";
const TEMP_PREFIX = ".making-";

/** The directory, outside the repository, that keeps the distributions between runs: the one of the set-up. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  const { CAMUNDA_DUAL_REGION_CACHE: named, XDG_CACHE_HOME: xdg, HOME: home } = env;
  // A variable that is set to nothing is one that is not set.
  if (named) {
    return resolve(named);
  }
  const base = xdg && isAbsolute(xdg) ? xdg : join(home || homedir(), ".cache");
  return join(base, "camunda-dual-region");
}

/** Whether the cache holds the finished entry `name`. */
export function isCached(name: string): boolean {
  return existsSync(join(cacheRoot(), name, MARKER));
}

/**
 * The directory of the cache entry `name`, made by `make` when it is not there yet.
 *
 * It is made under another name and renamed at its end, so an interrupted run leaves nothing that
 * looks finished. Of several that make it at once, the first to end gives it, and what the others have made is
 * thrown away: somebody may be running what is there.
 */
export async function cached(name: string, make: (dir: string) => Promise<void>): Promise<string> {
  const root = cacheRoot();
  const target = join(root, name);
  if (isCached(name)) {
    return target;
  }
  await mkdir(root, { recursive: true });
  await removeAbandoned(root);
  const temp = await mkdtemp(join(root, `${TEMP_PREFIX}${process.pid}-`));
  try {
    await make(temp);
    await writeFile(join(temp, MARKER), "");
    // Elasticsearch may have to run as another user than we do, who must be able to read it all.
    await run("chmod", ["-R", "a+rX", temp], { purpose: `make ${name} readable` });
    while (!(await renamed(temp, target)) && !isCached(name)) {
      // Something unfinished, which is not of here: out of the way, by a rename that only one can do.
      const aside = await mkdtemp(join(root, `${TEMP_PREFIX}${process.pid}-`));
      await renamed(target, join(aside, name));
      await rm(aside, { recursive: true, force: true });
    }
    return target;
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

/** Renames a folder, unless there is something at its new name or nothing at its old one. */
async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTEMPTY" || code === "EEXIST" || code === "ENOENT") {
      return false;
    }
    throw error;
  }
}

async function removeAbandoned(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const pid = new RegExp(`^\\${TEMP_PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) {
      await rm(join(root, name), { recursive: true, force: true });
    }
  }
}
