import { peerOf } from "../../components/base/brokers";
import { generationOf } from "../../components/generations";
import { EmbeddedWorld, QUICK } from "../camunda/embedded";
import { until } from "../processes/until";
import type { RegionName } from "../world";
import { EngineProcess, StackState, States } from "./engine";
import type { Left } from "./engine";

/** What is configured of a stack besides the common part; `undefined` takes a key away. */
export type Declared = Partial<{
  lostRegion: string;
  drainRegion: string;
  failback: string;
  overrides: Record<string, string>;
}>;

/** How a run is made. */
export interface UpOptions {
  /** The stack; default: that of the survivor. */
  region?: RegionName;
  /** Whether waits end early: what is broken for good then ends in seconds. */
  brisk?: boolean;
  refresh?: boolean;
  targets?: readonly string[];
  /** The resources that are destroyed instead. */
  destroy?: readonly string[];
  /** The region whose configuration the stack has; default: its own. */
  configOf?: RegionName;
  /** The process of the run, when another one than the scene's own. */
  engine?: EngineProcess;
}

/** Long enough for everything on a busy machine. */
const PATIENT = 30;

/** Longer than everything takes that goes well, most of the time. */
const BRISK: Record<string, number> = { request: 1, gate: 2, failover: 3, join: 3 };
const BRISK_OTHERS = 2;

/** What the world does within milliseconds: its brokers drop the dead after 20, its exporters write at once. */
const BRIEF = { settle: 0.1, absence: 0.3 };

const WAITS = ["request", "loss", "failover", "exporter", "exporting", "gate"];
const LONG_WAITS = ["snapshot", "restore", "catchUp", "join", "formation", "webApps"];

/** No run may take longer, whatever goes wrong: several waits one after the other, and some room. */
export const BOUND_SECONDS = { brisk: 45, patient: 120 };

/** A world in which everything takes milliseconds, with the stacks of both regions on a played engine. */
export class FaultScene {
  readonly world: EmbeddedWorld;
  readonly survivor: RegionName;
  /** Both stacks are made, and have not run. */
  states: States = { region0: [], region1: [] };
  /** What the state of the survivor was before each of its runs. */
  readonly earlier: StackState[] = [];
  private declared: Record<RegionName, Declared> = { region0: {}, region1: {} };

  private constructor(
    readonly lost: RegionName,
    readonly engine: EngineProcess,
  ) {
    this.survivor = peerOf(lost);
    this.world = new EmbeddedWorld(QUICK);
  }

  /** A healthy world with some work done, which both stacks have taken over. */
  static async of(lost: RegionName, engine = new EngineProcess()): Promise<FaultScene> {
    const scene = new FaultScene(lost, engine);
    try {
      await scene.world.start();
      await scene.work();
      await scene.expectUp({ region: scene.survivor });
      await scene.expectUp({ region: lost });
      return scene;
    } catch (error) {
      await scene.end();
      throw error;
    }
  }

  /** The brokers of a region. */
  brokersOf(region: RegionName): number[] {
    return generationOf("8.6").ids.of(region, this.world.shape.clusterSize);
  }

  get survivors(): number[] {
    return this.brokersOf(this.survivor);
  }

  /** Id of the exporter to a region's Elasticsearch. */
  exporterOf(region: RegionName): string {
    return `elasticsearch${region}`;
  }

  /** Sets keys of a stack's configuration. */
  set(declared: Declared, region: RegionName = this.survivor): void {
    this.declared[region] = { ...this.declared[region], ...declared };
  }

  /** Takes keys of a stack's configuration away. */
  unset(keys: readonly (keyof Declared)[], region: RegionName = this.survivor): void {
    const left = Object.entries(this.declared[region]).filter(
      ([key]) => !keys.includes(key as keyof Declared),
    );
    this.declared[region] = Object.fromEntries(left);
  }

  /** One `up`. What it leaves of the state is kept, however it ends. */
  async up(options: UpOptions = {}): Promise<Left> {
    const {
      region = this.survivor,
      brisk = false,
      engine = this.engine,
      configOf = region,
      refresh,
      targets,
      destroy,
    } = options;
    if (region === this.survivor) {
      this.earlier.push(this.states[region] ?? []);
    }
    const run = {
      stack: region,
      config: this.config(configOf, brisk),
      states: this.states,
      ...(refresh === undefined ? {} : { refresh }),
      ...(targets === undefined ? {} : { targets }),
      ...(destroy === undefined ? {} : { destroy }),
    };
    const left = await engine.up(run, brisk ? BOUND_SECONDS.brisk : BOUND_SECONDS.patient);
    this.keep(region, left.state);
    return left;
  }

  /** An `up` that prepares a case: it must succeed. */
  async expectUp(options: UpOptions = {}): Promise<void> {
    const { ended, crashed, hung } = await this.up(options);
    if (ended?.ok !== true) {
      throw new Error(
        `up failed: ${crashed ?? ended?.errors.join("; ") ?? (hung ? "hung" : "died")}`,
      );
    }
  }

  /** Puts a state in the place of the one that there is, as `pulumi stack import` does. */
  keep(region: RegionName, state: StackState): void {
    this.states = { ...this.states, [region]: state };
  }

  /** Creates process instances, and waits until the Elasticsearches of the regions have them. */
  async work(regions: readonly RegionName[] = ["region0", "region1"]): Promise<void> {
    const keys = await this.world.startInstances(this.survivor, 4);
    for (const region of regions) {
      await until(`the work is exported to ${region}`, async () => {
        const known = await this.world.instanceKeys(region);
        return keys.every((key) => known.has(key));
      });
    }
  }

  /** Ends the world, and the process of the engine when it is not one of somebody else's. */
  async end(): Promise<void> {
    await this.world.stop();
  }

  private config(region: RegionName, brisk: boolean): Record<string, string> {
    const { clusterSize, partitionCount } = this.world.shape;
    const wait = (name: string) => (brisk ? (BRISK[name] ?? BRISK_OTHERS) : PATIENT);
    const timeouts = Object.fromEntries(
      [...WAITS, ...LONG_WAITS].map((name) => [name, wait(name)]),
    );
    const config: Record<string, unknown> = {
      platform: "endpoints",
      region,
      clusterSize,
      partitionCount,
      endpoints: this.world.endpoints,
      snapshotRepository: this.world.repository,
      timeouts: { ...timeouts, ...BRIEF },
      ...this.declared[region],
    };
    return Object.fromEntries(
      Object.entries(config).map(([key, value]) => [
        key,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    );
  }
}
