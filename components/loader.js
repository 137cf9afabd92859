// How the two processes that Pulumi starts load this program, the program's own and the one of the
// dynamic resources. Plain JavaScript: it is what makes the others readable.
/* eslint-disable @typescript-eslint/no-require-imports -- plain Node runs it */
"use strict";

// Node 22.1 and later keep what they have compiled for the next run.
require("node:module").enableCompileCache?.();
// Before tsx, which looks into every file that is loaded after it, and the SDK has six hundred.
require("@pulumi/pulumi");
// Compiles each file once and keeps it, where the compiler that Pulumi registers compiles all of them in every
// run. For the whole process: in a scope of its own, as tsx also offers, loading takes three times as long.
require("tsx/cjs");

const { findSourceMap } = require("node:module");
const { dirname, sep } = require("node:path");
const ROOT = dirname(__dirname) + sep;

/**
 * Stack traces say the lines of our files. What Pulumi has registered for that knows nothing of tsx, which makes
 * one line of a file, and reads the maps of every file of the SDK that is in a trace: the SDK takes one for
 * each promise.
 */
Error.prepareStackTrace = (error, frames) =>
  [String(error), ...frames.map((frame) => `    at ${placed(frame)}`)].join("\n");

const seen = new Map();

/** A frame, where its file is one of ours with the position in the file, not in what was made of it. */
function placed(frame) {
  const text = frame.toString();
  const known = seen.get(text);
  if (known !== undefined) {
    return known;
  }
  const file = frame.getFileName() ?? "";
  const ours = file.startsWith(ROOT) && !file.includes(`${sep}node_modules${sep}`);
  const map = ours ? findSourceMap(file) : undefined;
  const { lineNumber, columnNumber } =
    map?.findOrigin(frame.getLineNumber(), frame.getColumnNumber()) ?? {};
  const place =
    lineNumber === undefined
      ? text
      : text.replace(/:\d+:\d+(?=\)?$)/, `:${lineNumber}:${columnNumber}`);
  seen.set(text, place);
  return place;
}
