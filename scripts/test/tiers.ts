import { readdirSync, statSync } from "node:fs";
import * as path from "node:path";
import { kubernetesAvailable, prepareKubernetes } from "../../world/kubernetes/real/prepare";
import { node24Missing, prepareNode24 } from "./node24";
import { readCamunda, readElasticsearch } from "../../world/camunda/real/distribution";
import { prepareSearch, searchAvailable } from "../../world/processes/prepare";
import { Stop } from "../commandLine";
import { REPOSITORY } from "../repository";

/** A tier of the tests: what it needs, and where it is. */
export interface Tier {
  name: string;
  /** `always`: by a plain `npm test`; `all`: by `npm test -- all` too; `named`: by its name only. */
  runs: "always" | "all" | "named";
  /** A program instead of tests, from npm's packages: it counts as one test. */
  program?: string[];
  /** Test files, and folders of them. They start in this order: what takes longest comes first. */
  tests?: string[];
  /** Test files at a time on each core: more than one where tests wait more than they compute. Default: 1. */
  filesPerCore?: number;
  /** Why it cannot run here, or undefined. Quick: it downloads and builds nothing. */
  missing?: () => Promise<string | undefined>;
  /**
   * Downloads and builds what the tier needs, into the cache. Runs from the beginning, with low priority and
   * in a process of its own, while earlier tiers run.
   */
  prepare?: (log: (line: string) => void) => Promise<unknown>;
  /** The folder of the `node` that its tests and their programs run on, instead of that of this run. */
  node?: () => Promise<string>;
  /**
   * The environment of its tests, by the options of the command line.
   *
   * @throws Stop that says what is wrong with them
   */
  options?: (given: CamundaFolders) => Record<string, string>;
}

/** All tiers, in the order in which they run. */
export const TIERS: Tier[] = [
  { name: "types", runs: "always", program: ["tsc", "-p", "tsconfig.check.json"] },
  {
    name: "unit",
    runs: "always",
    tests: ["test/unit/scripts/setup.test.ts", "test/unit", "test/golden", "test/generation"],
    filesPerCore: 2,
  },
  {
    name: "contract",
    runs: "always",
    tests: ["test/contract/embeddedHanging.test.ts", "test/contract"],
  },
  {
    name: "engine",
    runs: "always",
    tests: ["test/engine/again.test.ts", "test/engine/operator.test.ts", "test/engine"],
    filesPerCore: 1.5,
  },
  {
    name: "faults",
    runs: "always",
    tests: ["test/faults"],
    filesPerCore: 1.5,
  },
  {
    name: "drills",
    runs: "all",
    // That of region0 runs in the next tier.
    tests: ["eks", "operator", "generations", "kubernetes", "generation", "region1"].map(
      (name) => `test/drills/${name}.test.ts`,
    ),
  },
  {
    name: "node24",
    runs: "all",
    tests: ["test/drills/region0.test.ts", "test/unit", "test/golden"],
    filesPerCore: 2,
    missing: node24Missing,
    prepare: prepareNode24,
    node: () => prepareNode24(console.log),
  },
  {
    name: "search",
    runs: "all",
    tests: ["test/search"],
    missing: () => why(searchAvailable()),
    prepare: (log) => prepareSearch({ log }),
  },
  {
    name: "kubernetes",
    runs: "all",
    tests: ["test/kubernetes/drill.test.ts", "test/kubernetes"],
    missing: () => why(kubernetesAvailable()),
    prepare: (log) => prepareKubernetes({ log }),
  },
  {
    name: "camunda",
    runs: "named",
    tests: ["test/camunda"],
    options: camundaFolders,
  },
];

/** The test files below files and folders, each once, in the order of their naming. */
export function testFiles(places: string[]): string[] {
  const files = places.flatMap((place) => {
    const full = path.join(REPOSITORY, place);
    if (!statSync(full).isDirectory()) {
      return [full];
    }
    return readdirSync(full, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts"))
      .sort()
      .map((name) => path.join(full, name));
  });
  return [...new Set(files)];
}

/** Folders of somebody's Camunda, and of an Elasticsearch. */
interface CamundaFolders {
  camunda?: string;
  elasticsearch?: string;
}

/** As the tests of tier `camunda` read them. */
function camundaFolders({ camunda, elasticsearch }: CamundaFolders): Record<string, string> {
  if (camunda === undefined) {
    throw new Stop(
      "tier camunda needs --camunda DIR: a folder with an unpacked Camunda 8.6 or later",
      2,
    );
  }
  return {
    CAMUNDA_FOLDER: readCamunda(camunda).home,
    ...(elasticsearch === undefined
      ? {}
      : { ELASTICSEARCH_FOLDER: readElasticsearch(elasticsearch).home }),
  };
}

async function why(
  available: Promise<{ ok: true } | { ok: false; why: string }>,
): Promise<string | undefined> {
  const answer = await available;
  return answer.ok ? undefined : answer.why;
}
