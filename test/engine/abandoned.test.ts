import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { Scene } from "./scene";

describe("an abandoned failback", function () {
  this.timeout(900_000);
  let scene: Scene;
  const folder = mkdtempSync(path.join(tmpdir(), "web-apps-"));
  const stopped = path.join(folder, "stopped");
  const log = path.join(folder, "log");

  afterEach(() => scene?.end());
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("after a failed snapshot resumes exporting and starts the web applications; the next attempt does every step again", async () => {
    scene = await Scene.of({
      commands: true,
      config: {
        webApps: {
          stop: `touch ${stopped}; echo stop >> ${log}`,
          start: `rm -f ${stopped}; echo start >> ${log}`,
        },
      },
    });
    await scene.failOver();
    await scene.world.recreate("region1");
    const heal = scene.world.inject({
      method: "GET",
      path: /_snapshot\/camunda_backup\/failback/,
      transform: (body, status) => {
        if (status === 200) {
          body.snapshots[0].state = "PARTIAL";
          body.snapshots[0].shards.failed = 1;
        }
        return body;
      },
    });
    await scene.stack.set("failback", "one");
    await assert.rejects(scene.stack.up(), /ended as PARTIAL, 1 of \d+ shards failed/);
    heal();
    assert.ok(existsSync(stopped), "the web applications are stopped while the attempt stands");
    assert.equal((await scene.recovery()).phase, "failed-over");

    await scene.stack.unset("failback");
    const mark = scene.mark();
    await scene.stack.up();
    assert.deepEqual(scene.since(mark), ["POST /actuator/exporting/resume"]);
    assert.ok(!existsSync(stopped), "the web applications are back");
    assert.equal((await scene.recovery()).phase, "failed-over");

    await scene.stack.set("failback", "one");
    await assert.rejects(scene.stack.up(), /failback is one, the name of an earlier attempt/);

    await scene.stack.set("failback", "two");
    const next = scene.mark();
    await scene.stack.up();
    assert.deepEqual(
      scene.since(next).map((request) => request.split(" ")[1]),
      [
        "/_snapshot/camunda_backup-trial",
        "/_snapshot/camunda_backup-trial",
        "/actuator/exporting/pause",
        "/_snapshot/camunda_backup/failback-region1-two",
        "/_snapshot/camunda_backup",
        "/_snapshot/camunda_backup/failback-region1-two/_restore",
        "/actuator/exporters/elasticsearchregion1/enable",
        "/actuator/exporting/resume",
        "/actuator/cluster/brokers?replicationFactor=4",
      ],
    );
    assert.equal((await scene.recovery()).phase, "restored");
    assert.ok(!existsSync(stopped));
    assert.deepEqual(readFileSync(log, "utf8").trim().split("\n"), [
      "start",
      "stop",
      // By the update that asserts them, and by the step that goes.
      "start",
      "start",
      "stop",
      "start",
    ]);
  });

  it("after the restore cleans up what it restored itself before it restores again", async () => {
    scene = await Scene.of();
    await scene.failOver();
    await scene.world.recreate("region1");
    const heal = scene.world.inject({
      method: "POST",
      path: /exporters\/elasticsearchregion1\/enable/,
      respond: { status: 500, body: { message: "not now" } },
    });
    await scene.stack.set("failback", "one");
    await assert.rejects(scene.stack.up(), /not now/);
    heal();
    await scene.stack.unset("failback");
    await scene.stack.up();
    await scene.world.startInstances("region0", 5);
    await scene.stack.set("failback", "two");
    const mark = scene.mark();
    await scene.stack.up();
    assert.ok(scene.since(mark).some((request) => request.startsWith("DELETE /zeebe-record")));
    assert.deepEqual(
      await scene.world.instanceKeys("region1"),
      await scene.world.instanceKeys("region0"),
    );
  });
});
