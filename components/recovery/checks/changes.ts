import { shortened } from "../../base/bounded";
import {
  Configuration,
  describeOperations,
  describePending,
  Operation,
  PendingChange,
} from "../../clients/topology";
import { Refusal } from "../../base/refusal";
import { Refused, Unreachable } from "../../clients/http";
import { Refuse, Seen, waitFor } from "../../clients/poll";
import { ChangePending, PlannedChange } from "../../clients/zeebe";
import type { Observation, Session } from "../session";
import { byHand } from "./byHand";
import { forgetPhases } from "./phases";

/**
 * Looks at the cluster when no change is pending. A pending change that is what this operation wants
 * itself (an interrupted run has sent it, or somebody by hand) is awaited; any other is a refusal: it
 * would make the cluster refuse ours with 409, and only a human knows what it is for.
 *
 * @param ours whether an operation of a pending change is part of what is wanted here
 */
export async function observeSettled(
  session: Session,
  seconds: number,
  ours: (operation: Operation) => boolean,
): Promise<{ observation: Observation; awaited: PendingChange | undefined }> {
  let awaited: PendingChange | undefined;
  const observation = await waitFor<Observation>(
    "the pending change of the cluster to end",
    seconds,
    session.log,
    async () => {
      const seen = await session.observe().catch((error: unknown) => {
        if (error instanceof ChangePending) {
          throw new Refusal(
            `another change is pending${error.changeId === undefined ? "" : ` (${error.changeId})`}, and broker ${session.generation.ids.coordinator}, which alone could cancel it, is not reachable: bring it back with its own disk, then: ${cancelling(session, error.changeId)}`,
          );
        }
        throw error;
      });
      const pending = seen.configuration.pendingChange;
      if (pending === undefined) {
        return { done: true, value: seen };
      }
      if (![...pending.completed, ...pending.pending].every(ours)) {
        throw refusePending(session, pending.id, describePending(pending));
      }
      if (awaited === undefined) {
        session.log(`awaiting ${describePending(pending)}, which an earlier run has begun`);
      }
      awaited = pending;
      return { done: false, seen: describePending(pending) };
    },
    {
      refuse: (last) =>
        awaited === undefined ? undefined : refusePending(session, awaited.id, last).message,
    },
  );
  return { observation, awaited };
}

/** The refusal because of somebody else's change: which, what it is at, and how to cancel it. */
export function refusePending(session: Session, id: number | undefined, what: string): Refusal {
  return new Refusal(
    `another change is pending: ${shortened(what, 100)}; let it end, or cancel it: ${cancelling(session, id)}`,
  );
}

function cancelling(session: Session, id: number | undefined): string {
  return byHand(session, "DELETE", session.generation.cluster.pendingChange(String(id ?? "ID")));
}

/**
 * Looks at the cluster in the middle of a change. While the coordinator changes, the survivors answer 5xx
 * for a moment, which is no end of the wait.
 *
 * @returns the observation, or in words why there is none yet
 */
export async function observeChanging(session: Session): Promise<Observation | string> {
  try {
    return await session.observe();
  } catch (error) {
    if (error instanceof ChangePending || (error instanceof Refused && error.status >= 500)) {
      return error.message;
    }
    throw error;
  }
}

/** A change that was sent, or may have been. */
export interface SentChange {
  /** Undefined when the answer to the request was lost: the cluster decides then. */
  changeId: number | undefined;
  operations: string[];
}

/**
 * Sends a change once. When the answer is lost, it is not sent again: what became of it is found by
 * looking at the cluster.
 */
export async function sendChange(
  session: Session,
  request: () => Promise<PlannedChange>,
): Promise<SentChange> {
  forgetPhases(session);
  try {
    const planned = await request();
    return {
      changeId: planned.changeId,
      operations: describeOperations(planned.operations),
    };
  } catch (error) {
    if (error instanceof Unreachable) {
      session.log(`${error.message}: looking at the cluster for what became of the request`);
      return { changeId: undefined, operations: [] };
    }
    if (error instanceof ChangePending) {
      throw refusePending(session, error.changeId, error.message);
    }
    throw error;
  }
}

/**
 * Waits until a change that was sent has ended, by its own id: some other completed change proves
 * nothing. What it has brought about is for the caller to verify.
 *
 * @param refuse what is refused when it has not ended in time, as `waitFor` has it
 * @returns the configuration that showed the end
 */
export async function awaitChange(
  session: Session,
  sent: SentChange,
  what: string,
  seconds: number,
  refuse?: Refuse,
): Promise<Configuration> {
  const probe = async (): Promise<Seen<Configuration>> => {
    const configuration = await session.zeebe.configuration().catch((error: unknown) => {
      // Between two coordinators the survivors answer 5xx for a moment.
      if (error instanceof Refused && error.status >= 500) {
        return error;
      }
      throw error;
    });
    if (configuration instanceof Refused) {
      return { done: false, seen: configuration.message };
    }
    const { lastChange, pendingChange } = configuration;
    if (pendingChange !== undefined) {
      return { done: false, seen: describePending(pendingChange) };
    }
    if (sent.changeId === undefined) {
      return { done: true, value: configuration };
    }
    if (lastChange?.id === sent.changeId && lastChange.status !== "COMPLETED") {
      throw new Refusal(
        `change ${sent.changeId} ended as ${lastChange.status}, not COMPLETED: look at the brokers' logs, then pulumi up again`,
      );
    }
    if (lastChange === undefined || lastChange.id < sent.changeId) {
      return {
        done: false,
        seen: `change ${sent.changeId} not yet listed, last is ${lastChange?.id ?? "none"}`,
      };
    }
    return { done: true, value: configuration };
  };
  return waitFor(what, seconds, session.log, probe, { refuse });
}
