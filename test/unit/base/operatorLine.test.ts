import assert from "node:assert/strict";
import {
  LONGEST_LINE,
  operatorLine,
  readPart,
  refusedRun,
} from "../../../components/base/operatorLine";
import { Refusal } from "../../../components/base/refusal";
import { Refused, Unreachable } from "../../../components/clients/http";

const PAUSED = " (exporting stays paused)";
const WAY_OUT = "nothing was sent; look at the cluster";

describe("the line that an operator reads", () => {
  it("is an error's own when there is room", () => {
    assert.equal(operatorLine(new Error("one\n  fact")), "one fact");
    assert.equal(
      operatorLine(new Refusal("a fact (quoted): do this"), PAUSED),
      `a fact (quoted): do this${PAUSED}`,
    );
  });

  it("lets the end of an answer give way to what is added", () => {
    const line = operatorLine(new Refused("GET http://any/thing", 200, "x".repeat(300)), PAUSED);
    assert.equal(line.length, LONGEST_LINE);
    assert.match(line, /^GET http:\/\/any\/thing answered 200: x+… \(exporting stays paused\)$/);
  });

  it("has what became of a request also when its address is longer than a line", () => {
    const url = `https://${"long.".repeat(40)}example.com/actuator/cluster`;
    assert.match(operatorLine(new Refused(`GET ${url}`, 503, "busy")), /answered 503: busy$/);
    assert.match(
      operatorLine(new Unreachable(url, "ECONNREFUSED")),
      /does not answer \(ECONNREFUSED\)$/,
    );
  });

  it("keeps the way out of a refusal: what it quotes gives way", () => {
    const refusal = new Refusal(`not meant (${"y".repeat(150)}) (waited 3 s): ${WAY_OUT}`);
    const line = operatorLine(refusal, PAUSED);
    assert.equal(line.length, LONGEST_LINE);
    assert.match(
      line,
      new RegExp(`^not meant \\(y+…\\) \\(waited 3 s\\): ${WAY_OUT} \\(exporting`),
    );
  });

  for (const [what, quoted] of [
    ["has parentheses of its own", `change 7 (2 of 9 done, at ${"y".repeat(150)})`],
    ["has some that end nowhere", `answered 503: no (leader (${"y".repeat(150)}…`],
  ] as const) {
    it(`lets all of a quotation give way that ${what}`, () => {
      const line = operatorLine(new Refusal(`not meant (${quoted}): ${WAY_OUT} (now)`), PAUSED);
      assert.equal(line.length, LONGEST_LINE);
      assert.match(
        line,
        new RegExp(
          `^not meant \\([a-z].*y…\\): ${WAY_OUT} \\(now\\) \\(exporting stays paused\\)$`,
        ),
      );
    });
  }

  it("keeps a place in the documentation", () => {
    const refusal = new Refusal(`${"z".repeat(140)} (short); see (docs/errors.md#failback)`);
    assert.match(operatorLine(refusal), /\(docs\/errors\.md#failback\)$/);
  });

  it("leaves a command at the end whole, to be copied, with what is added before it", () => {
    const command = `curl -X POST http://${"host.".repeat(40)}/actuator`;
    const line = operatorLine(new Refusal(`both failed; by hand: ${command}`), PAUSED);
    assert.equal(line, `both failed; by hand${PAUSED}: ${command}`);
    assert.equal(readPart(line), `both failed; by hand${PAUSED}`);
  });

  it("has room for what stands before the reason for which a whole run is refused", () => {
    const reason = (quoted: number) => `not meant (${"y".repeat(quoted)}): ${WAY_OUT}`;
    assert.equal(refusedRun([reason(3)]), `refused: not meant (yyy): ${WAY_OUT}`);
    const [only = "", ...others] = refusedRun([reason(150)]).split("\n");
    assert.deepEqual(others, []);
    assert.equal(only.length, LONGEST_LINE);
    assert.ok(only.endsWith(`…): ${WAY_OUT}`), only);
    const [first, ...lines] = refusedRun([reason(150), reason(3)]).split("\n");
    assert.equal(first, "refused, 2 reasons:");
    assert.deepEqual(
      lines.map(({ length }) => length),
      [LONGEST_LINE, reason(3).length + 2],
    );
  });
});
