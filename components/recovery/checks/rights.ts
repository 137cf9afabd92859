import { listed, shortened } from "../../base/bounded";
import type { RegionName } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import { SignInRefused } from "../../clients/answers";
import { asked } from "../../clients/poll";
import type { Session } from "../session";

/**
 * Asks an Elasticsearch something that changes nothing, or is undone at once.
 *
 * @param what what its user is to be allowed, as the rest of a sentence
 * @throws {@link Refusal} when the user may not: named by the action that Elasticsearch names
 */
export async function permitted<T>(
  session: Session,
  region: RegionName,
  what: string,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await asked(`Elasticsearch of ${region}`, session.log, ask);
  } catch (error) {
    // A 401 says by itself what is wrong: who asks is not known, whatever is asked.
    if (!(error instanceof SignInRefused) || error.status !== 403) {
      throw error;
    }
    session.log(`Elasticsearch of ${region}: ${error.said}`);
    const [, action = error.said] = /action \[([^\]]+)\]/.exec(error.said) ?? [];
    throw new Refusal(
      `Elasticsearch of ${region} answers 403 when asked to ${what} (${action}): give its user that right`,
    );
  }
}

/** What an Elasticsearch must allow that cannot be tried without a change, by its own names. */
const UNTRIED = {
  source: "cluster:admin/snapshot/create",
  target: "cluster:admin/snapshot/restore",
  leftovers: "delete_index",
};

/**
 * Every right that the steps after the pause need of an Elasticsearch: what only reads is read, of what changes
 * something Elasticsearch is asked whether it would allow it, where it can be asked.
 *
 * @param role what a failback does with it
 * @param leftovers whether indices of an abandoned attempt are to be deleted there
 */
export async function expectRights(
  session: Session,
  region: RegionName,
  role: "source" | "target",
  leftovers = false,
): Promise<void> {
  const elasticsearch = session.elasticsearch(region);
  const { indexPatterns, records, settings } = session;
  const reads: Record<string, () => Promise<unknown>> = {
    "read templates": () => elasticsearch.templates(settings.indexPrefixes),
    "read what indices hold": () => elasticsearch.indices.contents(indexPatterns),
    "read the health of indices": () => elasticsearch.healthByIndex(indexPatterns),
    "search records": () => elasticsearch.records.lastRecords(records),
  };
  for (const [what, read] of Object.entries(reads)) {
    await permitted(session, region, what, read);
  }
  const lacking = await permitted(session, region, "say what its user may", () =>
    elasticsearch.lackingRights(
      [UNTRIED[role]],
      leftovers ? { patterns: indexPatterns, privileges: [UNTRIED.leftovers] } : undefined,
    ),
  );
  if (lacking.length > 0) {
    throw new Refusal(
      `Elasticsearch of ${region} does not allow its user ${shortened(listed(lacking), 60)}: give it that right, a failback needs it`,
    );
  }
}
