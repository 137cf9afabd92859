import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { providerFor } from "../../components/recovery/dynamic";
import { omit } from "../../components/recovery/providers/behaviour";

const root = process.cwd();
const methods = ["configure", "create", "update", "read", "delete"];
const providers = [
  "clusterHealth",
  "corefileBlock",
  "exporter",
  "exporting",
  "exportPause",
  "exportResume",
  "failbackGate",
  "membership",
  "peerConnection",
  "snapshot",
  "snapshotRepository",
  "snapshotRestore",
  "webApps",
  "webAppsStop",
];
const pathOf = (name: string) => `./components/recovery/providers/${name}.ts`;

async function serialized(modulePath: string): Promise<string> {
  const { text } = await pulumi.runtime.serializeFunction(() => providerFor(modulePath));
  return text;
}

/** As the engine does it: the provider itself is what the function returns. */
async function serializedProvider(modulePath: string): Promise<string> {
  const provider = providerFor(modulePath);
  const { text } = await pulumi.runtime.serializeFunction(() => provider);
  return text;
}

describe("the serialized provider", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "provider-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs statements on providers in a plain node process, which loads them from text as the engine does. */
  async function run(texts: string[], statements: string): Promise<string[]> {
    const input = join(folder, "providers.json");
    writeFileSync(input, JSON.stringify(texts));
    const script = `
      const fromText = require("require-from-string");
      const providers = require(${JSON.stringify(input)}).map((text) => fromText(text).handler());
      (async () => { ${statements} })().catch((error) => console.log("unexpected: " + error.stack));`;
    const env = omit(process.env, ["NODE_OPTIONS"]);
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], {
      cwd: root,
      env,
    });
    return stdout.trimEnd().split("\n");
  }

  it("captures one text for each method, the path of the module, and nothing else", async () => {
    const text = await serializedProvider(pathOf("membership"));
    const captured = [...text.matchAll(/with\((.*)\) \{/g)].map(([, scope]) => scope?.trim());
    const ofMethods = captured.filter((scope) => scope?.includes("modulePath"));
    assert.equal(ofMethods.length, methods.length);
    for (const scope of ofMethods) {
      assert.match(
        scope ?? "",
        /^\{ modulePath: "\.\/components\/recovery\/providers\/membership\.ts"(, this: undefined, arguments: undefined)? \}$/,
      );
    }
    assert.ok(text.length < 8_000, `${text.length} characters`);
    assert.doesNotMatch(text, /ZeebeClient|axios|actuator/);
    for (const method of methods) assert.ok(text.includes(method));
  });

  it("loads the logic in a plain node process and reports a wrong configuration as one line", async () => {
    const lines = await run(
      [await serializedProvider(pathOf("membership"))],
      `const [provider] = providers;
       const get = (key) => (key === "region" ? "west" : undefined);
       await provider.configure({ config: { get } });
       await provider.create({ brokers: {}, replicationFactor: 2 }).catch((error) => {
         console.log(JSON.stringify(error.message));
       });`,
    );
    assert.equal(lines.length, 1);
    assert.match(
      lines[0] ?? "",
      /^"\d problems in the configuration: region must be region0 or region1, not \\"west\\"/,
    );
  }).timeout(20_000);

  it("loads the logic of every resource type", async () => {
    const lines = await run(
      await Promise.all(providers.map((name) => serializedProvider(pathOf(name)))),
      `for (const provider of providers) {
         await provider.create({ exporters: {} }).catch((error) => console.log(error.message.split(" (")[0]));
       }`,
    );
    assert.deepEqual(
      lines,
      providers.map(() => "the provider was not configured"),
    );
  }).timeout(20_000);

  it("does not change when the logic is edited", async () => {
    const copy = join(folder, "membership.ts");
    copyFileSync(join(root, pathOf("membership")), copy);
    const path = relative(root, copy);
    const before = await serialized(path);
    const beforeProvider = await serializedProvider(path);
    appendFileSync(copy, "\nexport const edited = true;\n");
    assert.match(readFileSync(copy, "utf8"), /edited/);
    assert.equal(await serialized(path), before);
    assert.equal(await serializedProvider(path), beforeProvider);
  });

  it("differs between resource types by the path alone", async () => {
    const [one, other] = await Promise.all(
      ["membership", "exporter"].map((name) => serializedProvider(pathOf(name))),
    );
    assert.equal(one?.replaceAll("membership", "exporter"), other);
  });
});
