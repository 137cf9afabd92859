import assert from "node:assert/strict";
import type { KubeObject } from "../../world/kubernetes/played/objects";
import type { RegionName } from "../../world/world";
import { expectLine } from "../support/failure";
import { Installation } from "./installation";
import { refusalOf } from "./refusal";

/** As long as a wait may be here: what is to end by it must. */
const STEP_SECONDS = 15;

/** All waits of a step, one after the other, its requests, and the start of a run on a busy machine. */
const RUN_SECONDS = 120;

const CHANGES = {
  force: /^POST \/actuator\/cluster\/brokers\?force=true/,
  pause: /^POST \/actuator\/exporting\/pause/,
  restore: /^POST .*\/_restore$/,
};

describe("a recovery whose Kubernetes API stands still", function () {
  this.timeout(900_000);
  const installation = new Installation();

  before(async () => {
    const waits = [
      ...["loss", "failover", "exporter", "exporting", "snapshot", "restore", "catchUp", "join"],
      ...["webApps", "gate"],
    ];
    await installation.start({
      timeouts: {
        ...Object.fromEntries(waits.map((name) => [name, STEP_SECONDS])),
        ...{ settle: 1, absence: 2, formation: 60, request: 10 },
      },
    });
    await installation.install();
    await installation.world.world.startInstances("region0", 2);
  });
  after(() => installation.stop());

  /** Has the API of a region stand still as soon as this is asked of the brokers or the Elasticsearch behind it. */
  const onRequest =
    (wanted: RegExp) =>
    (freeze: () => void): void => {
      installation.world.world.onRequest(({ method, path }) => {
        if (wanted.test(`${method} ${path}`)) {
          freeze();
        }
      });
    };

  /** Or as soon as the web applications are to stop. */
  const onStop = (freeze: () => void): Promise<void> =>
    installation.cluster("region0").watch(["apps/v1/Deployment"], (_type, { spec }: KubeObject) => {
      if ((spec as { replicas?: number }).replicas === 0) {
        freeze();
      }
    });

  /** An `up` in which the API of a region stands still from a moment on: ends by itself, with one line. */
  async function frozenUp(
    region: RegionName,
    arm: (freeze: () => void) => void | Promise<void>,
    ...expected: RegExp[]
  ): Promise<void> {
    const cluster = installation.cluster(region);
    let state: "armed" | "frozen" | "over" = "armed";
    await arm(() => {
      if (state === "armed") {
        state = "frozen";
        cluster.freeze();
      }
    });
    const began = Date.now();
    try {
      const text = await refusalOf((await installation.stack("region0")).up());
      assert.equal(state, "frozen", `it was not met: ${text}`);
      assert.ok(Date.now() - began < RUN_SECONDS * 1000, "it did not end in time");
      // Of a step that has begun something the engine makes a list.
      expectLine(text.replace(/^1 error occurred:\s+\* /, "").trim(), expected);
    } finally {
      state = "over";
      cluster.thaw();
    }
  }

  /** The API answers again: the next `up` does the work. On a busy machine a wait of these may be too short. */
  async function heal(phase: string): Promise<void> {
    const stack = await installation.stack("region0");
    for (let tries = 1; ; tries++) {
      const error = await stack.up().then(
        () => undefined,
        (why: unknown) => String(why),
      );
      if (error === undefined) {
        break;
      }
      assert.ok(tries < 4, error);
    }
    assert.equal(((await stack.outputs()).recovery as { phase?: string }).phase, phase);
  }

  const made = (wanted: RegExp) =>
    installation.world.recorder
      .changes()
      .filter(({ method, path }) => wanted.test(`${method} ${path}`)).length;

  async function exporterPhases(): Promise<string[]> {
    const brokers = Object.values(installation.world.world.endpoints.region0.brokers);
    const answers = await Promise.all(
      brokers.map(async (url) => (await fetch(`${url}/actuator/partitions`)).json()),
    );
    const replicas = (answers as Record<string, { exporterPhase: string }>[]).flatMap((one) =>
      Object.values(one),
    );
    return [...new Set(replicas.map(({ exporterPhase }) => exporterPhase))];
  }

  it("says of a failover that the own cluster cannot be asked, and begins nothing", async () => {
    // The API of the lost region stands still from here on.
    await installation.world.lose("region1");
    await (await installation.stack("region0")).set("lostRegion", "region1");
    const before = made(/./);
    await frozenUp(
      "region0",
      (freeze) => freeze(),
      /the cluster of region0 cannot be asked \(no answer within 10 s: still waiting for the Kubern.*\): mend it/,
    );
    assert.equal(made(/./), before);
  });

  it("fails over when the answer to the forced removal was lost by it, with no second one", async () => {
    await frozenUp(
      "region0",
      onRequest(CHANGES.force),
      /^service\/camunda-zeebe-gateway.* does not answer /,
    );
    await heal("failed-over");
    assert.equal(made(CHANGES.force), 1);
  });

  it("ends where the web applications stop, and where exporting is paused, and says so", async () => {
    await installation.world.recreate("region1");
    await installation.workspace.recreate("region1");
    await (await installation.stack("region1")).up();
    await (await installation.stack("region0")).set("failback", "one");
    await frozenUp(
      "region0",
      onStop,
      /deployment\/camunda-\w+ in namespace camunda-london of context cluster-london .* \(exporting may stay paused\)$/,
    );
    await frozenUp(
      "region0",
      onRequest(CHANGES.pause),
      /resume it by hand \(exporting may stay paused\): kubectl --context 'cluster-london' /,
    );
  });

  it("goes on when the API of the recreated region stood still in the restore", async () => {
    await frozenUp(
      "region1",
      onRequest(CHANGES.restore),
      /service\/camunda-elasticsearch-\S+ .*does not answer .* \(exporting stays paused\)$/,
    );
    await heal("restored");
    assert.equal(made(CHANGES.restore), 1);
    assert.deepEqual(await exporterPhases(), ["EXPORTING"]);
    assert.deepEqual(Object.values(installation.world.webApps("region0")), [1, 1]);
    assert.deepEqual(
      await installation.world.world.documents("region1"),
      await installation.world.world.documents("region0"),
    );
  });
});
