import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { compileFunction } from "node:vm";

/** What is used of the Kubernetes client. */
const USED = [
  "ApiException",
  "AppsV1Api",
  "CoreV1Api",
  "createConfiguration",
  "Exec",
  "HttpMethod",
  "KubeConfig",
  "NetworkingV1Api",
  "PatchStrategy",
  "PortForward",
  "ServerConfiguration",
  "VersionApi",
] as const;

/** The part of the Kubernetes client that this program uses. */
export type KubernetesLibrary = Pick<
  typeof import("@kubernetes/client-node"),
  (typeof USED)[number]
>;

let loaded: Promise<KubernetesLibrary> | undefined;

/**
 * Loads the Kubernetes client. On the first use only: a program without such an address does not need it.
 *
 * The client is nine hundred modules, for which Node takes most of a second in every run. So they are made
 * one file, once, and kept beside the packages.
 */
export function kubernetesLibrary(): Promise<KubernetesLibrary> {
  const entry = createRequire(__filename).resolve("@kubernetes/client-node");
  return (loaded ??= load(path.resolve(entry, "../../../..")));
}

/**
 * As {@link kubernetesLibrary}, anew.
 *
 * @param packages where npm's packages are, with a folder `.cache` for what is made of them
 */
export async function load(packages: string): Promise<KubernetesLibrary> {
  try {
    const near = createRequire(path.join(packages, "here"));
    const file = await oneFile(packages, near);
    // Not by `require`: whoever has put himself there reads it for what he has to compile, which takes as long again.
    const evaluate = compileFunction(readFileSync(file, "utf8"), ["module", "require"], {
      filename: file,
    }) as (module: { exports: unknown }, require: NodeJS.Require) => void;
    const made = { exports: {} as unknown };
    evaluate(made, near);
    return made.exports as KubernetesLibrary;
  } catch {
    // It cannot be kept there, or not be made: as it is it takes longer, and no more.
    return import("@kubernetes/client-node");
  }
}

async function oneFile(packages: string, near: NodeJS.Require): Promise<string> {
  const versions = ["@kubernetes/client-node", "esbuild"].map(
    (name) => (near(`${name}/package.json`) as { version: string }).version,
  );
  const key = createHash("sha256")
    .update(JSON.stringify([versions, USED]))
    .digest("hex");
  const folder = path.join(packages, ".cache", "camunda-dual-region");
  const file = path.join(folder, `kubernetes-client-${key.slice(0, 16)}.cjs`);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    const { build } = await import("esbuild");
    // Aside, and then at once: another run may look for it meanwhile.
    const making = `${file}.${process.pid}`;
    await build({
      stdin: {
        contents: `export { ${USED.join(", ")} } from "@kubernetes/client-node";`,
        resolveDir: packages,
      },
      bundle: true,
      platform: "node",
      minifyWhitespace: true,
      outfile: making,
      logLevel: "silent",
    });
    renameSync(making, file);
  }
  return file;
}
