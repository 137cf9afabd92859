import { listed } from "../../components/base/bounded";
import { BrokerMap, idsOfMap, brokerList, RegionName } from "../../components/base/brokers";
import { isRecord } from "../../components/base/json";
import { generationOf } from "../../components/generations";
import { RecordedRecovery, recoveryOf } from "../../components/stack/contract";

/** What the last `up` has verified, for a person. */
export function summaryOf(outputs: Record<string, unknown>): string {
  const recovery = recoveryOf(outputs);
  const brokers = recordOf(outputs.brokers) as BrokerMap;
  const exporters = Object.entries(recordOf(outputs.exporters));
  const rows: [string, string][] = [
    [
      "phase",
      `${String(recovery.phase)}${recovery.since ? ` since ${String(recovery.since)}` : ""}`,
    ],
    ["members", `${brokerList(idsOfMap(brokers))} (${listed(Object.keys(brokers))})`],
    ["exporters", exporters.map(([id, state]) => `${id} ${String(state)}`).join(", ")],
    ...measured(recovery),
  ];
  return rows.map(([name, text]) => `  ${name.padEnd(10)} ${text}`).join("\n");
}

/** The brokers of the region that was lost, for the instructions. */
export function brokersOf(region: RegionName, outputs: Record<string, unknown>): string {
  const { version, clusterSize } = recordOf(outputs.camunda);
  return brokerList(generationOf(String(version)).ids.of(region, Number(clusterSize)));
}

/** An object, or an empty one. */
export function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

/** Whether the loss or the drain that the last failback has ended was of the active region: the users were moved. */
export function usersWereMoved({
  lastFailover,
  lastDrain,
  lastFailback,
}: RecordedRecovery): boolean {
  const { kind } =
    recordOf(lastFailback).drain === undefined
      ? recordOf(recordOf(lastFailover).loss)
      : recordOf(lastDrain);
  return kind === "active";
}

/** The measured steps of what has brought the phase about. */
function measured(recovery: RecordedRecovery): [string, string][] {
  const { phase, lastFailover, lastDrain, lastFailback } = recovery;
  const last =
    phase === "failed-over"
      ? lastFailover
      : phase === "drained"
        ? lastDrain
        : phase === "restored"
          ? lastFailback
          : undefined;
  const steps = Object.entries(recordOf(last))
    .filter(([, step]) => typeof recordOf(step).seconds === "number")
    .map(([name, step]) => `${name} ${String(recordOf(step).seconds)} s`);
  return steps.length === 0 ? [] : [["measured", steps.join(", ")]];
}
