import { Refusal } from "../../base/refusal";
import type { SnapshotInfo } from "../../clients/elasticsearch";
import { waitFor } from "../../clients/poll";
import { documentCount } from "../checks/documents";
import { expectPaused } from "../checks/phases";
import type { Session } from "../session";
import { implement } from "./behaviour";

/** Inputs of a `Snapshot`. */
export interface SnapshotInputs {
  /** Name of the failback attempt. */
  attempt: string;
  repository: string;
  /** Name of the snapshot, of the attempt: a second one finds its own, never that of an earlier attempt. */
  snapshot: string;
}

/** Procedure, failback step 3: a snapshot of the surviving Elasticsearch while exporting is paused. */
export const provider = implement<SnapshotInputs>({
  id: (inputs) => inputs.snapshot,
  attempt: (inputs) => inputs.attempt,
  async converge(inputs, { session, begin }) {
    await expectPaused(session, "recently");
    const elasticsearch = session.elasticsearch(session.settings.region);
    const documents = await elasticsearch.documents(session.indexPatterns);
    const found = await elasticsearch.snapshot(inputs.repository, inputs.snapshot);
    if (found === undefined) {
      if (Object.keys(documents).length === 0) {
        throw new Refusal(
          `Elasticsearch of ${session.settings.region} has no index that begins with ${session.settings.indexPrefixes.join(", ")}: there is nothing to take over; correct indexPrefixes or the endpoint`,
        );
      }
      begin();
      session.log(`taking snapshot ${inputs.snapshot} of ${Object.keys(documents).length} indices`);
      await elasticsearch.createSnapshot(
        inputs.repository,
        inputs.snapshot,
        session.indexPatterns,
        {
          attempt: inputs.attempt,
          documents: documentCount(documents),
        },
      );
    } else if (found.metadata.documents !== documentCount(documents)) {
      // Something was exported since: restoring this snapshot would lose it.
      throw new Refusal(
        `snapshot ${inputs.snapshot} exists already and is not of this pause (${String(found.metadata.documents ?? "an unknown number of")} documents in it, ${documentCount(documents)} now): choose a new name: pulumi config set failback NEW-NAME`,
      );
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

async function awaitSuccess(session: Session, inputs: SnapshotInputs): Promise<SnapshotInfo> {
  const elasticsearch = session.elasticsearch(session.settings.region);
  return waitFor(
    `snapshot ${inputs.snapshot} to be SUCCESS`,
    session.settings.timeouts.snapshot,
    session.log,
    async () => {
      const snapshot = await elasticsearch.snapshot(inputs.repository, inputs.snapshot);
      if (snapshot === undefined) {
        return { done: false, seen: "not listed" };
      }
      if (snapshot.state === "IN_PROGRESS" || snapshot.state === "STARTED") {
        return { done: false, seen: snapshot.state };
      }
      if (snapshot.state !== "SUCCESS") {
        throw new Refusal(
          `snapshot ${inputs.snapshot} ended as ${snapshot.state}, ${snapshot.shards.failed} of ${snapshot.shards.total} shards failed (${snapshot.failures[0] ?? "no reason given"}): mend the repository or the indices, then start a new attempt: pulumi config set failback NEW-NAME`,
        );
      }
      return { done: true, value: snapshot };
    },
  );
}

/** SUCCESS alone has been seen with no index in the snapshot. */
function expectWhole(snapshot: SnapshotInfo, indices: string[]): void {
  const missing = indices.filter((index) => !snapshot.indices.includes(index));
  if (
    missing.length > 0 ||
    snapshot.shards.failed !== 0 ||
    snapshot.shards.successful !== snapshot.shards.total ||
    !snapshot.includeGlobalState
  ) {
    throw new Refusal(
      `snapshot ${snapshot.name} is ${snapshot.state} but not whole (${missing.length} indices missing, ${snapshot.shards.failed} of ${snapshot.shards.total} shards failed, global state ${snapshot.includeGlobalState ? "in" : "not in"} it): start a new attempt: pulumi config set failback NEW-NAME`,
    );
  }
}
