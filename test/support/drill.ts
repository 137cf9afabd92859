import assert from "node:assert/strict";
import { runDrill } from "../../scripts/drill/drill";
import { summary } from "../../scripts/drill/report";
import { EndpointsSite } from "../../scripts/drill/endpointsSite";
import type { Site } from "../../scripts/drill/scene";
import type { RegionName, World } from "../../world/world";

/** Declares the test that a whole drill holds on a world that somebody else has installed. */
export function drillHolds(lose: RegionName, make: () => World): void {
  drillHoldsAt([lose], () => new EndpointsSite(make()));
}

/** Declares the test that a whole drill holds: every check of it, and that it was not cut short. */
export function drillHoldsAt(lose: readonly RegionName[], make: () => Site, checks = 46): void {
  it(`holds every check when ${lose.join(", then ")} is lost`, async function () {
    this.timeout(1_800_000);
    const lines: string[] = [];
    const report = await runDrill({ site: make(), lose, say: (line) => lines.push(line) });
    assert.ok(report.ok, `${summary(report)}\n${lines.join("\n")}`);
    assert.ok(report.checks.length >= checks, `only ${report.checks.length} checks were made`);
    console.log(summary(report).replace(/^/gm, "      "));
  });
}
