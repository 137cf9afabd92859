import * as grpc from "@grpc/grpc-js";
import { LanguageRuntimeClient } from "@pulumi/pulumi/proto/language_grpc_pb";
import { RunRequest, type RunResponse } from "@pulumi/pulumi/proto/language_pb";
import assert from "node:assert/strict";
import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

/** A program that opens both pipes for calls without a promise, and ends. */
const PROGRAM_THAT_ENDS_AT_ONCE = `#!/bin/sh
while [ $# -gt 0 ]; do
  [ "$1" = --sync ] && pipes=$2
  shift
done
if [ -z "$pipes" ]; then
  echo /where-the-sdk-is
  exit
fi
while [ ! -p "$pipes/invoke_res" ]; do :; done
exec 3>"$pipes/invoke_req" 4<"$pipes/invoke_res"
`;

describe("Pulumi's language host", function () {
  this.timeout(120_000);
  const folder = mkdtempSync(path.join(tmpdir(), "language-host-"));
  let host: ChildProcess | undefined;

  after(() => {
    host?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  it("outlives programs that end before it has read the end of their pipes", async () => {
    writeFileSync(path.join(folder, "node"), PROGRAM_THAT_ENDS_AT_ONCE, { mode: 0o755 });
    // Nobody listens where it looks for the engine and its monitor: these programs ask neither.
    host = spawn("pulumi-language-nodejs", ["127.0.0.1:1"], {
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let errors = "";
    host.stderr?.on("data", (data) => (errors += String(data)));
    const [port] = (await once(host.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    const client = new LanguageRuntimeClient(
      `127.0.0.1:${String(port).trim()}`,
      grpc.credentials.createInsecure(),
    );
    const run = () =>
      new Promise<string>((resolve) => {
        const request = new RunRequest()
          .setPwd(folder)
          .setProgram("program")
          .setMonitorAddress("127.0.0.1:1");
        client.run(request, (error: grpc.ServiceError | null, response: RunResponse | undefined) =>
          resolve(error?.message ?? response?.getError() ?? ""),
        );
      });
    // One that has the fault dies at one of the first ten.
    for (let i = 0; i < 200; i++) {
      assert.equal(await run(), "", errors);
    }
    client.close();
  });
});
