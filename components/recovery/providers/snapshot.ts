import { shortened } from "../../base/bounded";
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
          `Elasticsearch of ${session.settings.region} has no index that begins with ${session.settings.indexPrefixes.join(", ")}: correct indexPrefixes or the endpoint`,
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
        `snapshot ${shortened(inputs.snapshot, 40)} exists already and is not of this pause (${String(found.metadata.documents ?? "unknown")} documents, ${documentCount(documents)} now): set failback to a new name`,
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
          `snapshot ${shortened(inputs.snapshot, 40)} ended as ${snapshot.state}, ${snapshot.shards.failed} of ${snapshot.shards.total} shards failed (${shortened(snapshot.failures[0] ?? "no reason given", 30)}): set failback to a new name`,
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
