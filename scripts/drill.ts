import { parseArgs } from "node:util";
import * as path from "node:path";
import { REGIONS } from "../components/base/brokers";
import { runDrill } from "./drill/drill";
import { EndpointsSite } from "./drill/endpointsSite";
import { eksSite, kubernetesSite } from "./drill/platforms";
import { realKubernetesSite } from "./drill/realKubernetesSite";
import { summary, writeReport } from "./drill/report";
import type { Site } from "./drill/site";
import { Interrupt } from "./operator/interrupt";
import { EmbeddedWorld } from "../world/camunda/embedded";
import { CamundaWorld } from "../world/camunda/real/camundaWorld";
import { EmbeddedOnSearch } from "../world/search/real/embeddedOnSearch";
import type { RegionName, ClusterShape, World } from "../world/world";

const HELP = `npm run drill -- [options]

Rehearses the loss of a region: both stacks up, work, region lost, preview, failover, region recreated,
failback, steady. The real Pulumi engine runs the program of this repository on a throw-away backend.

  --platform endpoints|kubernetes|eks   endpoints: Camunda is there (default); the others: the program
                             installs it first, through stand-ins for AWS and Kubernetes
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
`;

const PLATFORMS = ["endpoints", "kubernetes", "eks"] as const;

const PROVIDERS = ["played", "real"] as const;

interface Options {
  platform: (typeof PLATFORMS)[number];
  lose: readonly RegionName[];
  provider: (typeof PROVIDERS)[number];
  search: "opensearch" | undefined;
  camunda: string | undefined;
  elasticsearch: string | undefined;
  brokers: number;
  partitions: number;
  report: string | undefined;
}

function options(args: string[]): Options | undefined {
  const { values } = parseArgs({
    args,
    options: {
      platform: { type: "string", default: "endpoints" },
      lose: { type: "string", default: "region1" },
      provider: { type: "string", default: "played" },
      search: { type: "string" },
      camunda: { type: "string" },
      elasticsearch: { type: "string" },
      brokers: { type: "string", default: "4" },
      partitions: { type: "string", default: "2" },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    return undefined;
  }
  const brokers = Number(values.brokers);
  const partitions = Number(values.partitions);
  const wrong = [
    ...oneOf("--platform", values.platform, PLATFORMS),
    ...oneOf("--lose", values.lose, [...REGIONS, "both"]),
    ...oneOf("--provider", values.provider, PROVIDERS),
    ...(values.provider === "real" && values.platform !== "kubernetes"
      ? [`--provider real is for --platform kubernetes, not ${values.platform}`]
      : []),
    ...(values.search === undefined ? [] : oneOf("--search", values.search, ["opensearch"])),
    ...(["search", "camunda", "elasticsearch"] as const)
      .filter((name) => values[name] !== undefined && values.platform !== "endpoints")
      .map((name) => `--${name} is for --platform endpoints, not ${values.platform}`),
    ...(values.elasticsearch !== undefined && values.camunda === undefined
      ? ["--elasticsearch is for --camunda, which is missing"]
      : []),
    ...(values.elasticsearch !== undefined && values.search !== undefined
      ? ["--search and --elasticsearch exclude each other"]
      : []),
    ...(Number.isInteger(brokers) && brokers >= 4 && brokers % 2 === 0
      ? []
      : [`--brokers must be even and at least 4, not ${values.brokers}`]),
    ...(Number.isInteger(partitions) && partitions >= 1
      ? []
      : [`--partitions must be at least 1, not ${values.partitions}`]),
  ];
  if (wrong.length > 0) {
    throw new Error(wrong.join("; "));
  }
  return {
    platform: values.platform as Options["platform"],
    lose: values.lose === "both" ? ["region1", "region0"] : [values.lose as RegionName],
    provider: values.provider as Options["provider"],
    search: values.search as Options["search"],
    camunda: values.camunda,
    elasticsearch: values.elasticsearch,
    brokers,
    partitions,
    report: values.report,
  };
}

function oneOf(name: string, value: string, allowed: readonly string[]): string[] {
  return allowed.includes(value) ? [] : [`${name} must be ${allowed.join(" or ")}, not ${value}`];
}

function say(line: string): void {
  console.log(`[${new Date().toTimeString().slice(0, 8)}] ${line}`);
}

async function main(): Promise<number> {
  const chosen = options(process.argv.slice(2));
  if (chosen === undefined) {
    console.log(HELP);
    return 0;
  }
  const shape = { clusterSize: chosen.brokers, partitionCount: chosen.partitions };
  const report = await runDrill({
    site: siteOf(chosen, shape),
    lose: chosen.lose,
    say,
    interrupt: new Interrupt(say).listen(),
  });
  console.log(`\n${summary(report)}`);
  if (chosen.report !== undefined) {
    const folder = path.resolve(process.env.INIT_CWD ?? process.cwd(), chosen.report);
    await writeReport(folder, report);
    console.log(`report: ${folder}`);
  }
  return report.ok ? 0 : 1;
}

function siteOf(chosen: Options, shape: Partial<ClusterShape>): Site {
  switch (chosen.platform) {
    case "kubernetes":
      return chosen.provider === "real" ? realKubernetesSite(shape) : kubernetesSite(shape);
    case "eks":
      return eksSite(shape);
    case "endpoints":
      return new EndpointsSite(worldOf(chosen, shape));
  }
}

function worldOf({ search, camunda, elasticsearch }: Options, shape: Partial<ClusterShape>): World {
  const log = (line: string) => console.log(line);
  if (camunda !== undefined) {
    return new CamundaWorld({ camunda, elasticsearch, shape, log });
  }
  return search === undefined ? new EmbeddedWorld({ shape }) : new EmbeddedOnSearch({ shape, log });
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  },
);
