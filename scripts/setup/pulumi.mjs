// The Pulumi CLI: the one on PATH, or one made once into the cache folder.
import { chmodSync, copyFileSync, existsSync, mkdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { cacheFolder, makeOnce, readJson } from "./cache.mjs";
import { GO_FOLDER, GO_NEEDED, GO_VERSION, buildWithGo } from "./goBuild.mjs";
import { SetupError, isExecutable, run, which, withProgress } from "./process.mjs";

/** The oldest Pulumi CLI this program is meant for. */
export const OLDEST_PULUMI = "3.200.0";

const LANGUAGE_HOST = "pulumi-language-nodejs";
const DYNAMIC_PROVIDER = "pulumi-resource-pulumi-nodejs";
// Together in one real folder: where Pulumi finds the last two on PATH but not beside itself, every
// run warns.
const PROGRAMS = ["pulumi", LANGUAGE_HOST, DYNAMIC_PROVIDER];

const VERSION_DEADLINE_MS = 30_000;
const INSTALLER_DEADLINE_MS = 10 * 60_000;

/**
 * @typedef {object} Pulumi
 * @property {string} version as the CLI says it, without "v"; "unknown" for a local build
 * @property {string} source where it comes from, for people
 * @property {string | undefined} folder to be put in front of PATH; undefined: PATH is right as is
 */

/**
 * @typedef {object} Options
 * @property {string} root the repository
 * @property {NodeJS.ProcessEnv} env
 * @property {(line: string) => void} log
 */

/**
 * The Pulumi CLI on PATH, else the one in the cache, else why there is none.
 *
 * @param {Options} options
 * @returns {Promise<{ pulumi: Pulumi } | { pulumi: undefined, reason: string }>}
 */
export async function findPulumi({ root, env, log }) {
  const command = which("pulumi", env.PATH);
  let reason = "no pulumi";
  if (command !== undefined) {
    try {
      return { pulumi: await onPath(command, env, log) };
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      reason = error.message;
      // Somebody who has installed Pulumi will wonder why it is not used.
      log(`not used: PATH: ${reason}`);
    }
  }
  const pulumi = madePulumi(root, env);
  return pulumi === undefined ? { pulumi, reason: `PATH: ${reason}` } : { pulumi };
}

/** A CLI on PATH that works, and has what Pulumi needs for Node.js programs beside it or on PATH. */
async function onPath(command, env, log) {
  const output = await run(command, ["version"], {
    env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    deadlineMs: VERSION_DEADLINE_MS,
  }).catch((error) => {
    throw new SetupError(`${command} does not work: ${error.message}`);
  });
  const folders = [path.dirname(realpathSync(command)), path.dirname(command), env.PATH];
  const missing = [LANGUAGE_HOST, DYNAMIC_PROVIDER].filter(
    (name) => which(name, folders.join(path.delimiter)) === undefined,
  );
  if (missing.length > 0) {
    throw new SetupError(`${command} has no ${missing.join(" and ")} beside it or on PATH`);
  }
  const version = /^v?(\d+\.\d+\.\d+\S*)$/m.exec(output)?.[1] ?? "unknown";
  if (isOlder(version, OLDEST_PULUMI)) {
    log(`Pulumi ${version} is older than this program is for (${OLDEST_PULUMI})`);
  }
  return { version, source: `${command}, from PATH`, folder: undefined };
}

/**
 * Whether a version is older than another; one that cannot be read ("unknown") is not.
 *
 * @param {string} version
 * @param {string} other
 */
export function isOlder(version, other) {
  const numbers = (text) => /^(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  const [a, b] = [numbers(version), numbers(other)];
  if (a === undefined || b === undefined) return false;
  const at = a.findIndex((number, i) => number !== b[i]);
  return at >= 0 && a[at] < b[at];
}

/**
 * Makes a Pulumi CLI in the cache, by Pulumi's own installer and from Go modules at once: the first that
 * is there ends the other. Go begins before npm's packages are there, which bring the installer.
 *
 * @param {Options & { reason: string, packages: Promise<unknown> }} options `reason`: why there is none yet
 * @returns {Promise<Pulumi>}
 */
export async function makePulumi({ root, env, log, reason, packages }) {
  const stop = new AbortController();
  const { signal } = stop;
  packages.catch(() => stop.abort());
  const ways = {
    "Pulumi's own installer": packages.then(() =>
      makeCli({ root, env, log, packages }, sdkVersion(root), (folder) =>
        withProgress(log, "downloading the Pulumi CLI (Pulumi's own installer)", () =>
          run(
            process.execPath,
            [path.join(import.meta.dirname, "official-installer.mjs"), folder],
            { cwd: root, env, name: "the installer", deadlineMs: INSTALLER_DEADLINE_MS, signal },
          ),
        ),
      ),
    ),
    Go: makeCli({ root, env, log, packages }, GO_FOLDER, (folder) =>
      buildWithGo({ folder, env, log, signal }),
    ),
  };
  try {
    await Promise.any(Object.values(ways));
  } catch {
    // Neither: each says below why.
  } finally {
    stop.abort();
  }
  const ended = await Promise.allSettled(Object.values(ways));
  // Without packages nothing works.
  await packages;
  const pulumi = madePulumi(root, env);
  if (pulumi !== undefined) return pulumi;
  const tried = Object.keys(ways).map((name, i) => {
    const error = ended[i].reason;
    if (error !== undefined && !(error instanceof SetupError)) throw error;
    return `${name}: ${error?.message ?? "the result cannot be executed"}`;
  });
  const minimum = OLDEST_PULUMI.split(".").slice(0, 2).join(".");
  throw new SetupError(
    `no Pulumi CLI. ${[reason, ...tried].join("; ")}. The way out: install Pulumi ${minimum} or newer, or Go ${GO_NEEDED} or newer, and run this again.`,
  );
}

function sdkFolder(root) {
  return path.join(root, "node_modules", "@pulumi", "pulumi");
}

function sdkVersion(root) {
  const version = readJson(path.join(sdkFolder(root), "package.json"))?.version;
  if (version === undefined) throw new SetupError("npm's package @pulumi/pulumi is not installed");
  return version;
}

function isComplete(folder) {
  return PROGRAMS.every((name) => isExecutable(path.join(folder, "bin", name)));
}

/** The CLI in the cache. It was run before it came there, so its presence is enough. */
function madePulumi(root, env) {
  const base = path.join(cacheFolder(env), "pulumi");
  const official = readJson(path.join(sdkFolder(root), "package.json"))?.version;
  const made = (folder, version, how) => {
    const bin = path.join(base, folder, "bin");
    return isComplete(path.join(base, folder))
      ? { version, source: `${bin}, ${how}`, folder: bin }
      : undefined;
  };
  return (
    (official && made(official, official, "Pulumi's own installer")) ??
    made(GO_FOLDER, GO_VERSION, "built from Go modules")
  );
}

/** Makes `<cache>/pulumi/<name>`, which is run once before it counts as made. */
function makeCli({ root, env, log, packages }, name, make) {
  const whole = async (folder) => {
    mkdirSync(path.join(folder, "bin"));
    await make(folder);
    await packages;
    addDynamicProvider(root, path.join(folder, "bin"));
    await run(path.join(folder, "bin", "pulumi"), ["version"], {
      env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      deadlineMs: VERSION_DEADLINE_MS,
    });
  };
  return makeOnce(path.join(cacheFolder(env), "pulumi", name), whole, { log, made: isComplete });
}

/** Pulumi's installer brings this script along; otherwise it is in the SDK's npm package. */
function addDynamicProvider(root, bin) {
  const target = path.join(bin, DYNAMIC_PROVIDER);
  if (existsSync(target)) return;
  copyFileSync(path.join(sdkFolder(root), DYNAMIC_PROVIDER), target);
  chmodSync(target, 0o755);
}
