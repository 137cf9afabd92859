import type { RegionName } from "../../base/brokers";
import { Unreachable } from "../../clients/http";
import type { InPause } from "../checks/pauseLimit";
import { isAsWanted, register, unseen, usable, verify } from "../checks/repository";
import { implement } from "./behaviour";

/** Inputs of a `SnapshotRepository`. */
export interface SnapshotRepositoryInputs extends InPause {
  /** Name of the failback attempt. */
  attempt: string;
  /** The region in whose Elasticsearch the repository is registered. */
  region: RegionName;
  /** Name of the repository; Operate and Tasklist use the same for their backups. */
  repository: string;
  /** Set in the recreated region: two clusters that write to one repository corrupt it. */
  readonly: boolean;
  /** In the recreated region: the snapshot that must be visible in it. */
  snapshot?: string;
}

/**
 * Procedure, failback step 3: register the backup repository, first in the survivor, and in the recreated
 * region only after the snapshot exists: a cluster that registered it before does not see the snapshot.
 */
export const provider = implement<SnapshotRepositoryInputs>({
  id: (inputs) => `snapshot-repository-${inputs.region}-${inputs.attempt}`,
  attempt: (inputs) => inputs.attempt,
  async converge(inputs, { session, begin }) {
    const { region, repository, readonly, snapshot } = inputs;
    const elasticsearch = session.elasticsearch(region);
    const existing = await elasticsearch.repositories.repository(repository);
    const asWanted = isAsWanted(session, region, existing, readonly);
    const sees = async () =>
      snapshot === undefined ||
      (await elasticsearch.repositories.snapshot(repository, snapshot)) !== undefined;
    const already = asWanted && (await sees());
    if (!already) {
      begin();
      session.log(`registering repository ${repository} in ${region}`);
      try {
        await usable(session, region, () => register(session, region, repository, readonly));
      } catch (error) {
        // What is refused because its place cannot be used stays registered: corrected settings would be met by
        // it the next time, as somebody else's.
        if (existing === undefined && !(error instanceof Unreachable)) {
          await elasticsearch.repositories.forgetRepository(repository).catch(() => undefined);
        }
        throw error;
      }
    }
    await usable(session, region, () => verify(session, region, repository));
    if (snapshot !== undefined && !(await sees())) {
      throw unseen(region, snapshot, repository);
    }
    return {
      how: already ? "already true" : "done",
      observed: {
        repository,
        readonly,
        ...(snapshot === undefined ? {} : { sees: snapshot }),
      },
    };
  },
});
