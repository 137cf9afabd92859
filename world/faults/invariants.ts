import type { ReceivedRequest } from "../camunda/embedded";
import { until } from "../processes/until";
import type { RegionName } from "../world";
import type { FaultScene } from "./scene";

/** A world with a region that is or was lost or drained. */
export type Site = Pick<FaultScene, "world" | "survivor" | "lost" | "survivors">;

/** How the world is when what was declared has been done. */
export interface Truth {
  members: "all" | "survivors";
  /** State of the exporter to the lost region. */
  lostExporter: "ENABLED" | "DISABLED";
  /** Whether the other region runs and is connected, as after a drain, which takes nothing else of it. */
  otherLives?: true;
}

const REPLICAS = { all: 4, survivors: 2 };

/** How long what has succeeded may take to be seen by its effects: an exporter writes by itself. */
const EFFECT_SECONDS = 10;

/**
 * What may never be, whatever is answered and whoever dies, seen in what the world was asked and how it truly stood at
 * that moment. It believes nothing that the program says.
 */
export class Watch {
  readonly breaches: string[] = [];
  private readonly changesBefore: number;
  private readonly restoresOverData = new Set<ReceivedRequest>();
  private readonly stopListening: () => void;

  /** @param forces how many forced removals the incident may have from now on: one, or none when it has had it */
  constructor(
    private readonly scene: Site,
    private readonly forces: 0 | 1,
  ) {
    this.changesBefore = scene.world.startedChanges.length;
    this.stopListening = scene.world.onRequest((request) => this.see(request));
  }

  /** Ends the watch, and says what has been breached, each once. */
  end(): string[] {
    this.stopListening();
    this.judgeForces();
    for (const { truth, path } of this.restoresOverData) {
      if (truth === 200) {
        this.breaches.push(`restored over data: ${path}`);
      }
    }
    return [...new Set(this.breaches)];
  }

  private judgeForces(): void {
    const { world, survivors } = this.scene;
    const forced = world.startedChanges
      .slice(this.changesBefore)
      .filter(({ operations }) =>
        operations.some(({ operation }) => operation === "PARTITION_FORCE_RECONFIGURE"),
      );
    if (forced.length > this.forces) {
      this.breaches.push(`${forced.length} forced changes, where ${this.forces} may be`);
    }
    for (const { operations, alive } of forced) {
      const removed = operations
        .filter(({ operation }) => operation === "BROKER_REMOVE")
        .flatMap(({ brokers }) => brokers);
      const living = removed.filter((id) => alive.includes(id));
      if (living.length > 0) {
        this.breaches.push(`forced out brokers that live and are connected: ${living.join(", ")}`);
      }
      if (removed.some((id) => survivors.includes(id))) {
        this.breaches.push(`forced out survivors: ${removed.join(", ")}`);
      }
    }
  }

  private see(request: ReceivedRequest): void {
    const { method, path, region, server } = request;
    const { world, survivor, lost } = this.scene;
    if (server !== "elasticsearch" || path.includes("/_refresh")) {
      return;
    }
    const [, first = "", , snapshot, restore] = path.split(/[/?]/);
    if (first === "_snapshot" && method === "PUT" && snapshot !== undefined) {
      const phases = phasesOf(this.scene);
      if (phases.join() !== "PAUSED") {
        this.breaches.push(`a snapshot is taken while exporting is ${phases.join(" and ")}`);
      }
    }
    if (first === "_snapshot" && method === "POST" && restore === "_restore") {
      if (region === survivor) {
        this.breaches.push("the survivor's Elasticsearch is restored");
      }
      if (documentsOf(world.documentsNow(lost)) > 0) {
        this.restoresOverData.add(request);
      }
    }
    // A repository that goes is a name less: what lies in it stays.
    const isRepository = first === "_snapshot" && snapshot === undefined;
    if (method === "DELETE" && region === survivor && !isRepository) {
      this.breaches.push(`deleted of the survivor: ${path}`);
    }
  }
}

/**
 * What of a success is not true in the world; nothing when all of it is.
 */
export async function untruths(scene: FaultScene, truth: Truth): Promise<string[]> {
  const { world, survivor, lost, survivors } = scene;
  const wrong: string[] = [];
  const expected = truth.members === "all" ? [0, 1, 2, 3] : survivors;
  const seen = world.cluster(survivor);
  if (seen.members.join() !== expected.join()) {
    wrong.push(`the members are ${seen.members.join(", ")}`);
  }
  for (let partition = 1; partition <= world.shape.partitionCount; partition++) {
    const replicas = Object.values(seen.partitions).filter((ids) => ids.includes(partition));
    if (replicas.length !== REPLICAS[truth.members]) {
      wrong.push(`partition ${partition} has ${replicas.length} replicas`);
    }
    if (seen.leaders[partition] === undefined) {
      wrong.push(`partition ${partition} has no leader`);
    }
  }
  if (seen.pendingChange !== undefined) {
    wrong.push(`change ${seen.pendingChange.id} is pending`);
  }
  const states = {
    [scene.exporterOf(survivor)]: "ENABLED",
    [scene.exporterOf(lost)]: truth.lostExporter,
  };
  for (const [id, state] of Object.entries(states)) {
    if (seen.exporters[id] !== state) {
      wrong.push(`exporter ${id} is ${seen.exporters[id]}`);
    }
  }
  if (truth.otherLives === true) {
    const gone = scene.brokersOf(lost).filter((id) => !world.isRunning(id));
    if (gone.length > 0 || !world.isSearching(lost)) {
      wrong.push(`of ${lost}, which is to live, is gone: ${gone.join(", ") || "Elasticsearch"}`);
    }
    if (world.isPartitioned) {
      wrong.push(`${lost}, which is to live, is not connected`);
    }
  }
  const phases = phasesOf(scene);
  if (phases.join() !== "EXPORTING") {
    wrong.push(`exporting is ${phases.join(" and ")}`);
  }
  if (wrong.length === 0) {
    wrong.push(...(await effects(scene, truth)));
  }
  return wrong;
}

/** Whether new work arrives where it must, and both Elasticsearches are equal where they are to be. */
async function effects(scene: FaultScene, { lostExporter }: Truth): Promise<string[]> {
  const regions: RegionName[] =
    lostExporter === "ENABLED" ? ["region0", "region1"] : [scene.survivor];
  try {
    await scene.work(regions);
    if (lostExporter === "DISABLED") {
      return [];
    }
    await until(
      "both Elasticsearches to be equal",
      () => {
        const { lacks } = difference(scene);
        return lacks.length === 0 || `${lacks.length} documents apart`;
      },
      { seconds: EFFECT_SECONDS },
    );
    return [];
  } catch (error) {
    return [(error as Error).message.split("\n")[0] ?? ""];
  }
}

/** Instances that one Elasticsearch has and the other one lacks. */
function difference({ world }: FaultScene): { lacks: string[] } {
  const [zero, one] = [world.instanceKeysNow("region0"), world.instanceKeysNow("region1")];
  return {
    lacks: [...zero]
      .filter((key) => !one.has(key))
      .concat([...one].filter((key) => !zero.has(key))),
  };
}

/** The distinct phases of the replicas of all members that run. */
function phasesOf({ world, survivor }: Site): string[] {
  const all = Object.values(world.cluster(survivor).phases).flatMap((phases) =>
    Object.values(phases),
  );
  return [...new Set(all)].sort();
}

function documentsOf(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
