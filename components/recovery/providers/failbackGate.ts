import { listed, shortened } from "../../base/bounded";
import { brokerList, brokersAre, sameIds, RegionName, without } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import { describePending, exporterStates, memberIds, unhealthy } from "../../clients/topology";
import { isForbidden } from "../../clients/answers";
import { Refused, Unreachable } from "../../clients/http";
import { asked, waitFor } from "../../clients/poll";
import { refusePending } from "../checks/changes";
import { documentCount } from "../checks/documents";
import { expectHeadRoom } from "../checks/headRoom";
import { allAre, lookAtAll } from "../checks/phases";
import { noRecords } from "../checks/records";
import { Trial, tryRepository, unseen } from "../checks/repository";
import { listedShards, restoredByUs } from "../checks/restoredIndices";
import { expectRights, permitted } from "../checks/rights";
import { Rounds } from "../checks/rounds";
import { awaitWritten } from "../checks/written";
import { nameOf } from "../names";
import { SURVIVING_REPLICAS } from "../phase";
import type { Observation, Session } from "../session";
import { implement } from "./behaviour";

/** Inputs of a `FailbackGate`. */
export interface FailbackGateInputs {
  /** Name of the failback attempt. */
  attempt: string;
  /** The names of the attempts before it: they are in the state as soon as an attempt begins. */
  earlier: string[];
  /** The region that was lost and has been recreated. */
  recreated: RegionName;
  /** The incident that this failback ends; absent of a drain. */
  incident?: string;
  /** The drain that this failback ends; absent of an incident. */
  drain?: string;
  /** The version of the cluster's configuration after the failover; absent where the cluster had not told it. */
  configurationVersion?: number;
}

/**
 * Procedure, failback step 1: the recreated region is there and clean, and both Elasticsearches allow and can do what
 * the steps after the pause ask of them. Leaves everything as it was; everything after it relies on it.
 */
export const provider = implement<FailbackGateInputs>({
  id: (inputs) => `failback-gate-${inputs.attempt}`,
  attempt: (inputs) => inputs.attempt,
  async converge(inputs, { session }) {
    const observation = await expectFailedOver(session, inputs);
    const own = await expectOwnElasticsearch(session);
    const brokers = session.generation.ids.of(inputs.recreated, session.settings.clusterSize);
    await awaitRecreated(session, inputs, brokers, observation);
    const leftovers = await expectCleanElasticsearch(session, inputs);
    await expectRights(session, inputs.recreated, "target", leftovers > 0);
    const disks = await expectHeadRoom(session, inputs.recreated);
    const { snapshots } = await tryRepository(session, inputs.recreated, true);
    const missing = own.snapshots.find((name) => !snapshots.includes(name));
    if (missing !== undefined) {
      throw unseen(inputs.recreated, missing, session.settings.repository.name);
    }
    await expectExported(session);
    return {
      how: "already true",
      observed: {
        recreated: brokerList(brokers),
        ...disks,
        ...(leftovers > 0 ? { indicesOfAnAbandonedAttempt: leftovers } : {}),
      },
    };
  },
});

/** The cluster is where the failover left it: exactly the survivors, healthy, the lost region's exporters disabled. */
async function expectFailedOver(
  session: Session,
  inputs: FailbackGateInputs,
): Promise<Observation> {
  const observation = await asked("the cluster", session.log, () => session.observe());
  const { configuration, topology } = observation;
  const { partitionCount, exporters } = session.settings;
  if (configuration.pendingChange) {
    throw refusePending(
      session,
      configuration.pendingChange.id,
      describePending(configuration.pendingChange),
    );
  }
  const { configurationVersion: left } = inputs;
  if (left !== undefined && configuration.version !== undefined && configuration.version < left) {
    throw new Refusal(
      `the cluster's configuration is of version ${configuration.version}, ${nameOf(inputs)} left ${left}: it is another cluster; correct the endpoints`,
    );
  }
  const returned = without(memberIds(configuration), session.own);
  if (returned.length > 0) {
    throw new Refusal(
      `${brokersAre(returned)} among the members already: the cluster has moved on since ${nameOf(inputs)}; remove failback (docs/errors.md#failback)`,
    );
  }
  const problems = unhealthy(
    configuration,
    topology,
    session.own,
    SURVIVING_REPLICAS,
    partitionCount,
  );
  if (problems.length > 0) {
    throw new Refusal(
      `the survivors are not healthy (${listed(problems, "; ")}): a failback adds load to them; mend them first`,
    );
  }
  for (const id of exporters[inputs.recreated]) {
    const states = exporterStates(configuration, id);
    if (states.length !== 1 || states[0] !== "DISABLED") {
      throw new Refusal(
        `exporter ${id} is ${states.join(" and ") || "unknown"}, not DISABLED as ${nameOf(inputs)} left it; remove failback, then pulumi up --refresh`,
      );
    }
  }
  for (const id of exporters[session.settings.region]) {
    const states = exporterStates(configuration, id);
    if (states.length !== 1 || states[0] !== "ENABLED") {
      throw new Refusal(
        `exporter ${id} of the survivor is ${states.join(" and ") || "unknown"}, not ENABLED: where it writes records are missing; enable it first`,
      );
    }
  }
  const { region } = session.settings;
  const documents = await permitted(session, region, "count records", () =>
    session.elasticsearch(region).indices.documents([session.records]),
  );
  if (documentCount(documents) === 0) {
    throw noRecords(session);
  }
  return observation;
}

/**
 * An exporter that fails would be found when exporting is resumed, with the disks filling all the while. A pause that an
 * attempt before this one has left keeps every one of them where it is.
 */
async function expectExported(session: Session): Promise<void> {
  const look = await lookAtAll(session);
  if (allAre("EXPORTING", look, session)) {
    await awaitWritten(session, session.settings.timeouts.gate, look);
  }
}

/**
 * The surviving Elasticsearch can be snapshotted: found out here, and not when exporting is paused. No closed index comes
 * over as it is: Elasticsearch has it in the snapshot and restores it open, OpenSearch leaves it out; and none is compared.
 */
async function expectOwnElasticsearch(session: Session): Promise<Trial> {
  const { region } = session.settings;
  const closed = await permitted(session, region, "read indices", () =>
    session.elasticsearch(region).indices.closed(session.indexPatterns),
  );
  if (closed.length > 0) {
    throw new Refusal(
      `Elasticsearch of ${region} has ${closed.length} closed indices (${listed(closed)}): open or delete them, none comes over as it is`,
    );
  }
  await expectRights(session, region, "source");
  return tryRepository(session, region, false);
}

async function awaitRecreated(
  session: Session,
  inputs: FailbackGateInputs,
  brokers: readonly number[],
  first: Observation,
): Promise<void> {
  let known: Observation | undefined = first;
  const rounds = new Rounds(brokers, async (id) => {
    try {
      return await notClean(session, id);
    } catch (error) {
      if (isForbidden(error)) {
        throw error;
      }
      if (error instanceof Unreachable || error instanceof Refused) {
        return `is listed but ${error instanceof Unreachable ? `does not answer (${error.why})` : `answers ${error.reason}`}`;
      }
      throw error;
    }
  });
  const { ids } = session.generation;
  const { coordinator } = ids;
  const order =
    inputs.recreated === ids.regionOf(coordinator) ? `, broker ${coordinator} first` : "";
  await waitFor<void>(
    `${brokerList(brokers)} of ${inputs.recreated} to be known to the survivors, without partitions`,
    session.settings.timeouts.gate,
    session.log,
    async () => {
      const { topology } = known ?? (await session.observe());
      known = undefined;
      const unseen = brokers.filter((id) => !topology.brokers.some((broker) => broker.id === id));
      if (unseen.length > 0) {
        return { done: false, seen: `${brokerList(unseen)} not seen by the survivors` };
      }
      const holding = topology.brokers.filter(
        (broker) => brokers.includes(broker.id) && broker.partitions.length > 0,
      );
      if (holding.length > 0) {
        return {
          done: false,
          seen: `${brokerList(holding.map((b) => b.id))} still listed with partitions`,
        };
      }
      const wrong = [...(await rounds.look())].map(([id, what]) => `broker ${id} ${what}`);
      return wrong.length === 0
        ? { done: true, value: undefined }
        : { done: false, seen: listed(wrong, "; ") };
    },
    {
      refuse: (last, seconds) =>
        `${inputs.recreated} is not back or not clean: ${shortened(last, 58)} (waited ${seconds} s); start its brokers with empty disks${order}`,
    },
  );
}

/**
 * Asks a recreated broker itself. One that came back with its old data is listed too: it closes its ports
 * when it learns of the survivors' configuration, and until then knows the one from before the loss.
 *
 * @returns what is wrong with it, or undefined
 */
async function notClean(session: Session, id: number): Promise<string | undefined> {
  const broker = session.broker(id);
  const replicas = await session.zeebe.exporterPhases(broker);
  if (replicas.length > 0) {
    return `runs ${replicas.length} partitions`;
  }
  const known = memberIds(await session.zeebe.configuration(broker));
  return sameIds(known, session.own)
    ? undefined
    : `has old data: it knows ${brokerList(known)} as members`;
}

async function expectCleanElasticsearch(
  session: Session,
  inputs: FailbackGateInputs,
): Promise<number> {
  const elasticsearch = session.elasticsearch(inputs.recreated);
  const health = await waitFor(
    "the recreated Elasticsearch to answer",
    session.settings.timeouts.gate,
    session.log,
    async () => ({
      done: true,
      value: await elasticsearch.health(),
    }),
  );
  if (health.status === "red") {
    throw new Refusal(
      `Elasticsearch of ${inputs.recreated} is red with ${health.unassignedShards} unassigned shards: recreate it empty`,
    );
  }
  const shards = await listedShards(session, elasticsearch, inputs.recreated);
  return restoredByUs(shards, session.settings.repository.name, inputs.recreated).length;
}
