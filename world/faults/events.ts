import { setTimeout as sleep } from "node:timers/promises";
import { isRecord } from "../../components/base/json";
import { until } from "../processes/until";
import type { RegionName } from "../world";
import type { LearntRequest } from "./requests";
import type { FaultScene } from "./scene";
import { lossOf, Task, Work } from "./works";

/** Where in a run something happens. */
export interface Place {
  work: Work;
  lost: RegionName;
  /** The requests of a clean run that come before. */
  before: readonly LearntRequest[];
  /** The one that is just received when it happens. */
  next: LearntRequest;
}

/** Something that happens to the cluster while a run is at work. */
export interface ClusterEvent {
  name: string;
  /** Whether it can happen there, and whether a program could see it at all. */
  available(place: Place): boolean;
  /** What an operator must want from then on, whatever the run has come to. */
  turns?: Task;
  /** @returns what ends it; undefined when it could not happen */
  happen(scene: FaultScene): Promise<(() => void | Promise<void>) | undefined>;
}

/** How long a broker that restarts is away: shorter than the waits of a run. */
const RESTART_MS = 300;

/** So long the gateways that have just started know no broker of the other region. */
const UNAWARE_MS = 250;

const isForce = ({ id: { method, path } }: LearntRequest) =>
  method === "POST" && path.endsWith("force=true");

/** The request of a change that the brokers carry out one after the other, each its own part. */
const isOrdinaryChange = ({ id: { method, path } }: LearntRequest) =>
  method === "POST" && /\/actuator\/cluster\/brokers\?replicationFactor=\d+$/.test(path);

const isFailback = ({ name }: Work) => name === "failback" || name === "return";

/** With the lost region the majority is gone until it is forced out: nothing is led, and no exporter changes. */
const hasMajority = ({ work, before }: Place) => work.name !== "failover" || before.some(isForce);

const always = () => true;

/** A survivor goes, with its APIs, and comes back with its disk. */
function survivorRestarts(name: string, which: number): ClusterEvent {
  return {
    name,
    available: always,
    async happen({ world, survivors }) {
      const id = survivors[which] ?? 0;
      await world.stopBroker(id);
      const back = (async () => {
        await sleep(RESTART_MS);
        await world.restartBroker(id);
      })();
      return async () => {
        await back;
        // One that finds that the others have changed it meanwhile ends once more, and is started once more.
        await sleep(RESTART_MS);
        if (!world.isRunning(id)) {
          await world.restartBroker(id);
        }
      };
    },
  };
}

/** The region that is declared lost is back, at a moment when the program has made sure of its loss long ago. */
function lostReturns(data: "old" | "empty"): ClusterEvent {
  return {
    name: `lost-region-returns-${data}`,
    // Right before the removal nobody can see it any more: a race that the declaration of a loss has lost.
    available: (place) => place.work.name === "failover" && !isForce(place.next),
    async happen({ world, lost }) {
      await world.recreate(lost, data);
      return () => world.lose(lost);
    },
  };
}

/** A broker of the other region goes, and comes back with its disk when the run has ended. */
function brokerStops(name: string, during: (work: Work) => boolean): ClusterEvent {
  return {
    name,
    available: ({ work }) => during(work),
    async happen(scene) {
      const { world, lost } = scene;
      const id = scene.brokersOf(lost).at(-1) ?? 0;
      await world.stopBroker(id);
      return () => world.restartBroker(id);
    },
  };
}

/** A broker of the other region does not carry its part of an ordinary change out. */
function changeStops(name: string, during: (work: Work) => boolean): ClusterEvent {
  return {
    name,
    available: ({ work, next }) => during(work) && isOrdinaryChange(next),
    happen(scene) {
      const last = scene.brokersOf(scene.lost).at(-1);
      return Promise.resolve(scene.world.hold(({ brokerId }) => brokerId === last));
    },
  };
}

/** Every kind. */
export const EVENTS: readonly ClusterEvent[] = [
  survivorRestarts("first-survivor-restarts", 0),
  survivorRestarts("other-survivor-restarts", 1),
  {
    name: "leaders-move",
    available: hasMajority,
    happen({ world, survivor }) {
      world.moveLeaders(survivor);
      return Promise.resolve(() => undefined);
    },
  },
  {
    name: "gateways-restart",
    available: always,
    happen({ world, survivor }) {
      world.restartGateways(survivor, UNAWARE_MS);
      return Promise.resolve(() => sleep(UNAWARE_MS));
    },
  },
  lostReturns("old"),
  lostReturns("empty"),
  {
    name: "recreated-region-lost-again",
    // Lost while its brokers join it is a member that is lost: another incident, which begins with a failover.
    available: ({ work, next }) =>
      (isFailback(work) && !isOrdinaryChange(next)) || work.name === "abandon",
    async happen({ world, lost }) {
      await world.lose(lost);
      return () => world.recreate(lost);
    },
  },
  brokerStops("recreated-broker-stops", isFailback),
  brokerStops("drained-broker-stops", ({ name }) => name === "drain"),
  {
    name: "drained-region-away",
    available: ({ work }) => work.name === "drain",
    async happen({ world, lost }) {
      await world.lose(lost);
      return () => world.recreate(lost, "old");
    },
  },
  {
    name: "drained-region-lost",
    available: ({ work }) => work.name === "drain",
    turns: lossOf,
    async happen({ world, lost }) {
      await world.lose(lost);
      return () => undefined;
    },
  },
  {
    name: "drained-region-lost-half-way",
    available: ({ work, next }) => work.name === "drain" && isOrdinaryChange(next),
    turns: lossOf,
    happen({ world, survivor, lost }) {
      const isHalfWay = () => (world.cluster(survivor).pendingChange?.completed.length ?? 0) > 0;
      const release = world.hold(isHalfWay);
      const gone = until("the change to be half way", isHalfWay).then(() => world.lose(lost));
      return Promise.resolve(async () => {
        await gone;
        release();
      });
    },
  },
  {
    name: "foreign-change-pends",
    // Whoever decides on it is broker 0, which is gone with region0 until that is forced out.
    available: (place) => place.lost === "region1" || hasMajority(place),
    async happen({ world, survivor }) {
      const { management } = world.endpoints[survivor];
      const answer = await fetch(`${management}/actuator/exporters/unknown/enable`, {
        method: "POST",
      });
      const body: unknown = await answer.json();
      if (answer.status !== 202 || !isRecord(body)) {
        return undefined;
      }
      const change = `${management}/actuator/cluster/changes/${String(body.changeId)}`;
      return async () => {
        await until("the other change to be cancelled", async () => {
          await fetch(change, { method: "DELETE" });
          return world.cluster(survivor).pendingChange === undefined;
        });
      };
    },
  },
  {
    name: "removal-stops",
    available: (place) => isForce(place.next),
    happen: ({ world }) =>
      Promise.resolve(world.hold(({ operation }) => operation === "PARTITION_FORCE_RECONFIGURE")),
  },
  {
    name: "exporter-change-stops",
    available: ({ next: { id } }) =>
      id.method === "POST" && /\/actuator\/exporters\/\w+\/(enable|disable)$/.test(id.path),
    happen: ({ world }) =>
      Promise.resolve(world.hold(({ exporterId }) => exporterId !== undefined)),
  },
  changeStops("add-stops-at-one-broker", isFailback),
  changeStops("drain-stops-at-one-broker", ({ name }) => name === "drain"),
];
