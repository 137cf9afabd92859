import assert from "node:assert/strict";
import { changesSomething } from "../../world/recorder";
import type { RegionStack } from "../../scripts/operator/stack";
import { Workspace } from "../../world/pulumi/workspace";
import { EmbeddedWorld } from "../../world/camunda/embedded";
import { drillHoldsAt } from "../support/drill";
import { RealKubernetesSite } from "./realSite";

describe("a recovery through real Kubernetes APIs", () => {
  drillHoldsAt(["region1"], () => new RealKubernetesSite(new EmbeddedWorld()));

  describe("whose port-forwards break in the middle", function () {
    this.timeout(900_000);
    let site: RealKubernetesSite;
    let workspace: Workspace | undefined;

    afterEach(async () => {
      await site.stop();
      await workspace?.dispose();
    });

    it("goes on with the next up: the answer to each change is lost once, none is made twice", async () => {
      const world = new EmbeddedWorld({ detectionMs: 300, electionMs: 200 });
      site = new RealKubernetesSite(world);
      await site.start();
      const { config, environment } = site.settings();
      const { clusterSize, partitionCount, replicationFactor } = world.shape;
      workspace = await Workspace.create({
        config: {
          ...config,
          ...{ clusterSize, partitionCount, replicationFactor },
          timeouts: { request: 5, loss: 20, absence: 1, settle: 0.2 },
        },
        environment,
      });
      const stack = await workspace.stack("region0");
      await stack.up();
      await (await workspace.stack("region1")).up();
      await world.startInstances("region0", 3);

      const lost: string[] = [];
      world.onRequest(({ method, path }) => {
        const [what = ""] = path.split("?");
        const request = `${method} ${what}`;
        if (changesSomething({ method, path, status: 0 }) && !lost.includes(request)) {
          lost.push(request);
          void site.breakStreams();
        }
      });

      await site.lose("region1");
      await stack.set("lostRegion", "region1");
      const failover = await upUntilDone(stack);
      assert.equal(phaseOf(await stack.outputs()), "failed-over");
      assert.deepEqual(world.cluster().members, [0, 2]);

      await site.recreate("region1");
      await workspace.recreate("region1");
      await upUntilDone(await workspace.stack("region1"));
      await stack.set("failback", "one");
      const failback = await upUntilDone(stack);
      assert.equal(phaseOf(await stack.outputs()), "restored");
      assert.deepEqual(world.cluster().members, [0, 1, 2, 3]);
      assert.deepEqual(await world.documents("region1"), await world.documents("region0"));

      console.log(`      ${lost.length} answers lost, ${failover + failback} ups failed`);
      const snapshot = "/_snapshot/camunda_backup/failback-region1-one";
      assert.deepEqual(
        [...lost].sort(),
        [
          "DELETE /_snapshot/camunda_backup-trial",
          "POST /actuator/cluster/brokers",
          "POST /actuator/exporters/elasticsearchregion1/disable",
          "POST /actuator/exporters/elasticsearchregion1/enable",
          "POST /actuator/exporting/pause",
          "POST /actuator/exporting/resume",
          `POST ${snapshot}/_restore`,
          "PUT /_snapshot/camunda_backup",
          "PUT /_snapshot/camunda_backup-trial",
          `PUT ${snapshot}`,
        ].sort(),
      );
      const made = site.recorder.changes().map(({ method, path }) => `${method} ${path}`);
      for (const once of [
        "POST /actuator/cluster/brokers?force=true",
        `PUT ${snapshot}`,
        `POST ${snapshot}/_restore`,
        `POST /actuator/cluster/brokers?replicationFactor=${replicationFactor}`,
      ]) {
        assert.equal(made.filter((request) => request === once).length, 1, once);
      }
    });
  });
});

/** Runs `up` until it ends well; returns how often it did not, each time because an answer was lost. */
async function upUntilDone(stack: RegionStack): Promise<number> {
  for (let failed = 0; ; failed++) {
    try {
      await stack.up();
      return failed;
    } catch (error) {
      assert.match(String(error), /does not answer|was not answered/);
      assert.ok(failed < 8, `up does not come to an end: ${String(error)}`);
    }
  }
}

function phaseOf(outputs: Record<string, unknown>): unknown {
  return (outputs.recovery as { phase?: unknown }).phase;
}
