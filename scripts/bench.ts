import { Platform, PLATFORMS } from "../components/settings/schema";
import { measurePlatform, measureSize } from "./bench/measure";
import { commandLine, endWith, expectNone, notOneOf, notWhole } from "./commandLine";
import { Row, SizeRow, sizesTable, timesTable } from "./bench/numbers";

const HELP = `npm run bench -- [options]

Measures what a run of this program costs: the real Pulumi engine on embedded worlds, each run beside the
same of an empty TypeScript program in the same backend. CPU is that of pulumi and of every process below
it (Linux only). The middle one of the pairs counts, since ratios of one pair mean something on a machine
that does other things too; seconds do only on one that does not. It judges nothing.

  --platform endpoints|kubernetes|eks|all|none   (default all)
  --pairs N                  runs of each kind (default 5); of failovers at most 3
  --sizes BxP,...|none       requests and seconds of a failover and a failback of clusters of B brokers
                             and P partitions (default 4x4,8x8,16x64,32x128,64x512)
  --json                     the numbers of every run, instead of tables
  --help
`;

const SIZES = "4x4,8x8,16x64,32x128,64x512";

interface Options {
  platforms: readonly Platform[];
  pairs: number;
  sizes: { brokers: number; partitions: number }[];
  json: boolean;
}

function options(): Options {
  const { values } = commandLine(HELP, {
    platform: { type: "string", default: "all" },
    pairs: { type: "string", default: "5" },
    sizes: { type: "string", default: SIZES },
    json: { type: "boolean", default: false },
  });
  const { platform, pairs, json } = values;
  const sizes = values.sizes === "none" ? [] : values.sizes.split(",").map(sizeOf);
  expectNone([
    notOneOf("--platform", platform, [...PLATFORMS, "all", "none"]),
    notWhole("--pairs", pairs, 1),
    sizes.includes(undefined)
      ? `--sizes must be like ${SIZES}, brokers even and at least 4, not ${values.sizes}`
      : undefined,
  ]);
  return {
    platforms: PLATFORMS.filter((name) => platform === "all" || name === platform),
    pairs: Number(pairs),
    sizes: sizes.filter((size) => size !== undefined),
    json,
  };
}

function sizeOf(text: string): { brokers: number; partitions: number } | undefined {
  const [brokers, partitions] = (/^(\d+)x(\d+)$/.exec(text.trim())?.slice(1) ?? []).map(Number);
  return brokers === undefined || partitions === undefined || brokers < 4 || brokers % 2 === 1
    ? undefined
    : { brokers, partitions };
}

/** Progress goes to stderr: stdout is the tables, or the JSON. */
function say(line: string): void {
  console.error(`[${new Date().toTimeString().slice(0, 8)}] ${line}`);
}

async function main(): Promise<void> {
  const chosen = options();
  const rows: Row[] = [];
  for (const platform of chosen.platforms) {
    say(`${platform} ...`);
    rows.push(...(await measurePlatform(platform, chosen.pairs, say)));
  }
  const sizes: SizeRow[] = [];
  for (const { brokers, partitions } of chosen.sizes) {
    say(`${brokers} brokers, ${partitions} partitions ...`);
    sizes.push(await measureSize(brokers, partitions, say));
  }
  if (chosen.json) {
    console.log(JSON.stringify({ node: process.version, runs: rows, sizes }, undefined, 2));
    return;
  }
  console.log(
    [rows.length > 0 ? timesTable(rows) : "", sizes.length > 0 ? sizesTable(sizes) : ""]
      .filter((text) => text !== "")
      .join("\n\n"),
  );
}

endWith(main());
