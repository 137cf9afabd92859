import { peerOf, REGIONS } from "../../components/base/brokers";
import { messageOf } from "../../components/base/messageOf";
import { waitFor } from "../../components/clients/poll";
import { Plugin, Workspace } from "../../world/pulumi/workspace";
import type { RegionName, World } from "../../world/world";
import type { Interrupt } from "../operator/interrupt";
import type { RegionStack, RunOptions } from "../operator/stack";
import { trialRequests } from "./procedure";
import type { Platform } from "../../components/settings/schema";
import type { Recorder } from "../../world/recorder";
import type { ResourceChange } from "../operator/runEvents";

/** What a platform tells a drill, and what a drill checks of it. */
export interface Site {
  /** Platform of the program. */
  readonly platform: Platform;
  /** The generation of Camunda that the program is told of. */
  readonly camundaVersion: string;
  /** Ids of the exporters of each region, when they are not the generation's own. */
  readonly exporters?: Record<RegionName, readonly string[]>;
  /** The brokers and Elasticsearches. */
  readonly world: World;
  /** Every request that the program sent to them. There from {@link start} on. */
  readonly recorder: Recorder;

  /** Starts what is there before the program runs for the first time. */
  start(): Promise<void>;
  /**
   * Configuration that both stacks share, the environment of the program, the plugins that it needs besides
   * Pulumi's own, and its folder, when it is not the repository. Known from {@link start} on.
   */
  settings(): {
    config: Record<string, unknown>;
    environment: Record<string, string>;
    plugins?: readonly Plugin[];
    program?: string;
  };
  /** Brings both stacks up for the first time. */
  install(scene: SiteScene): Promise<void>;
  /** Everything in a region is gone at once. */
  lose(region: RegionName): Promise<void>;
  /** The region is there again, and empty. */
  recreate(region: RegionName): Promise<void>;
  /** The ups that bring a recreated region to where it waits for its failback. */
  rebuild(scene: SiteScene, lost: RegionName): Promise<void>;
  /** Checks of a failover that has ended. */
  checkFailover?(scene: SiteScene, run: SiteRun): void;
  /** Checks of all that happened from the loss to the beginning of the failback. */
  checkIsolation?(scene: SiteScene): void;
  /** Checks of a failback that has ended. */
  checkFailback?(scene: SiteScene, run: SiteRun): void;
  /** What the last `up` of the survivor deletes and updates. */
  readonly bookkeeping: Record<string, number>;
  /** Checks when all is steady again. */
  checkSteady?(scene: SiteScene): Promise<void>;
  /** Takes everything down again, in a drill of its own stacks. */
  remove?(scene: SiteScene): Promise<void>;
  /** Ends everything. Never rejects for what is already gone. */
  stop(): Promise<void>;
}

/** A run of the engine that a site looks at. */
export interface SiteRun {
  /** When it began and ended, milliseconds since the epoch. */
  began: number;
  ended: number;
  changed: ResourceChange[];
}

/** The stacks of two regions on a site, and what is done to them there: by a drill, and by a bench. */
export abstract class SiteScene {
  workspace!: Workspace;
  /** The region that is lost, and the other one. */
  lost!: RegionName;
  survivor!: RegionName;
  /** The runs of the survivor's stack, in order. */
  survivorRuns: SiteRun[] = [];
  /** When the region was lost, and when the failback began, milliseconds since the epoch. */
  lostAt = Infinity;
  failbackAt = Infinity;

  constructor(
    readonly site: Site,
    lost: RegionName,
    readonly say: (line: string) => void,
  ) {
    this.loses(lost);
  }

  /** Takes what was expected and what was seen. */
  abstract check(name: string, expected: unknown, observed: unknown): void;

  get world(): World {
    return this.site.world;
  }

  stack(region: RegionName): Promise<RegionStack> {
    return this.workspace.stack(region);
  }

  /** What both regions send of the trial of the snapshot repository, when each is steady for the first time. */
  async trials(regions: readonly RegionName[] = REGIONS): Promise<string[]> {
    const name = await this.repository();
    return regions.flatMap((region) => trialRequests(region, name));
  }

  /** Name of the snapshot repository. */
  protected async repository(): Promise<string> {
    const { snapshotRepository } = await (await this.stack(this.survivor)).outputs();
    return (snapshotRepository as { name: string }).name;
  }

  /** `pulumi up` of a region's stack. */
  async up(region: RegionName, options: RunOptions = {}): Promise<SiteRun> {
    const stack = await this.stack(region);
    const run: SiteRun = { began: Date.now(), ended: Infinity, changed: [] };
    if (region === this.survivor) {
      this.survivorRuns.push(run);
    }
    try {
      run.changed = (await stack.up(options)).changed;
    } finally {
      run.ended = Date.now();
    }
    return run;
  }

  /** Ends all of it. */
  async end(): Promise<void> {
    await this.site.stop();
    await this.workspace?.dispose();
  }

  /** From now on it is about the loss of this region. */
  protected loses(lost: RegionName): void {
    this.lost = lost;
    this.survivor = peerOf(lost);
    this.survivorRuns = [];
  }

  /** Brings both stacks up for the first time. */
  protected async install(
    more: Record<string, unknown> = {},
    interrupt?: Interrupt,
  ): Promise<void> {
    const { clusterSize, partitionCount, replicationFactor } = this.world.shape;
    const { camundaVersion } = this.site;
    const { config, environment, plugins, program } = this.site.settings();
    this.workspace = await Workspace.create({
      config: {
        ...{ camundaVersion, clusterSize, partitionCount, replicationFactor },
        ...more,
        ...config,
      },
      environment,
      plugins,
      program,
      interrupt,
    });
    await this.site.install(this);
  }

  /** The lost region is there again and empty, with a stack of its own that waits for the failback. */
  protected async recreateLost(): Promise<void> {
    await this.site.recreate(this.lost);
    await this.workspace.recreate(this.lost);
    await this.site.rebuild(this, this.lost);
  }

  /** Starts instances through one region, and waits until its Elasticsearch knows them. */
  protected async startInstances(region: RegionName, count: number): Promise<string[]> {
    const started = await waitFor("the cluster to serve commands", 60, this.say, async () => {
      try {
        return { done: true, value: await this.world.startInstances(region, count) };
      } catch (error) {
        return { done: false, seen: messageOf(error) };
      }
    });
    return waitFor("the instances to be exported", 60, this.say, async () => {
      const known = await this.world.instanceKeys(region);
      const missing = started.filter((key) => !known.has(key)).length;
      return missing === 0
        ? { done: true, value: started }
        : { done: false, seen: `${missing} of ${count} not yet in Elasticsearch of ${region}` };
    });
  }
}
