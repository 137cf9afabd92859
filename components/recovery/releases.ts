import * as pulumi from "@pulumi/pulumi";
import { ELASTICSEARCH_RELEASE, RELEASE } from "../generations/objects";
import { shortened } from "../base/bounded";
import { Refusal } from "../base/refusal";
import { HelmRevision, isPending, lastRevision } from "../clients/helmRevision";
import { Refused, Unreachable } from "../clients/http";
import type { NamespaceContents } from "../clients/kubernetes";
import { waitFor } from "../clients/poll";
import type { InstalledSettings } from "../settings";
import type { RecordedRelease, RecordedState } from "../stack/stackState";
import { Session } from "./session";
import type { Shape } from "./phase";

/** What a run has found of the releases in its own cluster. */
export interface FoundReleases {
  /** Why nothing may be begun, one line each. */
  refusals: string[];
  /** What an operator should know, one line each. */
  warnings: string[];
  /**
   * The description of each release that is in the state. It is an input: another one than is recorded makes
   * Helm apply the release again.
   */
  descriptions: Record<string, string | undefined>;
}

/** The kinds without which a region or its recovery stands still. */
const NEEDED = /^(Deployment|StatefulSet|Service|ConfigMap|Secret)\//;

/** How long a look for what has ended goes on after the last operation must have, in seconds. */
const MARGIN_S = 30;

/**
 * Looks into the own cluster, before the first resource of every run: whether its API answers, whether a
 * killed run has left Helm in the middle of something, and whether what the releases consist of is there. None
 * of that is a difference for Pulumi, which has no drift detection for releases.
 *
 * An operation of Helm that was killed stays `pending` for ever, and Helm refuses any other. It is ended here, in
 * `up` only, when it is surely dead: this stack's lock is held, so no other run of it works there; it was written
 * by Pulumi's plugin, not by a human's helm, who may still be at it; and nobody has written it for
 * `timeouts.release`, which is at least the deadline of Helm's own waits, so that the plugin of a killed run, which
 * works on as an orphan, has come to its end. Anything else is refused, with the command for whoever knows more.
 *
 * @returns nothing found where nothing is installed yet
 */
export async function lookAtReleases(
  settings: InstalledSettings,
  shape: Shape,
  recorded: RecordedState,
): Promise<FoundReleases> {
  const found: FoundReleases = {
    refusals: [],
    warnings: [],
    descriptions: Object.fromEntries(
      Object.entries(recorded.releases).map(([name, { description }]) => [name, description]),
    ),
  };
  if (recorded.namespace === undefined) {
    return found;
  }
  const session = new Session(settings, (line) => void pulumi.log.info(line));
  try {
    let contents = await session.kubernetes().contents(session.namespace());
    // A failover waits for nothing of Helm, and touches no release.
    if (shape === "failed-over") {
      return found;
    }
    const pending = pendingIn(contents);
    if (pending.length > 0 && !pulumi.runtime.isDryRun()) {
      contents = await endDead(session, settings);
    } else {
      found.warnings.push(...pending.map((one) => whatUpDoes(settings, one)));
    }
    for (const [name, release] of Object.entries(recorded.releases)) {
      const last = lastRevision(contents.revisions, name);
      const why = last && whyAgain(release, last, contents);
      if (why !== undefined) {
        found.descriptions[name] = `applied again after revision ${last?.revision}: ${why}`;
        found.warnings.push(`release ${name} is applied again: ${why}`);
      } else if (last === undefined) {
        found.warnings.push(
          `release ${name} is not in ${session.namespace()} any more: pulumi up --refresh installs it anew`,
        );
      }
    }
    if (
      shape === "steady" &&
      recorded.camunda?.verified !== undefined &&
      contents.unready.length > 0
    ) {
      found.warnings.push(`not ready in ${session.namespace()}: ${firstOf(contents.unready)}`);
    }
  } catch (error) {
    if (error instanceof Unreachable) {
      found.refusals.push(
        `the cluster of ${settings.region} cannot be asked (${error.why}): mend it; if ${settings.region} is lost, declare it on stack ${settings.peerStack}`,
      );
    } else if (error instanceof Refused) {
      found.warnings.push(`what is installed could not be looked at: ${error.message}`);
    } else if (error instanceof Refusal) {
      found.refusals.push(error.message);
    } else {
      throw error;
    }
  }
  return found;
}

/** Why a release must be applied again; undefined when it is as this stack has left it. */
function whyAgain(
  release: RecordedRelease,
  last: HelmRevision,
  contents: NamespaceContents,
): string | undefined {
  if (last.status !== "deployed") {
    return "it was interrupted, and may be half applied";
  }
  if (release.revision !== undefined && last.revision !== release.revision) {
    // By hand, or by a run that was killed before it could record it.
    return "it is not the one that this stack has recorded";
  }
  const missing = release.objects.filter((one) => NEEDED.test(one) && !contents.objects.has(one));
  return missing.length === 0 ? undefined : `${firstOf(missing)} missing`;
}

function pendingIn({ revisions }: NamespaceContents): HelmRevision[] {
  return [RELEASE, ELASTICSEARCH_RELEASE].flatMap((name) => {
    const last = lastRevision(revisions, name);
    return last !== undefined && isPending(last) ? [last] : [];
  });
}

/** Waits until what is pending has ended or is surely dead, and ends what is. */
async function endDead(session: Session, settings: InstalledSettings): Promise<NamespaceContents> {
  const cluster = session.kubernetes();
  const namespace = session.namespace();
  const { release: deadAfter } = settings.timeouts;
  return waitFor(
    "Helm to end what it has begun",
    deadAfter + MARGIN_S,
    session.log,
    async () => {
      const contents = await cluster.contents(namespace);
      const pending = pendingIn(contents);
      for (const one of pending) {
        if (!isOurs(one)) {
          throw new Refusal(
            `${describe(one)} by ${shortened(one.writtenBy, 40) || "somebody else"}: let it end; if it is dead: ${deletion(session, one)}`,
          );
        }
        if (contents.now - one.writtenAt >= deadAfter * 1000) {
          if (await cluster.endRevision(namespace, one)) {
            session.log(`${describe(one)} of a run that was killed: ended`);
          }
        }
      }
      const [first] = pending;
      return first === undefined
        ? { done: true, value: contents }
        : {
            done: false,
            seen: `${describe(first)}; if it is surely dead: ${deletion(session, first)}`,
          };
    },
    {
      refuse: (last, seconds) =>
        `Helm does not end what it has begun (waited ${seconds} s): ${last}`,
    },
  );
}

function whatUpDoes(settings: InstalledSettings, one: HelmRevision): string {
  return isOurs(one)
    ? `${describe(one)}: up ends it when nobody has written it for ${settings.timeouts.release} s`
    : `${describe(one)} by ${shortened(one.writtenBy, 40) || "somebody else"}: up will be refused until it has ended`;
}

/** Whether the plugin of Pulumi has written it last. */
function isOurs({ writtenBy }: HelmRevision): boolean {
  return writtenBy.startsWith("pulumi");
}

function describe({ release, status }: HelmRevision): string {
  return `release ${release} is ${status}`;
}

function deletion(session: Session, { secret }: HelmRevision): string {
  return `kubectl -n ${session.namespace()} delete secret ${secret}`;
}

function firstOf(names: string[]): string {
  const first = shortened(String(names[0]), 70);
  return names.length === 1 ? first : `${first} and ${names.length - 1} more`;
}
