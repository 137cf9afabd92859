// A Pulumi CLI from Go modules, for machines that reach the Go module proxy and not Pulumi's downloads.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { SetupError, run, which, withProgress } from "./process.mjs";
import { versionOf } from "./thirdParty.mjs";

// Each at its own version: 3.68.0 has the language host as a package of the SDK's module, later
// versions of that module do not. Hosts and CLIs of one major version work together.
const PULUMI_MODULE = "github.com/pulumi/pulumi/pkg/v3";
const SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3";
const PROGRAMS = [
  {
    name: "pulumi",
    text: "building the Pulumi CLI from Go modules",
    package: `${PULUMI_MODULE}/cmd/pulumi`,
    version: versionOf("go", PULUMI_MODULE),
  },
  {
    name: "pulumi-language-nodejs",
    text: "building Pulumi's Node.js language host from Go modules",
    package: `${SDK_MODULE}/nodejs/cmd/pulumi-language-nodejs`,
    version: versionOf("go", SDK_MODULE),
    // When a program ended before the host had read the end of its pipes, the host wrote to a channel that was
    // closed, and died: the run failed with "error reading from server: EOF" (pulumi/pulumi#13689, mended
    // upstream in a version that is no package of the module). Here the channel takes what comes late.
    mends: [
      ["make(chan *pulumirpc.RunResponse)\n", "make(chan *pulumirpc.RunResponse, 3)\n"],
      ["\tdefer close(responseChannel)\n", ""],
    ],
  },
];

/** Go's version, for people. */
export const GO_NEEDED = "1.25.8";
// Since 1.21, Go fetches the newer Go that a module asks for by itself.
const OLDEST_GO = [1, 21];

const VERSION_DEADLINE_MS = 30_000;
const BUILD_DEADLINE_MS = 30 * 60_000;

/** The version of the CLI that is built, and the name of its folder in the cache. */
export const GO_VERSION = PROGRAMS[0].version.slice(1);
export const GO_FOLDER = `${GO_VERSION}-go-nodejs-${PROGRAMS[1].version.slice(1)}-mended`;

/**
 * Builds the CLI and its language host into `<folder>/bin`, both at once.
 *
 * @param {{ folder: string, env: NodeJS.ProcessEnv, log: (line: string) => void, signal: AbortSignal }} options
 * @throws {SetupError} with the reason, also when there is no Go
 */
export async function buildWithGo({ folder, env, log, signal }) {
  const go = await findGo(env);
  const failed = new AbortController();
  const options = { folder, env, signal: AbortSignal.any([signal, failed.signal]) };
  const builds = PROGRAMS.map((program) =>
    withProgress(log, program.text, () => build(go, program, options)).catch((error) => {
      failed.abort(error);
    }),
  );
  // Both have ended when this does: the folder is nobody's then.
  await Promise.all(builds);
  if (failed.signal.aborted) throw failed.signal.reason;
}

async function findGo(env) {
  const command = which("go", env.PATH);
  if (command === undefined) throw new SetupError("not on PATH");
  const output = await run(command, ["version"], { env, deadlineMs: VERSION_DEADLINE_MS });
  const version = /\bgo(\d+)\.(\d+)/.exec(output)?.slice(1).map(Number);
  if (
    version !== undefined &&
    (version[0] < OLDEST_GO[0] || (version[0] === OLDEST_GO[0] && version[1] < OLDEST_GO[1]))
  ) {
    throw new SetupError(`${command} is ${version.join(".")}, too old`);
  }
  return command;
}

async function build(go, program, { folder, env, signal }) {
  // Both modules have "replace" lines, which `go install package@version` refuses; as
  // dependencies of a module of ours they build. Versions of all dependencies follow from the
  // pinned one (Go takes the least that satisfies), and Go checks every download against its
  // checksum database.
  const cwd = path.join(folder, "..", `build-${program.name}`);
  mkdirSync(cwd);
  writeFileSync(path.join(cwd, "go.mod"), "module build\n\ngo 1.23\n");
  const goEnv = {
    ...env,
    // A go.work somewhere above the cache folder is none of ours.
    GOWORK: "off",
    // No C compiler needed, and the result runs on any libc.
    CGO_ENABLED: env.CGO_ENABLED ?? "0",
    // The compiler collects less often: memory for time.
    GOGC: env.GOGC ?? "400",
  };
  const runGo = (args) => run(go, args, { cwd, env: goEnv, deadlineMs: BUILD_DEADLINE_MS, signal });
  await runGo(["get", `${program.package}@${program.version}`]);
  if (program.mends !== undefined) {
    const source = await runGo(["list", "-mod=mod", "-f", "{{.Dir}}", program.package]);
    copyMended(source.trim(), cwd, program.mends);
  }
  await runGo([
    "build",
    "-mod=mod",
    "-trimpath",
    "-buildvcs=false",
    // What the linker leaves out need not be written first: an eighth of the compiler's time.
    "-gcflags=all=-dwarf=false",
    // Without a version the Automation API refuses the CLI.
    `-ldflags=-s -w -X ${SDK_MODULE}/go/common/version.Version=${program.version}`,
    "-o",
    path.join(folder, "bin", program.name),
    program.mends === undefined ? program.package : ".",
  ]);
}

/** Copies a package's source, in which each text to be mended is there exactly once. */
function copyMended(source, target, mends) {
  for (const name of readdirSync(source).filter((file) => file.endsWith(".go"))) {
    // A copy by text: files of Go's module cache cannot be written to.
    writeFileSync(path.join(target, name), readFileSync(path.join(source, name)));
  }
  const main = path.join(target, "main.go");
  let text = readFileSync(main, "utf8");
  for (const [old, mended] of mends) {
    const parts = text.split(old);
    if (parts.length !== 2) {
      throw new SetupError(`${source}/main.go has ${parts.length - 1} times what is to be mended`);
    }
    text = parts.join(mended);
  }
  writeFileSync(main, text);
}
