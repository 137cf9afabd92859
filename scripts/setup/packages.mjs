// npm's packages: installed when they are missing or the lockfile has changed, and not otherwise.
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { cacheFolder, readJson, withLock, writeWhole } from "./cache.mjs";
import { SetupError, run, which, withProgress } from "./process.mjs";

const DEADLINE_MS = 20 * 60_000;
const MARKER = ".camunda-dual-region.json";

/**
 * Whether the installed packages are those of the lockfile. Quick: two small reads when setup has
 * seen them before.
 *
 * @param {string} root the repository
 */
export function packagesAreCurrent(root) {
  const hiddenLock = path.join(root, "node_modules", ".package-lock.json");
  const hidden = statSync(hiddenLock, { throwIfNoEntry: false });
  if (hidden === undefined) return false;
  const marker = path.join(root, "node_modules", MARKER);
  const key = packagesKey(root);
  // npm writes its hidden lockfile last, and on every change of node_modules: a newer one means
  // that somebody has used npm by hand since.
  const marked = statSync(marker, { throwIfNoEntry: false });
  if (
    marked !== undefined &&
    marked.mtimeMs >= hidden.mtimeMs &&
    readJson(marker)?.packages === key
  ) {
    return true;
  }
  // What somebody has installed by hand is as good, when it is the same.
  if (!sameTree(readJson(path.join(root, "package-lock.json")), readJson(hiddenLock))) return false;
  writeMarker(root, key);
  return true;
}

/**
 * Whether every package of a lockfile that belongs on this platform is in npm's record of the
 * installed tree, at the same version.
 *
 * @param {any} lock package-lock.json
 * @param {any} installed node_modules/.package-lock.json
 */
export function sameTree(lock, installed) {
  const wanted = lock?.packages;
  const present = installed?.packages;
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([place, entry]) => {
    if (place === "") return true; // the project itself
    const found = present[place];
    if (found === undefined) return entry.optional === true && !isForThisPlatform(entry);
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/**
 * An optional package that names its platforms is a native one: esbuild's, without which tsx fails. Of those that
 * name a C library npm takes one.
 */
function isForThisPlatform({ os, cpu, libc }) {
  return (
    libc === undefined &&
    os?.includes(process.platform) === true &&
    cpu?.includes(process.arch) === true
  );
}

/**
 * Installs npm's packages from the lockfile unless they are there. Returns whether it had to.
 *
 * @param {{ root: string, env: NodeJS.ProcessEnv, log: (line: string) => void }} options
 * @returns {Promise<boolean>}
 */
export async function installPackages({ root, env, log }) {
  if (packagesAreCurrent(root)) return false;
  const id = createHash("sha256").update(root).digest("hex").slice(0, 16);
  return withLock(path.join(cacheFolder(env), "locks", `npm-${id}`), log, async () => {
    if (packagesAreCurrent(root)) return false; // the setup we waited for has done it
    const npm = which("npm", env.PATH);
    if (npm === undefined) throw new SetupError("npm is not on PATH: it comes with Node.js");
    const key = packagesKey(root);
    await withProgress(log, "installing npm's packages (npm ci)", () =>
      // The development packages are wanted even where NODE_ENV says production: tests use them.
      run(npm, ["ci", "--include=dev", "--no-audit", "--no-fund"], {
        cwd: root,
        env,
        deadlineMs: DEADLINE_MS,
      }),
    );
    writeMarker(root, key);
    return true;
  });
}

function packagesKey(root) {
  const lock = readFileSync(path.join(root, "package-lock.json"));
  const hash = createHash("sha256").update(lock).digest("hex");
  return `${hash} ${process.platform} ${process.arch}`;
}

function writeMarker(root, key) {
  writeWhole(path.join(root, "node_modules", MARKER), JSON.stringify({ packages: key }));
}
