// A process of its own, so that a deadline can end it with everything it has started: installs the
// Pulumi CLI that matches the SDK into the folder given as the argument.
import { PulumiCommand } from "@pulumi/pulumi/automation/index.js";

try {
  await PulumiCommand.install({ root: process.argv[2] });
} catch (error) {
  // The Automation API's messages have several lines (code, stdout, stderr, stack): the reason is
  // wanted, on one.
  const text = error instanceof Error ? error.message : String(error);
  const lines = text.split("\n").map((line) => line.trim());
  const stderr = lines.find((line) => /^stderr: ./.test(line))?.replace(/^stderr: /, "");
  console.error(stderr ?? lines.find((line) => line !== "") ?? "unknown error");
  process.exitCode = 1;
}
