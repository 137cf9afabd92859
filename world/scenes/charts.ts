import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_VERSION, generationOf } from "../../components/generations";
import { DIALECTS } from "../camunda/embedded/dialect";

const FOLDER = join(__dirname, "../kubernetes/real/charts");
const CAMUNDA = join(FOLDER, "camunda-platform");

/** Copies of the chart of Camunda under other versions, by generation, for as long as this process lives. */
const copies = new Map<string, string>();

/**
 * Charts that make objects of the same kinds and names as those of Camunda and Elasticsearch, as far as anything
 * here looks at them. The played provider goes by their names, and asks that they are there, as the real one does.
 * Camunda's says which version it is and installs, as that of a generation does.
 */
export function ownCharts(camundaVersion = DEFAULT_VERSION) {
  let camunda = camundaVersion === DEFAULT_VERSION ? CAMUNDA : copies.get(camundaVersion);
  if (camunda === undefined) {
    camunda = copyOf(camundaVersion);
    copies.set(camundaVersion, camunda);
  }
  return { camunda: { chart: camunda }, elasticsearch: { chart: join(FOLDER, "elasticsearch") } };
}

function copyOf(camundaVersion: string): string {
  const folder = mkdtempSync(join(tmpdir(), "charts-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const chart = join(folder, "camunda-platform");
  cpSync(CAMUNDA, chart, { recursive: true });
  const file = join(chart, "Chart.yaml");
  const { version } = generationOf(camundaVersion).charts.camunda;
  const text = readFileSync(file, "utf8")
    .replace(/^version: .*$/m, `version: ${version}`)
    .replace(/^appVersion: .*$/m, `appVersion: ${DIALECTS[camundaVersion]?.version}`);
  writeFileSync(file, text);
  return chart;
}
