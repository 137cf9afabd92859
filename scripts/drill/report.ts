import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { RecordedRequest } from "../../world/recorder";
import type { RegionName } from "../../world/world";

/** One thing that a drill checked. */
export interface Check {
  phase: string;
  name: string;
  ok: boolean;
  expected: unknown;
  observed: unknown;
}

/** What a drill found. */
export interface Report {
  platform: string;
  world: string;
  /** The regions that were lost, in order. */
  lost: readonly RegionName[];
  ok: boolean;
  /** Why the drill ended early, when it did. */
  error?: string;
  phases: { name: string; seconds: number }[];
  checks: Check[];
  /** The requests of the program that changed something, in order. */
  requests: RecordedRequest[];
  /** Durations of the failover, in seconds. */
  failover?: FailoverTimes;
  /** The previews, as a person saw them. */
  previews: { name: string; text: string }[];
}

/** Where the time of a failover went. */
export interface FailoverTimes {
  /** From the start of `pulumi up` until both changes were verified. */
  untilVerified: number;
  /** From the start of `pulumi up` to the forced removal: engine, interlocks, and the survivors noticing the loss. */
  untilForced: number;
  /** The two requests alone, as a `curl` would see them. */
  bareRequests: number;
  /** From the forced removal until every partition had a leader and the members were verified. */
  election: number;
  /** From the request to disable the exporter until that was verified in every partition. */
  exporter: number;
  /** The whole `pulumi up`. */
  up: number;
}

/** The checks by phase, as a table for a terminal. */
export function summary(report: Report): string {
  const rows = report.phases.map((phase) => {
    const checks = report.checks.filter((check) => check.phase === phase.name);
    const failed = checks.filter((check) => !check.ok).length;
    return [
      phase.name,
      `${phase.seconds.toFixed(1)} s`,
      checks.length === 0 ? "-" : `${checks.length - failed} of ${checks.length}`,
      failed > 0 ? "FAILED" : "ok",
    ];
  });
  const lines = table(["phase", "time", "checks held", ""], rows);
  for (const check of report.checks.filter((c) => !c.ok)) {
    lines.push(
      `FAILED  ${check.phase}: ${check.name}`,
      `        expected ${JSON.stringify(check.expected)}`,
      `        observed ${JSON.stringify(check.observed)}`,
    );
  }
  if (report.failover) {
    const t = report.failover;
    lines.push(
      `failover: ${t.untilVerified} s from up to both changes verified (${t.untilForced} s until forced, ${t.election} s election and verification, ${t.exporter} s exporter, ${t.bareRequests} s the two requests alone)`,
    );
  }
  if (report.error) {
    lines.push(`error: ${report.error}`);
  }
  const held = report.checks.filter((check) => check.ok).length;
  lines.push(
    `${report.ok ? "OK" : "FAILED"}: platform ${report.platform}, ${report.world} world, ${report.lost.join(", then ")} lost, ${held} of ${report.checks.length} checks held`,
  );
  return lines.join("\n");
}

function table(head: string[], rows: string[][]): string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [head, widths.map((width) => "-".repeat(width)), ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** Writes `report.json` and `report.md`. */
export async function writeReport(folder: string, report: Report): Promise<void> {
  await fs.mkdir(folder, { recursive: true });
  await fs.writeFile(path.join(folder, "report.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  await fs.writeFile(path.join(folder, "report.md"), markdown(report));
}

function markdown(report: Report): string {
  return [
    `# Drill: ${report.lost.join(", then ")} lost, platform ${report.platform}, ${report.world} world`,
    "",
    "```",
    summary(report),
    "```",
    "",
    "## Checks",
    "",
    "| phase | check | held | observed |",
    "| --- | --- | --- | --- |",
    ...report.checks.map(
      (check) =>
        `| ${check.phase} | ${check.name} | ${check.ok ? "yes" : "**no**"} | \`${clipped(check.observed)}\` |`,
    ),
    "",
    "## Requests that changed something",
    "",
    ...report.requests.map(
      (request) =>
        `- ${(request.at / 1000).toFixed(1)} s ${request.region} ${request.method} \`${request.path}\` ${request.body ? `\`${clipped(request.body)}\` ` : ""}→ ${request.status} in ${request.milliseconds} ms`,
    ),
    "",
    ...report.previews.flatMap((preview) => [
      `## ${preview.name}`,
      "",
      "```",
      preview.text,
      "```",
      "",
    ]),
  ].join("\n");
}

function clipped(value: unknown): string {
  const text = (typeof value === "string" ? value : (JSON.stringify(value) ?? "")).replace(
    /\|/g,
    "/",
  );
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
