import { CaseResult, GOOD, Outcome, OUTCOMES } from "./runCase";

/** What a campaign has come to. */
export interface FaultReport {
  seed: number;
  seconds: number;
  cases: number;
  /** Cases by matrix: family, work and region that is lost. */
  matrix: Record<string, Partial<Record<Outcome, number>>>;
  /** Every case that has shown a fault, with what was seen. */
  faults: CaseResult[];
}

/** Adds the results up. */
export function reportOf(
  results: readonly CaseResult[],
  seed: number,
  seconds: number,
): FaultReport {
  const matrix: FaultReport["matrix"] = {};
  for (const { name, family, outcome } of [...results].sort((a, b) =>
    a.name.localeCompare(b.name),
  )) {
    const row = (matrix[`${family}, ${name.split(":")[0]}`] ??= {});
    row[outcome] = (row[outcome] ?? 0) + 1;
  }
  return {
    seed,
    seconds,
    cases: results.length,
    matrix: Object.fromEntries(Object.entries(matrix).sort(([a], [b]) => a.localeCompare(b))),
    faults: results.filter(({ outcome }) => !GOOD.includes(outcome)),
  };
}

/** The report for people: a table, then every fault. */
export function textOfReport({ seed, seconds, cases, matrix, faults }: FaultReport): string {
  const total = OUTCOMES.map((outcome) =>
    Object.values(matrix).reduce((sum, row) => sum + (row[outcome] ?? 0), 0),
  );
  const rows = [
    ["", "cases", ...OUTCOMES],
    ...Object.entries(matrix).map(([name, row]) => [
      name,
      String(Object.values(row).reduce((sum, count) => sum + count, 0)),
      ...OUTCOMES.map((outcome) => String(row[outcome] ?? "-")),
    ]),
    ["all", String(cases), ...total.map(String)],
  ];
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (row: string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ");
  return [
    `${cases} cases, seed ${seed}, ${seconds} s`,
    ...rows.map(line),
    ...faults.flatMap(({ name, outcome, facts }) => [
      "",
      `${outcome}: ${name}`,
      ...facts.map((fact) => `  ${fact}`),
    ]),
  ].join("\n");
}
