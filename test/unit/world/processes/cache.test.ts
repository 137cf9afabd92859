import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cached, isCached } from "../../../../world/processes/cache";

describe("the cache of what is fetched and built", () => {
  let folder = "";
  let before: string | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cache-"));
    before = process.env.CAMUNDA_DUAL_REGION_CACHE;
    process.env.CAMUNDA_DUAL_REGION_CACHE = folder;
  });

  afterEach(() => {
    if (before === undefined) {
      delete process.env.CAMUNDA_DUAL_REGION_CACHE;
    } else {
      process.env.CAMUNDA_DUAL_REGION_CACHE = before;
    }
    rmSync(folder, { recursive: true });
  });

  it("keeps what the first of several has made that make the same at once", async () => {
    const makers = Array.from({ length: 8 }, (_, maker) => maker);
    const seen = await Promise.all(
      makers.map(async (maker) => {
        const home = await cached("thing", async (dir) => {
          for (const file of ["a", "b"]) {
            writeFileSync(join(dir, file), String(maker));
          }
        });
        return { home, inode: statSync(home).ino, made: readFileSync(join(home, "a"), "utf8") };
      }),
    );
    assert.deepEqual(new Set(seen.map(({ home }) => home)), new Set([join(folder, "thing")]));
    assert.equal(new Set(seen.map(({ inode }) => inode)).size, 1);
    assert.equal(readFileSync(join(folder, "thing", "b"), "utf8"), seen[0]?.made);
    assert.deepEqual(readdirSync(folder), ["thing"]);
  });

  it("replaces what is there and not finished, and leaves nothing when that fails", async () => {
    mkdirSync(join(folder, "thing"));
    writeFileSync(join(folder, "thing", "half"), "");
    await assert.rejects(
      cached("thing", () => Promise.reject(new Error("no network"))),
      /network/,
    );
    assert.deepEqual(readdirSync(folder), ["thing"]);
    assert.equal(isCached("thing"), false);

    const home = await cached("thing", async (dir) => writeFileSync(join(dir, "whole"), ""));
    assert.deepEqual(readdirSync(home).sort(), [".complete", "whole"]);
    assert.deepEqual(readdirSync(folder), ["thing"]);
  });
});
