// Where is kept what is made once: by setup, and by what the tests prepare. And how two that make the same at once
// stay out of each other's way.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { duration, onEarlyExit } from "./process.mjs";

const HEARTBEAT_MS = 5_000;
const STALE_MS = 60_000;
const POLL_MS = 250;
const WAIT_LINE_MS = 15_000;
const MARKER = ".complete";

/**
 * The cache folder: outside the repository, so that every checkout and every clean build shares it.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function cacheFolder(env) {
  const named = env.CAMUNDA_DUAL_REGION_CACHE;
  if (named) return path.resolve(named);
  // The XDG specification wants relative values ignored.
  const xdg = env.XDG_CACHE_HOME;
  const base = xdg && path.isAbsolute(xdg) ? xdg : path.join(env.HOME || os.homedir(), ".cache");
  return path.join(base, "camunda-dual-region");
}

/**
 * Whether a folder was made to its end.
 *
 * @param {string} folder
 */
export function isMade(folder) {
  return existsSync(path.join(folder, MARKER));
}

/**
 * Makes a folder of the cache aside and renames it into place, once, whoever comes first: an interrupted run
 * leaves nothing that looks finished.
 *
 * @param {string} target
 * @param {(folder: string) => Promise<unknown>} make
 * @param {{ log: (line: string) => void, made?: (folder: string) => boolean }} options `made`: whether it is there
 */
export async function makeOnce(target, make, { log, made = isMade }) {
  if (made(target)) return;
  const lock = `${target}.making`;
  await withLock(lock, log, async () => {
    if (made(target)) return; // whom we waited for has made it
    const folder = path.join(lock, "result");
    mkdirSync(folder);
    await make(folder);
    writeFileSync(path.join(folder, MARKER), "");
    // Present but not complete: somebody has removed files from it.
    rmSync(target, { recursive: true, force: true });
    renameSync(folder, target);
  });
}

/**
 * Writes a file so that a reader sees the old content or the new, never a part.
 *
 * @param {string} file
 * @param {string} content
 */
export function writeWhole(file, content) {
  mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, file);
}

/**
 * The content of a JSON file, or undefined when there is none or it is broken: everything setup
 * stores can be made again.
 *
 * @param {string} file
 * @returns {any}
 */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Runs `action` while holding the lock folder `folder`, in which it may also put temporary files:
 * the folder is removed at the end. Other processes wait. A lock is taken over when its owner is
 * gone: its process has ended (same host), or it has not been touched for a minute (another host
 * or container, whose processes cannot be seen from here).
 *
 * @template T
 * @param {string} folder
 * @param {(line: string) => void} log
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function withLock(folder, log, action) {
  mkdirSync(path.dirname(folder), { recursive: true });
  const begin = Date.now();
  let said = begin - WAIT_LINE_MS;
  while (!tryLock(folder)) {
    if (removeIfStale(folder)) continue;
    if (Date.now() - said >= WAIT_LINE_MS) {
      said = Date.now();
      const owner = readJson(path.join(folder, "owner.json"));
      const who = owner === undefined ? "" : ` (process ${owner.pid} on ${owner.host})`;
      log(`waiting for another that makes the same${who}, ${duration(said - begin)} ...`);
    }
    await sleep(POLL_MS);
  }
  const release = () => {
    if (isOwn(folder)) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const forget = onEarlyExit(release);
  const heartbeat = setInterval(() => {
    const now = new Date();
    if (isOwn(folder)) utimesSync(path.join(folder, "owner.json"), now, now);
  }, HEARTBEAT_MS);
  try {
    return await action();
  } finally {
    clearInterval(heartbeat);
    forget();
    release();
  }
}

function isOwn(folder) {
  const owner = readJson(path.join(folder, "owner.json"));
  return owner?.pid === process.pid && owner?.host === os.hostname();
}

function tryLock(folder) {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
  writeWhole(
    path.join(folder, "owner.json"),
    JSON.stringify({ pid: process.pid, host: os.hostname() }),
  );
  return true;
}

function removeIfStale(folder) {
  const ownerFile = path.join(folder, "owner.json");
  const owner = readJson(ownerFile);
  const touched = (
    statSync(ownerFile, { throwIfNoEntry: false }) ?? statSync(folder, { throwIfNoEntry: false })
  )?.mtimeMs;
  if (touched === undefined) return true; // released meanwhile
  const dead = owner !== undefined && owner.host === os.hostname() && !isAlive(owner.pid);
  if (!dead && Date.now() - touched < STALE_MS) return false;
  // Of several that find the same stale lock, one wins the rename.
  const aside = `${folder}.stale-${process.pid}-${Date.now()}`;
  try {
    renameSync(folder, aside);
  } catch (error) {
    if (error.code === "ENOENT") return true;
    throw error;
  }
  rmSync(aside, { recursive: true, force: true, maxRetries: 3 });
  return true;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM"; // somebody else's process: alive
  }
}
