import assert from "node:assert/strict";
import { KubeObject, ObjectStore } from "../../../../world/kubernetes/played/objects";

describe("the objects of a cluster", () => {
  it("cannot be changed by whoever looks at them, also by who has given them", () => {
    const store = new ObjectStore();
    const given: KubeObject = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "coredns", namespace: "kube-system" },
      data: { Corefile: "." },
    };
    const told: unknown[] = [];
    store.onChange(({ object }) => told.push(object));
    const looks = [
      store.apply(given),
      store.get("ConfigMap", "kube-system", "coredns"),
      store.list("ConfigMap")[0],
      ...told,
    ];
    assert.equal(looks.length, 4);
    for (const object of looks) {
      const { data } = object as { data: object };
      assert.ok(Object.isFrozen(object) && Object.isFrozen(data));
    }
    assert.ok(!Object.isFrozen(given.data));
    (given.data as Record<string, string>).Corefile = "mine";
    const kept = store.get("ConfigMap", "kube-system", "coredns");
    assert.deepEqual(kept?.data, { Corefile: "." });
  });
});
