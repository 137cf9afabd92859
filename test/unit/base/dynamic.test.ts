import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { providerText } from "../../../components/base/dynamic";
import { omit } from "../../../components/recovery/providers/behaviour";

const root = process.cwd();
const DYNAMIC = "./components/base/dynamic.ts";
const providers = readdirSync("components/recovery/providers")
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -".ts".length))
  .filter((name) => name !== "behaviour");

/** A plain node process, as that of the dynamic resources is. */
async function node(script: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [...args, "-e", script], {
    cwd: root,
    env: omit(process.env, ["NODE_OPTIONS"]),
  });
  return stdout.trimEnd().split("\n");
}

describe("what the state keeps of a provider", () => {
  const kept = `exports.handler = () => require(process.cwd() + "/components/recovery/providers/load.js")("membership");`;
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "provider-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs statements on providers that are loaded from their texts as the engine does it. */
  async function run(names: string[], statements: string): Promise<string[]> {
    const input = join(folder, "providers.json");
    writeFileSync(input, JSON.stringify(names.map(providerText)));
    return node(`
      const fromText = require("require-from-string");
      const providers = require(${JSON.stringify(input)}).map((text) => fromText(text).handler());
      const loaded = () => Object.keys(require.cache).filter((file) => file.endsWith(".ts"));
      (async () => { ${statements} })().catch((error) => console.log("unexpected: " + error.stack));`);
  }

  // States of users hold this text: with another one every resource of theirs is a diff.
  it("is one line that names the module, and never changes", () => {
    assert.equal(providerText("membership"), kept);
    assert.equal(providerText("exporter"), kept.replace("membership", "exporter"));
  });

  it("is the same whatever compiles the program", async () => {
    const print = `console.log(require(${JSON.stringify(DYNAMIC)}).providerText("membership"))`;
    for (const compiler of [
      "tsx/cjs",
      "ts-node/register/transpile-only",
      "./components/loader.js",
    ]) {
      assert.deepEqual(await node(print, "-r", compiler), [kept], compiler);
    }
  }).timeout(180_000);

  it("is what a resource of the program registers", async () => {
    const registered = await node(
      `
      const pulumi = require("@pulumi/pulumi");
      const { CorefileBlock } = require("./components/installation/kubernetes/corefileBlock.ts");
      pulumi.runtime.setMocks({
        call: () => ({}),
        newResource: ({ type, inputs }) => {
          console.log(type);
          console.log(JSON.stringify(inputs));
          return { id: "id", state: inputs };
        },
      });
      new CorefileBlock("block", { block: "text" });`,
      "-r",
      "tsx/cjs",
    );
    assert.equal(registered[0], "pulumi-nodejs:dynamic/camunda:CorefileBlock");
    const __provider = kept.replace("membership", "corefileBlock");
    assert.deepEqual(JSON.parse(registered[1] ?? ""), { block: "text", __provider });
  }).timeout(180_000);

  it("loads nothing before a method is called", async () => {
    const lines = await run(
      ["membership"],
      `const [provider] = providers;
       await provider.configure({ config: { get: () => undefined } });
       console.log(loaded().length);
       await provider.create({ brokers: {}, replicationFactor: 2 }).catch(() => undefined);
       console.log(loaded().some((file) => file.endsWith("membership.ts")));`,
    );
    assert.deepEqual(lines, ["0", "true"]);
  }).timeout(180_000);

  it("reports a wrong configuration as one line", async () => {
    const lines = await run(
      ["membership"],
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
  }).timeout(180_000);

  it("finds the logic of every resource type", async () => {
    const lines = await run(
      providers,
      `for (const provider of providers) {
         await provider.configure({ config: { get: () => undefined } });
         await provider.create({ exporters: {} }).catch((error) => console.log(error.message));
       }`,
    );
    assert.ok(providers.length >= 14, providers.join(", "));
    assert.equal(lines.length, providers.length);
    for (const line of lines) {
      assert.match(line, /region is missing: region0 or region1/);
    }
  }).timeout(180_000);

  it("hands every method on to the logic, with what it was configured with", async () => {
    const logic = join(folder, "logic.ts");
    const methods = ["configure", "create", "update", "read", "delete"];
    writeFileSync(
      logic,
      `const told = (name: string) => (...given: unknown[]) =>
         console.log(JSON.stringify([name, ...given])) as unknown;
       export const provider = { ${methods.map((name) => `${name}: told("${name}")`).join(", ")} };`,
    );
    const lines = await run(
      [relative("components/recovery/providers", logic.slice(0, -".ts".length))],
      `const [provider] = providers;
       await provider.configure("configuration");
       await provider.create("inputs");
       await provider.update("id", "olds", "news");
       await provider.read("id", "props");
       await provider.delete("id", "props");`,
    );
    assert.deepEqual(
      lines.map((line) => JSON.parse(line) as unknown),
      [
        ["configure", "configuration"],
        ["create", "inputs"],
        ["update", "id", "olds", "news"],
        ["read", "id", "props"],
        ["delete", "id", "props"],
      ],
    );
  }).timeout(180_000);
});
