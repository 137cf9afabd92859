import { join } from "node:path";

const FOLDER = join(__dirname, "../kubernetes/real/charts");

/**
 * Charts that make objects of the same kinds and names as those of Camunda and Elasticsearch, as far as anything
 * here looks at them. The played provider goes by their names, and asks that they are there, as the real one does.
 */
export const OWN_CHARTS = {
  camunda: { chart: join(FOLDER, "camunda-platform") },
  elasticsearch: { chart: join(FOLDER, "elasticsearch") },
};
