import * as pulumi from "@pulumi/pulumi";
import { shortened } from "../../base/bounded";
import { brokerList, without } from "../../base/brokers";
import { memberIds, seenIds } from "../../clients/topology";
import { Refused, Unreachable } from "../../clients/http";
import { DeadlineExceeded, waitFor } from "../../clients/poll";
import { OVERRIDES, Settings } from "../../settings";
import type { RecordedState } from "../../stack/stackState";
import { Session } from "../session";
import { desiredMembership, Shape } from "../phase";
import { Interlock, isPassed } from "./interlock";

/** What is asked of the cluster. */
interface ClusterInterlock extends Interlock {
  /** Whether it is asked in this run. */
  applies(shape: Shape, recorded: RecordedState): boolean;
  /** The fact, and the one way out; undefined when nothing is against the run. */
  refusal(session: Session): Promise<string | undefined>;
}

/**
 * What the cluster itself says against a run, asked before the first resource, because a resource would act
 * on the network first: it closes the fence, or opens it.
 */
export const CLUSTER_INTERLOCKS: readonly ClusterInterlock[] = [
  {
    name: "still-forced-out",
    protects:
      "Opening the fence would connect the survivors with a half that may live on with old data.",
    applies: (shape, recorded) =>
      shape === "steady" && recorded.declaration?.kind === "failed-over",
    refusal: stillForcedOut,
  },
  {
    name: "still-seen",
    protects: OVERRIDES["still-seen"],
    override: "still-seen",
    // A preview does not wait: it says that up will.
    applies: (shape, recorded) =>
      shape === "failed-over" &&
      recorded.declaration?.kind !== "failed-over" &&
      !pulumi.runtime.isDryRun(),
    refusal: stillSeen,
  },
];

/**
 * Asks the cluster, only on platforms with a fence of ours; elsewhere the membership is the first to act, and asks
 * by itself.
 *
 * @returns why the run must not be, in one line; undefined when nothing is against it
 */
export async function refusalBeforehand(
  settings: Settings,
  shape: Shape,
  recorded: RecordedState,
): Promise<string | undefined> {
  const interlock = CLUSTER_INTERLOCKS.find((one) => one.applies(shape, recorded));
  if (settings.installation === undefined || !interlock || isPassed(interlock, settings)) {
    return undefined;
  }
  return interlock.refusal(
    new Session(settings, (line) => void pulumi.log.info(line, undefined, 0, true)),
  );
}

/**
 * A declaration that was taken back after the forced removal. A failback that was done by hand has made all members again.
 */
async function stillForcedOut(session: Session): Promise<string | undefined> {
  const { settings } = session;
  const { peer } = settings;
  const wayOut = `set lostRegion ${peer} again, and fail back (npm run failback)`;
  try {
    const { configuration } = await session.observe();
    const absent = without(desiredMembership(settings, "steady").ids, memberIds(configuration));
    return absent.length === 0
      ? undefined
      : `lostRegion is not set, but ${brokerList(absent)} of ${peer} were forced out: ${wayOut}`;
  } catch (error) {
    return `lostRegion is not set, ${peer} was forced out, and may be still (${shortened(messageOf(error), 25)}): ${wayOut}`;
  }
}

/**
 * Survivors drop a dead broker after 10 to 12 s. The fence makes the same of a living one: so whether the
 * region is lost is to be seen before it closes. A cluster that does not answer says nothing against it.
 */
async function stillSeen(session: Session): Promise<string | undefined> {
  const { lostRegion, peer, clusterSize, timeouts } = session.settings;
  const lost = session.generation.ids.of(peer, clusterSize);
  let silent: Error | undefined;
  try {
    await waitFor<void>(
      `the survivors to miss a broker of ${lostRegion}`,
      timeouts.loss,
      session.log,
      async () => {
        const seen = await session
          .observe()
          .then(({ topology }) => seenIds(topology))
          .catch((error: unknown) => {
            if (error instanceof Unreachable || error instanceof Refused) {
              return error;
            }
            throw error;
          });
        if (seen instanceof Error) {
          // Not known: that a request has failed is no sign of a loss.
          silent = seen;
          return { done: false, seen: seen.message };
        }
        silent = undefined;
        return lost.some((id) => !seen.includes(id))
          ? { done: true, value: undefined }
          : { done: false, seen: `${brokerList(lost)} are all there` };
      },
      {
        refuse: (_last, seconds) =>
          silent === undefined
            ? `the survivors see every broker of ${lostRegion} (waited ${seconds} s): a region that answers is not lost; remove lostRegion, or overrides.still-seen`
            : undefined,
      },
    );
    return undefined;
  } catch (error) {
    if (error instanceof DeadlineExceeded) {
      // It says nothing against the loss, and the forced removal asks once more.
      return undefined;
    }
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
