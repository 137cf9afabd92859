import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { send, Unreachable } from "../../../components/clients/http";
import { KubernetesClient } from "../../../components/clients/kubernetes";
import { clusterAccess } from "../../../components/clients/kubernetesAccess";
import { loopbackCertificate } from "../../../world/kubernetes/played/certificate";
import { FakeAwsAnswers, FakeCluster, makeFakeAws, writeAnswers } from "../../../world/aws/fakeAws";
import { failureOf } from "../../support/failure";
import { useServer } from "../../support/server";
import { useCluster } from "./cluster";

describe("access to a cluster", () => {
  const cluster = useCluster();
  const line = async (operation: Promise<unknown>): Promise<string> => {
    const error = await failureOf(operation);
    assert.ok(error instanceof Error);
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  };

  describe("by a context of the kubeconfig", () => {
    const context = (name: string) => clusterAccess({ kind: "kubernetes", context: name });
    const file = (name: string, text: string) => {
      const path = join(cluster.folder, name);
      writeFileSync(path, text);
      return path;
    };

    it("takes the context, whatever the current one is", async () => {
      const config = await context("here");
      assert.equal(config.getCurrentCluster()?.server, cluster.server.url);
    });

    it("merges files as kubectl does: the first wins, a missing one is none", async () => {
      const first = file("first", cluster.server.kubeconfig("here"));
      const other = cluster.server
        .kubeconfig("here")
        .replaceAll(cluster.server.url, "https://wrong");
      const second = file("second", other);
      const third = file("third", cluster.server.kubeconfig("there"));
      process.env.KUBECONFIG = [first, join(cluster.folder, "none"), second, third].join(":");
      assert.equal((await context("here")).getCurrentCluster()?.server, cluster.server.url);
      assert.equal((await context("there")).getCurrentCluster()?.server, cluster.server.url);
    });

    it("takes an empty file for a configuration without entries, as kubectl does", async () => {
      const files = ["", "\n  \n", "# nothing\n---\n"].map((text, n) => file(`empty${n}`, text));
      const real = file("real", cluster.server.kubeconfig("here"));
      process.env.KUBECONFIG = [...files, real].join(":");
      assert.equal((await context("here")).getCurrentCluster()?.server, cluster.server.url);
      process.env.KUBECONFIG = files.join(":");
      assert.match(await line(context("here")), /: it has none;/);
    });

    it("goes through the proxy of the environment, unless NO_PROXY or the kubeconfig says otherwise", async () => {
      const proxyOf = async () => (await context("here")).getCurrentCluster()?.proxyUrl;
      const kubeconfig = cluster.server.kubeconfig("here");
      const before = { ...process.env };
      try {
        process.env.KUBECONFIG = file(
          "far",
          kubeconfig.replaceAll(cluster.server.url, "https://far.test:6443"),
        );
        process.env.HTTPS_PROXY = "http://proxy.test:3128";
        assert.equal(await proxyOf(), "http://proxy.test:3128");
        process.env.NO_PROXY = "far.test";
        assert.equal(await proxyOf(), undefined);
      } finally {
        process.env = before;
      }
    });

    it("runs a credential plugin by a path that is relative to the kubeconfig, and names one that is not there", async () => {
      const withPlugin = (exec: string) =>
        cluster.server
          .kubeconfig("here")
          .replace(
            / {6}token: .*/,
            `      exec: { apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, ${exec} }`,
          );
      const plugin = file(
        "plugin.sh",
        `#!/bin/sh\necho '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}'\n`,
      );
      chmodSync(plugin, 0o755);
      process.env.KUBECONFIG = file("relative", withPlugin("command: ./plugin.sh"));
      const user = (await context("here")).getCurrentUser();
      assert.equal((user?.exec as { command: string }).command, plugin);
      process.env.KUBECONFIG = file(
        "missing",
        withPlugin("command: no-such-login, installHint: 'get it from the intranet'"),
      );
      const url = "kubernetes://here/camunda/pod/zeebe-0/9600/actuator";
      assert.match(
        await line(send("GET", url, { timeoutMs: 5_000 })),
        /the credential plugin no-such-login is not there: get it from the intranet/,
      );
    });

    it("names the contexts that there are when one is missing", async () => {
      assert.equal(
        await line(context("her")),
        `there is no context "her" in the kubeconfig ${process.env.KUBECONFIG}: the contexts are here; kubectl config get-contexts shows them, KUBECONFIG names another file`,
      );
    });

    it("says so when there is no kubeconfig at all, and never asks localhost instead", async () => {
      delete process.env.KUBECONFIG;
      process.env.HOME = cluster.folder;
      assert.match(await line(context("here")), /\.kube\/config: it has none/);
    });

    it("names the file that is no kubeconfig", async () => {
      process.env.KUBECONFIG = file("broken", "clusters: [");
      assert.match(await line(context("here")), /^the kubeconfig .*broken cannot be read: /);
    });

    it("gives up on a credential plugin that hangs, in time, and names it", async () => {
      const text = cluster.server
        .kubeconfig("here")
        .replace(
          / {6}token: .*/,
          "      exec: { apiVersion: client.authentication.k8s.io/v1beta1, command: sleep, args: ['3'] }",
        );
      process.env.KUBECONFIG = file("plugin", text);
      cluster.addPod("zeebe-0", true);
      const began = Date.now();
      for (const ask of [
        () => send("GET", cluster.url("pod/zeebe-0/9600"), { timeoutMs: 400 }),
        () => KubernetesClient.of(cluster.url("pod/zeebe-0/9600"), 400).networkPolicies("camunda"),
      ]) {
        const error = await failureOf(ask());
        assert.ok(error instanceof Unreachable, String(error));
        assert.match(
          error.why,
          /^no answer within 0.4 s: still waiting for the credentials of sleep/,
        );
      }
      assert.ok(Date.now() - began < 2_500);
    });
  });

  describe("by the AWS CLI", () => {
    const server = useServer();
    let count = 0;
    let name = "";

    // What is known of a cluster is kept for as long as the process lives.
    beforeEach(() => (name = `camunda-${++count}`));

    const standIn = (more: Partial<FakeCluster> = {}): FakeAwsAnswers => ({
      clusters: {
        [`eu-west-2/${name}`]: {
          endpoint: cluster.server.url,
          ca: cluster.server.ca,
          token: cluster.server.token,
          ...more,
        },
      },
    });
    const use = (answers: FakeAwsAnswers) =>
      Object.assign(process.env, makeFakeAws(cluster.folder, answers));
    const access = (timeoutMs?: number) =>
      clusterAccess({ kind: "eks", awsRegion: "eu-west-2", cluster: name }, timeoutMs);
    const url = () => `eks://eu-west-2/${name}/camunda/pod/zeebe-0/9600`;

    it("asks a pod with the endpoint, the authority and the token that it prints", async () => {
      use(standIn());
      cluster.addPod("zeebe-0", true);
      cluster.hooks.forward = () => Number(new URL(server.url).port);
      server.answer(200, { hello: "pod" });
      const answer = await send("GET", `${url()}/a`, { timeoutMs: 5_000 });
      assert.deepEqual(answer, { status: 200, body: { hello: "pod" } });
      assert.deepEqual(await KubernetesClient.of(url(), 5_000).networkPolicies("camunda"), []);
    });

    it("runs once for a cluster, and again for a token that is about to expire", async () => {
      use(standIn());
      await access();
      writeAnswers(cluster.folder, { clusters: {} });
      assert.equal((await access()).getCurrentUser()?.token, cluster.server.token);
      name = `${name}-short`;
      writeAnswers(cluster.folder, standIn({ expiresIn: 59 }));
      await access();
      writeAnswers(cluster.folder, standIn({ token: "renewed" }));
      assert.equal((await access()).getCurrentUser()?.token, "renewed");
    });

    it("says in its words what it refuses, and asks again afterwards", async () => {
      use({ clusters: {} });
      assert.equal(
        await line(access()),
        `aws eks describe-cluster --name ${name} --region eu-west-2 failed: An error occurred (ResourceNotFoundException) when calling the DescribeCluster operation: No cluster found for name: ${name}.`,
      );
      writeAnswers(cluster.folder, standIn());
      assert.equal((await access()).getCurrentCluster()?.server, cluster.server.url);
    });

    it("says so when it is not there, and when it hangs", async () => {
      process.env.PATH = cluster.folder;
      assert.match(await line(access()), /failed: the AWS CLI is not on the PATH$/);
      use({ ...standIn(), hangs: true });
      const began = Date.now();
      assert.match(await line(access(500)), /^aws .* failed: no answer within 0.5 s$/);
      assert.ok(Date.now() - began < 3_000);
      name = `${name}-other`;
      const error = await failureOf(send("GET", url(), { timeoutMs: 300 }));
      assert.ok(error instanceof Unreachable);
      assert.equal(error.why, "no answer within 0.3 s: still waiting for the AWS CLI");
    });

    it("does not talk to an endpoint in clear, nor to one that another authority vouches for", async () => {
      use(standIn({ endpoint: server.url }));
      assert.match(await line(access()), /has no endpoint yet/);
      name = `${name}-other`;
      writeAnswers(cluster.folder, standIn({ ca: (await loopbackCertificate()).cert }));
      for (const ask of [
        () => send("GET", url(), { timeoutMs: 5_000 }),
        () => KubernetesClient.of(url(), 5_000).networkPolicies("camunda"),
      ]) {
        assert.match(
          await line(ask()),
          /self-signed certificate|SELF_SIGNED|UNABLE_TO_VERIFY|signature/,
        );
      }
      assert.deepEqual(cluster.server.requests, []);
      assert.deepEqual(server.received, []);
    });

    it("keeps the token out of every error", async () => {
      use(standIn({ token: "hush" }));
      const error = await failureOf(KubernetesClient.of(url(), 5_000).networkPolicies("camunda"));
      assert.match(String(error), /answered 401: the credentials are not accepted$/);
      assert.doesNotMatch(`${String(error)} ${JSON.stringify(error)}`, /hush/);
    });
  });
});
