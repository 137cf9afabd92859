import { shortened } from "../../base/bounded";
import type { RegionName } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import { Refused } from "../../clients/http";
import { refuseForeign } from "../checks/repository";
import { implement } from "./behaviour";

/** Inputs of a `SnapshotRepository`. */
export interface SnapshotRepositoryInputs {
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
    const elasticsearch = session.elasticsearch(inputs.region);
    const { type, settings } = session.settings.repository;
    const existing = await elasticsearch.repository(inputs.repository);
    const differing = refuseForeign(session, inputs.region, existing);
    const readonly = existing?.settings.readonly === "true";
    const asWanted =
      existing !== undefined && differing.length === 0 && readonly === inputs.readonly;
    const sees = async () =>
      inputs.snapshot === undefined ||
      (await elasticsearch.snapshot(inputs.repository, inputs.snapshot)) !== undefined;
    const already = asWanted && (await sees());
    if (!already) {
      begin();
      session.log(`registering repository ${inputs.repository} in ${inputs.region}`);
      try {
        await elasticsearch.registerRepository(inputs.repository, type, {
          ...settings,
          ...(inputs.readonly ? { readonly: true } : {}),
        });
      } catch (error) {
        // What is refused because its place cannot be used stays registered: corrected settings would be met by
        // it the next time, as somebody else's.
        if (existing === undefined && error instanceof Refused) {
          await elasticsearch.forgetRepository(inputs.repository).catch(() => undefined);
        }
        throw error;
      }
    }
    await elasticsearch.verifyRepository(inputs.repository);
    if (!(await sees())) {
      throw new Refusal(
        `Elasticsearch of ${inputs.region} does not see snapshot ${shortened(String(inputs.snapshot), 40)} in repository ${shortened(inputs.repository, 30)}: give both the same place`,
      );
    }
    return {
      how: already ? "already true" : "done",
      observed: {
        repository: inputs.repository,
        readonly: inputs.readonly,
        ...(inputs.snapshot === undefined ? {} : { sees: inputs.snapshot }),
      },
    };
  },
});
