import type { Declaration } from "../../components/base/declaration";
import assert from "node:assert/strict";
import { peerOf } from "../../components/base/brokers";
import { IDS } from "./ids";
import { snapshotName } from "../../components/recovery/names";
import * as exporter from "../../components/recovery/providers/exporter";
import * as exporting from "../../components/recovery/providers/exporting";
import * as exportPause from "../../components/recovery/providers/exportPause";
import * as exportResume from "../../components/recovery/providers/exportResume";
import * as failbackGate from "../../components/recovery/providers/failbackGate";
import * as membership from "../../components/recovery/providers/membership";
import { session } from "../../components/recovery/session";
import * as snapshot from "../../components/recovery/providers/snapshot";
import * as snapshotRepository from "../../components/recovery/providers/snapshotRepository";
import * as snapshotRestore from "../../components/recovery/providers/snapshotRestore";
import type { Timeouts } from "../../components/settings";
import { EmbeddedWorld, EmbeddedWorldOptions, QUICK } from "../../world/camunda/embedded";
import type { Fault } from "../../world/camunda/embedded/faults";
import type { RegionName } from "../../world/world";
import { until } from "../../world/processes/until";
import type { Body } from "./answers";
import { lookup, Raw, rawConfig } from "./config";

/** The name of the attempt of all tests. */
export const attempt = "attempt-1";

/** The two ways to lose a region. */
export const directions: RegionName[] = ["region0", "region1"];

/** Longer than anything takes on a busy machine: what is to run out has a deadline of its own. */
const patience: Timeouts = {
  request: 10,
  loss: 20,
  // The world's brokers drop the dead within 20 ms.
  absence: 0.1,
  failover: 20,
  exporter: 20,
  exporting: 20,
  settle: 0.1,
  gate: 20,
  snapshot: 20,
  restore: 20,
  catchUp: 20,
  join: 20,
  formation: 20,
  webApps: 20,
  release: 20,
};

/**
 * The providers of one region on an embedded world, without an engine. Every test starts its own world;
 * what the providers say goes to {@link lines} instead of the console.
 */
export class Bench {
  lines: string[] = [];
  lost: RegionName = "region1";
  private running: EmbeddedWorld | undefined;
  private raw: Raw = {};
  private restoreConsole: (() => void) | undefined;

  get world(): EmbeddedWorld {
    assert.ok(this.running, "the world was not started");
    return this.running;
  }

  get survivor(): RegionName {
    return peerOf(this.lost);
  }

  get survivors(): number[] {
    return IDS.of(this.survivor, this.world.shape.clusterSize);
  }

  get lostBrokers(): number[] {
    return IDS.of(this.lost, this.world.shape.clusterSize);
  }

  get lostExporter(): string {
    return `elasticsearch${this.lost}`;
  }

  get snapshotName(): string {
    return snapshotName(this.lost, attempt);
  }

  /** Base URL of the survivors' management API. */
  get management(): string {
    return this.world.endpoints[this.survivor].management;
  }

  /** Starts a healthy world with some work done, and the providers of the region that is not to be lost. */
  async start(lost: RegionName = "region1", options: EmbeddedWorldOptions = {}): Promise<void> {
    const log = console.log;
    console.log = (line: unknown) => this.lines.push(String(line));
    this.restoreConsole = () => {
      console.log = log;
    };
    this.lost = lost;
    this.running = new EmbeddedWorld({ ...QUICK, ...options });
    await this.world.start();
    await this.work(4);
    this.raw = rawConfig({
      region: this.survivor,
      clusterSize: this.world.shape.clusterSize,
      partitionCount: this.world.shape.partitionCount,
      endpoints: this.world.endpoints,
      snapshotRepository: this.world.repository,
      timeouts: patience,
    });
    this.configure({});
  }

  async stop(): Promise<void> {
    this.restoreConsole?.();
    this.restoreConsole = undefined;
    this.lines = [];
    await this.running?.stop();
    this.running = undefined;
  }

  /** Hands the configuration over as the engine does, with some keys changed for the rest of the test. */
  configure(changes: Raw, timeouts: Partial<Timeouts> = {}): void {
    const all = { ...patience, ...(this.raw.timeouts as Partial<Timeouts>), ...timeouts };
    this.raw = { ...this.raw, ...changes, timeouts: all };
    const get = lookup(this.raw);
    membership.provider.configure({ config: { get: (key) => get(key as keyof Raw) } });
    session();
  }

  /** Creates process instances, and waits until the Elasticsearches that run have them. */
  async work(count: number, regions: RegionName[] = directions): Promise<void> {
    const keys = await this.world.startInstances(this.survivor, count);
    for (const region of regions) {
      await this.until(`the work is exported to ${region}`, async () => {
        const known = await this.world.instanceKeys(region);
        return keys.every((key) => known.has(key));
      });
    }
  }

  /** The region is lost, and the survivors know. */
  async loseRegion(): Promise<void> {
    await this.world.lose(this.lost);
    await this.until("the loss is seen", async () =>
      (await this.seen()).every((id) => this.survivors.includes(id)),
    );
    this.configure({ lostRegion: this.lost });
  }

  /** Lost, forced out, exporter disabled, and healthy again. */
  async failOver(): Promise<void> {
    await this.loseRegion();
    await this.world.forceRemove(this.lostBrokers);
    await this.healthy();
    for (const id of session().settings.exporters[this.lost]) {
      await this.world.disableExporter(id);
    }
    await this.work(2, [this.survivor]);
  }

  /** Failed over, and the lost region is back with empty disks. */
  async recreate(): Promise<void> {
    await this.failOver();
    await this.world.recreate(this.lost);
    await this.until(
      "the recreated brokers are seen",
      async () => (await this.seen()).length === this.world.shape.clusterSize,
    );
    this.configure({ failback: attempt });
  }

  /** Recreated, and its Elasticsearch holds what the survivor's does: as it is before the brokers join. */
  async restored(): Promise<void> {
    await this.recreate();
    this.world.copyDocuments(this.lost);
  }

  /** Recreated, and exporting paused. */
  async pause(): Promise<void> {
    await this.recreate();
    await this.world.pauseExporting();
  }

  /** Paused, and the snapshot taken and visible in the recreated region. */
  async takeSnapshot(): Promise<void> {
    await this.pause();
    await this.run.repository(this.survivor);
    await this.run.snapshot();
    await this.run.repository(this.lost);
  }

  /** Every partition of the survivors has its leader, and the gateway shows it. */
  async healthy(): Promise<void> {
    await this.until("every partition has a leader", async () => {
      const { zeebe } = session();
      const { brokers } = await zeebe.topology();
      const leaders = brokers.flatMap((b) => b.partitions).filter((p) => p.role === "leader");
      return leaders.length === this.world.shape.partitionCount;
    });
  }

  /** The brokers that the survivors see. */
  async seen(): Promise<number[]> {
    return (await session().zeebe.topology()).brokers.map(({ id }) => id);
  }

  /** The lost brokers, which came back with old data, are seen and have closed their ports. */
  async shutDown(): Promise<void> {
    const closed = (id: number) =>
      session()
        .zeebe.exporterPhases(session().broker(id))
        .then(
          () => false,
          () => true,
        );
    await this.until("the brokers have shut down", async () => {
      const states = await Promise.all(this.lostBrokers.map(closed));
      return states.every(Boolean) && (await this.seen()).length === this.world.shape.clusterSize;
    });
  }

  readonly until = until;

  /** Method and path of what has been sent so far that changes something. */
  sent(): string[] {
    return this.world.mutations().map(({ method, path }) => `${method} ${path}`);
  }

  /**
   * Changes the true answers to some requests.
   *
   * @param when which of them
   * @returns what ends it
   */
  spoil(
    at: Omit<Fault, "transform" | "respond">,
    change: (body: Body) => void,
    when: (body: Body) => boolean = () => true,
  ): () => void {
    return this.world.inject({
      ...at,
      transform: (body) => {
        if (when(body)) {
          change(body);
        }
        return body;
      },
    });
  }

  /** Brokers report of a partition what is not so; nothing of it at all without a change. */
  misreport(
    partition: number,
    change: Body | undefined,
    at: Pick<Fault, "brokerId" | "skip" | "times"> = {},
  ): void {
    this.spoil({ path: /^\/actuator\/partitions$/, ...at }, (body) => {
      body[partition] = change && { ...body[partition], ...change };
    });
  }

  /** The cluster shows a pending change that there is not. */
  showPending(id: number, pending: Body[], times?: number): void {
    this.spoil({ path: /^\/actuator\/cluster$/, times }, (body) => {
      body.pendingChange = { id, status: "IN_PROGRESS", completed: [], pending };
    });
  }

  /** What is configured, as the program declares it. */
  private get declaration(): Declaration {
    const {
      lostRegion: lost,
      drainRegion: drained,
      failback,
    } = this.raw as { lostRegion?: RegionName; drainRegion?: RegionName; failback?: string };
    if (lost === undefined && drained === undefined) {
      return { kind: "steady" };
    }
    const out = lost === undefined ? { drained } : { lost };
    return failback === undefined
      ? { kind: lost === undefined ? "drained" : "failed-over", ...out }
      : { kind: "failing-back", ...out, attempt: failback };
  }

  private readonly gateAt = new Date().toISOString();

  /** The inputs of every resource, as the program declares them. */
  readonly inputs = {
    membership: (ids: number[], replicationFactor: number) => ({
      brokers: IDS.mapOf(ids),
      replicationFactor,
      declaration: this.declaration,
    }),
    exporter: (region: RegionName, state: "ENABLED" | "DISABLED") => {
      const { exporters } = session().settings;
      const sources = exporters[peerOf(region)];
      return {
        exporters: Object.fromEntries(exporters[region].map((id) => [id, state])),
        region,
        initializeFrom: Object.fromEntries(
          exporters[region].map((id, place) => [id, String(sources[place])]),
        ),
        declaration: this.declaration,
      };
    },
    gate: () => ({ attempt, earlier: [], recreated: this.lost, incident: "incident-1" }),
    pause: () => ({ attempt, gateAt: this.gateAt }),
    repository: (region: RegionName) => ({
      attempt,
      region,
      repository: "camunda_backup",
      readonly: region === this.lost,
      ...(region === this.lost ? { snapshot: this.snapshotName } : {}),
    }),
    snapshot: () => ({
      attempt,
      repository: "camunda_backup",
      snapshot: this.snapshotName,
      pause: "pause-1",
      incident: "incident-1",
    }),
    exporting: (name: string, abandoned = false) => ({
      exporting: "running",
      attempt: name,
      abandoned,
      declaration: this.declaration,
      earlier: [],
    }),
  };

  /** Creates the resources. */
  readonly run = {
    remove: () => membership.provider.create(this.inputs.membership(this.survivors, 2)),
    add: () =>
      membership.provider.create(
        this.inputs.membership(
          IDS.all(this.world.shape.clusterSize),
          this.world.shape.replicationFactor,
        ),
      ),
    exporter: (region: RegionName, state: "ENABLED" | "DISABLED") =>
      exporter.provider.create(this.inputs.exporter(region, state)),
    disable: () => exporter.provider.create(this.inputs.exporter(this.lost, "DISABLED")),
    enable: () => exporter.provider.create(this.inputs.exporter(this.lost, "ENABLED")),
    gate: () => failbackGate.provider.create(this.inputs.gate()),
    pause: () => exportPause.provider.create(this.inputs.pause()),
    repository: (region: RegionName) =>
      snapshotRepository.provider.create(this.inputs.repository(region)),
    snapshot: () => snapshot.provider.create(this.inputs.snapshot()),
    restore: () => snapshotRestore.provider.create(this.inputs.snapshot()),
    resume: () => exportResume.provider.create(this.inputs.pause()),
    exporting: (name = attempt, abandoned = false) =>
      exporting.provider.create(this.inputs.exporting(name, abandoned)),
  };
}

/** A bench for the tests of a suite: each starts it, and it is stopped after each. */
export function useBench(): Bench {
  const bench = new Bench();
  afterEach(() => bench.stop());
  return bench;
}
