import * as pulumi from "@pulumi/pulumi";
import { listed, shortened } from "../../base/bounded";
import { brokerList, RegionName, without } from "../../base/brokers";
import type { Declaration } from "../../base/declaration";
import { memberIds, Topology, unhealthy } from "../../clients/topology";
import { fits, generationOf } from "../../generations";
import { asked, DeadlineExceeded } from "../../clients/poll";
import { OVERRIDES, Settings } from "../../settings";
import type { RecordedState } from "../../stack/stackState";
import { awaitPlan, membershipIntent } from "../checks/membership";
import { Session } from "../session";
import { upgradeOf } from "../upgrade";
import { desiredMembership, Shape } from "../phase";
import { Interlock, isPassed } from "./interlock";
import { messageOf } from "../../base/messageOf";

/** What is asked of the cluster. */
interface ClusterInterlock extends Interlock {
  /** Whether it is asked in this run. */
  applies(shape: Shape, recorded: RecordedState, settings: Settings): boolean;
  /** The fact, and the one way out; undefined when nothing is against the run. */
  refusal(session: Session, recorded: RecordedState): Promise<string | undefined>;
}

/**
 * What the cluster itself says against a run, asked before the first resource, because a resource would act
 * on the network first: it closes the fence, or opens it.
 */
export const CLUSTER_INTERLOCKS: readonly ClusterInterlock[] = [
  {
    name: "still-forced-out",
    protects:
      "Opening the fence would connect the survivors with a half that may live on with old data.",
    applies: (shape, recorded) =>
      shape === "steady" && recorded.declaration?.kind === "failed-over",
    refusal: (session) => stillOut(session, FORCED_OUT),
  },
  {
    name: "still-drained",
    protects:
      "The run would wait for a region that may be away, before it found that its brokers are not to be added.",
    applies: (shape, recorded) => shape === "steady" && recorded.declaration?.kind === "drained",
    refusal: (session) => stillOut(session, DRAINED),
  },
  {
    name: "still-seen",
    protects: OVERRIDES["still-seen"],
    override: "still-seen",
    // A preview does not wait: it says that up will.
    applies: (shape, recorded) =>
      shape === "failed-over" &&
      recorded.declaration?.kind !== "failed-over" &&
      !pulumi.runtime.isDryRun(),
    refusal: stillSeen,
  },
  {
    name: "upgrade-unhealthy",
    protects:
      "An upgrade takes one broker after the other away: where one is missing, no other may.",
    applies: (shape, recorded, settings) =>
      shape === "steady" && upgradeOf(settings, recorded) !== undefined,
    refusal: unhealthyBefore,
  },
];

/**
 * Asks the cluster, only where something else acts before the membership, which asks by itself: a fence of ours, or a
 * release.
 *
 * @returns why the run must not be, in one line; undefined when nothing is against it
 */
export async function refusalBeforehand(
  settings: Settings,
  shape: Shape,
  recorded: RecordedState,
): Promise<string | undefined> {
  if (settings.installation === undefined) {
    return undefined;
  }
  const session = new Session(settings, logged);
  for (const interlock of CLUSTER_INTERLOCKS) {
    const isAsked = interlock.applies(shape, recorded, settings) && !isPassed(interlock, settings);
    const refusal = isAsked ? await interlock.refusal(session, recorded) : undefined;
    if (refusal !== undefined) {
      return refusal;
    }
  }
  return undefined;
}

function logged(line: string): void {
  void pulumi.log.info(line, undefined, 0, true);
}

/** Whether a run that was killed has begun the upgrade, and could not record it: the next one goes on with it. */
function isBegun(
  { camundaVersion }: Settings,
  own: readonly number[],
  { brokers, gatewayVersion }: Topology,
): boolean {
  const versions = brokers.filter(({ id }) => own.includes(id)).map(({ version }) => version);
  return [gatewayVersion, ...versions].some(
    (version) => fits(generationOf(camundaVersion), version) !== "no",
  );
}

/** The cluster is looked at as what it still is. */
async function unhealthyBefore(
  { settings }: Session,
  recorded: RecordedState,
): Promise<string | undefined> {
  const { from = settings.camundaVersion } = upgradeOf(settings, recorded) ?? {};
  const session = new Session({ ...settings, camundaVersion: from }, logged);
  const { ids, replicationFactor } = desiredMembership(settings, "steady");
  const seconds = pulumi.runtime.isDryRun() ? 0 : undefined;
  try {
    const now = await asked("the cluster", session.log, () => session.zeebe.topology(), seconds);
    if (isBegun(settings, session.own, now)) {
      return undefined;
    }
    const { configuration, topology } = await asked(
      "the cluster",
      session.log,
      () => session.observe(),
      seconds,
    );
    const problems = unhealthy(
      configuration,
      topology,
      ids,
      replicationFactor,
      settings.partitionCount,
    );
    return problems.length === 0
      ? undefined
      : `no upgrade to ${settings.camundaVersion} while the cluster is not healthy (${shortened(listed(problems, "; "), 60)}): mend it, then up`;
  } catch (error) {
    return `no upgrade to ${settings.camundaVersion}: whether the cluster is healthy is not known (${shortened(messageOf(error), 50)}): mend that, then up`;
  }
}

/** What is said of a declaration that was taken back too early: who is no member, or why that is not known. */
interface TakenBack {
  refusal(peer: RegionName, seen: { absent: string } | { error: string }): string;
}

const FORCED_OUT: TakenBack = {
  refusal: (peer, seen) =>
    "absent" in seen
      ? `lostRegion is not set, but ${seen.absent} of ${peer} were forced out: set lostRegion ${peer} again, and fail back (npm run failback)`
      : `lostRegion is not set, ${peer} was forced out, and may be still (${seen.error}): set lostRegion ${peer} again, and fail back (npm run failback)`,
};

const DRAINED: TakenBack = {
  refusal: (peer, seen) =>
    "absent" in seen
      ? `drainRegion is not set, but ${seen.absent} of ${peer} are drained: set drainRegion ${peer} again, and fail back (npm run failback)`
      : `drainRegion is not set, ${peer} was drained, and may be still (${seen.error}): set drainRegion ${peer} again, and fail back (npm run failback)`,
};

/** After a failback that was done by hand all are members again, and nothing is against the run. */
async function stillOut(session: Session, { refusal }: TakenBack): Promise<string | undefined> {
  const { peer } = session.settings;
  try {
    const absent = await noMembers(session);
    return absent.length === 0 ? undefined : refusal(peer, { absent: brokerList(absent) });
  } catch (error) {
    return refusal(peer, { error: messageOf(error) });
  }
}

/** The brokers of both regions that are no members. */
async function noMembers(session: Session): Promise<number[]> {
  const { configuration } = await asked(
    "the members of the cluster",
    session.log,
    () => session.observe(),
    pulumi.runtime.isDryRun() ? 0 : undefined,
  );
  return without(desiredMembership(session.settings, "steady").ids, memberIds(configuration));
}

/**
 * Behind the fence a living region looks as lost as a dead one: so whether it is lost is found before it closes, as the
 * membership finds it. Of survivors that do not answer nothing is known.
 */
async function stillSeen(session: Session): Promise<string | undefined> {
  const { lostRegion: lost, timeouts } = session.settings;
  const desired = desiredMembership(session.settings, "failed-over");
  const declared: Declaration = { kind: "failed-over", ...(lost === undefined ? {} : { lost }) };
  try {
    await awaitPlan(session, membershipIntent(desired, declared, session), {
      seconds: timeouts.loss,
      missedFor: timeouts.absence,
      line: (refusal) => `${refusal}, or set overrides.still-seen`,
    });
    return undefined;
  } catch (error) {
    return error instanceof DeadlineExceeded
      ? `whether ${lost} is lost is not known (${error.lastSeen}): bring the survivors' gateway up, or set overrides.still-seen`
      : messageOf(error);
  }
}
