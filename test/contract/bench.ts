import { generationOf } from "../../components/generations";
import assert from "node:assert/strict";
import { brokerList, peerOf, RegionName } from "../../components/base/brokers";
import { IDS } from "../support/ids";
import { Configuration, Operation, unhealthy } from "../../components/clients/topology";
import { ElasticsearchClient } from "../../components/clients/elasticsearch";
import { Answer, Refused, send } from "../../components/clients/http";
import { isRecord } from "../../components/base/json";
import { waitFor } from "../../components/clients/poll";
import { ExporterPhase, PlannedChange, ZeebeClient } from "../../components/clients/zeebe";
import type { World } from "../../world/world";

const REQUEST_MS = 60_000;

/** What is asked while brokers join must be answered before they have joined, on a machine that is busy, too. */
export const LONG_JOINS = { joinMs: 250 };

/** Name of the snapshot repository in both regions. */
export const REPOSITORY = "contract";

/** Pattern of the indices that Zeebe's exporters write. */
export const RECORDS = "zeebe-record*";

/** The exporter that writes to the Elasticsearch of a region. */
export function exporterOf(region: RegionName): string {
  return `elasticsearch${region}`;
}

/** A world, the program's own clients for it, and what has been done to it so far. */
export class Bench {
  /** Keys of all process instances that were started. */
  readonly started = new Set<string>();
  /** The step whose failure leaves the world in a state that says nothing about what comes after. */
  failedStep: string | undefined;

  constructor(readonly world: World) {}

  zeebe(region: RegionName): ZeebeClient {
    return new ZeebeClient(this.world.endpoints[region], REQUEST_MS, generationOf("8.6"));
  }

  search(region: RegionName): ElasticsearchClient {
    return new ElasticsearchClient(this.world.endpoints[region].elasticsearch, REQUEST_MS);
  }

  /** The broker ids of a region, or all of them. */
  ids(region?: RegionName): number[] {
    const { clusterSize } = this.world.shape;
    return region === undefined ? IDS.all(clusterSize) : IDS.of(region, clusterSize);
  }

  brokerUrl(id: number): string {
    const url = Object.values(this.world.endpoints).flatMap(({ brokers }) => brokers[id] ?? []);
    return url[0] as string;
  }

  /** A request to the management API of a region, as it is answered. */
  ask(region: RegionName, method: "GET" | "POST" | "DELETE", path: string, body?: unknown) {
    return this.raw(method, `${this.world.endpoints[region].management}/actuator/${path}`, body);
  }

  /** A question to the management API of one broker. */
  askBroker(id: number, path: string): Promise<Answer> {
    return this.raw("GET", `${this.brokerUrl(id)}/${path}`);
  }

  /** What the probe that a kubelet sends to a broker comes to. */
  async readiness(id: number): Promise<number> {
    return (await fetch(`${this.brokerUrl(id)}/ready`)).status;
  }

  /** A request to the Elasticsearch of a region, as it is answered. */
  askSearch(
    region: RegionName,
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    body?: object,
  ) {
    return this.raw(method, `${this.world.endpoints[region].elasticsearch}/${path}`, body);
  }

  /** Which search engine a region has: they differ in a few points. */
  async engine(region: RegionName): Promise<"elasticsearch" | "opensearch"> {
    const { body } = await this.askSearch(region, "GET", "");
    const version = isRecord(body) && isRecord(body.version) ? body.version : {};
    return version.distribution === "opensearch" ? "opensearch" : "elasticsearch";
  }

  /** A test that changes the world: when it fails, the tests after it are skipped. */
  step(title: string, run: () => Promise<void>): void {
    it(title, async () => {
      try {
        await run();
      } catch (error) {
        this.failedStep = title;
        throw error;
      }
    });
  }

  /** Reads again and again until nothing is wrong with what was read. Errors of servers count as "not yet". */
  async eventually<T>(
    what: string,
    seconds: number,
    read: () => Promise<T>,
    wrong: (value: T) => string | undefined,
  ): Promise<T> {
    return waitFor(
      what,
      seconds,
      () => undefined,
      async () => {
        try {
          const value = await read();
          const seen = wrong(value);
          return seen === undefined ? { done: true, value } : { done: false, seen };
        } catch (error) {
          if (error instanceof Refused && error.status >= 500) {
            return { done: false, seen: error.message };
          }
          throw error;
        }
      },
    );
  }

  /** Waits until a change has ended by its id, and returns the configuration of then. */
  async completed(region: RegionName, change: PlannedChange): Promise<Configuration> {
    const configuration = await this.eventually(
      `change ${change.changeId} to end`,
      60,
      () => this.zeebe(region).configuration(),
      ({ pendingChange, lastChange }) =>
        pendingChange !== undefined || (lastChange?.id ?? 0) < change.changeId
          ? `pending ${JSON.stringify(pendingChange)}, last ${JSON.stringify(lastChange)}`
          : undefined,
    );
    const { lastChange } = configuration;
    assert.equal(lastChange?.id, change.changeId);
    assert.equal(lastChange.status, "COMPLETED");
    return configuration;
  }

  /** Waits until the brokers are all members, and lead and hold all partitions. */
  async healthy(region: RegionName, members: readonly number[]): Promise<void> {
    const zeebe = this.zeebe(region);
    await this.eventually(
      `a healthy cluster of ${brokerList(members)}`,
      90,
      async () =>
        unhealthy(
          await zeebe.configuration(),
          await zeebe.topology(),
          members,
          members.length,
          this.world.shape.partitionCount,
        ),
      (problems) => problems[0],
    );
  }

  /** State of exporting of all replicas of the brokers, as each broker says it. */
  async phases(brokers: readonly number[]): Promise<Map<number, ExporterPhase[]>> {
    const zeebe = this.zeebe("region0");
    const read = async (id: number): Promise<[number, ExporterPhase[]]> => [
      id,
      await zeebe.exporterPhases({ url: this.brokerUrl(id) }),
    ];
    return new Map(await Promise.all(brokers.map(read)));
  }

  /** Waits until every partition of every one of the brokers is in a phase. */
  async allInPhase(brokers: readonly number[], phase: "EXPORTING" | "PAUSED"): Promise<void> {
    const expected = brokers.length * this.world.shape.partitionCount;
    await this.eventually(
      `all replicas ${phase}`,
      30,
      async () => [...(await this.phases(brokers)).values()].flat(),
      (replicas) =>
        replicas.filter((replica) => replica.phase === phase).length === expected
          ? undefined
          : JSON.stringify(replicas),
    );
  }

  /** Starts process instances, as soon as the cluster serves commands. */
  async work(region: RegionName, count: number): Promise<string[]> {
    const keys = await waitFor(
      "the cluster to serve commands",
      60,
      () => undefined,
      async () => {
        try {
          return { done: true, value: await this.world.startInstances(region, count) };
        } catch (error) {
          return { done: false, seen: String(error) };
        }
      },
    );
    keys.forEach((key) => this.started.add(key));
    return keys;
  }

  /** Waits until the Elasticsearches of the regions know the process instances. */
  async exported(regions: readonly RegionName[], keys: Iterable<string>): Promise<void> {
    const wanted = [...keys];
    for (const region of regions) {
      await this.eventually(
        `${wanted.length} instances in ${region}`,
        60,
        () => this.world.instanceKeys(region),
        (known) => {
          const missing = wanted.filter((key) => !known.has(key)).length;
          return missing === 0 ? undefined : `${missing} are missing`;
        },
      );
    }
  }

  /** Waits until the leaders have exported what was processed when this was called. */
  async written(brokers: readonly number[]): Promise<void> {
    const leaders = async () =>
      [...(await this.phases(brokers)).values()].flat().filter(({ role }) => role === "LEADER");
    const upTo = new Map((await leaders()).map((r) => [r.partition, r.processedPosition]));
    assert.equal(upTo.size, this.world.shape.partitionCount);
    await this.eventually("the leaders to export what was processed", 60, leaders, (now) => {
      const behind = now.filter((r) => r.exportedPosition < (upTo.get(r.partition) as number));
      return behind.length === 0 && now.length === upTo.size ? undefined : JSON.stringify(now);
    });
  }

  /** Waits until both Elasticsearches have the same number of documents in the same indices. */
  async sameDocuments(): Promise<Record<string, number>> {
    const [documents] = await this.eventually(
      "both Elasticsearches to hold the same documents",
      60,
      () => Promise.all([this.world.documents("region0"), this.world.documents("region1")]),
      ([zero, one]) => {
        const names = [...new Set([...Object.keys(zero), ...Object.keys(one)])];
        const differing = names.find((name) => zero[name] !== one[name]);
        return differing && `${differing}: ${zero[differing]} and ${one[differing]}`;
      },
    );
    return documents;
  }

  /** Asserts that something does not change the cluster's configuration. */
  async unchanged<T>(region: RegionName, action: () => Promise<T>): Promise<T> {
    const before = await this.ask(region, "GET", "cluster");
    const result = await action();
    const after = await this.ask(region, "GET", "cluster");
    assert.equal(before.status, 200);
    assert.deepEqual(sortedMembers(after), sortedMembers(before));
    return result;
  }

  private raw(
    method: "GET" | "POST" | "PUT" | "DELETE",
    url: string,
    body?: unknown,
  ): Promise<Answer> {
    return send(method, url, { body, timeoutMs: REQUEST_MS });
  }
}

/** Brokers list members in no particular order. */
function sortedMembers({ body }: Answer): unknown {
  assert.ok(isRecord(body) && Array.isArray(body.brokers));
  const brokers = body.brokers as { id: number }[];
  return { ...body, brokers: [...brokers].sort((a, b) => a.id - b.id) };
}

/** How often each kind of operation is in a plan. */
export function kinds(operations: readonly Operation[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { operation } of operations) {
    counts[operation] = (counts[operation] ?? 0) + 1;
  }
  return counts;
}

/** For `assert.rejects`: an answer of this status, whose reason matches. */
export function refused(status: number, reason: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Refused, String(error));
    assert.equal(error.status, status, error.message);
    assert.match(error.reason, reason);
    return true;
  };
}

/** Asserts that a forced removal, done or dry, is planned to keep the survivors of a region and nobody else. */
export function assertForcePlan(bench: Bench, lost: RegionName, plan: PlannedChange): void {
  const survivors = bench.ids(peerOf(lost));
  const { partitionCount } = bench.world.shape;
  assert.ok(plan.changeId > 0);
  assert.deepEqual(kinds(plan.operations), {
    PARTITION_FORCE_RECONFIGURE: partitionCount,
    BROKER_REMOVE: bench.ids(lost).length,
  });
  for (const { operation, brokerId, brokers, partitionId } of plan.operations) {
    assert.ok(survivors.includes(brokerId));
    if (operation === "BROKER_REMOVE") {
      assert.equal(brokers.length, 1);
      assert.ok(bench.ids(lost).includes(brokers[0] as number));
    } else {
      assert.ok((partitionId as number) >= 1 && (partitionId as number) <= partitionCount);
      assert.deepEqual([...brokers].sort(), survivors);
    }
  }
  const ids = (members: { id: number }[]) => members.map(({ id }) => id).sort();
  assert.deepEqual(ids(plan.expectedMembers), survivors);
  assert.deepEqual(ids(plan.currentMembers), bench.ids());
}

/**
 * Asserts that a change that would do something is refused while another is pending, a dry run too, and
 * that the refusal names that one. What does nothing, or is wrong in itself, is answered as ever.
 */
export async function assertBlocked(
  bench: Bench,
  region: RegionName,
  changeId: number,
): Promise<void> {
  const ids = bench.ids(region);
  const zeebe = bench.zeebe(region);
  const changes = {
    "a forced dry run": () => zeebe.setBrokers(ids, { force: true, dryRun: true }),
    "a forced change": () => zeebe.setBrokers(ids, { force: true }),
    "an exporter": () => zeebe.disableExporter(exporterOf(region)),
    "an exporter in a dry run": () => zeebe.disableExporter(exporterOf(region), { dryRun: true }),
    "an unknown exporter": () => zeebe.disableExporter("nosuch", { dryRun: true }),
  };
  for (const [what, change] of Object.entries(changes)) {
    await assert.rejects(change(), { name: "ChangePending", changeId }, what);
  }
  const force = "cluster/brokers?force=true&dryRun=true";
  const { status, body } = await bench.ask(region, "POST", force, ids);
  assert.equal(status, 409);
  assert.match(
    (body as { message: string }).message,
    /^Cannot apply configuration change\. Another configuration change \[.*\] is in progress\.$/s,
  );
  await assert.rejects(
    zeebe.setBrokers([...ids, 7], { force: true, dryRun: true }),
    refused(400, /broker '7' is not in the current cluster/),
  );
}
