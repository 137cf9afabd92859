import {
  Configuration,
  describeOperations,
  describePending,
  Operation,
  PendingChange,
} from "../../clients/topology";
import { Refusal } from "../../base/refusal";
import { mayHaveTakenEffect, Refused } from "../../clients/answers";
import { asked, Refuse, Seen, waitFor } from "../../clients/poll";
import { ChangePending, PlannedChange } from "../../clients/zeebe";
import type { Observation, Session } from "../session";
import { byHand } from "./byHand";
import { forgetPhases } from "./phases";

/**
 * Looks at the cluster when no change is pending. A pending change that is what this operation wants
 * itself (an interrupted run has sent it, or somebody by hand) is awaited; any other is a refusal: it
 * would make the cluster refuse ours with 409, and only a human knows what it is for. One that cannot be seen, since
 * the coordinator does not answer, may be either: it is awaited first.
 *
 * @param ours whether a pending change, by all its operations, is what is wanted here
 */
export async function observeSettled(
  session: Session,
  seconds: number,
  ours: (operations: readonly Operation[]) => boolean,
): Promise<{ observation: Observation; awaited: { id: number } | undefined }> {
  let awaited: { id: number } | undefined;
  let unseen: ChangePending | undefined;
  const observation = await waitFor<Observation>(
    "the pending change of the cluster to end",
    seconds,
    session.log,
    async () => {
      unseen = undefined;
      const seen = await session.observe().catch((error: unknown) => {
        if (error instanceof ChangePending) {
          return error;
        }
        throw error;
      });
      if (seen instanceof ChangePending) {
        unseen = seen;
        if (seen.changeId !== undefined) {
          awaited = { id: seen.changeId };
        }
        return { done: false, seen: `${seen.what} is pending` };
      }
      const pending = seen.configuration.pendingChange;
      if (pending === undefined) {
        return { done: true, value: seen };
      }
      expectOurs(session, pending, ours);
      if (awaited === undefined) {
        session.log(`awaiting ${describePending(pending)}, which an earlier run has begun`);
      }
      awaited = { id: pending.id };
      return { done: false, seen: describePending(pending) };
    },
    {
      refuse: (last) =>
        unseen !== undefined
          ? pendingUnseen(unseen)
          : awaited === undefined
            ? undefined
            : refusePending(session, awaited.id, last).message,
    },
  );
  return { observation, awaited };
}

/**
 * Refuses a pending change that is not what is wanted here.
 *
 * @param ours as {@link observeSettled} has it
 */
export function expectOurs(
  session: Session,
  pending: PendingChange,
  ours: (operations: readonly Operation[]) => boolean,
): void {
  if (!ours([...pending.completed, ...pending.pending])) {
    throw refusePending(session, pending.id, describePending(pending));
  }
}

/** The refusal because of a change of which only is known that it is pending. */
export function pendingUnseen({ what }: ChangePending): string {
  return `${what} is pending, maybe an own one, and no coordinator answers to show it: pulumi up; docs/errors.md#pending-unseen`;
}

/** The refusal because of somebody else's change: which, what it is at, and how to cancel it. */
export function refusePending(session: Session, id: number | undefined, what: string): Refusal {
  return new Refusal(
    `another change is pending (${what}): let it end, or cancel it: ${cancelling(session, id)}`,
  );
}

function cancelling(session: Session, id: number | undefined): string {
  return byHand(session, "DELETE", session.generation.cluster.pendingChange(String(id ?? "ID")));
}

/**
 * Looks at the cluster in the middle of a change, in a wait. While the coordinator changes, the survivors answer 5xx
 * for a moment, or only that a change is pending.
 *
 * @returns the observation, or in words why there is none yet
 */
export async function observeChanging(session: Session): Promise<Observation | string> {
  try {
    return await session.observe();
  } catch (error) {
    if (error instanceof ChangePending) {
      return `${error.what} is pending`;
    }
    throw error;
  }
}

/**
 * Asks for the cluster's own plan for a change.
 *
 * @param dryRun asks for it once
 * @param seconds how long it is asked again at most, as {@link asked} has it
 * @throws {@link Refusal} when the cluster is at another change, which has come since it was looked at
 */
export async function askPlan(
  session: Session,
  dryRun: () => Promise<PlannedChange>,
  seconds?: number,
): Promise<PlannedChange> {
  return asked("the cluster's own plan", session.log, dryRun, seconds).catch((error: unknown) => {
    throw error instanceof ChangePending
      ? refusePending(session, error.changeId, error.what)
      : error;
  });
}

/** A change that was sent, or may have been. */
export interface SentChange {
  /** Undefined when the answer to the request says nothing of it: the cluster decides then. */
  changeId: number | undefined;
  operations: string[];
}

/** How a change is sent. */
export interface Change {
  request(): Promise<PlannedChange>;
  /** Whether the cluster shows that the request has taken effect, or is at it. */
  tookEffect(): Promise<boolean>;
}

/** So often a change is sent at most, each time after the cluster has shown that it took no effect. */
const MOST_SENDS = 3;

/** For so long the cluster must show no effect: a request may still be on its way. */
const NO_EFFECT_MS = 2_000;

/**
 * Sends a change. When the answer is lost, an error of the server's or cannot be read, it may have taken effect all
 * the same: then the cluster is looked at, and only when it shows no effect for a while the change is sent again.
 *
 * @param seconds how long the cluster may take to show what became of a request
 */
export async function sendChange(
  session: Session,
  seconds: number,
  { request, tookEffect }: Change,
): Promise<SentChange> {
  forgetPhases(session);
  for (let sends = 1; ; sends++) {
    try {
      const planned = await request();
      return {
        changeId: planned.changeId,
        operations: describeOperations(planned.operations),
      };
    } catch (error) {
      if (sends === 1 && error instanceof ChangePending) {
        throw refusePending(session, error.changeId, error.what);
      }
      // After the first, a refusal may be that of a request before it that has taken effect late.
      if (!(mayHaveTakenEffect(error) || (sends > 1 && isAnswer(error)))) {
        throw error;
      }
      session.log(`${error.message}: looking at the cluster for what became of the request`);
      if (await showsEffect(session, seconds, tookEffect)) {
        return { changeId: undefined, operations: [] };
      }
      if (sends === MOST_SENDS || !mayHaveTakenEffect(error)) {
        throw error;
      }
      session.log("it has taken no effect: sending it again");
    }
  }
}

function isAnswer(error: unknown): error is Refused | ChangePending {
  return error instanceof Refused || error instanceof ChangePending;
}

async function showsEffect(
  session: Session,
  seconds: number,
  tookEffect: () => Promise<boolean>,
): Promise<boolean> {
  let without: number | undefined;
  return waitFor<boolean>(
    "the cluster to show what became of the request",
    seconds,
    session.log,
    async () => {
      const effect = await tookEffect().catch((error: unknown) => {
        if (error instanceof ChangePending) {
          return true;
        }
        throw error;
      });
      if (effect) {
        return { done: true, value: true };
      }
      const now = performance.now();
      if (without !== undefined && now - without >= NO_EFFECT_MS) {
        return { done: true, value: false };
      }
      without ??= now;
      return { done: false, seen: "no effect yet" };
    },
  );
}

/**
 * Waits until a change that was sent has ended, by its own id: some other completed change proves
 * nothing. What it has brought about is for the caller to verify.
 *
 * @param refuse what is refused when it has not ended in time, from how far it was seen to be: of a cluster that does
 *   not show it nobody knows who holds it up
 * @returns the configuration that showed the end
 */
export async function awaitChange(
  session: Session,
  sent: SentChange,
  what: string,
  seconds: number,
  refuse?: Refuse,
): Promise<Configuration> {
  let pending: string | undefined;
  const probe = async (): Promise<Seen<Configuration>> => {
    pending = undefined;
    const configuration = await session.zeebe.configuration();
    const { lastChange, pendingChange } = configuration;
    if (pendingChange !== undefined) {
      pending = describePending(pendingChange);
      return { done: false, seen: pending };
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
  return waitFor(what, seconds, session.log, probe, {
    refuse: () => (pending === undefined ? undefined : refuse?.(pending, seconds)),
  });
}
