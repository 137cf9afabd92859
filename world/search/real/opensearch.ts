import { chmod, cp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { thirdParty, thirdPartyFor } from "../../../scripts/thirdParty";
import { copyArtifacts, unpackArtifact } from "../../processes/artifacts";
import { run } from "../../processes/tools";

/** OpenSearch, whose plugin must be of the very same version. */
export const OPENSEARCH = thirdParty(
  "maven",
  "org.opensearch.distribution.integ-test-zip:opensearch",
);
const S3_PLUGIN = thirdParty("maven", "org.opensearch.plugin:repository-s3");

/** The keystore, inside the prepared OpenSearch, that every node gets a copy of. */
export const KEYSTORE_FILE = "prepared.keystore";

/** What moto takes as credentials: anything. */
const CREDENTIALS = ["s3.client.default.access_key", "s3.client.default.secret_key"];

/**
 * Assembles OpenSearch with the S3 repository plugin in `dir`. There is no archive of the plugin,
 * only its jar, hence the description files are written here.
 */
export async function assembleOpenSearch(
  dir: string,
  javaHome: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  await unpackArtifact(OPENSEARCH, dir, env);
  for (const script of await readdir(join(dir, "bin"))) {
    await chmod(join(dir, "bin", script), 0o755);
  }
  // Its Thai analyser does not find its dictionary on a slim Java, and then no index can be made.
  await rm(join(dir, "modules", "analysis-common"), { recursive: true });
  await addS3Plugin(join(dir, "plugins", "repository-s3"), env);
  await prepareKeystore(dir, javaHome);
}

async function addS3Plugin(dir: string, env: NodeJS.ProcessEnv): Promise<void> {
  // Some of what the plugin depends on OpenSearch brings itself, and refuses to find twice: the list leaves it out.
  const libraries = thirdPartyFor("maven", "libraries of OpenSearch's S3 plugin");
  await copyArtifacts([S3_PLUGIN, ...libraries], "jar", dir, env);
  const descriptor = {
    name: "repository-s3",
    description: "S3 snapshot repository",
    version: S3_PLUGIN.version,
    "opensearch.version": OPENSEARCH.version,
    "java.version": "21",
    classname: "org.opensearch.repositories.s3.S3RepositoryPlugin",
    "custom.foldername": "",
    "extended.plugins": "",
    "has.native.controller": "false",
  };
  await writeFile(
    join(dir, "plugin-descriptor.properties"),
    Object.entries(descriptor)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(""),
  );
  const permissions = [
    `java.net.SocketPermission "*", "connect,resolve"`,
    `java.lang.RuntimePermission "accessDeclaredMembers"`,
    `java.lang.RuntimePermission "getClassLoader"`,
    `java.lang.RuntimePermission "setContextClassLoader"`,
    `java.lang.reflect.ReflectPermission "suppressAccessChecks"`,
    `java.util.PropertyPermission "*", "read,write"`,
    `java.io.FilePermission "config", "read"`,
  ];
  const lines = permissions.map((permission) => `  permission ${permission};\n`);
  await writeFile(join(dir, "plugin-security.policy"), `grant {\n${lines.join("")}};\n`);
}

/** Three starts of Java: worth doing once here instead of at each start of a node. */
async function prepareKeystore(dir: string, javaHome: string): Promise<void> {
  const config = join(dir, ".keystore-config");
  await cp(join(dir, "config"), config, { recursive: true });
  const env = {
    PATH: process.env.PATH,
    OPENSEARCH_JAVA_HOME: javaHome,
    OPENSEARCH_PATH_CONF: config,
  };
  const tool = join(dir, "bin", "opensearch-keystore");
  const purpose = "make OpenSearch's keystore";
  await run(tool, ["create"], { purpose, env });
  for (const name of CREDENTIALS) {
    await run(tool, ["add", "--stdin", "--force", name], { purpose, env, input: "testing\n" });
  }
  await cp(join(config, "opensearch.keystore"), join(dir, KEYSTORE_FILE));
  await rm(config, { recursive: true });
}
