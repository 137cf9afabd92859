import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { EngineProcess, StackState } from "../../world/faults/engine";
import { unreadable } from "../../world/faults/runCase";
import { request as ask, requestJson } from "../../world/processes/http";
import { RecordedRequest, Recorder } from "../../world/recorder";
import { EmbeddedOnSearch } from "../../world/search/real/embeddedOnSearch";
import type { RegionEndpoints, RegionName } from "../../world/world";

/** Longer than one request may take, shorter than a step may. */
const FROZEN_MS = 8_000;
const REQUEST_SECONDS = 4;
const STEP_SECONDS = 30;
/** After which what no node has counts as lost. */
const GATE_SECONDS = 10;
const RUN_SECONDS = 200;

/** Whether something happens now, by the request that is about to be passed on and how the OpenSearch stands. */
type Moment = (
  request: RecordedRequest,
  before: RecordedRequest[],
  search: string,
) => boolean | Promise<boolean>;

/** Where in an attempt something happens. */
const MOMENTS: Record<string, Moment> = {
  "before the snapshot": isSnapshot,
  "while the snapshot is taken": ({ method, path }, before) =>
    method === "GET" && path.startsWith("/_snapshot/") && before.some(isSnapshot),
  "before the restore": isRestore,
  async "while it restores"(request, before, search) {
    if (isRestore(request)) {
      await restoreSlowly(search, true);
    }
    return before.some(isRestore) && (await isHalfRestored(search));
  },
};

function isSnapshot({ method, path }: RecordedRequest): boolean {
  return method === "PUT" && /^\/_snapshot\/[^/?]+\/[^/?]+/.test(path);
}

function isRestore({ method, path }: RecordedRequest): boolean {
  return method === "POST" && path.endsWith("/_restore");
}

/** One shard after the other, each in some seconds, until it is taken back or the node ends. */
async function restoreSlowly(search: string, slowly: boolean): Promise<void> {
  const settings = {
    "cluster.routing.allocation.node_initial_primaries_recoveries": slowly ? 1 : null,
    "indices.recovery.max_bytes_per_sec": slowly ? "4kb" : null,
  };
  await requestJson(`${search}/_cluster/settings`, {
    method: "PUT",
    json: { transient: settings },
  });
}

async function isHalfRestored(search: string): Promise<boolean> {
  const { text } = await ask(`${search}/_cluster/health/zeebe-record*?level=shards`);
  return text.includes('"primary_active":true') && text.includes('"primary_active":false');
}

/** What happens to an OpenSearch there; resolves when it can be used again. */
const ILLS: Record<string, (world: EmbeddedOnSearch, region: RegionName) => Promise<void>> = {
  async killed({ search }, region) {
    await search.lose(region);
    await search.recreate(region, "old");
  },
  async frozen({ search }, region) {
    search.freeze(region, true);
    await sleep(FROZEN_MS);
    search.freeze(region, false);
    await restoreSlowly(search.url(region), false);
  },
};

describe("a failback whose OpenSearch fails", function () {
  this.timeout(900_000);
  const world = new EmbeddedOnSearch();
  const engine = new EngineProcess();
  const states: Record<RegionName, StackState> = { region0: [], region1: [] };
  const declared: Record<string, string> = {};
  let endpoints: Record<RegionName, RegionEndpoints>;
  let recorder: Recorder | undefined;
  /** The requests of this attempt. */
  let attempt: RecordedRequest[] = [];
  /** What is to happen in it, and when it is over. */
  let ill: { at: Moment; happen: (typeof ILLS)[string] } | undefined;
  let healed: Promise<void> | undefined;

  before(async () => {
    await world.start();
    ({ recorder, endpoints } = await Recorder.of(world, meddle));
    await world.startInstances("region0", 5);
    await expectUp("region0");
    await world.lose("region1");
    declared.lostRegion = "region1";
    await expectUp("region0");
    await world.recreate("region1");
    states.region1 = [];
  });
  after(async () => {
    engine.kill();
    await healed?.catch(() => undefined);
    await recorder?.close();
    await world.stop();
  });

  async function meddle(request: RecordedRequest) {
    // Each attempt ends after the restore: the next one needs no other failover.
    if (request.method === "POST" && /\/exporters\/\w+\/enable$/.test(request.path)) {
      return { status: 400, body: { message: "not now" } };
    }
    const { region, server } = request;
    const next = ill;
    const met =
      server === "elasticsearch" && (await next?.at(request, attempt, world.search.url(region)));
    if (met === true && next !== undefined && next === ill) {
      healed = next.happen(world, region);
      ill = undefined;
      // A process takes a moment to be gone.
      await sleep(100);
    }
    attempt.push(request);
    return undefined;
  }

  async function up(stack: RegionName): Promise<{ ok: boolean; errors: string[] }> {
    const wait = (names: string[], seconds: number) =>
      Object.fromEntries(names.map((name) => [name, seconds]));
    const config = {
      platform: "endpoints",
      region: stack,
      clusterSize: world.shape.clusterSize,
      partitionCount: world.shape.partitionCount,
      endpoints,
      snapshotRepository: world.repository,
      timeouts: {
        ...wait(["snapshot", "restore", "catchUp", "join", "formation"], STEP_SECONDS),
        ...wait(["loss", "failover", "exporter", "exporting"], STEP_SECONDS),
        request: REQUEST_SECONDS,
        gate: GATE_SECONDS,
        absence: 0.5,
        settle: 2,
      },
      ...declared,
    };
    const texts = Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    const { ended, crashed, state } = await engine.up(
      { stack, config: Object.fromEntries(texts) as Record<string, string>, states },
      RUN_SECONDS,
    );
    states[stack] = state;
    assert.ok(ended, crashed ?? "it did not end");
    assert.deepEqual(ended.errors.flatMap(unreadable), []);
    return ended;
  }

  async function expectUp(stack: RegionName): Promise<void> {
    assert.deepEqual((await up(stack)).errors, []);
  }

  /** The phases of all replicas of the survivors. */
  async function phases(): Promise<string[]> {
    const answers = await Promise.all(
      Object.values(world.endpoints.region0.brokers).map(async (url) => {
        const answer = await fetch(`${url}/actuator/partitions`);
        return (await answer.json()) as Record<string, { exporterPhase: string }>;
      }),
    );
    const found = answers.flatMap((one) => Object.values(one).map((p) => p.exporterPhase));
    return [...new Set(found)];
  }

  let attempts = 0;
  const begin = () => {
    attempt = [];
    declared.failback = `attempt-${++attempts}`;
  };

  for (const [moment, at] of Object.entries(MOMENTS)) {
    for (const [what, happen] of Object.entries(ILLS)) {
      it(`${what} ${moment}: waits or is refused, and the next up goes on`, async () => {
        await world.startInstances("region0", 2);
        begin();
        ill = { at, happen };
        let { errors } = await up("region0");
        assert.equal(ill, undefined, "it did not happen");
        await healed;
        const said = [...errors];
        // Once more, as it says: on empty disks, and by a new name, also where it stays so.
        for (let runs = 0; runs < 3 && !errors.join().includes("not now"); runs++) {
          if (/recreate it empty/.test(errors.join())) {
            await world.search.lose("region1");
            await world.search.recreate("region1", "empty");
          }
          if (/new name/.test(errors.join()) || runs > 0) {
            begin();
          }
          ({ errors } = await up("region0"));
          said.push(...errors);
        }
        assert.match(errors.join("; "), /not now/, said.join("\n"));
        if (what === "killed" && moment === "while it restores") {
          assert.match(said.join("\n"), /lost \d+ of \d+ \S.* for good .*recreate it empty/);
        }
        assert.deepEqual(await phases(), ["PAUSED"]);
        delete declared.failback;
        await expectUp("region0");
        assert.deepEqual(await phases(), ["EXPORTING"]);
      });
    }
  }
});
