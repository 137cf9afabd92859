import assert from "node:assert/strict";
import fc from "fast-check";
import { mergeValues } from "../../../../components/installation/camunda/mergeValues";

const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
const key = fc.constantFrom("a", "b", "c", "env", "list");
const named = fc.uniqueArray(
  fc.record({ name: fc.constantFrom("A", "B", "C", "D"), value: fc.string() }),
  { selector: ({ name }) => name },
);
const values = fc.letrec<{ map: Record<string, unknown>; value: unknown }>((tie) => ({
  map: fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  value: fc.oneof({ maxDepth: 3 }, scalar, named, fc.array(fc.integer()), tie("map")),
})).map;

describe("values of the user's own", () => {
  it("come last, maps deep, lists of named objects by name, other lists as a whole", () => {
    const base = {
      zeebe: {
        clusterSize: 8,
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "2" },
        ],
        args: ["x", "y"],
      },
      operate: { enabled: true },
    };
    const custom = {
      zeebe: {
        env: [
          { name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          { name: "C", value: "3" },
        ],
        args: ["z"],
        podLabels: { team: "a" },
      },
      operate: { enabled: null },
    };
    assert.deepEqual(mergeValues(base, custom), {
      zeebe: {
        clusterSize: 8,
        env: [
          { name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          { name: "B", value: "2" },
          { name: "C", value: "3" },
        ],
        args: ["z"],
        podLabels: { team: "a" },
      },
      operate: { enabled: null },
    });
    assert.deepEqual(base.zeebe.args, ["x", "y"]);
    assert.equal(base.zeebe.env.length, 2);
  });

  it("do not drop the environment by an empty list", () => {
    const env = [{ name: "A", value: "1" }];
    assert.deepEqual(mergeValues({ env }, { env: [] }), { env });
  });

  it("change nothing when there are none, and nothing when merged twice (property)", () => {
    fc.assert(
      fc.property(values, values, (base, custom) => {
        assert.deepEqual(mergeValues(base, {}), base);
        assert.deepEqual(mergeValues({}, custom), custom);
        const once = mergeValues(base, custom);
        assert.deepEqual(mergeValues(once, custom), once);
      }),
    );
  });

  it("win at every place, and leave what they do not name (property)", () => {
    const isMap = (value: unknown): value is Record<string, unknown> =>
      typeof value === "object" && value !== null && !Array.isArray(value);
    const isNamed = (value: unknown): value is { name: string }[] =>
      Array.isArray(value) && value.every((item) => isMap(item) && typeof item.name === "string");
    const holds = (base: unknown, custom: unknown, merged: unknown): void => {
      if (isMap(base) && isMap(custom) && isMap(merged)) {
        assert.deepEqual(
          new Set(Object.keys(merged)),
          new Set([...Object.keys(base), ...Object.keys(custom)]),
        );
        for (const name of Object.keys(merged)) {
          if (!(name in custom)) {
            assert.deepEqual(merged[name], base[name]);
          } else if (!(name in base)) {
            assert.deepEqual(merged[name], custom[name]);
          } else {
            holds(base[name], custom[name], merged[name]);
          }
        }
      } else if (isNamed(base) && base.length > 0 && isNamed(custom) && isNamed(merged)) {
        const find = (list: { name: string }[], name: string) =>
          list.find((item) => item.name === name);
        const names = merged.map(({ name }) => name);
        assert.equal(new Set(names).size, names.length);
        assert.deepEqual(new Set(names), new Set([...base, ...custom].map(({ name }) => name)));
        for (const item of merged) {
          assert.deepEqual(item, find(custom, item.name) ?? find(base, item.name));
        }
      } else {
        assert.deepEqual(merged, custom);
      }
    };
    fc.assert(
      fc.property(values, values, (base, custom) => holds(base, custom, mergeValues(base, custom))),
    );
  });
});
