import type { RegionName } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import type { Repository } from "../../clients/elasticsearch";
import { Refused } from "../../clients/http";
import { implement } from "./behaviour";
import type { Session } from "./session";

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
        `Elasticsearch of ${inputs.region} does not see snapshot ${inputs.snapshot} in repository ${inputs.repository}: both regions must reach the same place; compare the settings and the rights of both on it`,
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

/**
 * A repository of that name which points elsewhere is somebody's: registering over it would hide their backups.
 * But one that is read-only has none of this cluster's: it is left of a failback that went the other way, and
 * points to where the other region's Elasticsearch wrote then.
 *
 * @returns what it has otherwise than the configuration, in words
 */
export function refuseForeign(
  session: Session,
  region: RegionName,
  existing: Repository | undefined,
): string[] {
  const { name, type, settings } = session.settings.repository;
  if (existing === undefined) {
    return [];
  }
  const differing = Object.entries(settings)
    .filter(([key, value]) => key !== "readonly" && existing.settings[key] !== String(value))
    .map(
      ([key, value]) =>
        `${key} is ${existing.settings[key] ?? "not set"} instead of ${String(value)}`,
    );
  if (existing.type !== type) {
    differing.unshift(`type is ${existing.type} instead of ${type}`);
  }
  if (differing.length > 0 && existing.settings.readonly !== "true") {
    throw new Refusal(
      `repository ${name} is registered in ${region} with other settings (${differing.join(", ")}): give snapshotRepository another name, or its settings; where the program chooses the name, delete that registration, which deletes no backup: DELETE _snapshot/${name}`,
    );
  }
  return differing;
}
