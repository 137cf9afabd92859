import type { RecordedRequest } from "../../world/recorder";
import type { FailoverTimes } from "./report";

/**
 * Where the time of a failover went, by the record in the stack's outputs and the requests as they were
 * seen on their way.
 *
 * @param recorderStart when the recorder was made, to which the requests' times are relative
 * @param began when `pulumi up` was started, milliseconds since the epoch
 * @param up how long it took, milliseconds
 */
export function failoverTimes(
  outputs: Record<string, unknown>,
  changes: RecordedRequest[],
  recorderStart: number,
  began: number,
  up: number,
): FailoverTimes | undefined {
  const last = (outputs.recovery as { lastFailover?: LastFailover } | undefined)?.lastFailover;
  const [forced, disabled] = changes;
  if (last === undefined || forced === undefined || disabled === undefined) {
    return undefined;
  }
  const end = (record: { startedAt: string; seconds: number }) =>
    Date.parse(record.startedAt) + record.seconds * 1000;
  const seconds = (milliseconds: number) => Math.round(milliseconds / 100) / 10;
  return {
    untilVerified: seconds(end(last.exporter) - began),
    untilForced: seconds(recorderStart + forced.at - began),
    bareRequests: Math.round(forced.milliseconds + disabled.milliseconds) / 1000,
    election: seconds(disabled.at - forced.at),
    exporter: seconds(end(last.exporter) - recorderStart - disabled.at),
    up: seconds(up),
  };
}

interface LastFailover {
  membership: { startedAt: string; seconds: number };
  exporter: { startedAt: string; seconds: number };
}
