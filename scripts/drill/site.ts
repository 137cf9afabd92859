import type { Platform } from "../../components/settings/schema";
import type { Recorder } from "../../world/recorder";
import type { ResourceChange } from "../operator/runEvents";
import type { Plugin } from "../../world/pulumi/workspace";
import type { RegionName, World } from "../../world/world";
import type { SiteScene } from "./scene";

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
