import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { onPath, run } from "./tools";

/**
 * Fetches one Maven artifact (`group:artifact:version:type`) with the machine's `mvn`, into Maven's
 * own repository when it is not there yet, and unpacks it to `dir` without its top directory.
 */
export async function unpackArtifact(
  coordinates: string,
  dir: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  requireTool("mvn", `fetch ${coordinates}`);
  const download = join(dir, ".download");
  // "copy" puts the file where we say, so that nothing has to know where Maven's repository is.
  await run(
    "mvn",
    ["-B", "-q", "dependency:copy", `-Dartifact=${coordinates}`, `-DoutputDirectory=${download}`],
    { purpose: `fetch ${coordinates}`, env },
  );
  const archive = (await readdir(download))[0];
  if (archive === undefined) throw new Error(`could not fetch ${coordinates}: mvn left no file`);
  const unpacked = join(dir, ".unpacked");
  await mkdir(unpacked);
  await unpack(join(download, archive), unpacked);
  const top = (await readdir(unpacked))[0];
  if (top === undefined) throw new Error(`could not unpack ${archive}: it is empty`);
  for (const entry of await readdir(join(unpacked, top))) {
    await rename(join(unpacked, top, entry), join(dir, entry));
  }
  await rm(unpacked, { recursive: true });
  await rm(download, { recursive: true });
}

/** Copies the runtime jars of a Maven artifact and all it depends on into `dir`. */
export async function copyJars(
  artifact: { groupId: string; artifactId: string; version: string },
  dir: string,
  pom: { file: string; write: (text: string) => Promise<void> },
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const name = `${artifact.groupId}:${artifact.artifactId}:${artifact.version}`;
  requireTool("mvn", `fetch ${name}`);
  const tags = Object.entries(artifact).map(([tag, value]) => `<${tag}>${value}</${tag}>`);
  await pom.write(
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>` +
      `<groupId>local</groupId><artifactId>jars</artifactId><version>1</version>` +
      `<dependencies><dependency>${tags.join("")}</dependency></dependencies></project>\n`,
  );
  await run(
    "mvn",
    [
      ...["-B", "-q", "-f", pom.file, "dependency:copy-dependencies"],
      ...["-DincludeScope=runtime", `-DoutputDirectory=${dir}`],
    ],
    { purpose: `fetch ${name}`, env },
  );
}

/** Installs Python packages with the machine's `pip` into a directory of their own. */
export async function pipInstall(packages: string[], dir: string): Promise<void> {
  const purpose = `install ${packages.join(" ")}`;
  requireTool("python3", purpose);
  const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  await run("python3", [...args, "--target", dir, ...packages], { purpose });
}

function requireTool(tool: string, purpose: string): void {
  if (!onPath(tool)) throw new Error(`could not ${purpose}: ${tool} is not on the PATH`);
}

async function unpack(archive: string, dir: string): Promise<void> {
  const purpose = `unpack ${archive}`;
  if (archive.endsWith(".tar.gz")) await run("tar", ["xzf", archive, "-C", dir], { purpose });
  else if (onPath("unzip")) await run("unzip", ["-q", archive, "-d", dir], { purpose });
  else {
    requireTool("python3", `${purpose} without unzip`);
    await run("python3", ["-m", "zipfile", "-e", archive, dir], { purpose });
  }
}
