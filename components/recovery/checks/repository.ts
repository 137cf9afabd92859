import { listed, shortened } from "../../base/bounded";
import type { RegionName } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import type { Repository } from "../../clients/elasticsearch";
import { Refused } from "../../clients/http";
import type { Session } from "../session";
import { permitted } from "./rights";

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
      ([key, value]) => `${key} is ${existing.settings[key] ?? "not set"}, not ${String(value)}`,
    );
  if (existing.type !== type) {
    differing.unshift(`type is ${existing.type}, not ${type}`);
  }
  if (differing.length > 0 && existing.settings.readonly !== "true") {
    throw new Refusal(
      `repository ${name} in ${region} has other settings (${listed(differing)}): give snapshotRepository another name`,
    );
  }
  return differing;
}

/**
 * Whether a repository is registered as it is to be used: nothing is to be registered then.
 *
 * @throws {@link Refusal} when it is somebody else's
 */
export function isAsWanted(
  session: Session,
  region: RegionName,
  existing: Repository | undefined,
  readonly: boolean,
): boolean {
  const differing = refuseForeign(session, region, existing);
  return (
    existing !== undefined &&
    differing.length === 0 &&
    (existing.settings.readonly === "true") === readonly
  );
}

/** Registers the configured repository, under that name. */
export function register(
  session: Session,
  region: RegionName,
  name: string,
  readonly: boolean,
): Promise<void> {
  const { type, settings } = session.settings.repository;
  return session.elasticsearch(region).repositories.registerRepository(name, type, {
    ...settings,
    ...(readonly ? { readonly: true } : {}),
  });
}

/**
 * Lets every node that holds data use a repository. That it is registered says nothing, nor does the status: the nodes
 * that are listed have done it.
 *
 * @returns how many they are
 */
export async function verify(session: Session, region: RegionName, name: string): Promise<number> {
  const elasticsearch = session.elasticsearch(region);
  const nodes = await elasticsearch.repositories.verifyRepository(name);
  const { dataNodes } = await elasticsearch.health();
  if (nodes === 0 || nodes < dataNodes) {
    throw new Refusal(
      `repository ${shortened(name, 30)} in ${region} is verified by ${nodes} of ${dataNodes} nodes: bring the others up, or let them reach its place`,
    );
  }
  return nodes;
}

/** The server's words of why it cannot use a repository, as a refusal; what may pass, and rights, are no such words. */
export async function usable<T>(
  session: Session,
  region: RegionName,
  use: () => Promise<T>,
): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (!(error instanceof Refused) || !FINAL.includes(error.status)) {
      throw error;
    }
    session.log(error.message);
    // What S3 adds in parentheses are numbers of its own.
    const [why = ""] = error.reason.replace(/^(\w+)_exception: /, "$1: ").split(" (");
    throw new Refusal(
      `repository ${shortened(session.settings.repository.name, 24)} in ${region} cannot be used (${why}): mend its place or rights`,
    );
  }
}

/** By which Elasticsearch says that a repository is wrong, not that it cannot say. */
const FINAL = [400, 500];

/** What a trial has shown of a repository. */
export interface Trial {
  /** How many nodes have used it. */
  nodes: number;
  /** Names of the snapshots that are in it, without any that is being taken. */
  snapshots: string[];
}

/**
 * Uses the repository as a failback will, and leaves everything as it was: as it is registered where that is as wanted,
 * else under a name of its own, so that no step takes it for what it has registered itself, and what is registered under
 * the name for another failback stays.
 *
 * @throws {@link Refusal} when it cannot be used
 */
export async function tryRepository(
  session: Session,
  region: RegionName,
  readonly: boolean,
): Promise<Trial> {
  const { name } = session.settings.repository;
  const elasticsearch = session.elasticsearch(region);
  const existing = await permitted(session, region, "read repositories", () =>
    elasticsearch.repositories.repository(name),
  );
  if (isAsWanted(session, region, existing, readonly)) {
    return look(session, region, name);
  }
  const trial = `${name}-trial`;
  session.log(`trying repository ${name} in ${region}`);
  try {
    await permitted(session, region, "register a repository", () =>
      usable(session, region, () => register(session, region, trial, readonly)),
    );
    const seen = await look(session, region, trial);
    await permitted(session, region, "forget a repository", () =>
      elasticsearch.repositories.forgetRepository(trial),
    );
    return seen;
  } catch (error) {
    // It is registered also when its place was refused, or when no answer has come. The error is what is to be said.
    await elasticsearch.repositories.forgetRepository(trial).catch(() => undefined);
    throw error;
  }
}

async function look(session: Session, region: RegionName, name: string): Promise<Trial> {
  const nodes = await permitted(session, region, "verify a repository", () =>
    usable(session, region, () => verify(session, region, name)),
  );
  const snapshots = await permitted(session, region, "list snapshots", () =>
    usable(session, region, () => session.elasticsearch(region).repositories.snapshots(name)),
  );
  return { nodes, snapshots };
}

/** What is not seen in a repository: another Elasticsearch has written it to another place. */
export function unseen(region: RegionName, snapshot: string, repository: string): Refusal {
  return new Refusal(
    `Elasticsearch of ${region} does not see snapshot ${shortened(snapshot, 40)} in repository ${shortened(repository, 30)}: give both the same place`,
  );
}
