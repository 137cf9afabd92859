import assert from "node:assert/strict";
import { allCases } from "../../world/faults/cases";
import { covering, runCases } from "../../world/faults/campaign";
import { EngineProcess } from "../../world/faults/engine";
import { EVENTS } from "../../world/faults/events";
import { FAMILIES } from "../../world/faults/failpoint";
import { LIES, LISTINGS } from "../../world/faults/lies";
import { reportOf, textOfReport } from "../../world/faults/report";
import type { FaultCase } from "../../world/faults/runCase";
import { WORKS } from "../../world/faults/works";

/** Which of the cases are in the share: any number would do. */
const SEED = 1;

/** Cases at a time: they mostly wait. */
const JOBS = 4;

describe("a share of the faults, with each kind in it", function () {
  this.timeout(900_000);
  let all: FaultCase[];
  let share: FaultCase[];

  before(async () => {
    const engine = new EngineProcess();
    try {
      all = await allCases(engine);
      share = covering(all, SEED);
    } finally {
      engine.kill();
    }
  });

  it("has every wrong answer, every event, and every work with either region lost", () => {
    const kinds = share.map(({ failpoint }) => failpoint.kind);
    const absent = [...LIES, ...EVENTS].filter(({ name }) => !kinds.includes(name));
    assert.deepEqual(absent, []);
    const works = new Set(share.map(({ work, lost }) => `${work.name} ${lost}`));
    assert.equal(works.size, WORKS.length * 2);
  });

  it("has each change killed before and after, its answer lost, and a success of it that is none", () => {
    const of = (cases: FaultCase[]) =>
      new Set(
        cases.map(({ failpoint: { kind, at } }) => `${kind.replace(/^done-.*/, "done")} ${at}`),
      );
    const changing = /^(killed|done|undone)/;
    const wanted = [...of(all)].filter((one) => changing.test(one));
    assert.ok(wanted.length > 40, `${wanted.length}`);
    const had = of(share);
    assert.deepEqual(
      wanted.filter((one) => !had.has(one)),
      [],
    );
  });

  it("lets a living region look lost for good, in each way", () => {
    const ways = share
      .filter(
        ({ work, name }) => work.name === "mistaken" && /\/v2\/topology .* always$/.test(name),
      )
      .map(({ failpoint }) => failpoint.kind);
    assert.deepEqual(
      LISTINGS.filter((kind) => !ways.includes(kind)),
      [],
    );
  });

  for (const family of FAMILIES) {
    it(`ends well or is refused and heals: ${family}`, async () => {
      const cases = share.filter(({ failpoint }) => failpoint.family === family);
      assert.ok(cases.length > 0);
      const began = Date.now();
      const results = await runCases(cases, JOBS);
      const report = reportOf(results, SEED, Math.round((Date.now() - began) / 1000));
      assert.deepEqual(report.faults, [], `${textOfReport(report)}\n\n${again(report.faults)}`);
    });
  }
});

function again(faults: readonly { name: string }[]): string {
  return faults.map(({ name }) => `npm run test:faults -- --case "${name}"`).join("\n");
}
