import { DEFAULT_VERSION } from "../../components/generations";
import { Recorder } from "../../world/recorder";
import type { RegionEndpoints, RegionName, World } from "../../world/world";
import { temporaryResources } from "./procedure";
import type { Site, SiteScene } from "./scene";

/** Camunda that somebody else has installed, at URLs: the world is started and recreated as a whole. */
export class EndpointsSite implements Site {
  readonly platform = "endpoints";
  recorder!: Recorder;
  private endpoints!: Record<RegionName, RegionEndpoints>;

  constructor(
    readonly world: World,
    readonly camundaVersion = DEFAULT_VERSION,
    readonly exporters?: Record<RegionName, readonly string[]>,
  ) {}

  async start(): Promise<void> {
    await this.world.start();
    const { recorder, endpoints } = await Recorder.of(this.world);
    this.recorder = recorder;
    this.endpoints = endpoints;
  }

  /** The incident and the steps go; members, the exporters of both regions and exporting verify once more what is declared now. */
  get bookkeeping() {
    return { delete: temporaryResources(this.camundaVersion, { webApps: false }), update: 4 };
  }

  settings() {
    const { endpoints, exporters, world } = this;
    return {
      config: {
        platform: this.platform,
        endpoints,
        ...(exporters === undefined ? {} : { exporters }),
        snapshotRepository: { name: "camunda_backup", ...world.repository },
      },
      environment: {},
    };
  }

  async install(scene: SiteScene): Promise<void> {
    await scene.up("region0");
    await scene.up("region1");
    scene.check(
      "adopting tries the snapshot repository, and changes nothing else",
      await scene.trials(),
      this.recorder.changes().map(({ region, method, path }) => `${region} ${method} ${path}`),
    );
  }

  lose(region: RegionName): Promise<void> {
    return this.world.lose(region);
  }

  recreate(region: RegionName): Promise<void> {
    return this.world.recreate(region);
  }

  async rebuild(scene: SiteScene, lost: RegionName): Promise<void> {
    await scene.up(lost);
  }

  async stop(): Promise<void> {
    await this.world.stop();
    await this.recorder?.close();
  }
}
