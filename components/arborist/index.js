"use strict";

/**
 * In the place of npm's resolver. The SDK loads it, 480 files and half a second of processor time, in each of the
 * two processes of every run, and asks it one thing only: which packages a function needs that is uploaded to a
 * cloud with what it captures. This program uploads none. package.json names this folder for it.
 */
exports.Arborist = class {
  /** @throws always, and says what to do */
  constructor() {
    throw new Error(
      "functions with packages cannot be uploaded: take @npmcli/arborist out of dependencies and overrides in package.json",
    );
  }
};
