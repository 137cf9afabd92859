import { mayHaveTakenEffect } from "../../clients/answers";
import { shortened } from "../../base/bounded";
import { Refusal } from "../../base/refusal";
import type { SnapshotInfo } from "../../clients/elasticsearch";
import { Refused } from "../../clients/http";
import { asked, waitFor } from "../../clients/poll";
import { documentCount } from "../checks/documents";
import type { InPause } from "../checks/pauseLimit";
import { expectPaused } from "../checks/phases";
import { expectOfThisPause } from "../checks/snapshots";
import type { Session } from "../session";
import { implement } from "./behaviour";
import { messageOf } from "../../base/messageOf";

/** Inputs of a `Snapshot`. */
export interface SnapshotInputs extends InPause {
  /** Name of the failback attempt. */
  attempt: string;
  repository: string;
  /** Name of the snapshot, of the attempt: a second one finds its own, never that of an earlier attempt. */
  snapshot: string;
  /** The pause in which it is taken, as the record of the `ExportPause` names it. */
  pause: string;
  /** The incident that the failback ends; absent of a drain. */
  incident?: string;
  /** The drain that the failback ends; absent of an incident. */
  drain?: string;
}

/** Procedure, failback step 3: a snapshot of the surviving Elasticsearch while exporting is paused. */
export const provider = implement<SnapshotInputs>({
  id: (inputs) => inputs.snapshot,
  attempt: (inputs) => inputs.attempt,
  async converge(inputs, { session, begin }) {
    await expectPaused(session, "recently");
    const elasticsearch = session.elasticsearch(session.settings.region);
    const { documents, found } = await asked(
      "the surviving Elasticsearch",
      session.log,
      async () => ({
        documents: await elasticsearch.indices.documents(session.indexPatterns),
        found: await elasticsearch.repositories.snapshot(inputs.repository, inputs.snapshot),
      }),
    );
    if (found !== undefined) {
      expectOfThisPause(found, inputs.pause);
    } else {
      if (Object.keys(documents).length === 0) {
        throw new Refusal(
          `Elasticsearch of ${session.settings.region} has no index that begins with ${session.settings.indexPrefixes.join(", ")}: correct indexPrefixes or the endpoint`,
        );
      }
      begin();
      session.log(`taking snapshot ${inputs.snapshot} of ${Object.keys(documents).length} indices`);
      await create(session, inputs);
    }
    const snapshot = await awaitSuccess(session, inputs);
    expectWhole(snapshot, Object.keys(documents));
    // Had exporting gone on meanwhile, the snapshot would lack what came after its indices were read.
    await expectPaused(session, "now");
    return {
      how: found === undefined ? "done" : "already true",
      observed: {
        state: snapshot.state,
        shards: snapshot.shards,
        indices: snapshot.indices.length,
        documents: documentCount(documents),
      },
    };
  },
});

/** So long a snapshot whose request may have been taken is looked for before it is asked for again. */
const LISTED_WITHIN_MS = 2_000;

/**
 * Sends the request until the repository takes it: while it is busy (a snapshot is deleted, or it is cleaned up) it
 * answers 503. When the answer is lost, the repository is looked into before it is sent again: a snapshot is not
 * listed at once, and one that is sent again is refused because it is there (400).
 */
async function create(session: Session, inputs: SnapshotInputs): Promise<void> {
  const elasticsearch = session.elasticsearch(session.settings.region);
  const { attempt, incident, drain, pause, repository, snapshot } = inputs;
  let lostAt: number | undefined;
  const isThere = async () => {
    const found = await elasticsearch.repositories.snapshot(repository, snapshot);
    if (found !== undefined) {
      expectOfThisPause(found, pause);
    }
    return found !== undefined;
  };
  await waitFor<void>(
    `repository ${repository} to take a snapshot`,
    session.settings.timeouts.snapshot,
    session.log,
    async () => {
      if (lostAt !== undefined) {
        if (await isThere()) {
          return { done: true, value: undefined };
        }
        if (performance.now() - lostAt < LISTED_WITHIN_MS) {
          return { done: false, seen: "the answer was lost, and it is not listed" };
        }
      }
      try {
        await elasticsearch.repositories.createSnapshot(
          repository,
          snapshot,
          session.indexPatterns,
          {
            attempt,
            ...(drain === undefined ? { incident } : { drain }),
            pause,
          },
        );
        return { done: true, value: undefined };
      } catch (error) {
        if (!(error instanceof Refused)) {
          if (!mayHaveTakenEffect(error)) {
            throw error;
          }
          lostAt = performance.now();
          return { done: false, seen: messageOf(error) };
        }
        const sentBefore = lostAt !== undefined && error.status === 400;
        if (!sentBefore && !mayHaveTakenEffect(error)) {
          throw error;
        }
        if (await isThere()) {
          return { done: true, value: undefined };
        }
        if (!sentBefore && error.status !== 429 && error.status !== 503) {
          throw new Refusal(error.message);
        }
        return { done: false, seen: error.reason };
      }
    },
  );
}

async function awaitSuccess(session: Session, inputs: SnapshotInputs): Promise<SnapshotInfo> {
  const elasticsearch = session.elasticsearch(session.settings.region);
  return waitFor(
    `snapshot ${inputs.snapshot} to be SUCCESS`,
    session.settings.timeouts.snapshot,
    session.log,
    async () => {
      const snapshot = await elasticsearch.repositories.snapshot(
        inputs.repository,
        inputs.snapshot,
      );
      if (snapshot === undefined) {
        return { done: false, seen: "not listed" };
      }
      if (snapshot.state === "IN_PROGRESS" || snapshot.state === "STARTED") {
        return { done: false, seen: snapshot.state };
      }
      if (snapshot.state !== "SUCCESS") {
        throw new Refusal(
          `snapshot ${shortened(inputs.snapshot, 40)} ended as ${snapshot.state}, ${snapshot.shards.failed} of ${snapshot.shards.total} shards failed (${snapshot.failures[0] ?? "no reason given"}): set failback to a new name`,
        );
      }
      return { done: true, value: snapshot };
    },
  );
}

/** SUCCESS alone has been seen with no index in the snapshot. */
function expectWhole(snapshot: SnapshotInfo, indices: string[]): void {
  const { successful, failed, total } = snapshot.shards;
  const missing = indices.filter((index) => !snapshot.indices.includes(index)).length;
  const problems = [
    ...(missing > 0 ? [`${missing} indices missing`] : []),
    ...(failed > 0 ? [`${failed} of ${total} shards failed`] : []),
    ...(failed === 0 && successful !== total ? [`${successful} of ${total} shards in it`] : []),
    ...(snapshot.includeGlobalState ? [] : ["no global state"]),
  ];
  if (problems.length > 0) {
    throw new Refusal(
      `snapshot ${snapshot.name} is not whole (${problems.join(", ")}): set failback to a new name`,
    );
  }
}
