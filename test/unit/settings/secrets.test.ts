import assert from "node:assert/strict";
import { plainSecrets } from "../../../components/settings";
import { entryOf, KEYS } from "../../../components/settings/table";
import { lookup } from "../../support/config";
import { expectLine } from "../../support/failure";

const PROJECT = "camunda-dual-region";

/** What is said of a value that has arrived, of which Pulumi has a part encrypted, or nothing. */
function said(credentials: unknown, encrypted: boolean, ...texts: string[]): string[] {
  const files = texts.map((text, at) => ({
    name: ["Pulumi.region0.yaml", "Pulumi.yaml"][at] ?? "",
    text,
  }));
  const get = lookup({ credentials });
  const problems = plainSecrets(["credentials"], () => encrypted, get, files, PROJECT);
  problems.forEach((line) => {
    expectLine(line, []);
    assert.doesNotMatch(line, /hush/);
  });
  return problems.map((line) => {
    const [place = ""] = line.split(" ");
    assert.equal(
      line,
      `${place} is set in clear: change it, then pulumi config set --path --secret ${place}`,
    );
    return place;
  });
}

/** A stack's file with these credentials. */
const file = (credentials: unknown) =>
  `encryptionsalt: v1:x\nconfig:\n  ${PROJECT}:region: region0\n  ${PROJECT}:credentials: ${JSON.stringify(credentials)}\n`;

const secure = { secure: "v1:abc" };

const ALL = {
  elasticsearch: { region0: { user: "a", password: "hush" }, region1: { apiKey: "hush" } },
  gateway: { token: "hush" },
  management: { user: "b", password: "hush" },
};

describe("a secret that is set in clear", () => {
  it("is refused, of a key that is one", () => {
    for (const key of KEYS.filter((name) => entryOf(name).secret === true)) {
      const get = lookup({ [key]: "hush" });
      const [line = "", ...more] = plainSecrets([key], () => false, get, [], PROJECT);
      assert.equal(
        line,
        `${key} is set in clear: change it, then pulumi config set --secret ${key}`,
      );
      assert.deepEqual(more, []);
      assert.deepEqual(
        plainSecrets([key], () => true, get, [], PROJECT),
        [],
      );
      assert.deepEqual(
        plainSecrets([key], () => false, lookup({ [key]: "" }), [], PROJECT),
        [],
      );
    }
  });

  it("is refused, each that is part of an object of which nothing is encrypted", () => {
    assert.deepEqual(said(ALL, false, file(ALL)), [
      "credentials.elasticsearch.region0.password",
      "credentials.elasticsearch.region1.apiKey",
      "credentials.gateway.token",
      "credentials.management.password",
    ]);
    // Where no file is found, as with --config-file.
    assert.equal(said(ALL, false).length, 4);
    assert.deepEqual(said({ gateway: { user: "a" } }, false), []);
    assert.deepEqual(said({}, false), []);
    assert.deepEqual(said("{hush", false), []);
  });

  it("is refused beside one that is encrypted, of which alone Pulumi tells the program", () => {
    const written = {
      elasticsearch: { region0: { user: "a", password: secure }, region1: { apiKey: "hush" } },
      gateway: { token: secure },
      management: { user: secure, password: "hush" },
    };
    assert.deepEqual(said(ALL, true, file(written)), [
      "credentials.elasticsearch.region1.apiKey",
      "credentials.management.password",
    ]);
  });

  it("is not refused when it is encrypted, by itself or as a whole", () => {
    const parts = {
      elasticsearch: { region0: { user: "a", password: secure }, region1: { apiKey: secure } },
      gateway: { token: secure },
      management: { user: "b", password: secure },
    };
    assert.deepEqual(said(ALL, true, file(parts)), []);
    assert.deepEqual(said(ALL, true, file(secure)), []);
    // Pulumi.yaml holds no secret of Pulumi's: what it says is hidden by the stack's file, as a whole.
    const project = `config:\n  credentials:\n    value: ${JSON.stringify(ALL)}\n`;
    assert.deepEqual(said(ALL, true, file(parts), project), []);
    assert.equal(said(ALL, false, "config: {}\n", project).length, 4);
  });
});
