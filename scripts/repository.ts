import * as path from "node:path";

/** The folder of the Pulumi program. */
export const REPOSITORY = path.resolve(__dirname, "..");
