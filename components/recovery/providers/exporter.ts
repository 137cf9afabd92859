import { listed, shortened } from "../../base/bounded";
import { brokersAre, RegionName, without } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import {
  Configuration,
  describeOperations,
  exporterIds,
  exporterStates,
  memberIds,
  seenIds,
} from "../../clients/topology";
import { Refused } from "../../clients/answers";
import { asked, waitFor } from "../../clients/poll";
import type { PlannedChange } from "../../clients/zeebe";
import type { Declaration } from "../../base/declaration";
import { byHand } from "../checks/byHand";
import {
  askPlan,
  awaitChange,
  observeChanging,
  observeSettled,
  sendChange,
} from "../checks/changes";
import type { InPause } from "../checks/pauseLimit";
import { allAre, expectPaused, lookAtAll } from "../checks/phases";
import { isPassed } from "../interlocks/interlock";
import { EXPORT_GAP } from "../interlocks/step";
import type { Observation, Session } from "../session";
import { implement, Outcome, Run } from "./behaviour";

/** Inputs of an `Exporter`. */
export interface ExporterInputs extends InPause {
  /** The exporters and their state in every partition: `{"elasticsearchregion1": "DISABLED"}`. */
  exporters: Record<string, string>;
  /** The region whose Elasticsearch the first writes to, and in which the further ones write. */
  region: RegionName;
  /** The exporter whose position each takes over when it is enabled. */
  initializeFrom: Record<string, string>;
  /** What is declared, as `BrokerMembership` has it: each declaration is verified anew. */
  declaration: Declaration;
}

/** An exporter as it is to be. */
interface Wanted {
  id: string;
  state: string;
  /** What the cluster calls the operations that bring it there. */
  operation: string;
}

/** A change that is to be sent. */
interface Planned extends Wanted {
  request(this: void, dryRun: boolean): Promise<PlannedChange>;
}

export const provider = implement<ExporterInputs>({
  id: (inputs) => `exporter-${inputs.region}`,
  converge,
  cameAbout: (inputs, session) => isReachedInPause(session, wantedOf(inputs, session)),
  async live(inputs, session) {
    const { configuration } = await asked("the exporters", session.log, () => session.observe());
    return {
      ...inputs,
      exporters: Object.fromEntries(
        Object.keys(inputs.exporters).map((id) => [
          id,
          exporterStates(configuration, id).join("/"),
        ]),
      ),
    };
  },
});

function wantedOf({ exporters }: ExporterInputs, { generation }: Session): Wanted[] {
  const { enableExporter, disableExporter } = generation.cluster.operations;
  // The engine keeps no order of names.
  const entries = Object.entries(exporters).sort(([one], [other]) => (one < other ? -1 : 1));
  return entries.map(([id, state]) => ({
    id,
    state,
    operation: state === "ENABLED" ? enableExporter : disableExporter,
  }));
}

async function converge(inputs: ExporterInputs, run: Run<ExporterInputs>): Promise<Outcome> {
  const { session } = run;
  const { exporter } = session.settings.timeouts;
  const wanted = wantedOf(inputs, session);
  const { observation, awaited } = await observeSettled(session, exporter, (pending) =>
    pending.every((one) =>
      wanted.some(({ id, operation }) => one.operation === operation && one.exporterId === id),
    ),
  );
  expectKnown(observation, [
    ...wanted.map(({ id }) => id),
    ...Object.values(inputs.initializeFrom),
  ]);
  const planned = await plan(inputs, session, wanted, observation);
  if (planned.length === 0) {
    return {
      how: awaited ? "awaited" : "already true",
      ...(awaited ? { changeId: awaited.id } : {}),
      observed: await verify(session, wanted, observation.configuration),
    };
  }
  let done: Partial<Outcome> = { operations: [] };
  let { configuration } = observation;
  // The cluster makes one change at a time, and each is of one exporter.
  for (const { id, state, request } of planned) {
    run.begin();
    session.log(
      state === "ENABLED"
        ? `enabling exporter ${id}, continuing where ${inputs.initializeFrom[id]} is`
        : `disabling exporter ${id}`,
    );
    const sent = await sendChange(session, exporter, {
      request: () => request(false),
      tookEffect: () => isReached(session, id, state),
    });
    configuration = await awaitChange(
      session,
      sent,
      `exporter ${id} to be ${state}`,
      exporter,
      (last, seconds) =>
        `exporter ${shortened(id, 20)} held up for ${seconds} s (${last}): see that broker's log`,
    );
    done = {
      ...(sent.changeId === undefined ? {} : { changeId: sent.changeId }),
      operations: [...(done.operations ?? []), ...sent.operations],
    };
  }
  return {
    how: "done",
    ...done,
    observed: await verify(session, wanted, configuration),
  };
}

/** The cluster accepts an unknown id, and the change then stays pending for ever and blocks all others. */
function expectKnown({ configuration }: Observation, ids: readonly string[]): void {
  const known = exporterIds(configuration);
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown !== undefined) {
    throw new Refusal(
      `the brokers have no exporter ${unknown}, they have ${listed(known) || "none"}: correct exporters in the configuration`,
    );
  }
}

/**
 * What is to be sent, when nothing is against any of it: with half of it done, one exporter would be as declared and
 * the other not.
 */
async function plan(
  inputs: ExporterInputs,
  session: Session,
  wanted: readonly Wanted[],
  observation: Observation,
): Promise<Planned[]> {
  const open = wanted.filter(({ id, state }) =>
    exporterStates(observation.configuration, id).some((found) => found !== state),
  );
  if (open.length > 0 && inputs.pausedAt !== undefined) {
    // They go on where the survivor's are, which is where the snapshot ends as long as nothing is exported.
    await expectPaused(session, "recently");
  }
  const changes = open.map((one): Planned => {
    expectMembersAlive(observation, one.id);
    if (one.state === "DISABLED") {
      expectRegionGone(session, observation, one.id, inputs.region);
    }
    const request =
      one.state === "ENABLED"
        ? enable(session, observation, one.id, inputs)
        : disable(session, one.id);
    return { ...one, request };
  });
  const planned: Planned[] = [];
  for (const change of changes) {
    // Whoever showed another state than the plan does has shown what was.
    if (!(await isPlannedAlready(session, change))) {
      planned.push(change);
    }
  }
  return planned;
}

/** Exporter changes visit every member: with a dead one they stay pending for ever, and block the forced removal. */
function expectMembersAlive({ configuration, topology }: Observation, id: string): void {
  const dead = without(memberIds(configuration), seenIds(topology));
  if (dead.length > 0) {
    throw new Refusal(
      `${brokersAre(dead)} among the members but not seen: a change of exporter ${id} would never end; bring it up, or set lostRegion`,
    );
  }
}

/** Without its exporter a region's Elasticsearch misses records for good: that is for a region that is out. */
function expectRegionGone(
  session: Session,
  { configuration }: Observation,
  id: string,
  region: RegionName,
): void {
  const { ids } = session.generation;
  const present = memberIds(configuration).filter((member) => ids.regionOf(member) === region);
  if (present.length > 0) {
    throw new Refusal(
      `${brokersAre(present)} among the members: exporter ${id} stays enabled while ${region} is in the cluster; remove failback, lostRegion and drainRegion`,
    );
  }
}

/** Whether every replica has the state, or a change is under way. */
async function isReached(session: Session, id: string, state: string): Promise<boolean> {
  const { pendingChange, ...configuration } = await session.zeebe.configuration();
  const states = exporterStates(configuration, id);
  return pendingChange !== undefined || (states.length === 1 && states[0] === state);
}

/** Whether every replica has the states while none exports: then all have them from the same position. */
async function isReachedInPause(session: Session, wanted: readonly Wanted[]): Promise<boolean> {
  const { configuration } = await session.observe();
  const reached = wanted.every(({ id, state }) =>
    exporterStates(configuration, id).every((found) => found === state),
  );
  return (
    reached &&
    configuration.pendingChange === undefined &&
    allAre("PAUSED", await lookAtAll(session), session)
  );
}

/**
 * The dry run must say what is meant: this exporter, in every replica, and nothing else.
 *
 * @returns whether the cluster refuses since it is so already
 */
async function isPlannedAlready(
  session: Session,
  { id, state, operation, request }: Planned,
): Promise<boolean> {
  let plan: PlannedChange;
  try {
    plan = await askPlan(session, () => request(true));
  } catch (error) {
    if (error instanceof Refused && error.status === 400 && (await isReached(session, id, state))) {
      return true;
    }
    throw error;
  }
  const wrong = plan.operations.filter(
    (one) => one.operation !== operation || one.exporterId !== id,
  );
  const left = plan.currentMembers.flatMap((member) =>
    member.replicas
      .filter(({ exporters }) => exporters[id] !== state)
      .filter(
        ({ partition }) =>
          !plan.operations.some(
            ({ brokerId, partitionId }) => brokerId === member.id && partitionId === partition,
          ),
      )
      .map(({ partition }) => `broker ${member.id} partition ${partition}`),
  );
  if (wrong.length > 0 || left.length > 0) {
    const why = describeOperations(wrong).join("; ") || `it omits ${listed(left)}`;
    throw new Refusal(
      `the cluster's own plan for exporter ${shortened(id, 25)} is not what is meant (${why}): nothing was sent; look at the cluster`,
    );
  }
  return false;
}

function disable(session: Session, id: string) {
  return (dryRun: boolean) => session.zeebe.disableExporter(id, { dryRun });
}

function enable(
  session: Session,
  { configuration }: Observation,
  id: string,
  inputs: ExporterInputs,
) {
  const { kind, lost, drained } = inputs.declaration;
  // The Elasticsearch of the region that was out was restored just before; that of the survivor lacks what it lacks.
  const restored = kind === "failing-back" && (lost ?? drained) === inputs.region;
  if (!restored && !isPassed(EXPORT_GAP, session.settings)) {
    throw new Refusal(EXPORT_GAP.refusal({ id }));
  }
  const initializeFrom = inputs.initializeFrom[id] ?? "";
  if (exporterStates(configuration, initializeFrom).some((found) => found !== "ENABLED")) {
    const { path } = session.generation.cluster.enableExporter(id, initializeFrom);
    throw new Refusal(
      `exporter ${id} cannot go on where ${initializeFrom} is, which is disabled too; from now on: ${byHand(session, "POST", path)}`,
    );
  }
  return (dryRun: boolean) => session.zeebe.enableExporter(id, initializeFrom, { dryRun });
}

/**
 * Verifies by every replica of the configuration, then by the aggregate: one alone has been seen to lie.
 *
 * @param seen the configuration as the caller has just seen it
 */
async function verify(
  session: Session,
  wanted: readonly Wanted[],
  seen: Configuration,
): Promise<Record<string, unknown>> {
  let known: Configuration | undefined = seen;
  return waitFor(
    "the exporters to be as declared",
    session.settings.timeouts.exporter,
    session.log,
    async () => {
      const seen = known === undefined ? await observeChanging(session) : { configuration: known };
      known = undefined;
      if (typeof seen === "string") {
        return { done: false, seen };
      }
      const { configuration } = seen;
      const others = wanted.flatMap(({ id, state }) => otherwise(configuration, id, state));
      const replicas = configuration.members.reduce((sum, m) => sum + m.replicas.length, 0);
      if (others.length > 0 || replicas === 0) {
        return { done: false, seen: listed(others, "; ") || "no partition" };
      }
      const aggregate = await session.zeebe.exporters();
      const wrong = wanted.filter(({ id, state }) => aggregate[id] !== state);
      if (wrong.length > 0) {
        const one = ({ id, state }: Wanted) =>
          `${id} ${state} by partition, ${aggregate[id] ?? "unknown"} altogether`;
        return { done: false, seen: listed(wrong.map(one), "; ") };
      }
      const { version } = configuration;
      return {
        done: true,
        value: {
          exporters: Object.fromEntries(wanted.map(({ id, state }) => [id, state])),
          replicas,
          ...(version === undefined ? {} : { configurationVersion: version }),
        },
      };
    },
  );
}

/** The replicas in which an exporter is in another state, in words. */
function otherwise({ members }: Configuration, exporterId: string, state: string): string[] {
  return members.flatMap(({ id, replicas }) =>
    replicas
      .filter(({ exporters }) => exporters[exporterId] !== state)
      .map(
        ({ partition, exporters }) =>
          `${exporterId} ${exporters[exporterId] ?? "unknown"} on broker ${id} partition ${partition}`,
      ),
  );
}
