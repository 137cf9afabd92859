import assert from "node:assert/strict";
import { provider } from "../../../../components/recovery/providers/elasticsearchHealth";
import { useClusterBench } from "../../../support/clusterBench";
import { refusal } from "../../../support/failure";

const NAME = "camunda-elasticsearch-master";

describe("ElasticsearchHealth", () => {
  const bench = useClusterBench();

  it("waits until every node is ready", async () => {
    await bench().start({ ready: () => false });
    bench().configure({ timeouts: { request: 10, formation: 20 } });
    bench().store.remove("Pod", bench().namespace, `${NAME}-0`);
    bench().addStatefulSet(NAME, 2);
    const created = provider.create({ nodes: 2 });
    for (const pod of [`${NAME}-0`, `${NAME}-1`]) {
      await bench().until(`${pod} is there`, () => bench().setReady(pod));
    }
    assert.deepEqual((await created).outs.record.observed, { ready: 2 });
  });

  it("does not take one of two for ready, nor none for missing pods only", async () => {
    await bench().start({ ready: ({ metadata }) => metadata.name.endsWith("-0") });
    await refusal(provider.create({ nodes: 2 }), /there is no StatefulSet camunda-elasticsearch/);
    bench().store.remove("Pod", bench().namespace, `${NAME}-0`);
    bench().addStatefulSet(NAME, 2);
    await refusal(
      provider.create({ nodes: 2 }),
      /^Elasticsearch of region0: 1 of 2 pods ready \(waited 1 s\): mend its StatefulSet/,
    );
  });

  it("does not take an Elasticsearch without a node for one that is ready", async () => {
    await bench().start();
    bench().store.remove("Pod", bench().namespace, `${NAME}-0`);
    bench().addStatefulSet(NAME, 0);
    await refusal(provider.create({ nodes: 2 }), /^Elasticsearch of region0: 0 of 0 pods ready/);
  });

  it("does not take pods of before a change for those after it, which the cluster has not begun yet", async () => {
    await bench().start();
    bench().store.remove("Pod", bench().namespace, `${NAME}-0`);
    bench().addStatefulSet(NAME, 1);
    await bench().until("the pod is ready", () => bench().observed(NAME)["readyReplicas"] === 1);
    bench().changeUnseen(NAME);
    await refusal(
      provider.create({ nodes: 1 }),
      /^Elasticsearch of region0: 1 of 1 pods ready, of before its last change \(waited 1 s\)/,
      /^.{1,160}$/,
    );
    bench().seeChange(NAME);
    assert.deepEqual((await provider.create({ nodes: 1 })).outs.record.observed, { ready: 1 });
  });

  it("says that the cluster forbids its pods", async () => {
    await bench().start();
    bench().forbidPods(NAME, 2);
    await refusal(
      provider.create({ nodes: 2 }),
      /^Elasticsearch of region0: 0 of 2 pods ready, PodSecurity "restricted" forbids them/,
      /^.{1,160}$/,
    );
  });
});
