import assert from "node:assert/strict";
import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, Server } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PORTS, REJOINING } from "../../../components/camunda/addresses";
import { WAIT_FOR_PEER } from "../../../components/camunda/helmValues";

/** The script as the container runs it, but for the port, and for the folder of the ConfigMap. */
function start(folder: string, port: number, ...hosts: string[]): ChildProcess {
  const script = WAIT_FOR_PEER.replaceAll(`/${PORTS.internal}`, `/${port}`).replaceAll(
    REJOINING.folder,
    folder,
  );
  return spawn("bash", ["-c", script, "wait-for-peer", ...hosts], {
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

describe("the wait of a broker that rejoins", () => {
  let server: Server | undefined;
  let child: ChildProcess | undefined;
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rejoining-"));
  });
  afterEach(() => {
    server?.close();
    child?.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });

  const rejoining = (value: string) => writeFileSync(join(folder, REJOINING.key), value);

  async function listen(port = 0): Promise<number> {
    server = createServer((socket) => socket.destroy()).listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as { port: number }).port;
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
    const port = await listen();
    server?.close();
    rejoining("true");
    child = start(folder, port, "127.0.0.1");
    const [said] = (await once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data")) as [
      Buffer,
    ];
    assert.match(String(said), /waiting for a broker of the other one/);
    assert.equal(child.exitCode, null);
    await listen(port);
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });

  it("ends when the region does not rejoin any more, without being started anew", async () => {
    const port = await listen();
    server?.close();
    rejoining("true");
    child = start(folder, port, "127.0.0.1");
    await once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data");
    rejoining("false");
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });
});
