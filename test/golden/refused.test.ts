import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CASES, GoldenCase, graphOf } from "./graph";

const takenBack = CASES.find(({ name }) => name === "kubernetes-taken-back") as GoldenCase;

describe("the program, before its first resource", () => {
  it("refuses a declaration that was taken back after the forced removal", async () => {
    const recorded = {
      brokers: [0, 2],
      declaration: { kind: "failed-over", lost: "region1" } as const,
    };
    await assert.rejects(
      graphOf({ ...takenBack, recorded }),
      /^Error: refused: lostRegion is not set, region1 was forced out, and may be still/,
    );
  });

  it("reads its own state once more when that failed, and refuses when it fails again", async () => {
    assert.deepEqual(await graphOf({ ...takenBack, failingReads: 1 }), await graphOf(takenBack));
    await assert.rejects(
      graphOf({ ...takenBack, failingReads: 2 }),
      /^Error: refused: the recorded state of this stack cannot be read/,
    );
  });

  it("asks the cluster for no plan in a preview that is refused already", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(String(request.url));
      response.writeHead(503).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const endpoints = (one: string, ids: number[]) => ({
      gateway: `${url}/${one}`,
      management: `${url}/${one}/management`,
      brokers: Object.fromEntries(ids.map((id) => [id, `${url}/${one}/${id}`])),
      elasticsearch: `${url}/${one}`,
    });
    const preview: GoldenCase = {
      name: "preview",
      region: "region1",
      preview: true,
      config: {
        lostRegion: "region0",
        endpoints: JSON.stringify({
          region0: endpoints("region0", [0, 2]),
          region1: endpoints("region1", [1, 3]),
        }),
      },
    };
    try {
      const peer = { phase: "failed-over", lostRegion: "region1" } as const;
      await assert.rejects(
        graphOf({ ...preview, peer }),
        /^Error: refused: stack region0 declares region1, the region of this stack, lost/,
      );
      // Its up has forced this region out and failed then: its outputs are those of before.
      const declaration = { kind: "failed-over", lost: "region1" } as const;
      await assert.rejects(
        graphOf({ ...preview, peer: { phase: "restored", lostRegion: "region1", declaration } }),
        /^Error: refused: stack region0 declares region1, the region of this stack, lost/,
      );
      assert.deepEqual(asked, []);
      await graphOf(preview);
      assert.notDeepEqual(asked, []);
    } finally {
      server.close();
    }
  });
});
