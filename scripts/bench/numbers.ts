/** What a run has cost, in seconds. `cpu` is unknown outside Linux. */
export interface Cost {
  cpu: number | undefined;
  wall: number;
}

/** A run of the program and what it is compared with, one after the other. */
export interface Pair {
  beside: Cost;
  run: Cost;
}

/** What was measured of one kind of run. */
export interface Row {
  platform: string;
  /** What was run. */
  run: string;
  /** What it is compared with. */
  beside: string;
  pairs: Pair[];
}

/** Requests and seconds of a recovery of one size. */
export interface SizeRow {
  brokers: number;
  partitions: number;
  failover: Counted;
  failback: Counted;
}

/** What an `up` of a recovery has sent to the cluster and to both Elasticsearches. */
export interface Counted {
  requests: number;
  /** Of these: to the region that was lost. */
  toLost: number;
  seconds: number;
}

/** The middle value, or the mean of the two in the middle. Of nothing there is none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
}

/** The middle one of the ratios, each of one pair: what slows the machine slows both halves of a pair. */
export function ratio(pairs: readonly Pair[], kind: keyof Cost): number | undefined {
  return median(
    pairs.flatMap(({ beside, run }) => {
      const [one, other] = [beside[kind], run[kind]];
      return one === undefined || other === undefined || one === 0 ? [] : [other / one];
    }),
  );
}

/** The costs in the middle, each number for itself. */
export function medianCost(costs: readonly Cost[]): Cost {
  return {
    cpu: median(costs.flatMap(({ cpu }) => (cpu === undefined ? [] : [cpu]))),
    wall: median(costs.map(({ wall }) => wall)) ?? 0,
  };
}

/** The rows as a table of Markdown. */
export function timesTable(rows: readonly Row[]): string {
  return table(
    ["platform", "run", "beside", "CPU s", "CPU", "wall s", "wall", "pairs"],
    rows.map(({ platform, run, beside, pairs }) => {
      const [one, other] = [
        medianCost(pairs.map((pair) => pair.beside)),
        medianCost(pairs.map((pair) => pair.run)),
      ];
      return [
        platform,
        run,
        beside,
        `${number(other.cpu)} : ${number(one.cpu)}`,
        times(ratio(pairs, "cpu")),
        `${number(other.wall)} : ${number(one.wall)}`,
        times(ratio(pairs, "wall")),
        String(pairs.length),
      ];
    }),
  );
}

/** The sizes as a table of Markdown. */
export function sizesTable(rows: readonly SizeRow[]): string {
  const counted = ({ requests, toLost, seconds }: Counted) => [
    String(requests),
    String(toLost),
    number(seconds),
  ];
  return table(
    [
      "brokers",
      "partitions",
      "failover: requests",
      "to the lost region",
      "seconds",
      "failback: requests",
      "to the lost region",
      "seconds",
    ],
    rows.map(({ brokers, partitions, failover, failback }) => [
      String(brokers),
      String(partitions),
      ...counted(failover),
      ...counted(failback),
    ]),
  );
}

function number(value: number | undefined): string {
  return value === undefined ? "-" : value.toFixed(1);
}

function times(value: number | undefined): string {
  return value === undefined ? "-" : `×${value.toFixed(2)}`;
}

/** Columns as wide as Prettier makes them. */
function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
