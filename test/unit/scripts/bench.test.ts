import assert from "node:assert/strict";
import {
  median,
  medianCost,
  Pair,
  ratio,
  sizesTable,
  timesTable,
} from "../../../scripts/bench/numbers";
import { costOf, measured, parseStat } from "../../../scripts/bench/usage";

function pair(beside: number, run: number): Pair {
  return { beside: { cpu: beside, wall: beside }, run: { cpu: run, wall: run } };
}

describe("the numbers of a bench", () => {
  it("takes the middle value", () => {
    assert.equal(median([9, 1, 2]), 2);
    assert.equal(median([10, 2, 9, 1]), 5.5);
    assert.equal(median([3]), 3);
    assert.equal(median([]), undefined);
  });

  it("takes the middle of the pairs' ratios, not the ratio of the middles", () => {
    const pairs = [pair(1, 2), pair(10, 30), pair(2, 8)];
    assert.equal(ratio(pairs, "cpu"), 3);
    assert.equal(ratio(pairs, "wall"), 3);
    assert.equal(ratio([], "wall"), undefined);
  });

  it("knows no ratio of what was not measured", () => {
    const unknown = { beside: { cpu: undefined, wall: 1 }, run: { cpu: undefined, wall: 2 } };
    assert.equal(ratio([unknown], "cpu"), undefined);
    assert.equal(ratio([unknown], "wall"), 2);
    assert.deepEqual(medianCost([unknown.run]), { cpu: undefined, wall: 2 });
  });

  it("prints the runs as a table", () => {
    const unmeasured = { beside: { cpu: undefined, wall: 1 }, run: { cpu: undefined, wall: 2.04 } };
    const row = { platform: "eks", run: "preview", beside: "empty program" };
    assert.equal(
      timesTable([
        { ...row, pairs: [pair(2, 3), pair(4, 5)] },
        { ...row, pairs: [unmeasured] },
      ]),
      [
        "| platform | run     | beside        | CPU s     | CPU   | wall s    | wall  | pairs |",
        "| -------- | ------- | ------------- | --------- | ----- | --------- | ----- | ----- |",
        "| eks      | preview | empty program | 4.0 : 3.0 | ×1.38 | 4.0 : 3.0 | ×1.38 | 2     |",
        "| eks      | preview | empty program | - : -     | -     | 2.0 : 1.0 | ×2.04 | 1     |",
      ].join("\n"),
    );
  });

  it("prints the sizes as a table", () => {
    const [head, , row] = sizesTable([
      {
        brokers: 4,
        partitions: 2,
        failover: { requests: 30, toLost: 1, seconds: 4.44 },
        failback: { requests: 90, toLost: 20, seconds: 12 },
      },
    ]).split("\n");
    const cells = (line = "") => line.split("|").map((cell) => cell.trim());
    assert.deepEqual(cells(head).slice(1, 4), ["brokers", "partitions", "failover: requests"]);
    assert.deepEqual(cells(row).slice(1, -1), ["4", "2", "30", "1", "4.4", "90", "20", "12.0"]);
  });
});

describe("the cost of a command", () => {
  it("reads a process's times, whatever its name is", () => {
    const stat =
      "42 (a) b) S 7 42 40 0 -1 4194560 4811 59947 0 7 150 50 25 75 20 0 1 0 34409 5124096 993";
    assert.deepEqual(parseStat(stat), { parent: 7, session: 40, own: 2, reaped: 1 });
  });

  it("counts a child that was waited for once, and one that was killed too", () => {
    const seen = new Map([
      [1, { parent: 0, own: 1, reaped: 2 }],
      // Waited for: in the parent's 2.
      [2, { parent: 1, own: 1.9, reaped: 0 }],
      // Left behind, with a child of its own that it has waited for.
      [3, { parent: 1, own: 4, reaped: 5 }],
    ]);
    assert.equal(costOf(3, seen), 9);
    assert.equal(costOf(1, seen), 1 + 1.9 + 9);
    assert.equal(costOf(4, seen), 0);
  });

  it("is that of all its processes, and it says how the command ended", async () => {
    const burn =
      "const end = process.cpuUsage().user + 3e5; while (process.cpuUsage().user < end);";
    const parent = `
      const { spawnSync } = require("node:child_process");
      const { status } = spawnSync(process.execPath, ["-e", ${JSON.stringify(burn)}]);
      console.log("child " + status); console.error("done"); process.exit(3);`;
    const usage = await measured(process.execPath, ["-e", parent], {
      cwd: process.cwd(),
      env: process.env,
    });
    assert.equal(usage.code, 3);
    assert.match(usage.output, /child 0\n/);
    assert.match(usage.output, /done\n/);
    assert.ok(usage.wall > 0.3, `wall ${usage.wall}`);
    if (process.platform === "linux") {
      assert.ok((usage.cpu ?? 0) > 0.3, `cpu ${usage.cpu}`);
    }
  }).timeout(180_000);
});
