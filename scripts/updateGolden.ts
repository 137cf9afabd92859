import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { CASES, graphOf } from "../test/golden/graph";
import { PAGE, thirdPartyPage } from "./thirdPartyPage";
import { REPOSITORY } from "./repository";

/**
 * Writes anew what is made of something else, the golden resource graphs and the page of what is fetched:
 * the one way they change, so that the difference is reviewed.
 */
async function main(): Promise<void> {
  for (const golden of CASES) {
    const file = path.join(REPOSITORY, "test/golden/expected", `${golden.name}.json`);
    writeFileSync(file, `${JSON.stringify(await graphOf(golden), undefined, 2)}\n`);
    console.log(path.relative(REPOSITORY, file));
  }
  writeFileSync(path.join(REPOSITORY, PAGE), await thirdPartyPage());
  console.log(PAGE);
}

void main();
