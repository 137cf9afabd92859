import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { CASES, graphOf } from "../test/golden/graph";
import { REPOSITORY } from "./workspace";

/** Writes the golden resource graphs anew: the one way they change, so that the difference is reviewed. */
async function main(): Promise<void> {
  for (const golden of CASES) {
    const file = path.join(REPOSITORY, "test/golden/expected", `${golden.name}.json`);
    writeFileSync(file, `${JSON.stringify(await graphOf(golden), undefined, 2)}\n`);
    console.log(path.relative(REPOSITORY, file));
  }
}

void main();
