import assert from "node:assert/strict";
import { provider } from "../../../../components/recovery/providers/webApps";
import { provider as stop } from "../../../../components/recovery/providers/webAppsStop";
import { useClusterBench } from "../../../support/clusterBench";
import { begun, refusal } from "../../../support/failure";

const OPERATE = "camunda-operate";
const TASKLIST = "camunda-tasklist";

describe("WebApps", () => {
  const bench = useClusterBench();
  const patches = () => bench().api.requests.filter(({ method }) => method === "PATCH").length;

  it("stops both, waits until their pods are gone, and starts them again", async () => {
    await bench().start({ stopMs: 50 });
    bench().addDeployment(OPERATE, 1);
    bench().addDeployment(TASKLIST, 1);
    const stopped = await stop.create({ attempt: "one" });
    assert.equal(stopped.outs.record.how, "done");
    assert.deepEqual(stopped.outs.record.observed, { [OPERATE]: "0 ready", [TASKLIST]: "0 ready" });
    assert.deepEqual(bench().store.list("Pod", bench().namespace, { app: OPERATE }), []);
    const started = await provider.create({ replicas: 1, attempt: "one", abandoned: false });
    assert.deepEqual(started.outs.record.observed, { [OPERATE]: "1 ready", [TASKLIST]: "1 ready" });
    assert.equal(patches(), 4);
  });

  it("sends nothing when they are as wanted, or left out by values of the user's own", async () => {
    await bench().start();
    bench().configure({ helmValues: { camunda: { tasklist: { enabled: false } } } });
    bench().addDeployment(OPERATE, 1);
    const { outs } = await provider.create({ replicas: 1, attempt: "none", abandoned: false });
    assert.equal(outs.record.how, "already true");
    assert.deepEqual(outs.record.observed, { [OPERATE]: "1 ready" });
    assert.equal(patches(), 0);
  });

  it("does not take one that is missing for one that runs, and a refresh shows it", async () => {
    await bench().start();
    bench().addDeployment(OPERATE, 1);
    bench().addDeployment(TASKLIST, 1);
    const { id, outs } = await provider.create({ replicas: 1, attempt: "none", abandoned: false });
    bench().store.remove("Deployment", bench().namespace, TASKLIST);
    assert.equal((await provider.read(id, outs)).inputs.replicas, 0);
    await refusal(
      provider.create({ replicas: 1, attempt: "none", abandoned: false }),
      /camunda-tasklist in camunda-london does not come to 1 pods .*there is no such Deployment/,
    );
  });

  it("does not take a pod that is still going for stopped", async () => {
    await bench().start({ stopMs: 60_000 });
    bench().addDeployment(OPERATE, 1);
    bench().addDeployment(TASKLIST, 1);
    await provider.create({ replicas: 1, attempt: "none", abandoned: false });
    await begun(
      stop.create({ attempt: "one" }),
      /camunda-operate in camunda-london does not come to 0 pods .*0 wanted, 1 there/,
    );
  });

  it("is bounded while exporting is paused, and says that it cannot be resumed when no broker answers", async () => {
    await bench().start({ ready: () => false });
    bench().configure({
      lostRegion: "region1",
      failback: "one",
      exportPauseLimit: 100,
      timeouts: { webApps: 20, exporting: 0.3, settle: 0.2, request: 0.3 },
    });
    bench().addDeployment(OPERATE, 0);
    const started = Date.now();
    const pausedAt = new Date(started - 99_500).toISOString();
    await begun(
      provider.create({ replicas: 1, attempt: "one", abandoned: false, pausedAt }),
      /^exportPauseLimit has passed, and resuming exporting failed .*; resume it by hand \(exporting may stay paused\): kubectl /,
    );
    assert.ok(Date.now() - started < 10_000);
    assert.match(
      bench().lines.join("\n"),
      /past exportPauseLimit .*camunda-operate to have 1 pods/,
    );
  });

  it("does not take a pod that is not ready for started", async () => {
    await bench().start({ ready: (pod) => pod.metadata.labels?.app !== TASKLIST });
    bench().addDeployment(OPERATE, 1);
    bench().addDeployment(TASKLIST, 1);
    await refusal(
      provider.create({ replicas: 1, attempt: "none", abandoned: false }),
      /camunda-tasklist .*does not come to 1 pods .*1 wanted, 1 there, 0 ready/,
    );
  });

  it("finds by a refresh what somebody has stopped, and heals it", async () => {
    await bench().start();
    bench().addDeployment(OPERATE, 1);
    bench().addDeployment(TASKLIST, 1);
    const { id, outs } = await provider.create({ replicas: 1, attempt: "none", abandoned: false });
    bench().addDeployment(OPERATE, 0);
    const read = await provider.read(id, outs);
    assert.equal(read.inputs.replicas, 0);
    await provider.update(
      id,
      { ...outs, replicas: 0 },
      { replicas: 1, attempt: "none", abandoned: false },
    );
    assert.equal(bench().replicas(OPERATE), 1);
  });

  it("is not stopped twice in one attempt", async () => {
    await bench().start();
    bench().addDeployment(OPERATE, 1);
    bench().addDeployment(TASKLIST, 1);
    const { id, outs } = await stop.create({ attempt: "one" });
    await provider.create({ replicas: 1, attempt: "one", abandoned: false });
    await stop.update(id, outs, { attempt: "one" });
    assert.equal(bench().replicas(OPERATE), 1);
  });

  it("starts them again when the stack is destroyed in the middle, and sends nothing else", async () => {
    await bench().start();
    bench().addDeployment(OPERATE, 1);
    const { id, outs } = await stop.create({ attempt: "one" });
    await stop.delete(id, outs);
    assert.equal(bench().replicas(OPERATE), 1);
    const before = patches();
    await stop.delete(id, outs);
    assert.equal(patches(), before);
  });
});
