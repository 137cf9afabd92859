// npm run setup: installs what the other commands need and says what it found.
import path from "node:path";
import { fileURLToPath } from "node:url";
import { reportFailure, setup } from "./setup/setup.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

try {
  const log = (line) => console.error(line);
  const { installed, pulumi } = await setup({ root, env: process.env, log });
  console.log(`node      ${process.versions.node} (${process.execPath})`);
  console.log(`packages  ${installed ? "installed now" : "as in package-lock.json"}`);
  console.log(`pulumi    ${pulumi.version} (${pulumi.source})`);
} catch (error) {
  reportFailure(error);
}
