import { brokerIds, idsOfMap, named, RegionName } from "../../components/camunda/brokers";
import { isRecord } from "../../components/clients/http";

/** What the last `up` has verified, for a person. */
export function summaryOf(outputs: Record<string, unknown>): string {
  const recovery = recordOf(outputs.recovery);
  const brokers = recordOf(outputs.brokers) as Record<string, string>;
  const exporters = Object.entries(recordOf(outputs.exporters));
  const rows: [string, string][] = [
    [
      "phase",
      `${String(recovery.phase)}${recovery.since ? ` since ${String(recovery.since)}` : ""}`,
    ],
    ["members", `${named(idsOfMap(brokers))} (${Object.keys(brokers).join(", ")})`],
    ["exporters", exporters.map(([id, state]) => `${id} ${String(state)}`).join(", ")],
    ...measured(recovery),
  ];
  return rows.map(([name, text]) => `  ${name.padEnd(10)} ${text}`).join("\n");
}

/** The brokers of the region that was lost, for the instructions. */
export function brokersOf(region: RegionName, outputs: Record<string, unknown>): string {
  return named(brokerIds(region, Number(recordOf(outputs.camunda).clusterSize)));
}

/** An object, or an empty one. */
export function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function measured(recovery: Record<string, unknown>): [string, string][] {
  if (recovery.phase === "failed-over") {
    const last = recordOf(recovery.lastFailover);
    return [["measured", steps(last, { membership: "members", exporter: "exporter" })]];
  }
  if (recovery.phase === "restored") {
    const exporter = recovery.lostRegion === "region0" ? "exporter0" : "exporter1";
    const names = { [exporter]: "exporter", membership: "members" };
    return [["measured", steps(recordOf(recovery.lastFailback), names)]];
  }
  return [];
}

function steps(last: Record<string, unknown>, names: Record<string, string>): string {
  return Object.entries(names)
    .map(([key, name]) => `${name} ${String(recordOf(last[key]).seconds)} s`)
    .join(", ");
}
