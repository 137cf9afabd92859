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
import { awaitChange, observeChanging, observeSettled, sendChange } from "../checks/changes";
import { isPassed } from "../interlocks/interlock";
import { EXPORT_GAP } from "../interlocks/step";
import type { Observation, Session } from "../session";
import { implement, Outcome, Run } from "./behaviour";

/** Inputs of an `Exporter`. */
export interface ExporterInputs {
  /** The exporter and its state in every partition: `{"elasticsearchregion1": "DISABLED"}`. */
  exporters: Record<string, string>;
  /** The region whose Elasticsearch it writes to. */
  region: RegionName;
  /** The exporter whose position it takes over when it is enabled. */
  initializeFrom: string;
  /** What is declared, as `BrokerMembership` has it: each declaration is verified anew. */
  declaration: Declaration;
}

export const provider = implement<ExporterInputs>({
  id: (inputs) => `exporter-${inputs.region}`,
  converge,
  async live(inputs, session) {
    const { configuration } = await asked("the exporters", session.log, () => session.observe());
    const [id] = wanted(inputs);
    const states = exporterStates(configuration, id);
    return {
      ...inputs,
      exporters: { [id]: states.length === 1 ? String(states[0]) : states.join("/") },
    };
  },
});

function wanted(inputs: ExporterInputs): [string, string] {
  const [entry] = Object.entries(inputs.exporters);
  if (entry === undefined) {
    throw new Error("an Exporter without an exporter");
  }
  return entry;
}

async function converge(inputs: ExporterInputs, run: Run<ExporterInputs>): Promise<Outcome> {
  const { session } = run;
  const [id, state] = wanted(inputs);
  const { enableExporter, disableExporter } = session.generation.cluster.operations;
  const operation = state === "ENABLED" ? enableExporter : disableExporter;
  const { observation, awaited } = await observeSettled(
    session,
    session.settings.timeouts.exporter,
    (pending) => pending.operation === operation && pending.exporterId === id,
  );
  const known = exporterIds(observation.configuration);
  for (const needed of [id, inputs.initializeFrom]) {
    // The cluster accepts an unknown id, and the change then stays pending for ever and blocks all others.
    if (!known.includes(needed)) {
      throw new Refusal(
        `the brokers have no exporter ${needed}, they have ${listed(known) || "none"}: correct exporters in the configuration`,
      );
    }
  }
  if (exporterStates(observation.configuration, id).every((found) => found === state)) {
    return {
      how: awaited ? "awaited" : "already true",
      ...(awaited ? { changeId: awaited.id } : {}),
      observed: await verify(session, id, state, observation.configuration),
    };
  }
  expectMembersAlive(observation, id);
  if (state === "DISABLED") {
    expectRegionGone(session, observation, id, inputs.region);
  }
  const { exporter } = session.settings.timeouts;
  const request =
    state === "ENABLED" ? enable(session, observation, id, inputs) : disable(session, id);
  if (await expectPlan(session, () => request(true), { id, state, operation })) {
    // Whoever showed another state has shown what was.
    return {
      how: "already true",
      observed: await verify(session, id, state, (await session.observe()).configuration),
    };
  }
  run.begin();
  session.log(
    state === "ENABLED"
      ? `enabling exporter ${id}, continuing where ${inputs.initializeFrom} is`
      : `disabling exporter ${id}`,
  );
  const sent = await sendChange(session, exporter, {
    request: () => request(false),
    tookEffect: () => isReached(session, id, state),
  });
  const changed = await awaitChange(session, sent, `exporter ${id} to be ${state}`, exporter);
  return {
    how: "done",
    ...(sent.changeId === undefined ? {} : { changeId: sent.changeId }),
    operations: sent.operations,
    observed: await verify(session, id, state, changed),
  };
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
      `${brokersAre(present)} among the members: exporter ${id} stays enabled while ${region} is in the cluster; remove failback and lostRegion`,
    );
  }
}

/** Whether every replica has the state, or a change is under way. */
async function isReached(session: Session, id: string, state: string): Promise<boolean> {
  const { pendingChange, ...configuration } = await session.zeebe.configuration();
  const states = exporterStates(configuration, id);
  return pendingChange !== undefined || (states.length === 1 && states[0] === state);
}

/**
 * The dry run must say what is meant: this exporter, in every replica, and nothing else.
 *
 * @returns whether the cluster refuses since it is so already
 */
async function expectPlan(
  session: Session,
  dryRun: () => Promise<PlannedChange>,
  { id, state, operation }: { id: string; state: string; operation: string },
): Promise<boolean> {
  let plan: PlannedChange;
  try {
    plan = await asked("the cluster's own plan", session.log, dryRun);
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
      `the cluster's own plan for exporter ${shortened(id, 25)} is not what is meant (${shortened(why, 36)}): nothing was sent; look at the cluster`,
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
  const { kind, lost } = inputs.declaration;
  // The Elasticsearch of the lost region was restored just before; that of the survivor lacks what it lacks.
  const restored = kind === "failing-back" && lost === inputs.region;
  if (!restored && !isPassed(EXPORT_GAP, session.settings)) {
    throw new Refusal(EXPORT_GAP.refusal({ id }));
  }
  const { initializeFrom } = inputs;
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
  id: string,
  state: string,
  seen: Configuration,
): Promise<Record<string, unknown>> {
  let known: Configuration | undefined = seen;
  return waitFor(
    `exporter ${id} to be ${state}`,
    session.settings.timeouts.exporter,
    session.log,
    async () => {
      const seen = known === undefined ? await observeChanging(session) : { configuration: known };
      known = undefined;
      if (typeof seen === "string") {
        return { done: false, seen };
      }
      const { configuration } = seen;
      const states = exporterStates(configuration, id);
      if (states.length !== 1 || states[0] !== state) {
        return { done: false, seen: states.join(" and ") || "in no partition" };
      }
      const aggregate = (await session.zeebe.exporters())[id];
      if (aggregate !== state) {
        return {
          done: false,
          seen: `${state} in every partition, ${String(aggregate)} altogether`,
        };
      }
      const replicas = configuration.members.reduce((sum, m) => sum + m.replicas.length, 0);
      const { version } = configuration;
      return {
        done: true,
        value: {
          exporters: { [id]: state },
          replicas,
          ...(version === undefined ? {} : { configurationVersion: version }),
        },
      };
    },
  );
}
