/* eslint-disable @typescript-eslint/no-require-imports -- mocha loads a reporter as a plain CommonJS file */
const { writeFileSync } = require("node:fs");
const { reporters, Runner } = require("mocha");

/** Mocha's spec reporter, which also leaves its numbers in a file for the tier runner (scripts/test.ts). */
module.exports = class StatsReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = runner.stats;
      writeFileSync(process.env.TIER_STATS_FILE, JSON.stringify({ passes, failures, pending }));
    });
  }
};
