import type { RegionStack } from "../../scripts/operator/stack";
import { Workspace } from "../../world/pulumi/workspace";
import { RealKubernetesWorld } from "../../world/scenes/realKubernetesWorld";
import type { RegionName } from "../../world/world";

/**
 * Two clusters with real API servers, and a workspace with the real provider of Pulumi, for tests that declare
 * the whole program on them. Take it down with {@link stop}, also when a test fails.
 */
export class Installation {
  readonly world = new RealKubernetesWorld();
  private made: Workspace | undefined;

  /** Starts both clusters, which takes some ten seconds. `config` is what differs from the usual. */
  async start(config: Record<string, unknown> = {}): Promise<void> {
    await this.world.start();
    const { clusterSize, partitionCount, replicationFactor } = this.world.world.shape;
    this.made = await Workspace.create({
      config: {
        ...{ clusterSize, partitionCount, replicationFactor },
        ...this.world.config,
        timeouts: { settle: 2, absence: 2, formation: 60, ...this.world.timeouts },
        ...config,
      },
      environment: this.world.environment,
      plugins: this.world.plugins,
    });
  }

  get workspace(): Workspace {
    if (this.made === undefined) {
      throw new Error("the installation was not started");
    }
    return this.made;
  }

  stack(region: RegionName): Promise<RegionStack> {
    return this.workspace.stack(region);
  }

  /** The cluster of a region, to look at its objects and to change them behind the program's back. */
  cluster(region: RegionName) {
    return this.world.region(region).cluster;
  }

  /** As the documentation says: both stacks in turn, until neither changes anything. Returns the rounds. */
  async install(): Promise<number> {
    for (let round = 1; round <= 4; round++) {
      let changes = 0;
      for (const region of ["region0", "region1"] as const) {
        changes += (await (await this.stack(region)).up()).changed.length;
      }
      if (changes === 0) {
        return round;
      }
    }
    throw new Error("four rounds, and still something to change");
  }

  async stop(): Promise<void> {
    await this.world.stop();
    await this.made?.dispose();
  }
}
