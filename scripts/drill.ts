import { CAMUNDA_VERSIONS, DEFAULT_VERSION } from "../components/generations";
import { REGIONS } from "../components/base/brokers";
import { Platform, PLATFORMS } from "../components/settings/schema";
import { commandLine, endWith, expectNone, notOneOf, notWhole } from "./commandLine";
import { runDrill } from "./drill/drill";
import { EndpointsSite } from "./drill/endpointsSite";
import { eksSite, kubernetesSite, realKubernetesSite } from "./drill/platforms";
import { summary, writeReport } from "./drill/report";
import { Interrupt } from "./operator/interrupt";
import { typedPath } from "./repository";
import { EmbeddedWorld } from "../world/camunda/embedded";
import { DIALECTS } from "../world/camunda/embedded/dialect";
import { CamundaWorld } from "../world/camunda/real/camundaWorld";
import { EmbeddedOnSearch } from "../world/search/real/embeddedOnSearch";
import type { RegionName, ClusterShape, World } from "../world/world";
import type { Site } from "./drill/scene";

const HELP = `npm run drill -- [options]

Rehearses the loss of a region: both stacks up, work, region lost, preview, failover, region recreated,
failback, steady. The real Pulumi engine runs the program of this repository on a throw-away backend.

  --platform endpoints|kubernetes|eks   endpoints: Camunda is there (default); the others: the program
                             installs it first, through stand-ins for AWS and Kubernetes
  --camunda-version ${CAMUNDA_VERSIONS.join("|")}  the generation (default ${DEFAULT_VERSION})
  --provider played|real     of Kubernetes (platform kubernetes; default played); real: Pulumi's own, on two
                             real API servers, which are built once, in some minutes
  --lose region0|region1|both   the region that is lost (default region1); both: region1, and
                             when it is back, region0
  --search opensearch        two real OpenSearches and an S3 server in place of what plays them (platform
                             endpoints; Linux, Maven, Python; some 250 MB are fetched once)
  --camunda DIR              real brokers, of a distribution of Camunda 8.6 or later that you have: the folder
                             that it was unpacked to (platform endpoints; Linux, 6 GiB of memory, Java 21 or
                             later, which is fetched when there is none), on --search opensearch or
  --elasticsearch DIR        on an Elasticsearch that you have, likewise
  --brokers N                even, at least 4 (default 4)
  --partitions N             (default 2)
  --report DIR               writes report.json and report.md
  --help

Exit code: 0 every check held, 1 not, 2 wrong command line.
`;

const PROVIDERS = ["played", "real"] as const;

interface Options {
  platform: Platform;
  camundaVersion: string;
  lose: readonly RegionName[];
  provider: (typeof PROVIDERS)[number];
  search: "opensearch" | undefined;
  camunda: string | undefined;
  elasticsearch: string | undefined;
  brokers: number;
  partitions: number;
  report: string | undefined;
}

function options(): Options {
  const { values } = commandLine(HELP, {
    platform: { type: "string", default: "endpoints" },
    "camunda-version": { type: "string", default: DEFAULT_VERSION },
    lose: { type: "string", default: "region1" },
    provider: { type: "string", default: "played" },
    search: { type: "string" },
    camunda: { type: "string" },
    elasticsearch: { type: "string" },
    brokers: { type: "string", default: "4" },
    partitions: { type: "string", default: "2" },
    report: { type: "string" },
  });
  const { platform, provider, lose, camunda, elasticsearch, search, brokers, partitions } = values;
  expectNone([
    notOneOf("--platform", platform, PLATFORMS),
    notOneOf("--camunda-version", values["camunda-version"], CAMUNDA_VERSIONS),
    notOneOf("--lose", lose, [...REGIONS, "both"]),
    notOneOf("--provider", provider, PROVIDERS),
    provider === "real" && platform !== "kubernetes"
      ? `--provider real is for --platform kubernetes, not ${platform}`
      : undefined,
    notOneOf("--search", search, ["opensearch"]),
    ...(["search", "camunda", "elasticsearch"] as const)
      .filter((name) => values[name] !== undefined && platform !== "endpoints")
      .map((name) => `--${name} is for --platform endpoints, not ${platform}`),
    elasticsearch !== undefined && camunda === undefined
      ? "--elasticsearch is for --camunda, which is missing"
      : undefined,
    elasticsearch !== undefined && search !== undefined
      ? "--search and --elasticsearch exclude each other"
      : undefined,
    notWhole("--brokers", brokers, 4, true),
    notWhole("--partitions", partitions, 1),
  ]);
  return {
    platform: platform as Options["platform"],
    camundaVersion: values["camunda-version"],
    lose: lose === "both" ? ["region1", "region0"] : [lose as RegionName],
    provider: provider as Options["provider"],
    search: search as Options["search"],
    camunda,
    elasticsearch,
    brokers: Number(brokers),
    partitions: Number(partitions),
    report: values.report,
  };
}

function say(line: string): void {
  console.log(`[${new Date().toTimeString().slice(0, 8)}] ${line}`);
}

async function main(): Promise<number> {
  const chosen = options();
  const shape = { clusterSize: chosen.brokers, partitionCount: chosen.partitions };
  const report = await runDrill({
    site: siteOf(chosen, shape),
    lose: chosen.lose,
    say,
    interrupt: new Interrupt(say).listen(),
  });
  console.log(`\n${summary(report)}`);
  if (chosen.report !== undefined) {
    const folder = typedPath(chosen.report);
    await writeReport(folder, report);
    console.log(`report: ${folder}`);
  }
  return report.ok ? 0 : 1;
}

function siteOf(chosen: Options, shape: Partial<ClusterShape>): Site {
  const { camundaVersion } = chosen;
  const options = { camundaVersion, shape };
  switch (chosen.platform) {
    case "kubernetes":
      return chosen.provider === "real" ? realKubernetesSite(options) : kubernetesSite(options);
    case "eks":
      return eksSite(options);
    case "endpoints":
      return new EndpointsSite(worldOf(chosen, shape), camundaVersion);
  }
}

function worldOf(
  { camundaVersion, search, camunda, elasticsearch }: Options,
  shape: Partial<ClusterShape>,
): World {
  const log = (line: string) => console.log(line);
  if (camunda !== undefined) {
    return new CamundaWorld({ camunda, elasticsearch, shape, log });
  }
  const dialect = DIALECTS[camundaVersion];
  return search === undefined
    ? new EmbeddedWorld({ shape, dialect })
    : new EmbeddedOnSearch({ shape, dialect, log });
}

endWith(main());
