import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { peerOf, REGIONS } from "../../components/base/brokers";
import { generationOf } from "../../components/generations";
import type { ChangeRequest } from "../../components/generations/generation";
import { changesSomething, Recorder } from "../../world/recorder";
import type { InstallableWorld } from "../../world/scenes/installableWorld";
import { ownCharts } from "../../world/scenes/charts";
import type { RegionName } from "../../world/world";
import { forced, returned, temporaryResources } from "./procedure";
import type { Site, SiteRun, SiteScene } from "./scene";

/** How a platform differs for the checks of a drill. */
export interface PlatformTraits {
  platform: "kubernetes" | "eks";
  /** What a failover may change besides the recovery: operation and type. */
  failoverChanges: string[];
  /** How many resources of a fence go when a failback is finished. */
  fenceGoes: number;
  /** Whether the recreated region needs something of the survivor's stack before the failback. */
  rebuildNeedsSurvivor: boolean;
}

/** How often both stacks are run in turn until an `up` changes nothing. */
const MOST_ROUNDS = 4;

/** Types of the program's own recovery steps. */
const OWN = "pulumi-nodejs:dynamic/camunda:";

/** Two regions that the program installs itself, through stand-ins for the providers. */
export class InstalledSite implements Site {
  /** What Operate and Tasklist of the region were scaled to when each snapshot of a failback was taken. */
  private readonly atSnapshot: Record<string, number>[] = [];

  constructor(
    private readonly installed: InstallableWorld,
    readonly camundaVersion: string,
    private readonly traits: PlatformTraits,
  ) {}

  get platform() {
    return this.traits.platform;
  }

  get world() {
    return this.installed.world;
  }

  get recorder(): Recorder {
    return this.installed.recorder;
  }

  get bookkeeping() {
    const gone = temporaryResources(this.camundaVersion, { webApps: true });
    // What carries the declaration, and the web applications, whose start was within the pause.
    return { delete: gone + this.traits.fenceGoes, update: 6 };
  }

  async start(): Promise<void> {
    this.world.onRequest(({ method, path, region }) => {
      if (method === "PUT" && /^\/_snapshot\/[^/]+\/[^/?]+/.test(path)) {
        this.atSnapshot.push(this.installed.webApps(region));
      }
    });
    await this.installed.start();
  }

  settings() {
    return {
      // Whatever does not come about in a minute never does here.
      config: {
        ...this.installed.config,
        charts: ownCharts(this.camundaVersion),
        timeouts: { settle: 2, absence: 2, gate: 60, formation: 60, ...this.installed.timeouts },
      },
      environment: this.installed.environment,
      plugins: this.installed.plugins,
    };
  }

  /** As the documentation says: region0, region1, in turn, until neither changes anything. */
  async install(scene: SiteScene): Promise<void> {
    await this.rounds(scene, ["region0", "region1"]);
    scene.check("the brokers are one cluster", [], this.world.obstacles());
    scene.check(
      "an installation tries the snapshot repository, and changes nothing in the cluster that it makes",
      await scene.trials(),
      // Which region is steady first depends on the platform.
      REGIONS.flatMap((region) =>
        this.recorder
          .changes()
          .filter((request) => request.region === region)
          .map(({ method, path }) => `${region} ${method} ${path}`),
      ),
    );
    for (const region of ["region0", "region1"] as const) {
      scene.check(
        `Operate and Tasklist run in ${region}`,
        this.scaledTo(1),
        this.installed.webApps(region),
      );
    }
  }

  lose(region: RegionName): Promise<void> {
    return this.installed.lose(region);
  }

  recreate(region: RegionName): Promise<void> {
    return this.installed.recreate(region);
  }

  async rebuild(scene: SiteScene, lost: RegionName): Promise<void> {
    const order = this.traits.rebuildNeedsSurvivor ? [lost, peerOf(lost)] : [lost];
    await this.rounds(scene, order);
    scene.check(
      "Operate and Tasklist of the recreated region wait for its data",
      {},
      this.installed.webApps(lost),
    );
    scene.check("the recreated Elasticsearch is empty", {}, await this.world.documents(lost));
  }

  checkFailover(scene: SiteScene, { began, ended, changed }: SiteRun): void {
    const others = changed.filter(({ type }) => !type.startsWith(OWN) && !isBookkeeping(type));
    scene.check(
      "nothing but the recovery, the fence and DNS changes",
      this.traits.failoverChanges,
      [...new Set(others.map(({ op, type }) => `${op} ${type}`))].sort(),
    );
    const fence = this.fenceWritten(scene.survivor, began, ended);
    const request = this.changeAt(forced({ ...this.cluster, survivor: scene.survivor }), began);
    scene.check("the fence is closed before the forced removal", true, isBefore(fence, request));
  }

  checkIsolation(scene: SiteScene): void {
    const { lost, lostAt, failbackAt } = scene;
    const inSurvivorsRun = (at: number) =>
      at > lostAt &&
      at < failbackAt &&
      scene.survivorRuns.some(({ began, ended }) => at >= began && at <= ended);
    scene.check(
      "nothing of the survivor's stack reaches a provider or the Kubernetes API of the lost region",
      [],
      this.installed
        .reached(lost)
        .filter(({ at }) => inSurvivorsRun(at))
        .map(({ what }) => what),
    );
    scene.check(
      "none reaches its brokers or its Elasticsearch",
      [],
      this.recorder.requests
        .filter(({ at, region }) => region === lost && inSurvivorsRun(this.recorder.start + at))
        .map(({ method, path }) => `${method} ${path}`),
    );
  }

  checkFailback(scene: SiteScene, { began, ended }: SiteRun): void {
    const fence = this.fenceWritten(scene.survivor, began, ended);
    const request = this.changeAt(returned(this.cluster), began);
    scene.check("the fence is opened before the brokers return", true, isBefore(fence, request));
    scene.check(
      "Operate and Tasklist of the survivor stand still while the snapshot is taken",
      [this.scaledTo(0)],
      this.atSnapshot.splice(0),
    );
    scene.check(
      "and run again afterwards",
      this.scaledTo(1),
      this.installed.webApps(scene.survivor),
    );
  }

  async checkSteady(scene: SiteScene): Promise<void> {
    for (const region of ["region0", "region1"] as const) {
      const outputs = await (await scene.stack(region)).outputs();
      scene.check(`${region} says who is active`, scene.survivor, outputs.activeRegion);
      scene.check(
        `Operate and Tasklist run in ${region}`,
        this.scaledTo(1),
        this.installed.webApps(region),
      );
    }
  }

  /** Both stacks are destroyed, the one of the recreated region last: in a drill of the other loss it is the other way. */
  async remove(scene: SiteScene): Promise<void> {
    for (const region of [scene.survivor, scene.lost]) {
      const stack = await scene.stack(region);
      await promisify(execFile)(
        "pulumi",
        ["state", "unprotect", "--all", "--yes", "--stack", region],
        scene.workspace.shell,
      );
      await stack.destroy();
      scene.check(`${region} is destroyed`, [], await this.installed.leftIn(region));
    }
  }

  async stop(): Promise<void> {
    await this.installed.stop();
  }

  private async rounds(scene: SiteScene, order: RegionName[]): Promise<void> {
    for (let round = 1; round <= MOST_ROUNDS; round++) {
      let changes = 0;
      for (const region of order) {
        const { changed } = await scene.up(region);
        changes += changed.length;
      }
      scene.say(`  round ${round}: ${changes} changes`);
      if (changes === 0) {
        return;
      }
    }
    scene.check(`nothing is left to change after ${MOST_ROUNDS} rounds`, true, false);
  }

  /** When the survivor's fence changed in a run. */
  private fenceWritten(region: RegionName, began: number, ended: number): number | undefined {
    return this.installed.fenceWritten(region).find((at) => at >= began && at <= ended);
  }

  private get cluster() {
    return { camundaVersion: this.camundaVersion, shape: this.world.shape };
  }

  /** What Operate and Tasklist of a region are to be scaled to. */
  private scaledTo(replicas: number): Record<string, number> {
    const { webApps } = generationOf(this.camundaVersion).objects;
    return Object.fromEntries(Object.values(webApps).map((name) => [name, replicas]));
  }

  /** When a change was asked for. */
  private changeAt({ path }: ChangeRequest, from: number): number | undefined {
    const { start, requests } = this.recorder;
    const found = requests.find(
      (request) =>
        start + request.at >= from &&
        changesSomething(request) &&
        request.method === "POST" &&
        request.path === path,
    );
    return found === undefined ? undefined : start + found.at;
  }
}

function isBefore(first: number | undefined, second: number | undefined): boolean {
  return first !== undefined && second !== undefined && first <= second;
}

/** The stack's own outputs are no resource of anything. */
function isBookkeeping(type: string): boolean {
  return type.startsWith("pulumi:") || type.startsWith("camunda8:");
}
