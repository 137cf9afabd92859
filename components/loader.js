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
