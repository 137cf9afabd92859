import assert from "node:assert/strict";
import { createServer, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  corefileBlock,
  patchCorefile,
} from "../../../../components/installation/kubernetes/corefile";
import { provider } from "../../../../components/recovery/providers/corefileBlock";
import type { Key } from "../../../../components/settings";
import { lookup, Raw } from "../../../support/config";
import { begun, refusal } from "../../../support/failure";
import { giveKubeconfig } from "../../../support/kubeconfig";

const PATH = "/api/v1/namespaces/kube-system/configmaps/coredns";
const THEIRS = ".:53 {\n    errors\n    ready\n    reload\n}\n";
const names = { peerNamespace: "camunda-paris", peerAddresses: ["10.11.0.53"], fenced: false };
const OPEN = corefileBlock(names);
const FENCED = corefileBlock({ ...names, fenced: true });

interface ConfigMap {
  metadata: { name: string; resourceVersion: string; labels: Record<string, string> };
  data: Record<string, string>;
}

/** A Kubernetes API with one ConfigMap that several write to. */
class Api {
  object: ConfigMap | undefined = {
    metadata: { name: "coredns", resourceVersion: "1", labels: { theirs: "yes" } },
    data: { Corefile: THEIRS, other: "kept" },
  };
  readonly requests: string[] = [];
  /** Called before each write: what somebody else does in between. */
  meanwhile: () => void = () => undefined;
  private server: Server | undefined;

  get corefile(): string | undefined {
    return this.object?.data.Corefile;
  }

  /** Somebody else writes the Corefile. */
  write(corefile: string): void {
    assert.ok(this.object);
    const { metadata, data } = this.object;
    const resourceVersion = String(Number(metadata.resourceVersion) + 1);
    this.object = {
      metadata: { ...metadata, resourceVersion },
      data: { ...data, Corefile: corefile },
    };
  }

  async start(): Promise<string> {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        this.requests.push(`${request.method} ${request.url}`);
        const text = Buffer.concat(chunks).toString();
        this.answer(response, request.method ?? "", request.url ?? "", text);
      });
    });
    await new Promise<void>((resolve) => this.server?.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => (this.server ? this.server.close(resolve) : resolve(undefined)));
  }

  private answer(response: ServerResponse, method: string, path: string, text: string): void {
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(body));
    };
    if (path !== PATH || this.object === undefined) {
      return send(404, { kind: "Status", message: "not found" });
    }
    if (method === "GET") {
      return send(200, this.object);
    }
    this.meanwhile();
    const written = JSON.parse(text) as ConfigMap;
    if (written.metadata.resourceVersion !== this.object.metadata.resourceVersion) {
      return send(409, { kind: "Status", message: "the object has been modified" });
    }
    this.object = written;
    this.write(written.data.Corefile ?? "");
    return send(200, this.object);
  }
}

describe("CorefileBlock", () => {
  let api: Api;
  let takeAway: () => void;

  beforeEach(async () => {
    api = new Api();
    const url = await api.start();
    takeAway = giveKubeconfig(
      JSON.stringify({
        clusters: [{ name: "london", cluster: { server: url, "insecure-skip-tls-verify": true } }],
        users: [{ name: "nobody", user: {} }],
        contexts: [{ name: "gke-london", context: { cluster: "london", user: "nobody" } }],
      }),
    );
    const raw: Raw = {
      platform: "kubernetes",
      region: "region0",
      contexts: { region0: "gke-london", region1: "gke-paris" },
      cidrs: {
        region0: { nodes: ["10.10.0.0/20"], pods: ["10.20.0.0/16"], services: ["10.30.0.0/20"] },
        region1: { nodes: ["10.11.0.0/20"], pods: ["10.21.0.0/16"], services: ["10.31.0.0/20"] },
      },
      dns: { addresses: { region0: ["10.10.0.53"], region1: ["10.11.0.53"] } },
      snapshotRepository: { type: "s3", settings: { bucket: "camunda-backup" } },
    };
    provider.configure({ config: { get: (key) => lookup(raw)(key as Key) } });
  });

  afterEach(async () => {
    await api.stop();
    takeAway();
  });

  const writes = () => api.requests.filter((request) => request.startsWith("PUT"));

  it("is put in, and everything else stays", async () => {
    const { outs } = await provider.create({ block: OPEN });
    assert.equal(outs.record.how, "done");
    assert.equal(api.corefile, patchCorefile(THEIRS, OPEN));
    assert.equal(api.object?.data.other, "kept");
    assert.deepEqual(api.object?.metadata.labels, { theirs: "yes" });
    assert.equal(writes().length, 1);
  });

  it("that is there already is not written again", async () => {
    api.write(patchCorefile(THEIRS, OPEN));
    const { outs } = await provider.create({ block: OPEN });
    assert.equal(outs.record.how, "already true");
    assert.deepEqual(writes(), []);
  });

  it("is changed in place when the fence closes", async () => {
    const { id, outs } = await provider.create({ block: OPEN });
    await provider.update(id, outs, { block: FENCED });
    assert.equal(api.corefile, patchCorefile(THEIRS, FENCED));
  });

  it("is not written over what somebody else has written in between", async () => {
    const more = `${THEIRS}example.org:53 {\n}\n`;
    api.meanwhile = () => {
      api.meanwhile = () => undefined;
      api.write(more);
    };
    await provider.create({ block: OPEN });
    assert.equal(api.corefile, patchCorefile(more, OPEN));
    assert.equal(writes().length, 2);
  });

  it("gives up where somebody else writes all the time", async () => {
    api.meanwhile = () => api.write(THEIRS);
    await begun(
      provider.create({ block: OPEN }),
      /written by somebody else all the time: find out who/,
      /^.{1,160}$/,
    );
    assert.equal(api.corefile, THEIRS);
  });

  it("is read as it is: a refresh shows what was changed, and that it is gone", async () => {
    const { id, outs } = await provider.create({ block: OPEN });
    assert.deepEqual((await provider.read(id, outs)).inputs, { block: OPEN });
    api.write(patchCorefile(THEIRS, FENCED));
    assert.deepEqual((await provider.read(id, outs)).inputs, { block: FENCED });
    api.write(THEIRS);
    assert.deepEqual((await provider.read(id, outs)).inputs, { block: "" });
  });

  it("is taken out when it is deleted", async () => {
    const { id, outs } = await provider.create({ block: OPEN });
    const lines: string[] = [];
    const { log } = console;
    console.log = (line: unknown) => lines.push(String(line));
    try {
      await provider.delete(id, outs);
    } finally {
      console.log = log;
    }
    assert.equal(api.corefile, THEIRS);
    assert.deepEqual(lines, [
      "Corefile of region0: block of the other region's DNS names taken out",
    ]);
  });

  for (const [what, expected, prepare] of [
    [
      "there is no such ConfigMap",
      /there is no Corefile in ConfigMap/,
      () => (api.object = undefined),
    ],
    ["CoreDNS does not load changes", /has no reload/, () => api.write(".:53 {\n}\n")],
    [
      "CoreDNS loads changes of another file only",
      /has no reload/,
      () => api.write(".:53 {\n    hosts NodeHosts {\n        reload 15s\n    }\n}\n"),
    ],
    [
      "the Corefile is the provider's own",
      /set dns\.kind to coredns-custom$/,
      () => api.write(`${THEIRS}import custom/*.server # yours\n`),
    ],
    ["the Corefile is broken", /cannot read the Corefile/, () => api.write(`${THEIRS}a.b {\n`)],
    [
      "one of the marks is gone",
      /take these lines and what is between them out by hand$/,
      () => api.write(`${THEIRS}# BEGIN camunda-dual-region\n${OPEN}`),
    ],
  ] as const) {
    it(`is refused where ${what}, and nothing is written`, async () => {
      prepare();
      const existing = api.corefile;
      await refusal(provider.create({ block: OPEN }), expected, /^.{1,160}$/);
      assert.equal(api.corefile, existing);
      assert.deepEqual(writes(), []);
    });
  }
});
