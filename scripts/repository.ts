import * as path from "node:path";

/** The folder of the Pulumi program. */
export const REPOSITORY = path.resolve(__dirname, "..");

/** A path as it was typed. npm starts scripts in the repository: INIT_CWD is where the person is. */
export function typedPath(typed: string): string {
  return path.resolve(process.env.INIT_CWD ?? process.cwd(), typed);
}
