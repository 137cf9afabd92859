/* eslint-disable @typescript-eslint/no-require-imports -- plain Node runs it */
"use strict";

// What a state of this project loads: the repository's own, in a process that knows one more generation.
require("../../../../../../components/loader.js");
require("../../../known.ts");
module.exports = require("../../../../../../components/recovery/providers/load.js");
