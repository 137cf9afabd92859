import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { CONFIGURATION, configurationPage, PROJECT, projectFile } from "./configurationPage";
import { GENERATIONS_PAGE, generationsPage } from "./generationsPage";
import { REPOSITORY } from "./repository";
import { PAGE, thirdPartyPage } from "./thirdPartyPage";

/** Writes anew what users read and what is made of something else: the one way these files change. */
async function main(): Promise<void> {
  for (const [file, text] of [
    [PROJECT, await projectFile()],
    [CONFIGURATION, await configurationPage()],
    [GENERATIONS_PAGE, await generationsPage()],
    [PAGE, await thirdPartyPage()],
  ] as const) {
    writeFileSync(path.join(REPOSITORY, file), text);
    console.log(file);
  }
}

void main();
