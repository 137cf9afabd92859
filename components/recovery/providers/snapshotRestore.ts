import { listed, shortened } from "../../base/bounded";
import { peerOf } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import type { ElasticsearchClient, Health } from "../../clients/elasticsearch";
import { waitFor } from "../../clients/poll";
import { documentCount } from "../checks/documents";
import { expectPaused } from "../checks/phases";
import { listedShards, restoredByUs } from "../checks/restoredIndices";
import type { Session } from "../session";
import { implement } from "./behaviour";

/** Inputs of a `SnapshotRestore`. */
export interface SnapshotRestoreInputs {
  /** Name of the failback attempt. */
  attempt: string;
  repository: string;
  snapshot: string;
}

/**
 * Procedure, failback step 3: restore the snapshot in the recreated Elasticsearch. The procedure checks
 * the snapshot's own shard numbers here, which say nothing about the restore: what decides is where each
 * shard came from, and that documents and templates are the survivor's.
 */
export const provider = implement<SnapshotRestoreInputs>({
  id: (inputs) => `restore-${inputs.snapshot}`,
  attempt: (inputs) => inputs.attempt,
  async converge(inputs, { session, begin }) {
    await expectPaused(session, "recently");
    const region = peerOf(session.settings.region);
    const recreated = session.elasticsearch(region);
    const snapshot = await recreated.snapshot(inputs.repository, inputs.snapshot);
    if (snapshot?.state !== "SUCCESS") {
      throw new Refusal(
        `Elasticsearch of ${region} sees snapshot ${inputs.snapshot} as ${snapshot?.state ?? "missing"}, not SUCCESS: pulumi up again`,
      );
    }
    const present = await listedShards(
      session,
      recreated,
      session.settings.timeouts.restore,
      (shard) => shard.snapshot === inputs.snapshot,
    );
    const restoring = present.some((shard) => shard.snapshot === inputs.snapshot);
    if (!restoring) {
      const leftovers = restoredByUs(present, inputs.repository, region);
      begin();
      if (leftovers.length > 0) {
        session.log(`deleting ${leftovers.length} indices that an abandoned attempt restored`);
        await recreated.deleteIndices(leftovers);
      }
      session.log(`restoring snapshot ${inputs.snapshot} in ${region}`);
      await recreated.restoreSnapshot(inputs.repository, inputs.snapshot, session.indexPatterns);
    }
    const { shards, healths } = await awaitDone(session, recreated, inputs);
    return {
      how: restoring ? "awaited" : "done",
      observed: {
        shards,
        ...(await compare(session, healths)),
      },
    };
  },
});

/**
 * Waits until the recreated Elasticsearch has as many active primary shards of Camunda's indices as the
 * survivor's. Neither the snapshot's own number of shards decides (it counts system indices too), nor
 * where a shard came from (one that moved to another node meanwhile came from its peer): what is in them
 * is compared afterwards. A red survivor has lost some, and its number is none to reach.
 */
async function awaitDone(
  session: Session,
  recreated: ElasticsearchClient,
  inputs: SnapshotRestoreInputs,
): Promise<{ shards: { done: number; total: number }; healths: Healths }> {
  const survivor = session.elasticsearch(session.settings.region);
  return waitFor(
    `the restore of ${inputs.snapshot}`,
    session.settings.timeouts.restore,
    session.log,
    async () => {
      const healths = await healthOf(session, survivor, recreated);
      const { expected, restored } = healths;
      const [done, total] = [restored.activePrimaryShards, expected.activePrimaryShards];
      return done === total && restored.status !== "red" && expected.status !== "red"
        ? { done: true, value: { shards: { done, total }, healths } }
        : {
            done: false,
            seen: `${done} of ${total} primary shards active, ${restored.status}, the survivor's ${expected.status}`,
          };
    },
    {
      refuse: (last, seconds) =>
        `the restore of ${shortened(inputs.snapshot, 40)}: ${last} (waited ${seconds} s); pulumi up`,
    },
  );
}

/** Health of Camunda's indices in both Elasticsearches at one moment. */
interface Healths {
  /** The survivor's. */
  expected: Health;
  restored: Health;
}

async function healthOf(
  { indexPatterns }: Session,
  survivor: ElasticsearchClient,
  recreated: ElasticsearchClient,
): Promise<Healths> {
  return {
    expected: await survivor.health(indexPatterns),
    restored: await recreated.health(indexPatterns),
  };
}

/** Compares the two Elasticsearches while exporting is paused: index by index, template by template. */
async function compare(session: Session, healths: Healths): Promise<Record<string, unknown>> {
  const survivor = session.elasticsearch(session.settings.region);
  const recreated = session.elasticsearch(peerOf(session.settings.region));
  const { indexPrefixes } = session.settings;
  const expected = await survivor.documents(session.indexPatterns);
  const found = await recreated.documents(session.indexPatterns);
  const differing = [...new Set([...Object.keys(expected), ...Object.keys(found)])].filter(
    (index) => expected[index] !== found[index],
  );
  if (differing.length > 0) {
    const first = differing[0] as string;
    throw new Refusal(
      `the restored data is not the survivor's: ${differing.length} indices differ (${shortened(first, 30)}: ${found[first] ?? "none"}, not ${expected[first] ?? "none"}); set failback to a new name`,
    );
  }
  const templates = await survivor.templates(indexPrefixes);
  const restored = await recreated.templates(indexPrefixes);
  const missing = templates.filter((template) => !restored.includes(template));
  if (missing.length > 0) {
    throw new Refusal(
      `the restored Elasticsearch lacks ${missing.length} of the survivor's templates (${shortened(listed(missing), 40)}): set failback to a new name`,
    );
  }
  const health = await awaitHealth(session, survivor, recreated, healths);
  return {
    indices: Object.keys(expected).length,
    documents: documentCount(found),
    templates: templates.length,
    health,
  };
}

/**
 * Replicas are copied after the restore: yellow until then, and for good where the survivor's is yellow too.
 *
 * @param seen what the end of the restore has shown
 */
async function awaitHealth(
  session: Session,
  survivor: ElasticsearchClient,
  recreated: ElasticsearchClient,
  seen: Healths,
): Promise<string> {
  let known: Healths | undefined = seen;
  return waitFor(
    "the restored Elasticsearch to be as healthy as the survivor's",
    session.settings.timeouts.restore,
    session.log,
    async () => {
      const { expected, restored } = known ?? (await healthOf(session, survivor, recreated));
      known = undefined;
      const { status, unassignedShards } = restored;
      return status === "green" || status === expected.status
        ? { done: true, value: status }
        : {
            done: false,
            seen: `${status} with ${unassignedShards} unassigned shards, the survivor's is ${expected.status}`,
          };
    },
    {
      refuse: (last, seconds) =>
        `the restored Elasticsearch is ${last} (waited ${seconds} s): look at its disks and nodes`,
    },
  );
}
