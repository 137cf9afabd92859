import type { RecordedState } from "../../components/stack/stackState";
import { recordOf } from "./summary";

/**
 * Name for a new attempt to fail back: the date, numbered when the last attempt was of the same date, be
 * it finished or abandoned. Its snapshot is still in the repository, so the name is never used twice.
 */
export function nextAttempt(
  today: Date,
  { lastAttempt, recovery }: Pick<RecordedState, "lastAttempt" | "recovery">,
): string {
  const date = [
    today.getFullYear(),
    String(today.getMonth() + 1).padStart(2, "0"),
    String(today.getDate()).padStart(2, "0"),
  ].join("-");
  const used = [lastAttempt?.attempt, recordOf(recovery?.lastFailback).attempt]
    .map((attempt) => String(attempt ?? ""))
    .map((attempt) => new RegExp(`^${date}(?:-(\\d+))?$`).exec(attempt))
    .map((match) => (match === null ? 0 : Number(match[1] ?? 1)));
  const last = Math.max(...used);
  return last === 0 ? date : `${date}-${last + 1}`;
}
