import assert from "node:assert/strict";
import { commandLine, expectNone, notOneOf, notWhole, Stop } from "../../../scripts/commandLine";

describe("a command line", () => {
  const { argv } = process;
  afterEach(() => {
    process.argv = argv;
  });

  const OPTIONS = {
    lose: { type: "string", default: "region1" },
    yes: { type: "boolean" },
  } as const;
  const read = (words: boolean, ...args: string[]) => {
    process.argv = ["node", "command.ts", ...args];
    return commandLine("", OPTIONS, words);
  };

  it("is read by the options that it may have", () => {
    assert.deepEqual({ ...read(false, "--yes").values }, { lose: "region1", yes: true });
    assert.deepEqual(read(true, "unit", "--lose", "region0", "engine").words, ["unit", "engine"]);
  });

  for (const [words, args, message] of [
    [false, ["--nosuch"], "Unknown option '--nosuch'; see --help"],
    [true, ["--nosuch"], "Unknown option '--nosuch'; see --help"],
    [false, ["--lose"], "Option '--lose <value>' argument missing; see --help"],
  ] as const) {
    it(`is refused in one line: ${args.join(" ")}${words ? ", where words may be" : ""}`, () => {
      assert.throws(
        () => read(words, ...args),
        (error) => {
          assert.ok(error instanceof Stop);
          assert.deepEqual([error.message, error.exitCode], [message, 2]);
          return true;
        },
      );
    });
  }

  it("is refused with all that is wrong with its values", () => {
    expectNone([
      notOneOf("--lose", undefined, ["both"]),
      notOneOf("--lose", "both", ["region0", "both"]),
      notWhole("--brokers", "6", 4, true),
    ]);
    assert.throws(
      () =>
        expectNone([
          notOneOf("--lose", "mars", ["region0", "both"]),
          undefined,
          notWhole("--brokers", "5", 4, true),
          notWhole("--pairs", "1.5", 1),
        ]),
      /^Stop: --lose must be region0 or both, not mars; --brokers must be even and at least 4, not 5; --pairs must be at least 1, not 1\.5$/,
    );
  });
});
