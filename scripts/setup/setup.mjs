// What `npm run setup` and the launcher share.
import { installPackages, packagesAreCurrent } from "./packages.mjs";
import { findOrMakePulumi, knownPulumi } from "./pulumi.mjs";
import { SetupError } from "./process.mjs";

const OLDEST_NODE = "20.19.0";

/**
 * Throws one line when this Node.js or this platform cannot run the program.
 *
 * @param {string} [version] of Node.js, without "v"
 * @param {string} [platform]
 */
export function checkNode(version = process.versions.node, platform = process.platform) {
  const [major, minor] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE.split(".").map(Number);
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new SetupError(`Node.js ${version} is too old: ${OLDEST_NODE} or newer is needed`);
  }
  if (platform === "win32") {
    throw new SetupError("Windows is not supported: use Linux (WSL) or macOS");
  }
}

/**
 * Everything the other commands need: npm's packages and a Pulumi CLI, found or made.
 *
 * @param {{ root: string, env: NodeJS.ProcessEnv, log: (line: string) => void }} options
 * @returns {Promise<{ installed: boolean, pulumi: import("./pulumi.mjs").Pulumi }>}
 */
export async function setup({ root, env, log }) {
  checkNode();
  const installed = await installPackages({ root, env, log });
  return { installed, pulumi: await findOrMakePulumi({ root, env, log }) };
}

/**
 * The Pulumi CLI when setup has nothing left to do, found without running anything; otherwise
 * undefined.
 *
 * @param {{ root: string, env: NodeJS.ProcessEnv }} options
 */
export function whenReady({ root, env }) {
  checkNode();
  return packagesAreCurrent(root) ? knownPulumi({ root, env }) : undefined;
}

/**
 * Prints why setup failed: one line for what was foreseen, with the command's own output when there
 * is some, and the stack for what was not. Sets the exit code.
 *
 * @param {unknown} error
 */
export function reportFailure(error) {
  process.exitCode = 1;
  if (!(error instanceof SetupError)) {
    console.error(error);
    return;
  }
  const output = error.output.trim();
  if (output !== "") console.error(output);
  console.error(`setup: ${error.message}`);
}
