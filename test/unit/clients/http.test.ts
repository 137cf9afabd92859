import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { isTransient } from "../../../components/clients/answers";
import { loopbackCertificate } from "../../../world/kubernetes/played/certificate";
import { reason, Refused, send, Unreachable } from "../../../components/clients/http";
import { credentialsOf } from "../../support/config";
import { expectLine, failureOf } from "../../support/failure";
import { TestServer, useServer } from "../../support/server";

const signIn = {
  credentials: credentialsOf({ elasticsearch: { user: "elastic", password: "hush" } }).region0
    .elasticsearch,
};

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
    const { credentials } = signIn;
    server.answer(200, {});
    await send("GET", server.url, { timeoutMs: 2_000, credentials });
    const token = Buffer.from("elastic:hush").toString("base64");
    assert.equal(server.received[0]?.headers.authorization, `Basic ${token}`);
    server.do((response) => response.destroy());
    const url = server.url.replace("//", "//elastic:hush@");
    const error = await failureOf(send("GET", url, { timeoutMs: 2_000, credentials }));
    assert.doesNotMatch(`${String(error)} ${JSON.stringify(error)}`, /hush|ZWxhc3RpY/);
  });

  it("sends them to nobody else: a redirect is not followed", async () => {
    const other = new TestServer();
    await other.start();
    try {
      server.do((response) => {
        response.writeHead(307, { Location: `${other.url}/elsewhere` });
        response.end();
      });
      const { status } = await send("POST", server.url, { timeoutMs: 2_000, ...signIn, body: {} });
      assert.equal(status, 307);
      assert.equal(server.received.length, 1);
      assert.deepEqual(other.received, []);
    } finally {
      await other.stop();
    }
  });

  it("says of a 403 what the server says of it, and nothing that it was sent", async () => {
    const token = Buffer.from("elastic:hush").toString("base64");
    server.answer(403, { message: `no right to write for hush (Basic ${token})` });
    const error = await failureOf(send("PUT", `${server.url}/a`, { timeoutMs: 2_000, ...signIn }));
    expectLine(String(error), [
      /^SignInRefused: PUT \S+\/a answered 403 to user elastic \(credentials.elasticsearch\): no right to write for …/,
    ]);
    assert.doesNotMatch(`${(error as Error).stack} ${JSON.stringify(error)}`, /hush|ZWxhc3RpY/);
  });

  it("keeps the line of a refused sign-in short, whatever the address and the user are", async () => {
    const long = "a".repeat(200);
    const { region1 } = credentialsOf({
      elasticsearch: { region1: { user: long, password: "hush" } },
    });
    const options = { timeoutMs: 2_000, credentials: region1.elasticsearch };
    for (const status of [401, 403]) {
      server.answer(status, { message: long });
      const error = await failureOf(send("GET", `${server.url}/${long}`, options));
      expectLine((error as Error).message, [
        new RegExp(`answered ${status} to user a+….*credentials.elasticsearch.region1`),
      ]);
    }
  });

  it("says that a redirect or a web page is no answer of an API, and where the one leads", async () => {
    server.do((response) => {
      response.writeHead(302, { Location: "https://me:hush@login.test/sign-in?state=hush" });
      response.end();
    });
    const ask = () => send("GET", server.url, { timeoutMs: 2_000 });
    const redirect = await ask();
    assert.equal(redirect.status, 302);
    assert.equal(
      reason(redirect.body),
      "a redirect to https://login.test/sign-in: give the address that it leads to",
    );
    server.do((response) => {
      response.writeHead(200, { "Content-Type": "text/html" });
      response.end("<!DOCTYPE html>\n<html><title>Sign in</title></html>");
    });
    assert.equal(reason((await ask()).body), 'a web page ("Sign in") and no JSON');
  });

  it("names the proxy that a request went through, without its password", async () => {
    const before = { ...process.env };
    const { url } = server;
    try {
      process.env.HTTP_PROXY = url.replace("//", "//me:hush@");
      server.do((response) => response.destroy());
      const error = await failure("http://far.test:8080/x");
      assert.match(error.message, new RegExp(` through proxy ${new URL(url).host}\\)$`));
      assert.doesNotMatch(`${error.message} ${JSON.stringify(error)}`, /hush/);
      assert.equal(server.received.length, 1);
      process.env.NO_PROXY = "127.0.0.1";
      server.answer(200, {});
      assert.equal((await send("GET", url, { timeoutMs: 2_000 })).status, 200);
    } finally {
      process.env = before;
    }
  });

  it("says how a certificate of a private authority is trusted, and does not wait for it", async () => {
    const secure = createServer(await loopbackCertificate(), (_, response) => response.end("{}"));
    await new Promise<void>((done) => secure.listen(0, "127.0.0.1", done));
    try {
      const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
      const error = await failureOf(send("GET", url, { timeoutMs: 2_000 }));
      assert.ok(!isTransient(error), String(error));
      assert.match(
        String(error),
        /^Untrusted: https:\/\/127.0.0.1:\d+ has a certificate of an unknown authority \([A-Z_]+\): set NODE_EXTRA_CA_CERTS to a file/,
      );
    } finally {
      secure.close();
      secure.closeAllConnections();
    }
  });

  it("says what an error comes from, not what was tried around it", () => {
    const refused = { type: "s3_exception", reason: "Access Denied (Status Code: 403)" };
    const upload = { type: "i_o_exception", reason: "Unable to upload", caused_by: refused };
    const error = { type: "repository_exception", reason: "not accessible", caused_by: upload };
    assert.equal(reason({ error }), "s3_exception: Access Denied (Status Code: 403)");
    const silent = { ...error, caused_by: { ...upload, caused_by: { type: "npe", reason: null } } };
    assert.equal(reason({ error: silent }), "i_o_exception: Unable to upload");
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
