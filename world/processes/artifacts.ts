import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ThirdParty } from "../../scripts/thirdParty";
import { onPath, run } from "./tools";

/** Fetches the zip of a Maven artifact with the machine's `mvn`, and unpacks it to `dir` without its top directory. */
export async function unpackArtifact(
  artifact: ThirdParty,
  dir: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const download = join(dir, ".download");
  await copyArtifacts([artifact], "zip", download, env);
  const archive = (await readdir(download)).find((name) => name.endsWith(".zip"));
  if (archive === undefined) {
    throw new Error(`could not fetch ${artifact.name}: mvn left no file`);
  }
  const unpacked = join(dir, ".unpacked");
  await mkdir(unpacked);
  await unpack(join(download, archive), unpacked);
  const top = (await readdir(unpacked))[0];
  if (top === undefined) {
    throw new Error(`could not unpack ${archive}: it is empty`);
  }
  for (const entry of await readdir(join(unpacked, top))) {
    await rename(join(unpacked, top, entry), join(dir, entry));
  }
  await rm(unpacked, { recursive: true });
  await rm(download, { recursive: true });
}

/** Copies Maven artifacts into `dir`: these, and nothing that they depend on. */
export async function copyArtifacts(
  artifacts: readonly ThirdParty[],
  type: "jar" | "zip",
  dir: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const purpose = `fetch ${artifacts[0]?.name}`;
  requireTool("mvn", purpose);
  await mkdir(dir, { recursive: true });
  const pom = join(dir, "pom.xml");
  await writeFile(
    pom,
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>` +
      `<groupId>local</groupId><artifactId>artifacts</artifactId><version>1</version>` +
      `<dependencies>${artifacts.map((artifact) => dependency(artifact, type)).join("")}</dependencies></project>\n`,
  );
  await run(
    "mvn",
    ["-B", "-q", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${dir}`],
    { purpose, env },
  );
  await rm(pom);
}

function dependency({ name, version }: ThirdParty, type: string): string {
  const [groupId, artifactId] = name.split(":");
  return (
    `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId>` +
    `<version>${version}</version><type>${type}</type>` +
    `<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>`
  );
}

/** Installs Python packages with the machine's `pip` into a directory of their own: these, and nothing that they depend on. */
export async function pipInstall(packages: readonly ThirdParty[], dir: string): Promise<void> {
  const purpose = `install ${packages[0]?.name}`;
  requireTool("python3", purpose);
  await run(
    "python3",
    [
      ...["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"],
      ...["--target", dir, ...packages.map(({ name, version }) => `${name}==${version}`)],
    ],
    { purpose },
  );
}

function requireTool(tool: string, purpose: string): void {
  if (!onPath(tool)) {
    throw new Error(`could not ${purpose}: ${tool} is not on the PATH`);
  }
}

async function unpack(archive: string, dir: string): Promise<void> {
  const purpose = `unpack ${archive}`;
  if (onPath("unzip")) {
    await run("unzip", ["-q", archive, "-d", dir], { purpose });
  } else {
    requireTool("python3", `${purpose} without unzip`);
    await run("python3", ["-m", "zipfile", "-e", archive, dir], { purpose });
  }
}
