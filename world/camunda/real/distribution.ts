import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Stop } from "../../../scripts/commandLine";
import { typedPath } from "../../../scripts/repository";

/** How brokers of a generation are started, where generations differ. */
interface BrokerLaunch {
  /** The first minor version of it. */
  from: readonly [major: number, minor: number];
  mainClass: string;
  /** Beginning of the names of the environment that configure an exporter. */
  exporters: string;
  env: Record<string, string>;
}

/** The newest first. 8.6 was run; the later ones are as their documentation has it. */
const LAUNCHES: readonly BrokerLaunch[] = [
  {
    from: [8, 9],
    mainClass: "io.camunda.application.StandaloneCamunda",
    exporters: "CAMUNDA_DATA_EXPORTERS",
    env: {
      SPRING_PROFILES_ACTIVE: "broker",
      CAMUNDA_SECURITY_AUTHENTICATION_UNPROTECTEDAPI: "true",
    },
  },
  {
    from: [8, 8],
    mainClass: "io.camunda.application.StandaloneCamunda",
    exporters: "ZEEBE_BROKER_EXPORTERS",
    env: {
      SPRING_PROFILES_ACTIVE: "broker",
      CAMUNDA_SECURITY_AUTHENTICATION_UNPROTECTEDAPI: "true",
    },
  },
  {
    from: [8, 6],
    mainClass: "io.camunda.application.StandaloneBroker",
    exporters: "ZEEBE_BROKER_EXPORTERS",
    env: {},
  },
];

/** An unpacked distribution of Camunda's brokers. */
export interface CamundaDistribution extends Omit<BrokerLaunch, "from"> {
  home: string;
  version: string;
}

/** An unpacked distribution of Elasticsearch. */
export interface ElasticsearchDistribution {
  home: string;
  version: string;
}

/**
 * Reads which version of Camunda a folder holds, by the names of the jars in its `lib`.
 *
 * @throws Error with one line when it holds none, or one before 8.6
 */
export function readCamunda(folder: string): CamundaDistribution {
  const option = `--camunda ${folder}`;
  const home = typedPath(folder);
  const version = versionIn(
    home,
    option,
    "Camunda",
    /^(?:camunda-zeebe|zeebe-broker)-(\d.*)\.jar$/,
  );
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const generation = LAUNCHES.find(
    ({ from }) => major > from[0] || (major === from[0] && minor >= from[1]),
  );
  if (generation === undefined) {
    throw new Stop(`${option} is Camunda ${version}: 8.6 or later is needed`, 2);
  }
  const { mainClass, exporters, env } = generation;
  return { home, version, mainClass, exporters, env };
}

/**
 * Reads which version of Elasticsearch a folder holds.
 *
 * @throws Error with one line when it holds none, or one before 8
 */
export function readElasticsearch(folder: string): ElasticsearchDistribution {
  const option = `--elasticsearch ${folder}`;
  const home = typedPath(folder);
  const version = versionIn(
    home,
    option,
    "Elasticsearch",
    /^elasticsearch-(\d+\.\d+\.\d+(?:-\w+)?)\.jar$/,
  );
  if (Number(version.split(".")[0]) < 8) {
    throw new Stop(`${option} is Elasticsearch ${version}: 8 or later is needed`, 2);
  }
  return { home, version };
}

function versionIn(home: string, option: string, product: string, jar: RegExp): string {
  const unpacked = `name the folder that ${product} was unpacked to`;
  const list = (folder: string, of: string): string[] => {
    try {
      return readdirSync(folder);
    } catch (error) {
      switch ((error as NodeJS.ErrnoException).code) {
        case "ENOENT":
          throw new Stop(`${of}: there is no such folder; ${unpacked}`, 2);
        case "ENOTDIR":
          throw new Stop(`${of} is no folder; ${unpacked}`, 2);
        default:
          throw new Stop(
            `${of} cannot be read (${(error as NodeJS.ErrnoException).code}); ${unpacked}`,
            2,
          );
      }
    }
  };
  if (!list(home, option).includes("lib")) {
    throw new Stop(`${option} has no folder lib; ${unpacked}`, 2);
  }
  const names = list(join(home, "lib"), `${option}: lib`);
  const versions = [...new Set(names.flatMap((name) => jar.exec(name)?.[1] ?? []))].sort();
  const [version, ...others] = versions;
  if (version === undefined) {
    throw new Stop(`${option} has no jar of ${product} in lib; ${unpacked}`, 2);
  }
  if (others.length > 0) {
    throw new Stop(
      `${option} has jars of ${product} ${versions.join(" and ")} in lib; unpack one version`,
      2,
    );
  }
  return version;
}
