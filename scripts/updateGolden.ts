import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { format, resolveConfig } from "prettier";
import { EXPECTED, fileOf } from "../test/golden/expected";
import { knowMirrored } from "../test/generation/mirrored";
import { CASES, graphOf } from "../test/golden/graph";
import { REPOSITORY } from "./repository";

/** Writes the golden resource graphs anew: the one way they change, so that the difference is reviewed. */
async function main(): Promise<void> {
  knowMirrored();
  const wholeFirst = [...CASES].sort(
    (a, b) => Number(a.base !== undefined) - Number(b.base !== undefined),
  );
  for (const golden of wholeFirst) {
    const file = path.join(EXPECTED, `${golden.name}.json`);
    const content = JSON.stringify(fileOf(golden.base, await graphOf(golden)));
    const options = await resolveConfig(file);
    writeFileSync(file, await format(content, { ...options, filepath: file }));
    console.log(path.relative(REPOSITORY, file));
  }
}

void main();
