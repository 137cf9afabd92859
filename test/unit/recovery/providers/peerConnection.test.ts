import assert from "node:assert/strict";
import { provider } from "../../../../components/recovery/providers/peerConnection";
import { useClusterBench } from "../../../support/clusterBench";
import { refusal } from "../../../support/failure";

const DNS = "10.30.0.10:53";
const ELASTICSEARCH = "camunda-elasticsearch-master-hl.camunda-paris.svc.cluster.local:9200";
const BROKER = "camunda-zeebe-0.camunda-zeebe.camunda-paris.svc.cluster.local:26502";
const cut = () =>
  provider.create({ state: "cut", declaration: { kind: "failed-over", lost: "region1" } });
const open = () => provider.create({ state: "open", declaration: { kind: "steady" } });

describe("PeerConnection", () => {
  const bench = useClusterBench();

  it("is cut when neither the other region's names nor its Elasticsearch answer", async () => {
    await bench().start();
    const { outs } = await cut();
    assert.deepEqual(outs.record.observed, { cut: [DNS, ELASTICSEARCH], addresses: [] });
    assert.deepEqual(bench().probed.sort(), [DNS, ELASTICSEARCH]);
  });

  for (const target of [DNS, ELASTICSEARCH]) {
    it(`refuses to force brokers out while ${target} still answers`, async () => {
      await bench().start();
      bench().reaches = { [target]: [0.001, 0.02] };
      await refusal(
        cut(),
        new RegExp(`^the fence to region1 is not proved: still answering: ${target.slice(0, 50)}`),
      );
    });
  }

  it("waits for a fence that takes some time", async () => {
    await bench().start();
    bench().reaches = { [DNS]: [0, 0.02] };
    bench().answer = () => {
      bench().answer = undefined;
      bench().reaches = {};
      return { stdout: "0.000000 0.020000", exitCode: 0 };
    };
    await cut();
    assert.ok(bench().probed.length >= 2);
  });

  it("does not take silence for a fence", async () => {
    await bench().start();
    bench().answer = () => ({ stdout: "", stderr: "curl: not found", exitCode: 127 });
    await refusal(cut(), /curl in pod\/camunda-elasticsearch-master-0/);
  });

  it("does not take a missing pod for a fence, and names the override", async () => {
    await bench().start();
    bench().store.remove("Pod", bench().namespace, "camunda-elasticsearch-master-0");
    await refusal(cut(), /camunda-elasticsearch-master-0/);
  });

  it("goes on without a proof for a written reason, which it keeps", async () => {
    await bench().start();
    bench().configure({ overrides: { "fence-unproved": "Elasticsearch of ours is down as well" } });
    bench().reaches = { [DNS]: [0, 0.02] };
    const { outs } = await cut();
    assert.deepEqual(outs.record.observed, {
      unproved: "Elasticsearch of ours is down as well",
      addresses: [],
    });
  });

  it("refuses a fence that another policy makes void", async () => {
    await bench().start();
    bench().addPolicy("camunda-peer-fence", { egress: [{ to: [] }] });
    bench().addPolicy("monitoring", { ingress: [{ from: [{ podSelector: {} }] }] });
    bench().addPolicy("internet", {
      egress: [
        {
          to: [
            {
              ipBlock: {
                cidr: "0.0.0.0/0",
                except: ["10.30.0.0/20", "10.32.0.0/14", "100.65.0.0/16", "10.40.0.0/20"],
              },
            },
          ],
        },
      ],
    });
    await cut();
    bench().addPolicy("everything", { egress: [{}] });
    await refusal(cut(), /^NetworkPolicy everything in camunda-london lets pods reach region1/);
    bench().addPolicy("everything", {
      ingress: [{ from: [{ ipBlock: { cidr: "10.32.4.0/24" } }] }],
    });
    await refusal(cut(), /^NetworkPolicy everything /);
    // Of the second range of pods, which a rule of the first one forgets.
    bench().addPolicy("everything", {
      egress: [
        {
          to: [
            {
              ipBlock: {
                cidr: "0.0.0.0/0",
                except: ["10.30.0.0/20", "10.32.0.0/14", "10.40.0.0/20"],
              },
            },
          ],
        },
      ],
    });
    await refusal(cut(), /^NetworkPolicy everything /);
  });

  it("is open when Elasticsearch and a broker of the other region are reached by name, with the round trip", async () => {
    await bench().start();
    bench().reaches = {
      [ELASTICSEARCH]: [0.004, 0.016, "10.32.0.7"],
      [BROKER]: [0.002, 0.01, "10.32.0.8"],
    };
    const { outs } = await open();
    assert.deepEqual(outs.record.observed, {
      reached: [ELASTICSEARCH, BROKER],
      addresses: ["10.32.0.7:9200", "10.32.0.8:26502"],
      roundTripMs: 8,
    });
    assert.deepEqual(bench().lines, []);
  });

  it("proves a fence with the pods that it has reached before, where the names are asked in UDP", async () => {
    await bench().start();
    const dns = {
      kind: "kube-dns",
      addresses: { region0: ["10.10.0.10"], region1: ["10.30.0.10"] },
    };
    bench().configure({ dns });
    await refusal(cut(), /^the fence to region1 is not proved: this stack has never reached it/);
    bench().reaches = {
      [ELASTICSEARCH]: [0.004, 0.016, "10.32.0.7"],
      [BROKER]: [0.002, 0.01, "10.32.0.8"],
    };
    const { id, outs } = await open();
    // Its name is gone already, and yet it is reached.
    bench().reaches = { "10.32.0.7:9200": [0, 0.012, "10.32.0.7"] };
    const closing = () =>
      provider.update(id, outs, {
        state: "cut",
        declaration: { kind: "failed-over", lost: "region1" },
      });
    await refusal(
      closing(),
      /^the fence to region1 is not proved: still answering: 10\.32\.0\.7:9200/,
    );
    bench().reaches = {};
    const closed = await closing();
    assert.deepEqual(closed.outs.record.observed.addresses, ["10.32.0.7:9200", "10.32.0.8:26502"]);
  });

  it("warns of a round trip that Camunda does not support", async () => {
    await bench().start();
    bench().reaches = { [ELASTICSEARCH]: [0.001, 0.151], [BROKER]: [0.001, 0.131] };
    await open();
    assert.match(bench().lines.join("\n"), /^warning: the round trip to region1 takes 130 ms/);
  });

  it("names what does not resolve, and what does but does not answer", async () => {
    await bench().start();
    await refusal(
      open(),
      /^region1 cannot be reached .*master-hl.* does not resolve .*npm run up$/,
    );
    bench().reaches = { [ELASTICSEARCH]: [0.004, 0.016], [BROKER]: [0.002, 0] };
    await refusal(open(), /camunda-zeebe-0.*:26502 does not answer/);
  });

  const SET = "camunda-elasticsearch-master";

  it("waits for the pod of Elasticsearch from which it looks", async () => {
    await bench().start();
    bench().store.remove("Pod", bench().namespace, `${SET}-0`);
    bench().reaches = { [ELASTICSEARCH]: [0.004, 0.016], [BROKER]: [0.002, 0.01] };
    const opened = open();
    await bench().until("it has asked in vain", () =>
      bench().api.requests.some(({ path, status }) => path.includes(`${SET}-0`) && status === 404),
    );
    bench().addStatefulSet(SET, 1);
    await opened;
  });

  it("says that the other region is not reached when the pod has come", async () => {
    await bench().start();
    bench().store.remove("Pod", bench().namespace, `${SET}-0`);
    bench().reaches = {};
    const opened = refusal(open(), /^region1 cannot be reached from a pod here: /);
    await bench().until("it has asked in vain", () =>
      bench().api.requests.some(({ path, status }) => path.includes(`${SET}-0`) && status === 404),
    );
    bench().addStatefulSet(SET, 1);
    await opened;
  });

  it("says that the pod does not come, and why: a cluster that forbids privileged pods", async () => {
    await bench().start();
    bench().store.remove("Pod", bench().namespace, `${SET}-0`);
    bench().forbidPods(SET, 2);
    await refusal(
      open(),
      /^region1 is not looked for: camunda-elasticsearch-master has 0 of 2 pods ready, PodSecurity "restricted" forbids them /,
      /^.{1,160}$/,
    );
  });
});
