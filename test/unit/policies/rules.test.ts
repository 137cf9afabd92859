import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { RULES } from "../../../policies/rules";
import { NO_SURROUNDINGS, violationsOf } from "../../../policies/rules/model";
import { CASES } from "./cases";

describe("the policy", () => {
  for (const rule of RULES) {
    describe(rule.name, () => {
      const cases = CASES[rule.name] ?? { breaks: [], keeps: [] };

      it("has cases of both kinds", () => {
        assert.ok(cases.breaks.length > 0 && cases.keeps.length > 0);
      });

      for (const [what, graph, message, around] of cases.breaks) {
        it(`is broken by ${what}`, () => {
          const found = violationsOf(rule, graph, { ...NO_SURROUNDINGS, ...around });
          const messages = found.map((violation) => violation.message);
          assert.equal(
            messages.filter((line) => message.test(line)).length,
            1,
            messages.join("\n"),
          );
          messages.forEach((line) => assert.doesNotMatch(line, /\n/));
        });
      }
      for (const [what, graph, around] of cases.keeps) {
        it(`is kept by ${what}`, () => {
          assert.deepEqual(violationsOf(rule, graph, { ...NO_SURROUNDINGS, ...around }), []);
        });
      }
    });
  }

  it("stands alone: a pack is published without the rest of the repository", () => {
    const folder = path.join(__dirname, "..", "..", "..", "policies");
    const files = [
      "index.ts",
      ...readdirSync(path.join(folder, "rules")).map((file) => `rules/${file}`),
    ];
    const imported = files.flatMap((file) =>
      [...readFileSync(path.join(folder, file), "utf8").matchAll(/from "([^"]+)"/g)].map(
        (match) => match[1] ?? "",
      ),
    );
    assert.ok(imported.length > 0);
    assert.deepEqual(
      imported.filter((from) => !from.startsWith("./") && !from.startsWith("@pulumi/policy")),
      [],
    );
  });

  it("has no cases for a rule that is not in the pack, and no name twice", () => {
    const names = RULES.map(({ name }) => name);
    assert.deepEqual(Object.keys(CASES).sort(), [...names].sort());
    assert.equal(new Set(names).size, names.length);
  });
});
