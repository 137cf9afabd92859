import { generationOf } from "../../components/generations";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer, IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Refused, send, Unreachable } from "../../components/clients/http";
import { KubernetesClient } from "../../components/clients/kubernetes";
import { waitFor } from "../../components/clients/poll";
import type { CommandResult, StreamHooks } from "../../world/kubernetes/played/apiServer";
import type { KubeObject } from "../../world/kubernetes/played/objects";
import { failureOf } from "../support/failure";

/** Where a port of a pod leads to on this machine. */
export interface Forward {
  namespace: string;
  pod: string;
  port: number;
  localPort: number;
}

/** The hook that leads ports of pods to ports of this machine. */
export function leading(forwards: readonly Forward[]): NonNullable<StreamHooks["forward"]> {
  return (namespace, pod, port) =>
    forwards.find((one) => one.namespace === namespace && one.pod === pod && one.port === port)
      ?.localPort;
}

/** Runs a command of a container on this machine. */
export function runHere([file = "", ...args]: string[]): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { timeout: 10_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === "number") {
        resolve({ stdout, stderr, exitCode: code });
      } else {
        reject(new Error(error?.message));
      }
    });
  });
}

/** A cluster as the contract needs it; commands in its containers run on this machine. */
export interface TransportCluster {
  /** Its context, in the kubeconfig that KUBECONFIG names. */
  context: string;
  /** Cuts all port-forwards that are open. */
  breakStreams(): Promise<void>;
  /** Nothing is answered any more. */
  lose(): Promise<void>;
  restore(): Promise<void>;
  stop(): Promise<void>;
}

const NAMESPACE = "camunda";
const CONTAINERS = [
  { name: "elasticsearch", image: "none", ports: [{ name: "http", containerPort: 9200 }] },
];

/** What the cluster of the contract holds; pods run on the node `here` and are ready, but for one. */
export const OBJECTS: KubeObject[] = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
  pod("camunda-elasticsearch-master-0", { app: "elasticsearch" }),
  pod("camunda-zeebe-0", { app: "zeebe" }),
  pod("pending", { app: "pending" }, "nowhere"),
  service("camunda-elasticsearch", { app: "elasticsearch" }, 80, "http"),
  service("camunda-zeebe", { app: "zeebe" }, 9600, 9600),
  service("nobody", { app: "nobody" }, 9600, 9600),
  service("waiting", { app: "pending" }, 9600, 9600),
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "camunda-operate", namespace: NAMESPACE },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "operate" } },
      template: {
        metadata: { labels: { app: "operate" } },
        spec: { nodeName: "here", containers: CONTAINERS },
      },
    },
  },
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "peer-fence", namespace: NAMESPACE },
    spec: { podSelector: {}, policyTypes: ["Egress"] },
  },
];

function pod(name: string, labels: Record<string, string>, nodeName = "here"): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE, labels },
    spec: { nodeName, containers: CONTAINERS },
  };
}

function service(
  name: string,
  selector: Record<string, string>,
  port: number,
  targetPort: number | string,
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: NAMESPACE },
    spec: { selector, ports: [{ name: "http", port, targetPort }] },
  };
}

/**
 * What the clients see of a cluster through its Kubernetes API, the same on the stand-in and on a real API
 * server.
 */
export function transportContract(
  start: (objects: KubeObject[], forwards: Forward[]) => Promise<TransportCluster>,
): void {
  // 5 s were too few on a busy machine.
  const timeoutMs = 20_000;
  let handle: (request: IncomingMessage, response: ServerResponse) => void;
  let received: string[] = [];
  let server: Server;
  let cluster: TransportCluster;

  before(async function () {
    this.timeout(600_000);
    server = createServer((request, response) => {
      received.push(`${request.method} ${request.url}`);
      handle(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const localPort = (server.address() as AddressInfo).port;
    const closed = await closedPort();
    cluster = await start(OBJECTS, [
      { namespace: NAMESPACE, pod: "camunda-zeebe-0", port: 9600, localPort },
      { namespace: NAMESPACE, pod: "camunda-zeebe-0", port: 9601, localPort: closed },
      { namespace: NAMESPACE, pod: "camunda-elasticsearch-master-0", port: 9200, localPort },
    ]);
  });

  after(async function () {
    this.timeout(60_000);
    server?.closeAllConnections();
    server?.close();
    await cluster?.stop();
  });

  beforeEach(() => {
    received = [];
    handle = (_request, response) => {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ hello: "pod" }));
    };
  });

  const url = (rest: string, context = cluster.context) =>
    `kubernetes://${encodeURIComponent(context)}/${NAMESPACE}/${rest}`;
  const broker = () => url("pod/camunda-zeebe-0/9600");
  const client = (ms = timeoutMs) => KubernetesClient.of(broker(), ms);
  const unreachable = async (address: string, ms = timeoutMs): Promise<Unreachable> => {
    const error = await failureOf(send("GET", address, { timeoutMs: ms }));
    assert.ok(error instanceof Unreachable, String(error));
    assert.doesNotMatch(error.message, /\n|\[object/);
    return error;
  };

  it("asks a pod, with the path and the query", async () => {
    const answer = await send("GET", `${broker()}/actuator/cluster?a=b%2Fc`, { timeoutMs });
    assert.deepEqual(answer, { status: 200, body: { hello: "pod" } });
    assert.deepEqual(received, ["GET /actuator/cluster?a=b%2Fc"]);
  });

  it("sends a body, and returns a refusal as it is", async () => {
    let got = "";
    handle = (request, response) => {
      request.on("data", (chunk: Buffer) => (got += chunk.toString()));
      request.on("end", () => response.writeHead(409).end("pending"));
    };
    const body = { text: "x".repeat(100_000) };
    const answer = await send("POST", `${broker()}/a`, { body, timeoutMs });
    assert.deepEqual(answer, { status: 409, body: "pending" });
    assert.equal(got, JSON.stringify(body));
  });

  it("asks a pod behind a service, by the number and by the name of its port", async () => {
    for (const address of [
      url("service/camunda-zeebe/9600"),
      url("service/camunda-elasticsearch/80"),
    ]) {
      assert.equal((await send("GET", address, { timeoutMs })).status, 200);
    }
    assert.equal(received.length, 2);
  });

  it("opens a stream for each of several requests at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => send("GET", `${broker()}/${i}`, { timeoutMs })),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(new Set(received).size, 8);
  });

  it("takes a big answer whole", async () => {
    const text = "0123456789abcdef".repeat(512 * 1024);
    handle = (_request, response) => response.end(text);
    const { body } = await send("GET", broker(), { timeoutMs: 20_000 });
    assert.equal((body as string).length, text.length);
    assert.ok(body === text);
  });

  it("says so when there is no such pod", async () => {
    const { message } = await unreachable(url("pod/camunda-zeebe-7/9600/actuator/cluster"));
    assert.equal(
      message,
      `pod/camunda-zeebe-7:9600/actuator/cluster in namespace camunda of context ${cluster.context} does not answer (there is no pod camunda-zeebe-7 in namespace camunda)`,
    );
  });

  it("says so when a pod does not run", async () => {
    assert.match((await unreachable(url("pod/pending/9600"))).why, /pod pending is Pending/);
  });

  it("says so when there is no such service, or port of it, or no ready pod behind it", async () => {
    const why = async (rest: string) => (await unreachable(url(rest))).why;
    assert.match(await why("service/none/9600"), /there is no service none in namespace camunda/);
    assert.match(await why("service/camunda-zeebe/1"), /has no port 1: it has 9600/);
    assert.match(await why("service/nobody/9600"), /there is no pod behind service nobody/);
    assert.match(
      await why("service/waiting/9600"),
      /none of the pods .* is ready: pending Pending/,
    );
  });

  it("says so when nothing listens on the port of a pod", async () => {
    const { why } = await unreachable(url("pod/camunda-zeebe-0/9601"));
    assert.match(why, /^pod camunda-zeebe-0: .*refused/);
  });

  it("says so when there is no such context", async () => {
    const { why } = await unreachable(url("pod/camunda-zeebe-0/9600", "other"));
    assert.match(why, /^there is no context "other" in the kubeconfig/);
    assert.ok(why.includes(cluster.context), why);
  });

  it("gives up on a pod that does not answer, in time", async () => {
    handle = () => undefined;
    const began = Date.now();
    const { why } = await unreachable(broker(), 1_500);
    assert.equal(why, "no answer within 1.5 s: still waiting for pod camunda-zeebe-0");
    assert.ok(Date.now() - began < 3_000);
  });

  it("does not take half an answer for a whole one, and opens the stream anew", async function () {
    this.timeout(60_000);
    // With its length, in chunks, and one that ends when the connection does.
    for (const kind of ["length", "chunks", "neither"]) {
      received = [];
      const begun = new Promise<void>((resolve) => {
        handle = (request, response) => {
          if (request.url === "/whole") {
            return void response.end();
          }
          response.useChunkedEncodingByDefault = kind === "chunks";
          response.writeHead(200, {
            "Content-Type": "application/json",
            ...(kind === "length" && { "Content-Length": "1000" }),
          });
          response.write('{"half":', () => resolve());
        };
      });
      const asked = unreachable(broker(), 30_000);
      await begun;
      // What was sent after the half has come through: so has the half.
      await send("GET", `${broker()}/whole`, { timeoutMs });
      await cluster.breakStreams();
      assert.doesNotMatch((await asked).why, /no answer within/);
      assert.deepEqual(received, ["GET /", "GET /whole"]);
      handle = (_request, response) => response.end("again");
      assert.equal((await send("GET", broker(), { timeoutMs })).body, "again");
    }
  });

  it("does not take half an answer for a whole one when the pod's process ends", async () => {
    handle = (_request, response) => {
      response.writeHead(200, { "Content-Length": "1000" });
      response.write("half", () => response.destroy());
    };
    assert.doesNotMatch((await unreachable(broker())).why, /no answer within/);
  });

  it("scales a deployment to nothing and back", async function () {
    this.timeout(90_000);
    const has = (replicas: number) =>
      waitFor(
        "the pods",
        40,
        () => undefined,
        async () => {
          const seen = await client().deployment(NAMESPACE, "camunda-operate");
          const done =
            seen?.current === true &&
            [seen.wanted, seen.replicas, seen.ready].every((number) => number === replicas);
          return done ? { done, value: undefined } : { done: false, seen: JSON.stringify(seen) };
        },
      );
    await has(1);
    await client().scale(NAMESPACE, "camunda-operate", 0);
    assert.equal((await client().deployment(NAMESPACE, "camunda-operate"))?.wanted, 0);
    await has(0);
    await client().scale(NAMESPACE, "camunda-operate", 1);
    await has(1);
  });

  it("knows of no deployment that does not exist, and does not scale it", async () => {
    assert.equal(await client().deployment(NAMESPACE, "camunda-optimize"), undefined);
    const error = await failureOf(client().scale(NAMESPACE, "camunda-optimize", 1));
    assert.ok(error instanceof Refused && error.status === 404, String(error));
  });

  it("lists network policies", async () => {
    const policies = await client().networkPolicies(NAMESPACE);
    assert.deepEqual(
      policies.map(({ metadata, spec }) => [metadata?.name, spec?.policyTypes]),
      [["peer-fence", ["Egress"]]],
    );
    assert.deepEqual(await client().networkPolicies("elsewhere"), []);
  });

  const elasticsearch = ["camunda-elasticsearch-master-0", "elasticsearch"] as const;

  it("runs a command in a container, and has its output and its exit code", async () => {
    const shell = (script: string) =>
      client().exec(NAMESPACE, ...elasticsearch, ["sh", "-c", script]);
    assert.deepEqual(await shell("printf 'a b'; printf error >&2; exit 7"), {
      stdout: "a b",
      stderr: "error",
      exitCode: 7,
    });
    assert.deepEqual(await shell("true"), { stdout: "", stderr: "", exitCode: 0 });
    const long = await shell("head -c 300000 /dev/zero | tr '\\0' x");
    assert.equal(long.stdout.length, 300_000);
  });

  it("refuses to run a command in a pod that is not there, and one that does not exist", async () => {
    const error = await failureOf(
      client().exec(NAMESPACE, "camunda-elasticsearch-master-9", "elasticsearch", ["true"]),
    );
    assert.ok(error instanceof Refused && error.status === 404, String(error));
    const missing = await failureOf(
      client().exec(NAMESPACE, ...elasticsearch, ["no-such-command"]),
    );
    assert.ok(missing instanceof Refused, String(missing));
  });

  it("gives up on a command that does not end", async () => {
    const error = await failureOf(
      client().exec(NAMESPACE, ...elasticsearch, ["sleep", "5"], 1_000),
    );
    assert.match(String(error), /no answer within 1 s: still waiting for sleep to end/);
  });

  it("probes a host from inside a pod", async function () {
    this.timeout(30_000);
    const { port } = server.address() as AddressInfo;
    const open = await client().probe(
      NAMESPACE,
      generationOf("8.6").objects.lookout,
      "localhost",
      port,
    );
    assert.ok(open.resolved && open.connected, JSON.stringify(open));
    assert.ok((open.roundTripMs ?? -1) >= 0 && (open.roundTripMs ?? 1e9) < 1_000);
    assert.deepEqual(
      await client().probe(
        NAMESPACE,
        generationOf("8.6").objects.lookout,
        "127.0.0.1",
        await closedPort(),
      ),
      {
        resolved: true,
        connected: false,
      },
    );
    assert.deepEqual(
      await client().probe(
        NAMESPACE,
        generationOf("8.6").objects.lookout,
        "no-such-host.invalid",
        port,
      ),
      {
        resolved: false,
        connected: false,
      },
    );
  });

  it("gives up on an API that does not answer, in time, and goes on when it does", async function () {
    this.timeout(60_000);
    const began = Date.now();
    await cluster.lose();
    try {
      const failures = await Promise.all([
        failureOf(send("GET", broker(), { timeoutMs: 1_000 })),
        failureOf(send("GET", url("service/camunda-zeebe/9600"), { timeoutMs: 1_000 })),
        failureOf(client(1_000).deployment(NAMESPACE, "camunda-operate")),
        failureOf(client(1_000).exec(NAMESPACE, ...elasticsearch, ["true"])),
      ]);
      for (const error of failures) {
        assert.ok(error instanceof Unreachable, String(error));
        assert.match(error.why, /^no answer within 1 s: still waiting for/);
      }
      assert.ok(Date.now() - began < 5_000);
      assert.deepEqual(received, []);
    } finally {
      await cluster.restore();
    }
    await waitFor(
      "the API",
      30,
      () => undefined,
      async () => {
        const answer = await send("GET", broker(), { timeoutMs }).catch(String);
        return typeof answer === "string"
          ? { done: false, seen: answer }
          : { done: true, value: undefined };
      },
    );
  });
}

/** A port of loopback that nothing listens on. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
