import type { Recorder } from "../recorder";
import type { Plugin } from "../pulumi/workspace";
import type { EmbeddedWorld } from "../camunda/embedded";
import type { RegionName } from "../world";

/** Something that reached a region: when, milliseconds since the epoch, and what. */
export interface Arrival {
  at: number;
  what: string;
}

/** Two regions in which nothing runs until the program installs it. */
export interface InstallableWorld {
  /** The brokers and Elasticsearches. */
  readonly world: EmbeddedWorld;
  /** Every request that reached them through a Kubernetes API. There from {@link start} on. */
  readonly recorder: Recorder;
  /** Configuration that both stacks share, besides the sizes. */
  readonly config: Record<string, unknown>;
  /** What of the configuration's `timeouts` is not as usual. */
  readonly timeouts: Record<string, number>;
  /** Environment for `pulumi`. */
  readonly environment: Record<string, string>;
  /** Plugins that `pulumi` needs besides its own. */
  readonly plugins: readonly Plugin[];

  /** Starts what is there before the program installs anything. */
  start(): Promise<void>;
  /** Everything in a region is gone at once. */
  lose(region: RegionName): Promise<void>;
  /** The region is there again, and empty: what a stack had in it is gone. */
  recreate(region: RegionName): Promise<void>;
  /** Pods that are wished of Operate and Tasklist of a region, by name of their Deployment. */
  webApps(region: RegionName): Record<string, number>;
  /** When the fence of a region was closed or opened, milliseconds since the epoch. */
  fenceWritten(region: RegionName): number[];
  /** What the other region's stack sent to the Kubernetes API, or to the cloud's, of a region. */
  reached(region: RegionName): Arrival[];
  /** What a stack has left behind in a region that must not be there after a destroy. */
  leftIn(region: RegionName): Promise<string[]>;
  /** Ends everything. */
  stop(): Promise<void>;
}
