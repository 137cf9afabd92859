import type { Session } from "../session";

/** For how long what a step has proved serves the steps of the same run that follow. */
const RECENT_MS = 30_000;

/**
 * What this run has seen a moment ago. At 64 brokers a look at all of them is 32 requests, and the steps of a
 * failback follow each other within seconds; a run that goes on later, in another process, knows nothing.
 */
export class Recent<T> {
  private readonly seen = new WeakMap<Session, { at: number; value: T }>();

  /** What was kept, unless it is too old. */
  get(session: Session): T | undefined {
    const seen = this.seen.get(session);
    return seen !== undefined && isRecent(seen.at) ? seen.value : undefined;
  }

  keep(session: Session, value: T): void {
    this.seen.set(session, { at: performance.now(), value });
  }

  /** For whoever is about to change what it was seen of. */
  forget(session: Session): void {
    this.seen.delete(session);
  }
}

/** Whether something that was seen at that time, by `performance.now()`, is of a moment ago. */
export function isRecent(at: number): boolean {
  return performance.now() - at < RECENT_MS;
}
