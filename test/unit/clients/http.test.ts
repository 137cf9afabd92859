import assert from "node:assert/strict";
import { reason, Refused, send, Unreachable } from "../../../components/clients/http";
import { failureOf } from "../../support/failure";
import { useServer } from "../../support/server";

describe("http", () => {
  const server = useServer();

  const failure = async (url = server.url, timeoutMs = 2_000): Promise<Unreachable> => {
    const error = await failureOf(send("GET", url, { timeoutMs }));
    assert.ok(error instanceof Unreachable, String(error));
    return error;
  };

  it("returns the answer whatever its status is", async () => {
    for (const status of [200, 202, 302, 400, 404, 409, 500, 502]) {
      server.answer(status, { status });
      const answer = await send("GET", server.url, { timeoutMs: 2_000 });
      assert.deepEqual(answer, { status, body: { status } });
    }
    assert.equal(server.received.length, 8);
  });

  it("sends a body as JSON, and no content type without one", async () => {
    server.answer(200, {});
    await send("POST", `${server.url}/a?b=c`, { body: ["0", "2"], timeoutMs: 2_000 });
    await send("POST", server.url, { timeoutMs: 2_000 });
    const [first, second] = server.received;
    assert.deepEqual([first?.method, first?.path], ["POST", "/a?b=c"]);
    assert.deepEqual(first?.body, ["0", "2"]);
    assert.equal(first?.headers["content-type"], "application/json");
    assert.equal(second?.headers["content-type"], undefined);
  });

  it("gives up when there is no answer in time, and says after how long", async () => {
    server.do(() => undefined);
    const { message } = await failure(server.url, 400);
    assert.equal(message, `${server.url} does not answer (no answer within 0.4 s)`);
    assert.equal(server.received.length, 1);
  });

  it("gives up on an answer that trickles and never ends", async () => {
    server.do((response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      const drip = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(drip));
    });
    assert.match((await failure(server.url, 150)).why, /no answer within 0.15 s/);
  });

  it("does not repeat a request whose answer breaks off", async () => {
    server.do((response) => response.destroy());
    assert.match((await failure()).why, /ECONNRESET|socket hang up/);
    assert.equal(server.received.length, 1);
  });

  it("does not take half an answer for a whole one", async () => {
    server.do((response) => {
      response.writeHead(200, { "Content-Length": 100 });
      response.write("{");
      response.destroy();
    });
    assert.ok(await failure());
  });

  it("says so when nothing listens", async () => {
    const { url } = server;
    await server.stop();
    assert.equal((await failure(url)).message, `${url} does not answer (ECONNREFUSED)`);
  });

  it("authenticates, and keeps credentials out of every message", async () => {
    const credentials = { user: "elastic", password: "hush" };
    server.answer(200, {});
    await send("GET", server.url, { timeoutMs: 2_000, credentials });
    const token = Buffer.from("elastic:hush").toString("base64");
    assert.equal(server.received[0]?.headers.authorization, `Basic ${token}`);
    server.do((response) => response.destroy());
    const url = server.url.replace("//", "//elastic:hush@");
    const error = await failureOf(send("GET", url, { timeoutMs: 2_000, credentials }));
    assert.doesNotMatch(`${String(error)} ${JSON.stringify(error)}`, /hush|ZWxhc3RpY/);
  });

  it("shortens what servers say to one line", () => {
    const elasticsearch = { error: { type: "some_exception", reason: "not\nthat" } };
    assert.equal(reason(elasticsearch), "some_exception: not");
    assert.equal(reason({ message: "first\n\tat java.lang" }), "first");
    assert.equal(reason({ detail: "of the problem" }), "of the problem");
    assert.equal(reason({ error: "Not Found" }), "Not Found");
    assert.equal(reason("plain"), "plain");
    assert.equal(reason(undefined), "no body");
    assert.equal(reason({ message: "x".repeat(5_000) }).length, 301);
    const refused = new Refused("GET /a", 502, reason({ message: "gone" }));
    assert.equal(refused.message, "GET /a answered 502: gone");
  });
});
