import { listed, shortened } from "../../base/bounded";
import { peerOf } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import type {
  Contents,
  ElasticsearchClient,
  Health,
  IndexHealth,
  SnapshotInfo,
  Unallocated,
} from "../../clients/elasticsearch";
import { asked, waitFor } from "../../clients/poll";
import { gone, whyInactive } from "../checks/goneShards";
import type { InPause } from "../checks/pauseLimit";
import { expectPaused } from "../checks/phases";
import { listedShards, restoredByUs } from "../checks/restoredIndices";
import { expectOfThisPause } from "../checks/snapshots";
import type { Session } from "../session";
import { implement } from "./behaviour";

/** Inputs of a `SnapshotRestore`. */
export interface SnapshotRestoreInputs extends InPause {
  /** Name of the failback attempt. */
  attempt: string;
  repository: string;
  snapshot: string;
  /** The pause in which the snapshot was taken. */
  pause: string;
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
    const snapshot = await asked("the snapshot", session.log, () =>
      recreated.repositories.snapshot(inputs.repository, inputs.snapshot),
    );
    if (snapshot?.state !== "SUCCESS") {
      throw new Refusal(
        `Elasticsearch of ${region} sees snapshot ${shortened(inputs.snapshot, 28)} as ${snapshot?.state ?? "missing"}, not SUCCESS: up, or set failback to a new name`,
      );
    }
    expectOfThisPause(snapshot, inputs.pause);
    const present = await listedShards(
      session,
      recreated,
      region,
      (shard) => shard.snapshot === inputs.snapshot,
    );
    const restoring = present.some((shard) => shard.snapshot === inputs.snapshot);
    if (!restoring) {
      const leftovers = restoredByUs(present, inputs.repository, region);
      begin();
      if (leftovers.length > 0) {
        session.log(`deleting ${leftovers.length} indices that an abandoned attempt restored`);
        await recreated.indices.deleteIndices(leftovers);
      }
      session.log(`restoring snapshot ${inputs.snapshot} in ${region}`);
      await recreated.repositories.restoreSnapshot(
        inputs.repository,
        inputs.snapshot,
        session.indexPatterns,
      );
    }
    const { shards, healths } = await awaitDone(session, recreated, snapshot);
    return {
      how: restoring ? "awaited" : "done",
      observed: {
        shards,
        ...(await compare(session, snapshot, healths)),
      },
    };
  },
});

/**
 * Waits until every primary shard of the snapshot's own indices is active. Neither the snapshot's number of shards
 * decides (it counts system indices too), nor the survivor's (its retention deletes indices meanwhile), nor where a
 * shard came from (one that moved to another node since came from its peer): what is in them is compared afterwards.
 *
 * @throws {@link Refusal} when some can never be: a node that was only away is back within `timeouts.gate`
 */
async function awaitDone(
  session: Session,
  recreated: ElasticsearchClient,
  snapshot: SnapshotInfo,
): Promise<{ shards: { done: number; total: number }; healths: Healths }> {
  const survivor = session.elasticsearch(session.settings.region);
  const recreatedRegion = peerOf(session.settings.region);
  const wanted = indicesOf(session, snapshot);
  const { gate, restore } = session.settings.timeouts;
  let before: number | undefined;
  let goneSince: number | undefined;
  return waitFor(
    `the restore of ${snapshot.name}`,
    restore,
    session.log,
    async () => {
      const last = before;
      // A look that fails is none at which nothing has changed.
      before = undefined;
      const healths = await healthOf(session, survivor, recreated);
      const { expected, restored } = healths;
      const lacking = wanted.filter((name) => !isActive(restored.indices[name]));
      const done = wanted.reduce((sum, name) => sum + shardsOf(restored.indices[name]).active, 0);
      const total = wanted.reduce((sum, name) => sum + shardsOf(restored.indices[name]).total, 0);
      if (lacking.length === 0 && restored.status !== "red" && expected.status !== "red") {
        return { done: true, value: { shards: { done, total }, healths } };
      }
      before = done;
      const why = last === done ? await whyNot(recreated, lacking[0], restored.indices) : undefined;
      goneSince = why?.gone === true ? (goneSince ?? performance.now()) : undefined;
      if (goneSince !== undefined && performance.now() - goneSince >= gate * 1000) {
        throw new Refusal(
          gone(recreatedRegion, `${total - done} of ${total} primary shards`, gate),
        );
      }
      return {
        done: false,
        seen: `${done} of ${total} primary shards active${why ? `; ${why.why}` : `, ${restored.status}, the survivor's ${expected.status}`}`,
      };
    },
    {
      refuse: (last, seconds) =>
        `the restore of ${shortened(snapshot.name, 22)}: ${shortened(last, 68)} (waited ${seconds} s); pulumi up`,
    },
  );
}

/** The indices of a snapshot that are Camunda's: what is compared. */
function indicesOf(session: Session, { indices }: SnapshotInfo): string[] {
  const { indexPrefixes } = session.settings;
  return indices.filter((name) => indexPrefixes.some((prefix) => name.startsWith(prefix)));
}

function shardsOf(index: IndexHealth | undefined): { active: number; total: number } {
  const { active, inactive } = index ?? { active: [], inactive: [0] };
  return { active: active.length, total: active.length + inactive.length };
}

function isActive(index: IndexHealth | undefined): boolean {
  const { active, total } = shardsOf(index);
  return total > 0 && active === total;
}

/** Why a shard is not active. Asked once nothing has changed from one look to the next. */
async function whyNot(
  recreated: ElasticsearchClient,
  index: string | undefined,
  indices: Record<string, IndexHealth>,
): Promise<Unallocated | undefined> {
  if (index === undefined) {
    return undefined;
  }
  // A restore makes all of its indices at once.
  const shard = indices[index]?.inactive[0];
  return shard === undefined
    ? { why: `${index} is not there`, gone: true }
    : whyInactive(recreated, index, shard);
}

/** Health of Camunda's indices in both Elasticsearches at one moment. */
interface Healths {
  /** The survivor's. */
  expected: Health;
  restored: Health & { indices: Record<string, IndexHealth> };
}

async function healthOf(
  { indexPatterns }: Session,
  survivor: ElasticsearchClient,
  recreated: ElasticsearchClient,
): Promise<Healths> {
  return {
    expected: await survivor.health(indexPatterns),
    restored: await recreated.healthByIndex(indexPatterns),
  };
}

/**
 * Compares the two Elasticsearches while exporting is paused: index by index, template by template. An index that the
 * survivor's retention has deleted since the snapshot is no loss. One that it has got since is: nothing would ever
 * bring it over.
 */
async function compare(
  session: Session,
  snapshot: SnapshotInfo,
  healths: Healths,
): Promise<Record<string, unknown>> {
  const survivor = session.elasticsearch(session.settings.region);
  const recreated = session.elasticsearch(peerOf(session.settings.region));
  const { indexPrefixes, region } = session.settings;
  const { expected, found } = await asked("both Elasticsearches", session.log, async () => ({
    expected: await survivor.indices.contents(session.indexPatterns),
    found: await recreated.indices.contents(session.indexPatterns),
  }));
  const taken = indicesOf(session, snapshot);
  const since = Object.keys(expected).filter((index) => !taken.includes(index));
  if (since.length > 0) {
    throw new Refusal(
      `Elasticsearch of ${region} has ${since.length} indices that are not in the snapshot (${listed(since)}): set failback to a new name`,
    );
  }
  const gone = taken.filter((index) => expected[index] === undefined);
  const differing = [...new Set([...Object.keys(expected), ...Object.keys(found)])].filter(
    (index) => !gone.includes(index) && !sameContents(expected[index], found[index]),
  );
  if (differing.length > 0) {
    const first = differing[0] as string;
    throw new Refusal(
      `the restored data is not the survivor's: ${differing.length} indices differ (${shortened(first, 30)}: ${difference(found[first], expected[first])}); set failback to a new name`,
    );
  }
  const templates = await survivor.templates(indexPrefixes);
  const restored = await recreated.templates(indexPrefixes);
  const missing = templates.filter((template) => !restored.includes(template));
  if (missing.length > 0) {
    throw new Refusal(
      `the restored Elasticsearch lacks ${missing.length} of the survivor's templates (${listed(missing)}): set failback to a new name`,
    );
  }
  const health = await awaitHealth(session, survivor, recreated, healths);
  return {
    indices: Object.keys(expected).length,
    documents: Object.values(expected).reduce((sum, { documents }) => sum + documents, 0),
    ...(gone.length > 0 ? { deletedSince: gone.length } : {}),
    templates: templates.length,
    health,
  };
}

function sameContents(one: Contents | undefined, other: Contents | undefined): boolean {
  return (
    one?.documents === other?.documents &&
    one?.lastOperations.join() === other?.lastOperations.join()
  );
}

/** What differs: the documents, or how often they were written. */
function difference(found: Contents | undefined, expected: Contents | undefined): string {
  if (found === undefined || expected?.documents !== found.documents) {
    return `${found?.documents ?? "none"}, not ${expected?.documents ?? "none"}`;
  }
  return `${writesOf(found)} writes, not ${writesOf(expected)}`;
}

function writesOf({ lastOperations }: Contents): number {
  return lastOperations.reduce((sum, last) => sum + last + 1, 0);
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
        `the restored Elasticsearch is ${shortened(last, 80)} (waited ${seconds} s): look at its disks and nodes`,
    },
  );
}
