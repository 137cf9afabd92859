import * as pulumi from "@pulumi/pulumi";
import { brokerList, without } from "../base/brokers";
import { memberIds, seenIds } from "../clients/topology";
import { Refused, Unreachable } from "../clients/http";
import { DeadlineExceeded, waitFor } from "../clients/poll";
import type { Settings } from "../settings";
import type { RecordedState } from "../stack/stackState";
import { Session } from "./session";
import { desiredMembership, Shape } from "./phase";

/**
 * What the cluster itself says against a run, asked before the first resource, because a resource would act
 * on the network first: it closes the fence, or opens it. Only on platforms with a fence of ours; elsewhere
 * the membership is the first to act, and asks by itself.
 *
 * @returns why not, in one line; undefined when nothing is against it
 */
export async function refusalBeforehand(
  settings: Settings,
  shape: Shape,
  recorded: RecordedState,
): Promise<string | undefined> {
  if (settings.installation === undefined) {
    return undefined;
  }
  const session = new Session(settings, (line) => void pulumi.log.info(line, undefined, 0, true));
  const failedOver = recorded.declaration?.kind === "failed-over";
  if (shape === "steady" && failedOver) {
    return stillForcedOut(session, settings);
  }
  if (shape === "failed-over" && !failedOver && settings.overrides["still-seen"] === undefined) {
    return stillThere(session, settings);
  }
  return undefined;
}

/**
 * A declaration that was taken back after the forced removal: opening the fence would connect the survivors
 * with a half that may live on with old data. A failback that was done by hand has made all members again.
 */
async function stillForcedOut(session: Session, settings: Settings): Promise<string | undefined> {
  const { peer } = settings;
  const wayOut = `set lostRegion ${peer} again, and fail back (npm run failback); the fence stays closed until then`;
  try {
    const { configuration } = await session.observe();
    const absent = without(desiredMembership(settings, "steady").ids, memberIds(configuration));
    return absent.length === 0
      ? undefined
      : `lostRegion is not set, but ${brokerList(absent)} of ${peer} were forced out and are no members: ${wayOut}`;
  } catch (error) {
    return `lostRegion is not set, ${peer} was forced out, and the cluster does not say whether its brokers are members again (${messageOf(error)}): ${wayOut}`;
  }
}

/**
 * Survivors drop a dead broker after 10 to 12 s. The fence makes the same of a living one: so whether the
 * region is lost is to be seen before it closes. A cluster that does not answer says nothing against it.
 */
async function stillThere(session: Session, settings: Settings): Promise<string | undefined> {
  const { lostRegion, peer, clusterSize, timeouts } = settings;
  const lost = session.generation.ids.of(peer, clusterSize);
  if (pulumi.runtime.isDryRun()) {
    // A preview does not wait: it says that up will.
    return undefined;
  }
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
