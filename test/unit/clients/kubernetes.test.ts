import { generationOf } from "../../../components/generations";
import assert from "node:assert/strict";
import { Refused, Unreachable } from "../../../components/clients/http";
import { Controllers, podStatus } from "../../../world/kubernetes/played/controllers";
import type { CommandResult } from "../../../world/kubernetes/played/apiServer";
import { failureOf } from "../../support/failure";
import { useCluster } from "./cluster";

describe("the Kubernetes client", () => {
  const cluster = useCluster();
  const deployment = (replicas: number, status?: object) =>
    cluster.store.apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "operate", namespace: "camunda" },
      spec: {
        replicas,
        selector: { matchLabels: { app: "operate" } },
        template: { metadata: { labels: { app: "operate" } } },
      },
      ...(status && { status }),
    });
  const seen = () => cluster.client.deployment("camunda", "operate");

  describe("deployments", () => {
    it("counts a pod that is still going", async () => {
      deployment(0, { observedGeneration: 1, replicas: 0 });
      cluster.addPod("operate-1", true, {
        labels: { app: "operate" },
        deletionTimestamp: new Date().toISOString(),
      });
      assert.deepEqual(await seen(), { wanted: 0, replicas: 1, ready: 0, current: true });
    });

    it("counts no pod that has ended, and none of another deployment", async () => {
      deployment(1, { observedGeneration: 1, replicas: 1, readyReplicas: 1 });
      cluster.addPod("operate-1", true, { labels: { app: "operate" } });
      cluster.addPod("operate-0", true, { labels: { app: "operate" } });
      cluster.store.patch("Pod", "camunda", "operate-0", { status: { phase: "Failed" } });
      cluster.addPod("tasklist-0", true, { labels: { app: "tasklist" } });
      assert.deepEqual(await seen(), { wanted: 1, replicas: 1, ready: 1, current: true });
    });

    it("does not take the status of the last wish for that of this one", async () => {
      deployment(1, { observedGeneration: 1, replicas: 1 });
      await cluster.client.scale("camunda", "operate", 0);
      assert.deepEqual(await seen(), { wanted: 0, replicas: 0, ready: 0, current: false });
    });

    it("are told of by the stand-in when their pods are to be another number", async () => {
      const scaled: [number, number][] = [];
      const controllers = new Controllers(cluster.store, {
        onScaled: (_object, replicas, before) => scaled.push([replicas, before]),
      });
      try {
        deployment(1);
        await cluster.client.scale("camunda", "operate", 1);
        await cluster.client.scale("camunda", "operate", 0);
        assert.deepEqual(scaled, [
          [1, 0],
          [0, 1],
        ]);
      } finally {
        controllers.close();
      }
    });
  });

  describe("commands", () => {
    const exec = (timeoutMs?: number) =>
      cluster.client.exec("camunda", "zeebe-0", "zeebe", ["date"], timeoutMs);

    beforeEach(() => cluster.addPod("zeebe-0", true));

    it("are not ended when their stream breaks before they say so", async () => {
      cluster.hooks.exec = async () => {
        await cluster.server.close();
        return { stdout: "half", exitCode: 0 };
      };
      const error = await failureOf(exec());
      assert.ok(error instanceof Unreachable, String(error));
      assert.match(error.why, /the stream broke off before the command ended/);
    });

    it("are refused by name when they cannot start", async () => {
      cluster.hooks.exec = () => Promise.reject(new Error("container not found"));
      const error = await failureOf(exec());
      assert.ok(error instanceof Refused, String(error));
      assert.match(
        error.message,
        /^date in pod\/zeebe-0 \(container zeebe\) in namespace camunda of context here answered 500: .*container not found$/,
      );
    });

    it("are not waited for when the region is lost", async () => {
      cluster.hooks.exec = async () => {
        cluster.server.lose(5_000);
        return { stdout: "", exitCode: 0 };
      };
      assert.match(String(await failureOf(exec(300))), /no answer within 0.3 s: still waiting/);
    });
  });

  describe("probe", () => {
    let result: CommandResult;
    let command: string[] = [];

    beforeEach(() => {
      cluster.store.apply({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "camunda-elasticsearch-master-0", namespace: "camunda" },
        status: podStatus(false),
      });
      cluster.hooks.exec = (_namespace, pod, container, argv) => {
        assert.deepEqual([pod, container], ["camunda-elasticsearch-master-0", "elasticsearch"]);
        command = argv;
        return Promise.resolve(result);
      };
    });

    const probe = (host = "dns.example") =>
      cluster.client.probe("camunda", generationOf("8.6").objects.lookout, host, 53);

    it("has curl connect, within seconds", async () => {
      result = { stdout: "0.001000 0.021000 10.202.7.4", exitCode: 0 };
      assert.deepEqual(await probe(), {
        resolved: true,
        connected: true,
        roundTripMs: 20,
        address: "10.202.7.4",
      });
      assert.deepEqual(command, [
        ...["curl", "--silent", "--output", "/dev/null", "--connect-timeout", "3"],
        ...["--max-time", "4", "--write-out", "%{time_namelookup} %{time_connect} %{remote_ip}"],
        "http://dns.example:53/",
      ]);
    });

    it("goes by the times alone, whatever curl's exit code is", async () => {
      const cases: [string, number, object][] = [
        // A DNS server accepts the connection and answers no HTTP.
        ["0.001000 0.011000", 52, { resolved: true, connected: true, roundTripMs: 10 }],
        ["0.001000 0.000000", 28, { resolved: true, connected: false }],
        ["0.000000 0.000000", 6, { resolved: false, connected: false }],
        ["0.000000 0.000000", 0, { resolved: false, connected: false }],
      ];
      for (const [stdout, exitCode, expected] of cases) {
        result = { stdout, exitCode };
        const { roundTripMs, ...rest } = await probe();
        const rounded = roundTripMs && Math.round(roundTripMs);
        assert.deepEqual({ ...rest, ...(rounded && { roundTripMs: rounded }) }, expected);
      }
    });

    it("needs no name server for an address", async () => {
      result = { stdout: "0.000000 0.000000", exitCode: 28 };
      assert.deepEqual(await probe("10.192.7.4"), { resolved: true, connected: false });
    });

    it("does not take silence or half an output for a port that is closed", async () => {
      for (const [stdout, exitCode] of [
        ["", 0],
        ["", 127],
        ["0.001000", 0],
        ["0.001000 0.0", 0],
        ["0.001000 ", 28],
        ["0.001000 0.000000 0.5", 0],
        ["curl: (1) Protocol not supported", 1],
        ["-0.001000 0.000000", 0],
        ["0.001000 0.000000\n0.001000 0.000000", 0],
      ] as const) {
        result = { stdout, exitCode };
        const error = await failureOf(probe());
        assert.ok(error instanceof Refused, `${stdout}: ${String(error)}`);
        assert.match(error.message, /printed no times/);
        assert.doesNotMatch(error.message, /\n/);
      }
    });
  });
});
