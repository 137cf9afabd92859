import assert from "node:assert/strict";
import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { REPOSITORY } from "../../../../scripts/repository";
import { until } from "../../../../world/processes/until";

/** Plays a `pulumi` that runs until a file says that it may end, and notes every SIGINT. */
const PULUMI = `#!${process.execPath}
const fs = require("node:fs");
if (process.argv[2] === "version") {
  console.log("v3.230.0");
} else {
  process.on("SIGINT", () => fs.appendFileSync("seen", "SIGINT "));
  fs.appendFileSync("seen", "started ");
  setInterval(() => fs.existsSync("end") && process.exit(), 10);
}
`;

/** Runs it as a command of ours does, or as Pulumi's Automation API would by itself. */
const COMMAND = (ours: boolean) => `
const { PulumiCommand } = require("@pulumi/pulumi/automation");
const { engineOf } = require("${REPOSITORY}/scripts/operator/engine");
const { Interrupt } = require("${REPOSITORY}/scripts/operator/interrupt");
const interrupt = new Interrupt(console.log).listen();
(async () => {
  const engine = ${ours ? "await engineOf(interrupt)" : "await PulumiCommand.get()"};
  await engine.run(["up"], process.argv[1], {}, undefined, undefined, ${ours ? "interrupt.signal" : "undefined"});
})();
`;

describe("Ctrl-C in a terminal", function () {
  this.timeout(120_000);
  let folder: string;
  let command: ChildProcess;
  let said: string;

  /** A terminal sends the signal to every process of its foreground group. */
  const press = () => process.kill(-(command.pid as number), "SIGINT");
  const seen = () => readFileSync(path.join(folder, "seen"), { encoding: "utf8", flag: "a+" });

  async function start(ours: boolean): Promise<void> {
    folder = mkdtempSync(path.join(tmpdir(), "ctrl-c-"));
    writeFileSync(path.join(folder, "pulumi"), PULUMI, { mode: 0o755 });
    said = "";
    command = spawn(process.execPath, ["-r", "tsx/cjs", "-e", COMMAND(ours), folder], {
      cwd: REPOSITORY,
      env: { ...process.env, PATH: [folder, process.env.PATH].join(path.delimiter) },
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    command.stdout?.on("data", (data) => (said += String(data)));
    await until("pulumi runs", () => seen() === "started ");
  }

  afterEach(async () => {
    writeFileSync(path.join(folder, "end"), "");
    if (command.exitCode === null) {
      await once(command, "exit");
    }
    rmSync(folder, { recursive: true });
  });

  it("would reach the engine past the Automation API, which adds one of its own: at once, undecided", async () => {
    await start(false);
    press();
    await until("the engine got the terminal's", () => seen() === "started SIGINT ");
  });

  it("stops the engine once; the second only explains, the third ends it", async () => {
    await start(true);
    press();
    await until("it is passed on", () => seen() === "started SIGINT ");
    press();
    await until("it is explained", () => said.includes("still stopping"));
    assert.equal(seen(), "started SIGINT ");
    press();
    await until("the engine is ended", () => seen() === "started SIGINT SIGINT ");
  });
});
