import { listed } from "../../base/bounded";
import { BrokerMap, idsOfMap, brokerList, brokersAre, sameIds } from "../../base/brokers";
import { memberIds, Topology, unhealthy } from "../../clients/topology";
import { isForbidden } from "../../clients/answers";
import { Refused, Unreachable } from "../../clients/http";
import { asked, waitFor } from "../../clients/poll";
import { Declaration, sameDeclaration } from "../../base/declaration";
import { awaitChange, observeChanging, observeSettled, sendChange } from "../checks/changes";
import { awaitPlan, DecidedPlan, MemberChange, membershipIntent } from "../checks/membership";
import { changeOf, ownPlan } from "../checks/memberChange";
import { expectCaughtUp } from "../checks/records";
import { Rounds } from "../checks/rounds";
import { notWhole } from "../checks/whole";
import { declaresAll, MembershipIntent } from "../planner";
import type { Observation, Session } from "../session";
import { implement, omit, Outcome, Run, StepRecord } from "./behaviour";

/** Inputs of a `BrokerMembership`. */
export interface MembershipInputs {
  /** The brokers that are members, by name: `{"region0/0": 0}`. */
  brokers: BrokerMap;
  /** Replicas of every partition: 4 with both regions, 2 with one. */
  replicationFactor: number;
  /**
   * What is declared: steady, a loss, or an attempt to fail back. It changes with each, so that each is
   * an update, which verifies: after a run that was killed, a refresh finds the brokers as declared, and
   * nothing would ever verify them or record how they came to be so.
   */
  declaration: Declaration;
}

export const provider = implement<MembershipInputs>({
  id: () => "broker-membership",
  converge,
  async live(inputs, session) {
    const { configuration, topology } = await asked("the members", session.log, () =>
      session.observe(),
    );
    return {
      ...inputs,
      brokers: session.generation.ids.mapOf(memberIds(configuration)),
      replicationFactor: topology.replicationFactor,
    };
  },
});

async function converge(inputs: MembershipInputs, run: Run<MembershipInputs>): Promise<Outcome> {
  const { session } = run;
  const { brokers, replicationFactor, declaration } = inputs;
  const desired = { ids: idsOfMap(brokers), replicationFactor };
  const intent = membershipIntent(desired, declaration, session);
  const adds = declaresAll(intent);
  const change = changeOf(session, intent);
  const { observation, awaited } = await observeSettled(session, change.seconds, change.isOurs);
  const plan = await decide(run, intent, observation);
  if (plan.kind === "nothing") {
    const { previous } = run;
    const kept = declaresTheSame(previous, inputs) ? previous?.record : undefined;
    if (kept === undefined && adds) {
      await expectRestored(session, intent);
    }
    const observed = await verify(session, intent, session.settings.timeouts.failover);
    return {
      how: awaited ? "awaited" : "already true",
      ...(kept ? carried(kept) : {}),
      ...(awaited ? { changeId: awaited.id } : {}),
      observed,
    };
  }
  if (plan.kind === "add") {
    await expectRestored(session, intent);
  }
  const removed = plan.kind === "add" ? [] : plan.remove;
  return act(run, intent, change, removed);
}

function declaresTheSame(
  previous: MembershipInputs | undefined,
  inputs: MembershipInputs,
): boolean {
  return (
    previous !== undefined &&
    sameDeclaration(previous.declaration, inputs.declaration) &&
    sameIds(idsOfMap(previous.brokers), idsOfMap(inputs.brokers))
  );
}

/** What is still true of an earlier record when an update finds nothing to do. */
function carried(record: StepRecord): Partial<Outcome> {
  return omit(record, ["observed"]);
}

/**
 * How long the region must be missed. Where the program has a fence, this very run has found it absent before the fence
 * closed, unless its loss is recorded already; behind the fence everything looks absent.
 */
function missedFor({ session, previous }: Run<MembershipInputs>): number {
  const { installation, timeouts } = session.settings;
  const foundBefore = installation !== undefined && previous?.declaration.kind !== "failed-over";
  return foundBefore ? 0 : timeouts.absence;
}

/** Plans by what is there. Brokers that are to be added must answer as well. */
async function decide(
  run: Run<MembershipInputs>,
  intent: MembershipIntent,
  first: Observation,
): Promise<DecidedPlan> {
  const { session } = run;
  const { timeouts } = session.settings;
  const seconds = intent.failback === undefined ? timeouts.loss : timeouts.gate;
  let ports: Rounds | undefined;
  return awaitPlan(session, intent, {
    seconds,
    missedFor: missedFor(run),
    first,
    line: (refusal) => `${refusal} (waited ${seconds} s)`,
    async against(plan, seen) {
      if (plan.kind === "remove") {
        return plan.remove.length === 0 ? undefined : notWhole(session, intent, seen);
      }
      if (plan.kind !== "add") {
        return undefined;
      }
      if (ports === undefined || !sameIds(ports.brokers, plan.add)) {
        ports = new Rounds(plan.add, (id) => answers(session, id));
      }
      const closed = [...(await ports.look()).keys()];
      return closed.length === 0
        ? undefined
        : {
            seen: `${brokerList(closed)} does not answer`,
            refusal: `${brokersAre(closed)} listed but does not answer, as after a start with old data: adding it would never end; restart it`,
          };
    },
  });
}

/**
 * What a broker that is listed says of its replicas. One that came back with old data stays listed, but closes
 * its ports or hangs.
 *
 * @returns what is wrong with it, or undefined
 */
async function answers(session: Session, id: number): Promise<string | undefined> {
  try {
    await session.zeebe.exporterPhases(session.broker(id));
    return undefined;
  } catch (error) {
    if (isForbidden(error)) {
      throw error;
    }
    if (error instanceof Unreachable || error instanceof Refused) {
      return error.message;
    }
    throw error;
  }
}

/**
 * The steps of a failback before this one may be recorded from before the region was lost once more, also between the
 * request to add its brokers and their joining: they come back with an empty Elasticsearch, and join.
 */
async function expectRestored(session: Session, { failback }: MembershipIntent): Promise<void> {
  if (failback !== undefined) {
    await expectCaughtUp(session);
  }
}

/**
 * Sends a change once, after the cluster's own plan for it has been read.
 *
 * @param removed the members that it is to take out
 */
async function act(
  run: Run<MembershipInputs>,
  intent: MembershipIntent,
  change: MemberChange,
  removed: readonly number[],
): Promise<Outcome> {
  const { session } = run;
  const plan = await ownPlan(session, change, removed);
  if (change.isDone(plan)) {
    // What has shown it otherwise has shown what was. The gateway learns last what is done.
    return { how: "already true", observed: await verify(session, intent, change.seconds) };
  }
  run.begin();
  session.log(change.begins(removed));
  const sent = await sendChange(session, change.seconds, {
    request: () => change.ask(false),
    tookEffect: async () => change.isDone(await change.ask(true)),
  });
  await awaitChange(session, sent, change.awaited, change.seconds, change.refuse);
  const observed = await verify(session, intent, change.seconds);
  return {
    how: "done",
    ...recordOf(sent),
    observed: { ...observed, ...(removed.length === 0 ? {} : { removed: [...removed] }) },
  };
}

function recordOf(sent: { changeId: number | undefined; operations: string[] }): Partial<Outcome> {
  return {
    ...(sent.changeId === undefined ? {} : { changeId: sent.changeId }),
    operations: sent.operations,
  };
}

/** Waits until the cluster is whole with exactly these members: COMPLETED comes seconds before the elections end. */
async function verify(
  session: Session,
  intent: MembershipIntent,
  seconds: number,
): Promise<Record<string, unknown>> {
  return waitFor(
    `${brokerList(intent.brokers)} to be healthy, replication factor ${intent.replicationFactor}`,
    seconds,
    session.log,
    async () => {
      const seen = await observeChanging(session);
      if (typeof seen === "string") {
        return { done: false, seen };
      }
      const { configuration, topology } = seen;
      const problems = unhealthy(
        configuration,
        topology,
        intent.brokers,
        intent.replicationFactor,
        session.settings.partitionCount,
      );
      // A recreated broker is seen too, without partitions; one with partitions is not gone.
      const lingering = topology.brokers.filter(
        (broker) => !intent.brokers.includes(broker.id) && broker.partitions.length > 0,
      );
      if (lingering.length > 0) {
        problems.push(
          `${brokerList(lingering.map((broker) => broker.id))} still seen with partitions`,
        );
      }
      if (problems.length > 0) {
        return { done: false, seen: listed(problems, "; ") };
      }
      return {
        done: true,
        value: {
          members: memberIds(configuration),
          clusterSize: topology.clusterSize,
          replicationFactor: topology.replicationFactor,
          leaders: leadersOf(topology),
        },
      };
    },
  );
}

/** Who leads which partition, in words. */
function leadersOf({ brokers }: Topology): string {
  const leaders = brokers.flatMap(({ id, partitions }) =>
    partitions
      .filter(({ role }) => role === "leader")
      .map((partition) => ({ id, partition: partition.id })),
  );
  return listed(
    leaders
      .sort((a, b) => a.partition - b.partition)
      .map(({ id, partition }) => `partition ${partition} broker ${id}`),
  );
}
