import assert from "node:assert/strict";
import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, Server } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PORTS, REJOINING } from "../../../../components/generations/objects";
import { waitForPeerScript } from "../../../../components/installation/camunda/helmValues";

/** What a pod of the script is: its name, where broker 0 is, and at which ports the brokers are. */
interface Pod {
  name?: string;
  first?: string;
  internal: number;
  management?: number;
}

/** The script as the container runs it, but for the ports, and for the folder of the ConfigMap. */
function startPod(folder: string, pod: Pod, ...hosts: string[]): ChildProcess {
  const script = waitForPeerScript(0)
    .replaceAll(` ${PORTS.internal}`, ` ${pod.internal}`)
    .replaceAll(` ${PORTS.management}`, ` ${pod.management ?? 1}`)
    .replaceAll(REJOINING.folder, folder);
  return spawn("bash", ["-c", script, "wait-for-peer", pod.first ?? "", ...hosts], {
    env: { PATH: process.env.PATH, HOSTNAME: pod.name ?? "camunda-zeebe-1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** A pod of region1. */
function start(folder: string, internal: number, ...hosts: string[]): ChildProcess {
  return startPod(folder, { internal }, ...hosts);
}

async function said(child: ChildProcess): Promise<string> {
  const [text] = (await once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data")) as [
    Buffer,
  ];
  return String(text);
}

describe("the wait of a broker that rejoins", () => {
  let servers: Server[];
  let child: ChildProcess | undefined;
  let folder: string;

  beforeEach(() => {
    servers = [];
    folder = mkdtempSync(join(tmpdir(), "rejoining-"));
  });
  afterEach(() => {
    servers.forEach((server) => server.close());
    child?.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });

  const rejoining = (value: string) => writeFileSync(join(folder, REJOINING.key), value);

  async function listen(port = 0): Promise<number> {
    const server = createServer((socket) => socket.destroy()).listen(port, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  }

  async function freePort(): Promise<number> {
    const port = await listen();
    servers.pop()?.close();
    return port;
  }

  it("is none in a region that does not rejoin", async () => {
    rejoining("false");
    child = start(folder, 1, "127.0.0.1");
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });

  it("is none when nobody says that the region rejoins", async () => {
    child = start(folder, 1, "127.0.0.1");
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });

  it("ends when any of the hosts takes a connection", async () => {
    const port = await listen();
    rejoining("true");
    child = start(folder, port, "no-such-host.invalid", "127.0.0.1");
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });

  it("goes on while nobody answers, and says so", async () => {
    const port = await freePort();
    rejoining("true");
    child = start(folder, port, "127.0.0.1");
    assert.match(await said(child), /waiting for a broker of the other one/);
    assert.equal(child.exitCode, null);
    await listen(port);
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });

  it("ends when the region does not rejoin any more, without being started anew", async () => {
    const port = await freePort();
    rejoining("true");
    child = start(folder, port, "127.0.0.1");
    await said(child);
    rejoining("false");
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });

  describe("in region0", () => {
    it("goes on until broker 0 has opened its management port, and says so", async () => {
      const internal = await listen();
      const management = await freePort();
      rejoining("true");
      child = startPod(folder, { internal, management, first: "localhost" }, "127.0.0.1");
      assert.match(await said(child), /waiting for broker 0, which joins first,/);
      assert.equal(child.exitCode, null);
      await listen(management);
      assert.deepEqual(await once(child, "exit"), [0, null]);
    });

    it("waits for the other region first, when broker 0 is up", async () => {
      const internal = await freePort();
      const management = await listen();
      rejoining("true");
      child = startPod(folder, { internal, management, first: "localhost" }, "127.0.0.1");
      assert.match(await said(child), /waiting for a broker of the other one/);
    });

    it("does not let broker 0 wait for itself", async () => {
      const internal = await listen();
      rejoining("true");
      const first = "camunda-zeebe-0.camunda-zeebe.camunda-london.svc.cluster.local";
      child = startPod(folder, { internal, first, name: "camunda-zeebe-0" }, "127.0.0.1");
      assert.deepEqual(await once(child, "exit"), [0, null]);
    });
  });
});
