import { without } from "../../base/brokers";
import { Configuration, seenIds, Topology } from "../../clients/topology";
import { isTransient } from "../../clients/answers";
import type { Absence } from "../planner";
import type { Observation, Session } from "../session";

/** One look at a gateway tells little: it may have just started. */
const FEWEST_LOOKS = 3;

/**
 * Looks at one gateway, one after the other. Full when for the whole time each of them that came about listed every
 * survivor and no broker of the lost region. A look that has failed is not one.
 */
export class AbsenceWindow {
  full = false;
  private since = 0;
  private looks = 0;

  constructor(
    private readonly own: readonly number[],
    private readonly lost: readonly number[],
    private readonly seconds: number,
  ) {}

  /** @param at milliseconds, of any clock that does not go back */
  look(seen: readonly number[], at: number): void {
    if (without(this.own, seen).length > 0 || this.lost.some((id) => seen.includes(id))) {
      this.looks = 0;
      this.full = false;
      return;
    }
    if (this.looks === 0) {
      this.since = at;
    }
    this.looks += 1;
    this.full = this.looks >= FEWEST_LOOKS && at - this.since >= this.seconds * 1000;
  }
}

/**
 * Finds out whether a region is absent, which is a finding over time. A gateway that has just started knows nobody,
 * and one that is cut off from a living region misses it: so at the end each survivor is asked itself what it leads.
 * Raft has no leader without a majority; one that has lost its majority steps down after seconds.
 */
export class AbsenceFinder {
  private readonly window: AbsenceWindow;

  /** @param seconds how long it must be missed; 0: some looks one after the other */
  constructor(
    private readonly session: Session,
    lost: readonly number[],
    seconds: number,
  ) {
    this.window = new AbsenceWindow(session.own, lost, seconds);
  }

  /** Takes what was just observed into account. */
  async find({ configuration, topology }: Observation): Promise<Absence> {
    this.window.look(seenIds(topology), performance.now());
    if (!this.window.full) {
      return { proved: false, led: [] };
    }
    const minority = withoutMajority(configuration, this.session.own);
    const led = new Set<number>();
    await Promise.all(
      this.session.own.map(async (id) => {
        for (const partition of (await this.leads(id)) ?? listedLeads(topology, id)) {
          if (minority.has(partition)) {
            led.add(partition);
          }
        }
      }),
    );
    return { proved: led.size === 0, led: [...led].sort((a, b) => a - b) };
  }

  /** What a survivor says that it leads; undefined when it says nothing of its partitions. */
  private async leads(id: number): Promise<number[] | undefined> {
    try {
      const replicas = await this.session.zeebe.exporterPhases(this.session.broker(id));
      return replicas.length === 0
        ? undefined
        : replicas.filter(({ role }) => role === "LEADER").map(({ partition }) => partition);
    } catch (error) {
      if (isTransient(error)) {
        return undefined;
      }
      throw error;
    }
  }
}

/** What a gateway shows a broker to lead. */
function listedLeads({ brokers }: Topology, id: number): number[] {
  const partitions = brokers.find((broker) => broker.id === id)?.partitions ?? [];
  return partitions.filter(({ role }) => role === "leader").map((partition) => partition.id);
}

/**
 * The partitions of whose replicas some brokers surely hold no majority. Of a replica that was joining or leaving when its
 * region was lost, Raft may know nothing yet or nothing any more: with it out these brokers may well lead by themselves.
 */
function withoutMajority({ members }: Configuration, own: readonly number[]): Set<number> {
  const replicas = members.flatMap(({ id, replicas }) =>
    replicas
      .filter(({ state }) => own.includes(id) || state === "ACTIVE")
      .map(({ partition }) => ({ partition, weight: own.includes(id) ? 1 : -1 })),
  );
  const balance = new Map<number, number>();
  for (const { partition, weight } of replicas) {
    balance.set(partition, (balance.get(partition) ?? 0) + weight);
  }
  return new Set([...balance].filter(([, sum]) => sum <= 0).map(([partition]) => partition));
}
