import assert from "node:assert/strict";
import { rewrittenNumbers } from "../../../components/settings/written";
import { lookup, Raw } from "../../support/config";

/** What is said of a stack's file, and of what has arrived from it. */
function said(text: string, arrived: Raw, name = "Pulumi.region0.yaml"): string[] {
  return rewrittenNumbers([{ name, text }], "camunda-dual-region", lookup(arrived));
}

describe("numbers without quotes", () => {
  const PREFIX = "  camunda-dual-region:";

  for (const [written, arrived] of [
    ["0123", "83"],
    ["012345670123", "1402433619"],
    ["0900", "900"],
    ["1.10", "1.1"],
    ["1e3", "1000"],
    ["0x1F", "31"],
    ["1_000", "1000"],
  ] as const) {
    it(`are said: ${written} has arrived as ${arrived}`, () => {
      assert.deepEqual(
        said(`config:\n${PREFIX}bucketSuffix: ${written}\n`, { bucketSuffix: arrived }),
        [
          `bucketSuffix is ${arrived}: so YAML reads ${written} without quotes (Pulumi.region0.yaml); write "${written}"`,
        ],
      );
    });
  }

  it("are said of Pulumi.yaml, and of a leading zero inside of objects", () => {
    assert.deepEqual(
      said("config:\n  bucketSuffix:\n    default: 0123\n", { bucketSuffix: "83" }, "Pulumi.yaml"),
      ['bucketSuffix is 83: so YAML reads 0123 without quotes (Pulumi.yaml); write "0123"'],
    );
    assert.deepEqual(
      said(`config:\n${PREFIX}namespaces:\n    region0: 0123\n`, {
        namespaces: { region0: 83 },
      }),
      [
        'namespaces.region0 is 83: so YAML reads 0123 without quotes (Pulumi.region0.yaml); write "0123"',
      ],
    );
  });

  it("are said where numbers are meant, when a leading zero has made another one of them", () => {
    assert.deepEqual(said(`config:\n${PREFIX}clusterSize: 010\n`, { clusterSize: "8" }), [
      "clusterSize is 8: so YAML reads 010 without quotes (Pulumi.region0.yaml); write 10",
    ]);
    assert.deepEqual(
      said(`config:\n${PREFIX}timeouts:\n    loss: 0100\n`, { timeouts: { loss: 64 } }),
      ["timeouts.loss is 64: so YAML reads 0100 without quotes (Pulumi.region0.yaml); write 100"],
    );
  });

  it("are nobody's concern as they are, in quotes, of another file, where numbers are meant, in values for others, or where secrets are", () => {
    const cases: [string, Raw][] = [
      [
        `${PREFIX}camundaVersion: 8.6\n${PREFIX}failback: "0123"`,
        { camundaVersion: "8.6", failback: "0123" },
      ],
      [`${PREFIX}bucketSuffix: 0123`, { bucketSuffix: "abc" }],
      ["  other:bucketSuffix: 0123", { bucketSuffix: "83" }],
      [`${PREFIX}timeouts:\n    loss: 60.0`, { timeouts: { loss: 60 } }],
      [`${PREFIX}helmValues:\n    camunda: { a: 0123 }`, { helmValues: { camunda: { a: 83 } } }],
      [`${PREFIX}clusterSize: 08`, { clusterSize: "8" }],
      [`${PREFIX}clusterSize: 0x10`, { clusterSize: "16" }],
      [`${PREFIX}timeouts:\n    loss: 08`, { timeouts: { loss: 8 } }],
      // Whose secret would be said. It is refused as one in clear.
      [
        `${PREFIX}credentials:\n    gateway: { token: 0123 }`,
        { credentials: { gateway: { token: 83 } } },
      ],
    ];
    for (const [text, arrived] of cases) {
      assert.deepEqual(said(`config:\n${text}\n`, arrived), [], text);
    }
  });
});
