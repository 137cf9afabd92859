import assert from "node:assert/strict";
import fc from "fast-check";
import * as fs from "node:fs";
import * as path from "node:path";
import {
  ConfigError,
  KEYS,
  openSecrets,
  readSettings,
  unknownKeys,
} from "../../../components/settings";
import { Platform, PLATFORMS } from "../../../components/settings/schema";
import { entryOf } from "../../../components/settings/table";
import { eksConfig, kubernetesConfig, lookup, Raw, rawConfig } from "../../support/config";
import { REPOSITORY } from "../../../scripts/repository";
import { expectLine } from "../../support/failure";
import { isQuoted, quotationsOf, quoted } from "../../support/messages";

const GOOD: Record<Platform, (changes?: Raw) => Raw> = {
  eks: eksConfig,
  kubernetes: kubernetesConfig,
  endpoints: rawConfig,
};

function problemsOf(raw: Raw): readonly string[] {
  try {
    readSettings(lookup(raw));
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
}

const LONG = "an operator's slip of the keyboard, which goes on and on and on, ".repeat(4);

/** Values that are wrong for nearly every key. */
const WRONG: readonly unknown[] = [LONG, "", "{", "-1", 1.5, [], [LONG], [[]], true, {}, { a: 1 }];

/** An object like a good one, with each of its parts spoilt in turn, and with parts that nobody knows. */
function spoilt(value: unknown): unknown[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [...WRONG, null];
  }
  const parts = Object.entries(value).flatMap(([name, part]) =>
    [undefined, ...spoilt(part)].map((bad) => ({ ...value, [name]: bad })),
  );
  return [...WRONG, ...parts, { ...value, [LONG]: LONG }];
}

/** An object with a value in place of each of its parts in turn. */
function spoiltBy(value: unknown, bad: unknown): unknown[] {
  return typeof value !== "object" || value === null
    ? [bad]
    : Object.entries(value).flatMap(([name, part]) =>
        [bad, ...spoiltBy(part, bad)].map((spoilt) => ({ ...value, [name]: spoilt })),
      );
}

/** Values of keys that are objects, so that all parts are there to be spoilt. */
const WHOLE: Raw = {
  hooks: { beforeFailover: "a" },
  overrides: { "export-gap": "a rehearsal" },
  timeouts: { join: 1 },
  exporters: { region0: ["a"], region1: ["b"] },
  namespaces: { region0: "a", region1: "b" },
  charts: {
    camunda: { chart: "a", repository: "b", version: "11.0.0" },
    elasticsearch: { chart: "a", repository: "b", version: "21.0.0" },
  },
  sizing: { zeebe: { cpu: "1" }, gateways: 1, elasticsearch: { nodes: 1, disk: "1Gi" } },
  helmValues: {
    camunda: { zeebe: { clusterSize: 4, extraInitContainers: [] } },
    elasticsearch: {},
  },
  awsRegions: { region0: "eu-west-1", region1: "eu-west-2" },
  nodes: { instanceType: "m6i.large", min: 1, desired: 4, max: 4, diskGb: 20 },
  traffic: { zoneId: "Z", name: "a.test", targets: { region0: "b", region1: "c" } },
  webApps: { stop: "a", start: "b" },
  credentials: {
    elasticsearch: { region0: { user: "a", password: "b" }, region1: { apiKey: "c" } },
    gateway: { token: "d" },
    management: { user: "e", password: "f" },
  },
};

/** What the page of errors says of the configuration. */
const TOLD = quotationsOf(fs.readFileSync(path.join(REPOSITORY, "docs/errors.md"), "utf8"))
  .filter(({ section }) => section === "Configuration")
  .map(({ quotation }) => quoted(quotation));

describe("the table of the configuration's keys", () => {
  for (const platform of PLATFORMS) {
    it(`says what is wrong on ${platform} in lines that are not too long, whatever is set`, () => {
      const raw = GOOD[platform]();
      const found = KEYS.flatMap((key) =>
        spoilt(WHOLE[key] ?? raw[key]).flatMap((bad) => problemsOf({ ...raw, [key]: bad })),
      );
      assert.ok(found.length > 300, String(found.length));
      found.forEach((problem) => expectLine(problem, [/^[a-z]\w+/]));
      const untold = [...new Set(found)].filter((problem) => !isQuoted(TOLD, problem));
      assert.deepEqual(untold, [], "docs/errors.md has not");
    });
  }

  it("says what is wrong between keys in lines that are not too long", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 500 }), fc.nat(200), (half, listed) => {
        const brokers = Object.fromEntries(
          Array.from({ length: listed }, (_, id) => [id * 7, `http://host:${id + 1}`]),
        );
        const { region0, region1 } = rawConfig().endpoints as Record<string, object>;
        const endpoints = { region0: { ...region0, brokers }, region1: { ...region1, brokers } };
        for (const raw of [
          rawConfig({ clusterSize: half * 2, endpoints }),
          eksConfig({ clusterSize: half * 2, region: "region1", lostRegion: "region1" }),
        ]) {
          problemsOf(raw).forEach((problem) => expectLine(problem, []));
        }
      }),
      { numRuns: 30 },
    );
  });

  it("never says the value of a secret", () => {
    const secrets = KEYS.filter((key) => entryOf(key).secret !== undefined);
    assert.deepEqual(secrets, ["s3SecretKey", "credentials"]);
    for (const key of secrets) {
      for (const platform of PLATFORMS) {
        for (const value of ["hush", "{hush", '{"hush": ["hush"]}', '["hush"]', " hush\nhush"]) {
          // Alone, which is wrong for each of them; and with all else wrong.
          for (const others of [{}, { region: "x", awsAccount: "x", endpoints: [] }]) {
            const said = problemsOf({ ...GOOD[platform](others), [key]: value }).join("\n");
            assert.doesNotMatch(said, /hush(?! is none of)/);
          }
        }
      }
    }
    // Each is looked at somewhere: what is not looked at says nothing either.
    for (const key of secrets) {
      assert.ok(
        PLATFORMS.some((platform) => problemsOf({ ...GOOD[platform](), [key]: "a" }).length > 0),
        key,
      );
    }
  });

  it("never says a secret that stands in a part of an object, in another part, or beside one that is wrong", () => {
    // As YAML may have made something of it, and as a slip of the keyboard has it.
    const kinds = [
      "hush",
      " hush",
      "hu:hush",
      "hush\nhush",
      "Bearer hush",
      ["hush"],
      { a: "hush" },
      47114711,
    ];
    for (const key of KEYS.filter((name) => Array.isArray(entryOf(name).secret))) {
      const said = kinds.flatMap((secret) =>
        spoiltBy(WHOLE[key], secret).flatMap((bad) => problemsOf(rawConfig({ [key]: bad }))),
      );
      assert.ok(said.length > 30, String(said.length));
      assert.doesNotMatch(said.join("\n"), /hush|4711/);
    }
  });

  it("never says what is in a text that should have been structured, nor a password in a URL", () => {
    for (const key of KEYS.filter((name) => ["object", "array"].includes(entryOf(name).type))) {
      for (const platform of PLATFORMS) {
        assert.doesNotMatch(problemsOf(GOOD[platform]({ [key]: "{hush" })).join("\n"), /hush/);
      }
    }
    const { region0, region1 } = rawConfig().endpoints as Record<string, object>;
    for (const url of [
      "ftp://me:hush@host",
      "me:hush@host",
      "https://me:hush@host",
      "//me:hush@h",
    ]) {
      const endpoints = { region0: { ...region0, gateway: url }, region1 };
      const said = problemsOf(rawConfig({ endpoints }));
      assert.equal(said.length, 1);
      assert.doesNotMatch(said.join("\n"), /hush/);
    }
  });

  it("refuses to keep as a secret what is in the state in clear, and what is no key, in one line", () => {
    const open = KEYS.filter((key) => entryOf(key).open !== undefined);
    assert.deepEqual(open, ["hooks", "helmValues", "webApps", "reason"]);
    assert.equal(openSecrets(KEYS).length, open.length);
    for (const problem of [...openSecrets(KEYS), ...unknownKeys([LONG, "x", "REGION"])]) {
      expectLine(problem, []);
    }
  });

  it("refuses a part that is not known, of every object that names its parts", () => {
    for (const platform of PLATFORMS) {
      for (const key of KEYS) {
        const { type, platforms } = entryOf(key);
        if (type === "object" && platforms.includes(platform)) {
          const raw = GOOD[platform]();
          const value = { ...((raw[key] ?? WHOLE[key] ?? {}) as object), region2: {} };
          const problems = problemsOf({ ...raw, [key]: value });
          assert.ok(
            problems.some((problem) => problem.startsWith(`${key}.region2 is none of `)),
            `${key}: ${problems.join("; ")}`,
          );
        }
      }
    }
  });
});
