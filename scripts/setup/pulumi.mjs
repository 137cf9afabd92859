// The Pulumi CLI: the one on PATH, or one made once into the cache folder.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { cacheFolder, readJson, withLock, writeWhole } from "./cache.mjs";
import { SetupError, isExecutable, run, which, withProgress } from "./process.mjs";
import { versionOf } from "./thirdParty.mjs";

/** The oldest Pulumi CLI this program is meant for. */
export const OLDEST_PULUMI = "3.200.0";

// Each at its own version: 3.68.0 has the language host as a package of the SDK's module, later
// versions of that module do not. Hosts and CLIs of one major version work together.
const PULUMI_MODULE = "github.com/pulumi/pulumi/pkg/v3";
const SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3";
const GO_MODULES = {
  pulumi: {
    package: `${PULUMI_MODULE}/cmd/pulumi`,
    version: versionOf("go", PULUMI_MODULE).slice(1),
  },
  "pulumi-language-nodejs": {
    package: `${SDK_MODULE}/nodejs/cmd/pulumi-language-nodejs`,
    version: versionOf("go", SDK_MODULE).slice(1),
  },
};
const GO_NEEDED = "1.25.8";
// Since 1.21, Go fetches the newer Go that a module asks for by itself.
const OLDEST_GO = [1, 21];

const LANGUAGE_HOST = "pulumi-language-nodejs";
const DYNAMIC_PROVIDER = "pulumi-resource-pulumi-nodejs";
// Together in one real folder: where Pulumi finds the last two on PATH but not beside itself, every
// run warns.
const PROGRAMS = ["pulumi", LANGUAGE_HOST, DYNAMIC_PROVIDER];

const VERSION_DEADLINE_MS = 30_000;
const GO_DEADLINE_MS = 30 * 60_000;
// With Go as the next way, a slow or unanswered download is given up soon.
const INSTALLER_DEADLINE_MS = 60_000;
const LAST_WAY_DEADLINE_MS = 10 * 60_000;

/**
 * @typedef {object} Pulumi
 * @property {string} version as the CLI says it, without "v"; "unknown" for a local build
 * @property {string} source where it comes from, for people
 * @property {string | undefined} folder to be put in front of PATH; undefined: PATH is right as is
 */

/**
 * @typedef {object} Options
 * @property {string} root the repository, with npm's packages installed
 * @property {NodeJS.ProcessEnv} env
 * @property {(line: string) => void} log
 */

/**
 * The Pulumi CLI to use, when it is known without running anything: undefined means that
 * {@link findOrMakePulumi} has work to do.
 *
 * @param {Pick<Options, "root" | "env">} options
 * @returns {Pulumi | undefined}
 */
export function knownPulumi({ root, env }) {
  const command = which("pulumi", env.PATH);
  if (command !== undefined && missingBeside(command, env).length === 0) {
    const version = readVersions(env)[fingerprint(command)];
    // A CLI never seen to work, or changed since, has to be run once.
    return version === undefined ? undefined : onPath(command, version);
  }
  return madePulumi({ root, env });
}

/**
 * The Pulumi CLI on PATH, else the one in the cache, else made there: by Pulumi's own installer,
 * or from Go modules.
 *
 * @param {Options} options
 * @returns {Promise<Pulumi>}
 */
export async function findOrMakePulumi({ root, env, log }) {
  const tried = [];
  const found = await pulumiOnPath(env);
  if (found.pulumi !== undefined) {
    if (isOlder(found.pulumi.version, OLDEST_PULUMI)) {
      log(`Pulumi ${found.pulumi.version} is older than this program is for (${OLDEST_PULUMI})`);
    }
    return found.pulumi;
  }
  tried.push(found.reason);
  // Somebody who has installed Pulumi will wonder why it is not used.
  if (found.isThere) log(`not used: ${found.reason}`);

  const made = madePulumi({ root, env });
  if (made !== undefined) return made;

  const go = await findGo(env);
  const ways = [
    {
      name: "Pulumi's own installer",
      version: sdkVersion(root),
      make: (folder) =>
        withProgress(log, "downloading the Pulumi CLI (Pulumi's own installer)", () =>
          run(
            process.execPath,
            [path.join(import.meta.dirname, "official-installer.mjs"), folder],
            {
              cwd: root,
              env,
              name: "the installer",
              deadlineMs: go.command === undefined ? LAST_WAY_DEADLINE_MS : INSTALLER_DEADLINE_MS,
            },
          ),
        ),
    },
    {
      name: "Go",
      version: goFolderName(),
      make: (folder) => buildWithGo({ go, folder, env, log }),
    },
  ];
  for (const { name, version, make } of ways) {
    try {
      await makeOnce({ root, env, log, version, make });
      const result = madePulumi({ root, env });
      if (result !== undefined) return result;
      tried.push(`${name}: the result cannot be executed`);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      tried.push(`${name}: ${error.message}`);
    }
  }
  const minimum = OLDEST_PULUMI.split(".").slice(0, 2).join(".");
  throw new SetupError(
    `no Pulumi CLI. ${tried.join("; ")}. The way out: install Pulumi ${minimum} or newer, or Go ${GO_NEEDED} or newer, and run this again.`,
  );
}

/** What Pulumi needs for Node.js programs and finds neither beside itself nor on PATH. */
function missingBeside(command, env) {
  const folders = [path.dirname(realpathSync(command)), path.dirname(command)];
  return [LANGUAGE_HOST, DYNAMIC_PROVIDER].filter(
    (name) => which(name, [...folders, env.PATH ?? ""].join(path.delimiter)) === undefined,
  );
}

function onPath(command, version) {
  return { version, source: `${command}, from PATH`, folder: undefined };
}

async function pulumiOnPath(env) {
  const command = which("pulumi", env.PATH);
  if (command === undefined) return { isThere: false, reason: "PATH: no pulumi" };
  let output;
  try {
    output = await run(command, ["version"], {
      env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      deadlineMs: VERSION_DEADLINE_MS,
    });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { isThere: true, reason: `PATH: ${command} does not work: ${error.message}` };
  }
  const missing = missingBeside(command, env);
  if (missing.length > 0) {
    const what = missing.join(" and ");
    return { isThere: true, reason: `PATH: ${command} has no ${what} beside it or on PATH` };
  }
  const version = parseVersion(output) ?? "unknown";
  rememberVersion(env, command, version);
  return { isThere: true, pulumi: onPath(command, version) };
}

/** Changes whenever the CLI behind a path is replaced. */
function fingerprint(command) {
  const real = realpathSync(command);
  const { size, mtimeMs } = statSync(real);
  return [command, real, size, mtimeMs].join(" ");
}

function versionsFile(env) {
  return path.join(cacheFolder(env), "pulumi", "seen-on-path.json");
}

function readVersions(env) {
  return readJson(versionsFile(env)) ?? {};
}

function rememberVersion(env, command, version) {
  const versions = readVersions(env);
  for (const key of Object.keys(versions)) {
    if (key.startsWith(`${command} `)) delete versions[key];
  }
  versions[fingerprint(command)] = version;
  writeWhole(versionsFile(env), `${JSON.stringify(versions, null, 2)}\n`);
}

function parseVersion(output) {
  return /^v?(\d+\.\d+\.\d+\S*)$/m.exec(output)?.[1];
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

// --- the cache ---------------------------------------------------------------------------------

function goFolderName() {
  return `${GO_MODULES.pulumi.version}-go-nodejs-${GO_MODULES[LANGUAGE_HOST].version}`;
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
function madePulumi({ root, env }) {
  const base = path.join(cacheFolder(env), "pulumi");
  const official = path.join(base, sdkVersion(root));
  if (isComplete(official)) {
    return made(official, sdkVersion(root), "Pulumi's own installer");
  }
  const go = path.join(base, goFolderName());
  return isComplete(go) ? made(go, GO_MODULES.pulumi.version, "built from Go modules") : undefined;
}

function made(folder, version, how) {
  const bin = path.join(folder, "bin");
  return { version, source: `${bin}, ${how}`, folder: bin };
}

/** Makes `<cache>/pulumi/<version>` aside and renames it into place, once, whoever comes first. */
async function makeOnce({ root, env, log, version, make }) {
  const target = path.join(cacheFolder(env), "pulumi", version);
  const lock = `${target}.making`;
  await withLock(lock, log, async () => {
    if (isComplete(target)) return; // the setup we waited for has made it
    const folder = path.join(lock, "result");
    mkdirSync(path.join(folder, "bin"), { recursive: true });
    await make(folder);
    addDynamicProvider(root, path.join(folder, "bin"));
    await run(path.join(folder, "bin", "pulumi"), ["version"], {
      env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      deadlineMs: VERSION_DEADLINE_MS,
    });
    // Present but not complete: somebody has removed files from it.
    rmSync(target, { recursive: true, force: true });
    renameSync(folder, target);
  });
}

/** Pulumi's installer brings this script along; otherwise it is in the SDK's npm package. */
function addDynamicProvider(root, bin) {
  const target = path.join(bin, DYNAMIC_PROVIDER);
  if (existsSync(target)) return;
  copyFileSync(path.join(sdkFolder(root), DYNAMIC_PROVIDER), target);
  chmodSync(target, 0o755);
}

// --- Go ----------------------------------------------------------------------------------------

async function findGo(env) {
  const command = which("go", env.PATH);
  if (command === undefined) return { reason: "not on PATH" };
  try {
    const output = await run(command, ["version"], { env, deadlineMs: VERSION_DEADLINE_MS });
    const version = /\bgo(\d+)\.(\d+)/.exec(output)?.slice(1).map(Number);
    if (
      version !== undefined &&
      (version[0] < OLDEST_GO[0] || (version[0] === OLDEST_GO[0] && version[1] < OLDEST_GO[1]))
    ) {
      return { reason: `${command} is ${version.join(".")}, too old` };
    }
    return { command };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { reason: error.message };
  }
}

async function buildWithGo({ go, folder, env, log }) {
  if (go.command === undefined) throw new SetupError(go.reason);
  const goEnv = {
    ...env,
    // A go.work somewhere above the cache folder is none of ours.
    GOWORK: "off",
    // No C compiler needed, and the result runs on any libc.
    CGO_ENABLED: env.CGO_ENABLED ?? "0",
  };
  const steps = [
    ["pulumi", "building the Pulumi CLI from Go modules"],
    [LANGUAGE_HOST, "building Pulumi's Node.js language host from Go modules"],
  ];
  for (const [name, text] of steps) {
    const module = GO_MODULES[name];
    // Both modules have "replace" lines, which `go install package@version` refuses; as
    // dependencies of a module of ours they build. Versions of all dependencies follow from the
    // pinned one (Go takes the least that satisfies), and Go checks every download against its
    // checksum database.
    const build = path.join(folder, "..", `build-${name}`);
    mkdirSync(build);
    writeFileSync(path.join(build, "go.mod"), "module build\n\ngo 1.23\n");
    const runGo = (args) =>
      run(go.command, args, { cwd: build, env: goEnv, deadlineMs: GO_DEADLINE_MS });
    await withProgress(log, text, async () => {
      await runGo(["get", `${module.package}@v${module.version}`]);
      await runGo([
        "build",
        "-mod=mod",
        "-trimpath",
        "-buildvcs=false",
        // Without a version the Automation API refuses the CLI.
        `-ldflags=-s -w -X ${SDK_MODULE}/go/common/version.Version=v${module.version}`,
        "-o",
        path.join(folder, "bin", name),
        module.package,
      ]);
    });
  }
}
