import { generationOf } from "../../../../components/generations";
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { ZeebeClient } from "../../../../components/clients/zeebe";
import { EmbeddedWorld } from "../../../../world/camunda/embedded";
import type { ExportTarget } from "../../../../world/camunda/embedded/exportTarget";
import type { LogRecord } from "../../../../world/camunda/embedded/log";
import type { RegionName } from "../../../../world/world";
import { until } from "../../../../world/processes/until";

/** A search engine that takes what it is told to, later. */
class Target implements ExportTarget {
  readonly documents = new Map<string, LogRecord>();
  opened = 0;
  /** How many of the next records are taken; all when undefined. */
  takes: number | undefined;
  /** Whether answers wait. */
  private held: Promise<void> = Promise.resolve();
  private release: () => void = () => undefined;

  async export(records: readonly LogRecord[], opens: boolean): Promise<number> {
    await this.held;
    const taken = records.slice(0, this.takes);
    this.opened += opens && taken.length > 0 ? 1 : 0;
    taken.forEach((record) => this.documents.set(record.id, record));
    return taken.length;
  }

  hold(): void {
    this.held = new Promise((resolve) => (this.release = resolve));
  }

  letGo(): void {
    this.release();
    this.held = Promise.resolve();
  }

  get positions(): string[] {
    return [...this.documents.keys()].sort();
  }
}

describe("exporters of embedded brokers", function () {
  this.timeout(60_000);
  let world: EmbeddedWorld;
  let targets: Record<RegionName, Target>;

  async function start(options: { bulkDelayMs?: number } = {}): Promise<void> {
    targets = { region0: new Target(), region1: new Target() };
    world = new EmbeddedWorld({ ...options, searchOf: (region) => targets[region] });
    await world.start();
  }

  const zeebe = () => new ZeebeClient(world.endpoints.region0, 5_000, generationOf("8.6"));

  const instances = (region: RegionName) =>
    new Set(
      [...targets[region].documents.values()].flatMap(({ source }) => [
        source.value["processInstanceKey"],
      ]),
    );

  afterEach(() => world.stop());

  it("go on after an outage from where they were, part of a request by part", async () => {
    await start();
    const before = await world.startInstances("region0", 2);
    await until("written", () => before.every((key) => instances("region1").has(key)));
    targets.region1.takes = 0;
    const meanwhile = await world.startInstances("region0", 6);
    await until("written", () => meanwhile.every((key) => instances("region0").has(key)));
    assert.ok(meanwhile.every((key) => !instances("region1").has(key)));
    targets.region1.takes = 3;
    await until("all written again", () =>
      isDeepStrictEqual(targets.region1.positions, targets.region0.positions),
    );
    assert.ok(meanwhile.every((key) => instances("region1").has(key)));
    // One for each partition, and none after the outage.
    assert.deepEqual([targets.region0.opened, targets.region1.opened], [2, 2]);
  });

  it("write what they have collected when they are paused, and nothing more", async () => {
    await start({ bulkDelayMs: 2_000 });
    const collected = await world.startInstances("region0", 2);
    await sleep(50);
    await zeebe().pauseExporting();
    assert.equal(targets.region0.documents.size, 0);
    const paused = await world.startInstances("region0", 2);
    await until("written", () => collected.every((key) => instances("region0").has(key)));
    await sleep(50);
    assert.ok(paused.every((key) => !instances("region0").has(key)));
    await zeebe().resumeExporting();
    await until("written", () => paused.every((key) => instances("region1").has(key)));
  });

  it("do not take an answer for theirs that comes when they were enabled from elsewhere", async () => {
    await start();
    const first = await world.startInstances("region0", 2);
    await until("written", () => first.every((key) => instances("region1").has(key)));
    targets.region1.hold();
    await world.startInstances("region0", 4);
    await sleep(50);
    await world.disableExporter("elasticsearchregion1");
    const later = await world.startInstances("region0", 4);
    await zeebe().enableExporter("elasticsearchregion1", "elasticsearchregion0");
    await until("enabled", () => world.cluster().exporters["elasticsearchregion1"] === "ENABLED");
    targets.region1.letGo();
    const last = await world.startInstances("region0", 2);
    await until("written", () => last.every((key) => instances("region1").has(key)));
    assert.equal(later.length, 4);
    assert.deepEqual(
      targets.region1.positions.filter((id) => !targets.region0.documents.has(id)),
      [],
    );
    await until("templates of the new one", () => targets.region1.opened >= 4);
  });
});
