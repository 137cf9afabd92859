import assert from "node:assert/strict";
import { send, Unreachable } from "../../../components/clients/http";
import { waitFor } from "../../../components/clients/poll";
import { credentialsOf } from "../../support/config";
import { failureOf } from "../../support/failure";
import { useServer } from "../../support/server";
import { useCluster } from "./cluster";

describe("port-forwards", () => {
  const server = useServer();
  const cluster = useCluster();
  let asked: string[] = [];

  beforeEach(() => {
    asked = [];
    cluster.hooks.forward = (_namespace, pod, port) => {
      asked.push(`${pod}:${port}`);
      return Number(new URL(server.url).port);
    };
    server.answer(200, {});
  });

  const addService = (spec: object) =>
    cluster.store.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "zeebe", namespace: "camunda" },
      spec: { selector: { app: "zeebe" }, ports: [{ port: 80, targetPort: "http" }], ...spec },
    });
  const get = (rest: string) => send("GET", cluster.url(rest), { timeoutMs: 5_000 });
  const why = async (rest: string): Promise<string> => {
    const error = await failureOf(get(rest));
    assert.ok(error instanceof Unreachable, String(error));
    assert.doesNotMatch(error.message, /\n/);
    return error.why;
  };

  const noneOpen = () =>
    waitFor(
      "the streams to end",
      5,
      () => undefined,
      async () =>
        cluster.server.openForwards === 0
          ? { done: true, value: undefined }
          : { done: false, seen: `${cluster.server.openForwards} open` },
    );

  it("takes the first pod of a service that is ready and stays", async () => {
    addService({});
    cluster.addPod("zeebe-0", false);
    cluster.addPod("zeebe-1", true, { deletionTimestamp: new Date().toISOString() });
    cluster.addPod("zeebe-2", true);
    cluster.addPod("zeebe-3", true);
    await get("service/zeebe/80");
    assert.deepEqual(asked, ["zeebe-2:9600"]);
  });

  it("takes no pod that is not ready, unless the service publishes such", async () => {
    addService({});
    cluster.addPod("zeebe-0", false);
    assert.equal(
      await why("service/zeebe/80"),
      "none of the pods behind service zeebe is ready: zeebe-0 Running",
    );
    assert.deepEqual(asked, []);
    addService({ clusterIP: "None", publishNotReadyAddresses: true });
    await get("service/zeebe/80");
    assert.deepEqual(asked, ["zeebe-0:9600"]);
    cluster.addPod("zeebe-1", true);
    await get("service/zeebe/80");
    assert.deepEqual(asked, ["zeebe-0:9600", "zeebe-1:9600"]);
  });

  it("says of a pod that failed that it is not ready", async () => {
    addService({ publishNotReadyAddresses: true });
    cluster.addPod("zeebe-0", false);
    cluster.hooks.forward = () => undefined;
    assert.match(await why("service/zeebe/80"), /^pod zeebe-0, which is not ready: .*refused$/);
  });

  it("does not guess a port: neither of a name that no container has, nor of a service without pods", async () => {
    addService({ ports: [{ port: 80, targetPort: "https" }] });
    cluster.addPod("zeebe-0", true);
    assert.equal(await why("service/zeebe/80"), "pod zeebe-0 has no port named https");
    addService({ selector: {} });
    assert.equal(await why("service/zeebe/80"), "service zeebe selects no pods");
    assert.deepEqual(asked, []);
  });

  it("does not take the refusal of the API for the pod's answer", async () => {
    cluster.addPod("zeebe-0", true);
    const token = cluster.server.token;
    Object.assign(cluster.server, { token: "another" });
    try {
      assert.match(
        await why("pod/zeebe-0/9600"),
        /answered 401: the credentials are not accepted$/,
      );
    } finally {
      Object.assign(cluster.server, { token });
    }
    assert.equal((await get("pod/zeebe-0/9600")).status, 200);
  });

  it("keeps a user's password out of errors and out of the API's log", async () => {
    cluster.addPod("zeebe-0", true);
    server.do((response) => response.destroy());
    const error = await failureOf(
      send("GET", cluster.url("pod/zeebe-0/9600/a?token=hush"), {
        timeoutMs: 5_000,
        credentials: credentialsOf({ management: { token: "hush" } }).region0.management,
      }),
    );
    // To the pod, and not to the API that leads there, which has an `Authorization` of its own.
    assert.equal(server.received[0]?.headers.authorization, "Bearer hush");
    assert.ok(cluster.server.requests.length > 0);
    assert.doesNotMatch(`${String(error)} ${JSON.stringify(error)}`, /hush/);
    assert.doesNotMatch(JSON.stringify(cluster.server.requests), /hush/);
  });

  it("goes past the proxy of the environment, which knows no pods", async () => {
    cluster.addPod("zeebe-0", true);
    process.env.http_proxy = "http://127.0.0.1:1";
    try {
      assert.equal((await get("pod/zeebe-0/9600")).status, 200);
    } finally {
      delete process.env.http_proxy;
    }
  });

  it("opens one stream for one request, and leaves none open", async () => {
    cluster.addPod("zeebe-0", true);
    await get("pod/zeebe-0/9600");
    await get("pod/zeebe-0/9600");
    const streams = cluster.server.requests.filter(({ status }) => status === 101);
    assert.equal(streams.length, 2);
    await noneOpen();
  });

  it("closes the stream of a request that it gave up", async () => {
    cluster.addPod("zeebe-0", true);
    let open = 0;
    server.do(() => (open = cluster.server.openForwards));
    const asked = send("GET", cluster.url("pod/zeebe-0/9600"), { timeoutMs: 1_500 });
    assert.ok((await failureOf(asked)) instanceof Unreachable);
    assert.equal(open, 1);
    await noneOpen();
  });

  it("names an address that is none", async () => {
    const error = await failureOf(
      send("GET", "kubernetes://here/camunda/zeebe-0/9600", { timeoutMs: 1_000 }),
    );
    assert.match(String(error), /is neither pod nor service/);
    assert.ok(error instanceof Unreachable);
  });
});
