// What `npm run setup` and the launcher share.
import { installPackages } from "./packages.mjs";
import { findPulumi, makePulumi } from "./pulumi.mjs";
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
    throw new SetupError(`Node.js ${version} is too old: 20.19, 22 or 24 is needed`);
  }
  if (platform === "win32") {
    throw new SetupError("Windows is not supported: use Linux (WSL) or macOS");
  }
}

/**
 * Everything the other commands need: npm's packages and a Pulumi CLI, found or made, at once. It says
 * nothing when there is nothing to do.
 *
 * @param {{ root: string, env: NodeJS.ProcessEnv, log: (line: string) => void }} options
 * @returns {Promise<{ installed: boolean, pulumi: import("./pulumi.mjs").Pulumi }>}
 */
export async function setup({ root, env, log }) {
  checkNode();
  const packages = installPackages({ root, env, log });
  // Asked for again below.
  packages.catch(() => undefined);
  const found = await findPulumi({ root, env, log });
  const pulumi =
    found.pulumi ?? (await makePulumi({ root, env, log, packages, reason: found.reason }));
  return { installed: await packages, pulumi };
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
