import assert from "node:assert/strict";
import { runDrill } from "../../scripts/drill/drill";
import { summary } from "../../scripts/drill/report";
import type { RegionName, World } from "../../scripts/world/world";

/** Declares the test that a whole drill holds: every check of it, and that it was not cut short. */
export function drillHolds(lose: RegionName, make: () => World): void {
  it(`holds every check when ${lose} is lost`, async function () {
    this.timeout(900_000);
    const lines: string[] = [];
    const report = await runDrill({ world: make(), lose, say: (line) => lines.push(line) });
    assert.ok(report.ok, `${summary(report)}\n${lines.join("\n")}`);
    assert.ok(report.checks.length >= 46, `only ${report.checks.length} checks were made`);
    console.log(summary(report).replace(/^/gm, "      "));
  });
}
